// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for what a shrinker promises: nobody waits, what is reported can be
 * freed, work in proportion to what is asked for, and no last reference is dropped.
 *
 * What others do at the same time is done from within the driver's functions, at
 * the very point where it matters. Built into the kernel, as ttm_lru_shrinker.
 */

#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/shrinker.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include <drm/ttm/ttm_backup.h>
#include <drm/ttm/ttm_shrinker.h>

#include "../ttm_pool_internal.h"
#include "../ttm_reclaim.h"
#include "lib/ttm_lru_reclaim.h"

/*
 * Nobody waits
 */

static void reclaim_scan_another(struct lru_world *w, char letter)
{
	reclaim.at = NULL;
	reclaim.result = reclaim_scan(GFP_KERNEL, 1);
}

/* While one scan is at work with a, another one gets b. */
static void ttm_lru_reclaim_two_at_a_time(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, "a b c", "abc");
	unsigned long ret;

	reclaim.at = reclaim_scan_another;
	reclaim_start(test);
	ret = reclaim_scan(GFP_KERNEL, 1);
	reclaim_stop();
	KUNIT_EXPECT_EQ(test, ret, 1);
	KUNIT_EXPECT_EQ(test, reclaim.result, 1);
	EXPECT_LETTERS(reclaim.backed_up, "ab");
	EXPECT_SOUND(w, "c / a b");
}

static atomic_t reclaim_waits;

static const char *reclaim_fence_name(struct dma_fence *fence)
{
	return "ttm-lru-reclaim";
}

static bool reclaim_fence_waited_for(struct dma_fence *fence)
{
	atomic_inc(&reclaim_waits);
	return true;
}

static const struct dma_fence_ops reclaim_fence_ops = {
	.get_driver_name = reclaim_fence_name,
	.get_timeline_name = reclaim_fence_name,
	.enable_signaling = reclaim_fence_waited_for,
};

static DEFINE_SPINLOCK(reclaim_fence_lock);

/* The GPU uses a buffer until lru_idle(). It tells when somebody waits. */
static void reclaim_use(struct lru_world *w, char letter)
{
	struct ttm_buffer_object *bo;
	int ret;

	atomic_set(&reclaim_waits, 0);
	w->fence = kzalloc_obj(*w->fence);
	KUNIT_ASSERT_NOT_NULL(w->test, w->fence);
	dma_fence_init(w->fence, &reclaim_fence_ops, &reclaim_fence_lock,
		       dma_fence_context_alloc(1), 1);
	bo = lru_reserve(w, letter);
	ret = dma_resv_reserve_fences(bo->base.resv, 1);
	if (!ret)
		dma_resv_add_fence(bo->base.resv, w->fence,
				   DMA_RESV_USAGE_BOOKKEEP);
	lru_unreserve(bo);
	KUNIT_ASSERT_EQ(w->test, ret, 0);
}

/* Nor does kswapd wait for a GPU: all allocations wait for kswapd. */
static void ttm_lru_reclaim_kswapd_does_not_wait(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, "a b", "ab");
	unsigned long ret[3];
	int waits;

	reclaim_use(w, 'a');
	reclaim_start(test);
	ret[0] = reclaim_scan_kswapd(10);
	ret[1] = reclaim_scan_kswapd(10);
	waits = atomic_read(&reclaim_waits);
	lru_idle(w);
	ret[2] = reclaim_scan_kswapd(10);
	reclaim_stop();
	KUNIT_EXPECT_EQ(test, ret[0], 1);
	KUNIT_EXPECT_EQ(test, ret[1], SHRINK_STOP);
	KUNIT_EXPECT_EQ(test, waits, 0);
	KUNIT_EXPECT_EQ(test, ret[2], 1);
	EXPECT_LETTERS(reclaim.backed_up, "ba");
}

/* Before it has looked at all, a scan doesn't say that there is no more. */
static void ttm_lru_reclaim_stops_at_the_end_only(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_TT, "a b c d e", "e");
	unsigned long ret[4];

	reclaim_start(test);
	ret[0] = reclaim_scan(GFP_KERNEL, 2);
	ret[1] = reclaim_scan(GFP_KERNEL, 2);
	ret[2] = reclaim_scan(GFP_KERNEL, 2);
	ret[3] = reclaim_scan(GFP_KERNEL, 100);
	reclaim_stop();
	KUNIT_EXPECT_EQ(test, ret[0], 0);
	KUNIT_EXPECT_EQ(test, ret[1], 0);
	KUNIT_EXPECT_EQ(test, ret[2], 1);
	KUNIT_EXPECT_EQ(test, ret[3], SHRINK_STOP);
	EXPECT_SOUND(w, "a b c d / e");
}

/* Nor while others have idle buffers, purgeable ones or not. */
static void ttm_lru_reclaim_does_not_stop_for_others(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, "a* b*", "ab");
	unsigned long ret[4];

	reclaim_start(test);
	lru_reserve(w, 'a');
	ret[0] = reclaim_scan(GFP_KERNEL, 10);
	lru_unreserve(lru_bo(w, 'a'));
	reclaim_set_purgeable(w, 'a', true);
	lru_reserve(w, 'a');
	ret[1] = reclaim_scan(GFP_NOFS, 10);
	lru_unreserve(lru_bo(w, 'a'));
	ret[2] = reclaim_scan(GFP_KERNEL, 10);
	ret[3] = reclaim_scan(GFP_KERNEL, 10);
	reclaim_stop();
	KUNIT_EXPECT_EQ(test, ret[0], 0);
	KUNIT_EXPECT_EQ(test, ret[1], 0);
	KUNIT_EXPECT_EQ(test, ret[2], 2);
	KUNIT_EXPECT_EQ(test, ret[3], SHRINK_STOP);
	EXPECT_SOUND(w, "/ a b");
}

/* Nor for one that is being released. */
static void ttm_lru_reclaim_does_not_stop_for_the_dying(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, "a", "a");

	lru_drop_last(w, 'a');
	reclaim_start(test);
	KUNIT_EXPECT_EQ(test, reclaim_scan(GFP_KERNEL, 10), 0);
	reclaim_stop();
	lru_undrop_last(w, 'a');
}

/*
 * What is reported can be freed
 */

static void reclaim_expect_count(struct kunit *test, unsigned long nofs,
				 unsigned long kernel)
{
	KUNIT_EXPECT_EQ(test, reclaim_count(GFP_NOFS), nofs ?: SHRINK_EMPTY);
	KUNIT_EXPECT_EQ(test, reclaim_count(GFP_KERNEL), kernel ?: SHRINK_EMPTY);
}

/* Whether it said so before the buffer had pages, or after. */
static void ttm_lru_reclaim_counts_purgeable(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, "a b c", "bc");

	reclaim_start(test);
	reclaim_expect_count(test, 0, 2);
	reclaim_set_purgeable(w, 'a', true);
	reclaim_expect_count(test, 0, 2);
	lru_fill(w, "a");
	reclaim_expect_count(test, 1, 3);
	reclaim_set_purgeable(w, 'b', true);
	reclaim_set_purgeable(w, 'b', true);
	reclaim_expect_count(test, 2, 3);
	reclaim_set_purgeable(w, 'a', false);
	reclaim_expect_count(test, 1, 3);

	KUNIT_EXPECT_EQ(test, reclaim_scan(GFP_NOFS, 100), 1);
	EXPECT_LETTERS(reclaim.purged, "b");
	reclaim_expect_count(test, 0, 2);
	/* What comes next is new. */
	ttm_tt_clear_backed_up(lru_bo(w, 'b')->ttm);
	lru_fill(w, "b");
	reclaim_expect_count(test, 0, 3);
	KUNIT_EXPECT_EQ(test, reclaim_scan(GFP_NOFS, 100), SHRINK_STOP);
	reclaim_stop();
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "abc"), "");
}

/* What can be backed up is limited by what there is room for. */
static u64 reclaim_one_page(void)
{
	return PAGE_SIZE;
}

static void ttm_lru_reclaim_counts_what_has_room(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, "a b c", "abc");

	kunit_activate_static_stub(test, ttm_backup_bytes_avail, reclaim_one_page);
	reclaim_set_purgeable(w, 'c', true);
	reclaim_start(test);
	reclaim_expect_count(test, 1, 2);
	reclaim_stop();
}

/* A ghost's content is nobody's, though the buffer's is not to be lost. */
static void ttm_lru_reclaim_counts_ghosts(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_TT, "a b", "ab");

	reclaim_start(test);
	reclaim_expect_count(test, 0, 2);
	lru_purge_busy(w, 'a');
	reclaim_expect_count(test, 1, 2);
	/* The GPU is still at it. */
	KUNIT_EXPECT_EQ(test, reclaim_scan(GFP_NOFS, 100), SHRINK_STOP);
	lru_idle(w);
	reclaim_expect_count(test, 0, 1);
	reclaim_stop();
	KUNIT_EXPECT_EQ(test, w->bdev->nr_purgeable, 0);
}

/* A purgeable buffer leaves the list with its memory. */
static void ttm_lru_reclaim_forgets(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, "a b", "ab");
	struct ttm_buffer_object *bo = lru_bo(w, 'a');

	reclaim_set_purgeable(w, 'a', true);
	reclaim_set_purgeable(w, 'b', true);
	KUNIT_EXPECT_EQ(test, w->bdev->nr_purgeable, 2);
	w->bo[0] = NULL;
	ttm_bo_fini(bo);
	flush_workqueue(w->bdev->wq);
	KUNIT_EXPECT_EQ(test, w->bdev->nr_purgeable, 1);
	reclaim_start(test);
	reclaim_expect_count(test, 1, 1);
	reclaim_stop();
}

static struct ttm_tt *reclaim_create_without_backup(struct ttm_buffer_object *bo,
						    u32 page_flags)
{
	struct ttm_tt *tt = kzalloc_obj(*tt);

	if (tt && ttm_tt_init(tt, bo, page_flags, ttm_cached, 0)) {
		kfree(tt);
		return NULL;
	}
	return tt;
}

/* What has no backup is not reported, nor listed when its last reference is gone. */
static void ttm_lru_reclaim_counts_what_has_a_backup(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, "a b", "a");
	struct ttm_buffer_object *bo = lru_bo(w, 'b');
	unsigned int purgeable;

	w->funcs.ttm_tt_create = reclaim_create_without_backup;
	lru_fill(w, "b");
	reclaim_start(test);
	reclaim_expect_count(test, 0, 1);
	reclaim_use(w, 'b');
	w->bo['b' - 'a'] = NULL;
	ttm_bo_fini(bo);
	purgeable = w->bdev->nr_purgeable;
	reclaim_expect_count(test, 0, 1);
	lru_idle(w);
	reclaim_stop();
	KUNIT_EXPECT_EQ(test, purgeable, 0);
	EXPECT_SOUND(w, "a");
}

/* Nor is it tried. */
static void ttm_lru_reclaim_leaves_what_has_no_backup(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, "a b", "a");

	w->funcs.ttm_tt_create = reclaim_create_without_backup;
	lru_fill(w, "b");
	reclaim_start(test);
	KUNIT_EXPECT_EQ(test, reclaim_scan(GFP_KERNEL, 10), 1);
	reclaim_stop();
	EXPECT_LETTERS(reclaim.backed_up, "a");
	EXPECT_SOUND(w, "b / a");
}

/* Memory that is not made of pages is no concern of a shrinker. */
static void ttm_lru_reclaim_leaves_what_is_not_pages(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_TT, "a b", "ab");
	unsigned long ret[2];

	lru_man(w)->use_tt = false;
	reclaim_start(test);
	ret[0] = reclaim_scan(GFP_KERNEL, 2);
	reclaim_set_purgeable(w, 'b', true);
	ret[1] = reclaim_scan(GFP_KERNEL, 2);
	reclaim_stop();
	lru_man(w)->use_tt = true;
	/* There is no list that it looks at. */
	KUNIT_EXPECT_EQ(test, ret[0], SHRINK_STOP);
	KUNIT_EXPECT_EQ(test, ret[1], SHRINK_STOP);
	EXPECT_SOUND(w, "a b");
}

/* One that has no place is passed over. */
static void ttm_lru_reclaim_purges_past_one_that_is_nowhere(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, "a b", "ab");

	reclaim_set_purgeable(w, 'a', true);
	reclaim_set_purgeable(w, 'b', true);
	lru_free(w, 'a');
	reclaim_start(test);
	KUNIT_EXPECT_EQ(test, reclaim_scan(GFP_NOFS, 10), 1);
	reclaim_stop();
	EXPECT_LETTERS(reclaim.purged, "b");
}

static void reclaim_let_go_of_b(struct lru_world *w, char letter)
{
	if (letter == 'a')
		lru_unreserve(lru_bo(w, 'b'));
}

/* What may be lost is not backed up, though it could not be purged at first. */
static void ttm_lru_reclaim_purges_in_a_lap(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, "a b", "ab");

	reclaim_set_purgeable(w, 'b', true);
	reclaim.at = reclaim_let_go_of_b;
	lru_reserve(w, 'b');
	reclaim_start(test);
	KUNIT_EXPECT_EQ(test, reclaim_scan(GFP_KERNEL, 10), 2);
	reclaim_stop();
	EXPECT_LETTERS(reclaim.backed_up, "a");
	EXPECT_LETTERS(reclaim.purged, "b");
}

/*
 * Memory is kept back
 */

/* What the system can get, in pages. */
static struct {
	u64 memory;
	u64 swap;
} reclaim_left;

static u64 reclaim_memory(void)
{
	return reclaim_left.memory;
}

static u64 reclaim_swap(void)
{
	return reclaim_left.swap << PAGE_SHIFT;
}

static u64 reclaim_kept_back(void)
{
	return min(totalram_pages() / 32, SZ_128M >> PAGE_SHIFT);
}

static struct lru_world *reclaim_world_short(struct kunit *test,
					     const char *picture,
					     const char *filled)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, picture, filled);

	reclaim_left.memory = reclaim_kept_back();
	reclaim_left.swap = 0;
	kunit_activate_static_stub(test, ttm_pages_available, reclaim_memory);
	kunit_activate_static_stub(test, ttm_backup_bytes_avail, reclaim_swap);
	return w;
}

static int reclaim_populate_or(struct lru_world *w, char letter, bool fail)
{
	struct ttm_operation_ctx ctx = { .gfp_retry_mayfail = fail };
	struct ttm_buffer_object *bo = lru_reserve(w, letter);
	int ret = ttm_tt_create(bo, false) ?: ttm_bo_populate(bo, &ctx);

	lru_unreserve(bo);
	return ret;
}

/* The last pages are not for those that prefer to fail. */
static void ttm_lru_reclaim_keeps_memory_back(struct kunit *test)
{
	struct lru_world *w = reclaim_world_short(test, "a b", "");

	KUNIT_EXPECT_EQ(test, reclaim_populate_or(w, 'a', true), -ENOMEM);
	KUNIT_EXPECT_FALSE(test, ttm_tt_is_populated(lru_bo(w, 'a')->ttm));
	KUNIT_EXPECT_EQ(test, reclaim_populate_or(w, 'b', false), 0);
	reclaim_left.memory++;
	KUNIT_EXPECT_EQ(test, reclaim_populate_or(w, 'a', true), 0);
}

/* What can be had is not refused: for what may be lost, or goes to the swap space. */
static void ttm_lru_reclaim_keeps_back_no_more(struct kunit *test)
{
	struct lru_world *w = reclaim_world_short(test, "a b c d", "a");

	KUNIT_EXPECT_EQ(test, reclaim_populate_or(w, 'b', true), -ENOMEM);
	reclaim_set_purgeable(w, 'a', true);
	KUNIT_EXPECT_EQ(test, reclaim_populate_or(w, 'b', true), 0);
	reclaim_set_purgeable(w, 'a', false);
	KUNIT_EXPECT_EQ(test, reclaim_populate_or(w, 'c', true), -ENOMEM);
	reclaim_left.swap = 1;
	KUNIT_EXPECT_EQ(test, reclaim_populate_or(w, 'c', true), 0);
	reclaim_left.memory--;
	KUNIT_EXPECT_EQ(test, reclaim_populate_or(w, 'd', true), -ENOMEM);
}

/* A buffer that comes back makes room where it was. */
static void ttm_lru_reclaim_restores_from_a_full_backup(struct kunit *test)
{
	struct lru_world *w = reclaim_world_short(test, "a", "a");

	reclaim_left.swap = 1;
	reclaim_start(test);
	KUNIT_EXPECT_EQ(test, reclaim_scan(GFP_KERNEL, 1), 1);
	reclaim_stop();
	reclaim_left.swap = 0;
	KUNIT_EXPECT_EQ(test, reclaim_populate_or(w, 'a', true), 0);
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "a"), "");
}

/*
 * Work in proportion
 */

/* Loose buffers with one reservation, without pages. */
struct reclaim_mass {
	struct ttm_buffer_object *bo;
	struct dma_resv resv;
	unsigned int n;
};

static void reclaim_mass_init(struct reclaim_mass *mass, struct lru_world *w,
			      unsigned int n)
{
	struct ttm_place place = { .mem_type = w->mem_type };

	mass->n = 0;
	dma_resv_init(&mass->resv);
	mass->bo = kvcalloc(n, sizeof(*mass->bo), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(w->test, mass->bo);
	dma_resv_lock(&mass->resv, NULL);
	for (unsigned int i = 0; i < n; i++) {
		struct ttm_buffer_object *bo = &mass->bo[i];

		bo->base.resv = &mass->resv;
		drm_gem_private_object_init(w->devs.drm, &bo->base, PAGE_SIZE);
		bo->bdev = w->bdev;
		bo->destroy = dummy_ttm_bo_destroy;
		kref_init(&bo->kref);
		mass->n += !ttm_resource_alloc(bo, &place, &bo->resource, NULL);
	}
	dma_resv_unlock(&mass->resv);
	KUNIT_ASSERT_EQ(w->test, mass->n, n);
}

static void reclaim_mass_fini(struct reclaim_mass *mass, struct lru_world *w)
{
	for (unsigned int i = 0; i < mass->n; i++) {
		struct ttm_buffer_object *bo = &mass->bo[i];

		dma_resv_lock(bo->base.resv, NULL);
		ttm_resource_free(bo, &bo->resource);
		dma_resv_unlock(bo->base.resv);
		ttm_bo_fini(bo);
	}
	flush_workqueue(w->bdev->wq);
	dma_resv_fini(&mass->resv);
	kvfree(mass->bo);
}

#ifdef CONFIG_DRM_TTM_LRU_DEBUG
#define RECLAIM_ASKED	64
/* What one hold of the lock may look at beyond that. */
#define RECLAIM_HOLD	32

/* How many buffers of @n a scan looks at that finds nothing. */
static unsigned long reclaim_looked_at(struct lru_world *w, unsigned int n,
				       bool busy)
{
	struct reclaim_mass mass;
	unsigned long before;

	reclaim_mass_init(&mass, w, n);
	if (busy)
		dma_resv_lock(&mass.resv, NULL);
	before = lru_man(w)->lru_stats.examined;
	reclaim.result = reclaim_scan(GFP_KERNEL, RECLAIM_ASKED);
	before = lru_man(w)->lru_stats.examined - before;
	if (busy)
		dma_resv_unlock(&mass.resv);
	reclaim_mass_fini(&mass, w);
	return before;
}

static void ttm_lru_reclaim_work_in_proportion(struct kunit *test)
{
	static const unsigned int many[] = { 100, 20000 };
	unsigned long looked;

	reclaim_world(test, TTM_PL_SYSTEM, "", "");
	reclaim_start(test);
	for (int i = 0; i < 2 * ARRAY_SIZE(many); i++) {
		looked = reclaim_looked_at(reclaim.w, many[i / 2], i % 2);
		kunit_info(test, "%u %s buffers, asked for %u: looked at %lu\n",
			   many[i / 2], i % 2 ? "busy" : "empty",
			   RECLAIM_ASKED, looked);
		KUNIT_EXPECT_GE(test, looked, RECLAIM_ASKED - RECLAIM_HOLD);
		KUNIT_EXPECT_LE(test, looked, RECLAIM_ASKED + RECLAIM_HOLD);
		KUNIT_EXPECT_EQ(test, reclaim.result, 0);
	}
	reclaim_stop();
}

/* Without swap space, it looks at no list but that of purgeable buffers. */
static void ttm_lru_reclaim_purgeable_among_many(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, "a b", "ab");
	struct reclaim_mass mass;
	unsigned long before, ret[2];

	kunit_deactivate_static_stub(test, ttm_backup_bytes_avail);
	reclaim_mass_init(&mass, w, 2000);
	lru_tail(w, 'b');
	reclaim_start(test);
	before = lru_man(w)->lru_stats.examined;
	ret[0] = reclaim_scan(GFP_KERNEL, 1);
	reclaim_set_purgeable(w, 'b', true);
	ret[1] = reclaim_scan(GFP_KERNEL, 1);
	KUNIT_EXPECT_EQ(test, lru_man(w)->lru_stats.examined, before);
	reclaim_stop();
	reclaim_mass_fini(&mass, w);
	KUNIT_EXPECT_EQ(test, ret[0], SHRINK_STOP);
	KUNIT_EXPECT_EQ(test, ret[1], 1);
	EXPECT_LETTERS(reclaim.purged, "b");
}
#endif

/* What is passed by counts as one page, once, and is told. */
static void ttm_lru_reclaim_counts_what_is_passed_by(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, "a b c d e",
					    "abcde");
	unsigned long ret;

	lru_reserve(w, 'a');
	reclaim_start(test);
	ret = reclaim_scan(GFP_KERNEL, 1);
	KUNIT_EXPECT_EQ(test, ret, 1);
	KUNIT_EXPECT_EQ(test, reclaim.scanned, 2);
	ret = reclaim_scan(GFP_KERNEL, 3);
	KUNIT_EXPECT_EQ(test, ret, 3);
	KUNIT_EXPECT_EQ(test, reclaim.scanned, 3);
	reclaim_stop();
	lru_unreserve(lru_bo(w, 'a'));
	EXPECT_LETTERS(reclaim.backed_up, "bcde");
}

/* One that can't be purged just now keeps nobody from the others. */
static void ttm_lru_reclaim_purges_past_busy_ones(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, "a b c", "abc");
	unsigned long ret[3];

	for (char c = 'a'; c <= 'c'; c++)
		reclaim_set_purgeable(w, c, true);
	lru_pin(w, 'b');
	lru_reserve(w, 'a');
	reclaim_start(test);
	for (int i = 0; i < 3; i++)
		ret[i] = reclaim_scan(GFP_NOFS, 1);
	reclaim_stop();
	lru_unreserve(lru_bo(w, 'a'));
	KUNIT_EXPECT_EQ(test, ret[0], 0);
	KUNIT_EXPECT_EQ(test, ret[1], 0);
	KUNIT_EXPECT_EQ(test, ret[2], 1);
	EXPECT_LETTERS(reclaim.purged, "c");
}

/* One that is being released is not locked for good. */
static void ttm_lru_reclaim_lets_go_of_the_dying(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, "a b", "ab");

	reclaim_set_purgeable(w, 'a', true);
	reclaim_set_purgeable(w, 'b', true);
	lru_drop_last(w, 'a');
	reclaim_start(test);
	KUNIT_EXPECT_EQ(test, reclaim_scan(GFP_NOFS, 2), 1);
	reclaim_stop();
	lru_undrop_last(w, 'a');
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(lru_bo(w, 'a')->base.resv));
	EXPECT_LETTERS(reclaim.purged, "b");
}

/* Those that may be lost go first, and alone if they are enough. */
static void ttm_lru_reclaim_purges_first(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_TT, "a b c", "abc");

	reclaim_set_purgeable(w, 'c', true);
	reclaim_start(test);
	KUNIT_EXPECT_EQ(test, reclaim_scan(GFP_KERNEL, 1), 1);
	EXPECT_LETTERS(reclaim.purged, "c");
	EXPECT_LETTERS(reclaim.backed_up, "");
	KUNIT_EXPECT_EQ(test, reclaim_scan(GFP_KERNEL, 1), 1);
	EXPECT_LETTERS(reclaim.backed_up, "a");
	reclaim_stop();
}

/* How each attempt to back up was made: w if written at once. It fails. */
static struct lru_letters reclaim_attempts;

static s64 reclaim_no_memory(struct file *backup, struct folio *folio,
			     unsigned int order, bool writeback, pgoff_t idx,
			     gfp_t folio_gfp, gfp_t alloc_gfp,
			     pgoff_t *nr_pages_backed)
{
	lru_note(&reclaim_attempts, writeback ? 'w' : '-');
	*nr_pages_backed = 0;
	return -ENOMEM;
}

static void ttm_lru_reclaim_writes_back_last(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, "a b", "");

	reclaim_attempts = (struct lru_letters) {};
	kunit_activate_static_stub(test, ttm_backup_backup_folio,
				   reclaim_no_memory);
	reclaim_start(test);
	/* A lap without anything to try is not one in vain. */
	reclaim_scan_kswapd(10);
	lru_fill(w, "ab");
	for (int i = 0; i < 3; i++)
		reclaim_scan_kswapd(1);
	EXPECT_LETTERS(reclaim_attempts, "--w");
	/* Others never do. */
	reclaim_scan(GFP_KERNEL, 1);
	EXPECT_LETTERS(reclaim_attempts, "--w-");
	kunit_deactivate_static_stub(test, ttm_backup_backup_folio);
	reclaim_scan_kswapd(1);
	kunit_activate_static_stub(test, ttm_backup_backup_folio,
				   reclaim_no_memory);
	/* It went well with one: the next lap may do without again. */
	reclaim_scan_kswapd(1);
	reclaim_scan_kswapd(1);
	reclaim_stop();
	EXPECT_LETTERS(reclaim_attempts, "--w-w-");
}

/* A world whose attempts to back up fail. */
static struct lru_world *reclaim_world_in_vain(struct kunit *test,
					       const char *picture,
					       const char *filled)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, picture, filled);

	reclaim_attempts = (struct lru_letters) {};
	kunit_activate_static_stub(test, ttm_backup_backup_folio,
				   reclaim_no_memory);
	return w;
}

/* A scan tries each buffer once, whatever it is asked for. */
static void ttm_lru_reclaim_one_lap_is_enough(struct kunit *test)
{
	reclaim_world_in_vain(test, "a b", "ab");
	reclaim_start(test);
	KUNIT_EXPECT_EQ(test, reclaim_scan(GFP_KERNEL, 100), SHRINK_STOP);
	reclaim_stop();
	EXPECT_LETTERS(reclaim_attempts, "--");
}

/* A lap that tried nothing is not in vain, though the one before was: */
static void ttm_lru_reclaim_forgets_attempts(struct kunit *test)
{
	struct lru_world *w = reclaim_world_in_vain(test, "a* b*", "ab");

	reclaim_start(test);
	reclaim_scan_kswapd(1);
	reclaim_scan_kswapd(1);
	lru_reserve(w, 'a');
	reclaim_scan_kswapd(10);
	lru_unreserve(lru_bo(w, 'a'));
	reclaim_scan_kswapd(1);
	reclaim_stop();
	EXPECT_LETTERS(reclaim_attempts, "---");
}

/* one that failed with all is, though the one before was not. */
static void ttm_lru_reclaim_forgets_success(struct kunit *test)
{
	reclaim_world_in_vain(test, "a b c", "abc");
	reclaim_start(test);
	kunit_deactivate_static_stub(test, ttm_backup_backup_folio);
	KUNIT_EXPECT_EQ(test, reclaim_scan_kswapd(1), 1);
	kunit_activate_static_stub(test, ttm_backup_backup_folio,
				   reclaim_no_memory);
	for (int i = 0; i < 5; i++)
		reclaim_scan_kswapd(1);
	reclaim_stop();
	EXPECT_LETTERS(reclaim_attempts, "----w");
}

/* Nobody needs a zombie's content: it takes no swap space, and moves nowhere. */
static void ttm_lru_reclaim_backs_up_no_zombies(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_TT, "a b", "ab");

	reclaim_attempts = (struct lru_letters) {};
	kunit_activate_static_stub(test, ttm_backup_backup_folio,
				   reclaim_no_memory);
	lru_bo(w, 'a')->deleted = true;
	reclaim_start(test);
	KUNIT_EXPECT_EQ(test, reclaim_scan(GFP_KERNEL, 2), 1);
	reclaim_stop();
	lru_bo(w, 'a')->deleted = false;
	EXPECT_LETTERS(reclaim_attempts, "-");
	EXPECT_LETTERS(lru_mock.moved, "b");
	EXPECT_LETTERS(reclaim.purged, "");
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "b"), "");
}

/*
 * What happens in memory reclaim
 */

static void reclaim_note_scope(struct lru_world *w, char letter)
{
	reclaim.result = current->flags &
			 (PF_MEMALLOC_NOFS | PF_MEMALLOC_NOIO);
}

/* What the driver allocates is held to what the allocation allows. */
static void ttm_lru_reclaim_scope(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, "a b c", "abc");
	static const struct {
		gfp_t gfp;
		unsigned long flags;
	} asked[] = {
		{ GFP_KERNEL, 0 },
		{ GFP_NOFS, PF_MEMALLOC_NOFS },
		{ GFP_NOIO, PF_MEMALLOC_NOIO },
	};

	reclaim.at = reclaim_note_scope;
	reclaim_start(test);
	for (int i = 0; i < ARRAY_SIZE(asked); i++) {
		reclaim_set_purgeable(w, 'a' + i, true);
		reclaim.result = -1;
		KUNIT_EXPECT_EQ(test, reclaim_scan(asked[i].gfp, 1), 1);
		KUNIT_EXPECT_EQ(test, reclaim.result, asked[i].flags);
	}
	reclaim_stop();
	KUNIT_EXPECT_EQ(test, current->flags & PF_MEMALLOC_NOFS, 0);
	KUNIT_EXPECT_EQ(test, current->flags & PF_MEMALLOC_NOIO, 0);
}

static struct task_struct *reclaim_destroyer;

static void reclaim_destroy(struct ttm_buffer_object *bo)
{
	reclaim_destroyer = current;
	dummy_ttm_bo_destroy(bo);
}

/* Whoever else has a reference drops it: the rest is up to the shrinker. */
static void reclaim_drop(struct lru_world *w, char letter)
{
	struct ttm_buffer_object *bo = lru_bo(w, letter);

	w->bo[letter - 'a'] = NULL;
	ttm_bo_fini(bo);
}

static void ttm_lru_reclaim_drops_no_last_reference(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, "a b", "ab");

	for (int purges = 0; purges < 2; purges++) {
		reclaim_destroyer = NULL;
		reclaim.at = reclaim_drop;
		lru_bo(w, 'a' + purges)->destroy = reclaim_destroy;
		if (purges)
			reclaim_set_purgeable(w, 'b', true);
		reclaim_start(test);
		KUNIT_EXPECT_EQ(test, reclaim_scan(GFP_KERNEL, 1), 1);
		reclaim_stop();
		flush_workqueue(w->bdev->wq);
		KUNIT_EXPECT_NOT_NULL(test, reclaim_destroyer);
		KUNIT_EXPECT_PTR_NE(test, reclaim_destroyer, current);
	}
	EXPECT_SOUND(w, "");
}

/* The walk of a driver's own shrinker doesn't, either. */
static void ttm_lru_reclaim_walk_drops_no_last_reference(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, "a", "a");
	struct ttm_operation_ctx ctx = {};
	struct ttm_lru_walk_arg arg = { .ctx = &ctx, .trylock_only = true };
	struct ttm_bo_lru_cursor curs;
	struct ttm_buffer_object *bo;
	unsigned int flags;

	reclaim_destroyer = NULL;
	lru_bo(w, 'a')->destroy = reclaim_destroy;
	flags = memalloc_noreclaim_save();
	ttm_bo_lru_for_each_reserved_guarded(&curs, lru_man(w), &arg, bo)
		reclaim_drop(w, 'a');
	memalloc_noreclaim_restore(flags);
	flush_workqueue(w->bdev->wq);
	KUNIT_EXPECT_NOT_NULL(test, reclaim_destroyer);
	KUNIT_EXPECT_PTR_NE(test, reclaim_destroyer, current);
}

#ifdef LRU_CAN_FAIL
/* Ends the GPU's work when it is told so, or when a release waits for that. */
static struct completion reclaim_released;

static int reclaim_end_work(void *data)
{
	struct lru_world *w = data;

	reclaim.result = wait_for_completion_timeout(&reclaim_released, 5 * HZ);
	dma_fence_signal(w->fence);
	while (!kthread_should_stop())
		usleep_range(50, 100);
	return 0;
}

static void reclaim_drop_a(struct lru_world *w)
{
	reclaim_drop(w, 'a');
}

/* Without memory for a copy of the fences, a release is left to the workqueue. */
static void ttm_lru_reclaim_release_without_memory(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, "a* b*", "ab");
	struct ttm_buffer_object *bo = lru_bo(w, 'a');
	struct task_struct *gpu;
	bool failed, used;

	reclaim_destroyer = NULL;
	bo->destroy = reclaim_destroy;
	lru_leave(w, 'a');
	reclaim_use(w, 'b');
	init_completion(&reclaim_released);
	gpu = kthread_run(reclaim_end_work, w, "ttm-lru-gpu");
	KUNIT_ASSERT_FALSE(test, IS_ERR(gpu));
	failed = lru_with_failure(1, reclaim_drop_a, w);
	/* The GPU may still write there, whatever the workqueue does. */
	msleep(20);
	used = !dma_fence_is_signaled(w->fence) && bo->ttm &&
	       ttm_tt_is_populated(bo->ttm);
	complete(&reclaim_released);
	kthread_stop(gpu);
	lru_idle(w);
	flush_workqueue(w->bdev->wq);
	KUNIT_EXPECT_TRUE(test, failed);
	KUNIT_EXPECT_TRUE(test, used);
	KUNIT_EXPECT_NOT_NULL(test, reclaim_destroyer);
	KUNIT_EXPECT_PTR_NE(test, reclaim_destroyer, current);
	EXPECT_SOUND(w, "b*");
}
#endif

static struct kunit_case ttm_lru_reclaim_cases[] = {
	KUNIT_CASE(ttm_lru_reclaim_two_at_a_time),
	KUNIT_CASE(ttm_lru_reclaim_kswapd_does_not_wait),
	KUNIT_CASE(ttm_lru_reclaim_stops_at_the_end_only),
	KUNIT_CASE(ttm_lru_reclaim_does_not_stop_for_others),
	KUNIT_CASE(ttm_lru_reclaim_does_not_stop_for_the_dying),
	KUNIT_CASE(ttm_lru_reclaim_counts_purgeable),
	KUNIT_CASE(ttm_lru_reclaim_counts_what_has_room),
	KUNIT_CASE(ttm_lru_reclaim_counts_ghosts),
	KUNIT_CASE(ttm_lru_reclaim_forgets),
	KUNIT_CASE(ttm_lru_reclaim_counts_what_has_a_backup),
	KUNIT_CASE(ttm_lru_reclaim_leaves_what_has_no_backup),
	KUNIT_CASE(ttm_lru_reclaim_leaves_what_is_not_pages),
	KUNIT_CASE(ttm_lru_reclaim_purges_past_one_that_is_nowhere),
	KUNIT_CASE(ttm_lru_reclaim_purges_in_a_lap),
	KUNIT_CASE(ttm_lru_reclaim_keeps_memory_back),
	KUNIT_CASE(ttm_lru_reclaim_keeps_back_no_more),
	KUNIT_CASE(ttm_lru_reclaim_restores_from_a_full_backup),
#ifdef CONFIG_DRM_TTM_LRU_DEBUG
	KUNIT_CASE_SLOW(ttm_lru_reclaim_work_in_proportion),
	KUNIT_CASE(ttm_lru_reclaim_purgeable_among_many),
#endif
	KUNIT_CASE(ttm_lru_reclaim_counts_what_is_passed_by),
	KUNIT_CASE(ttm_lru_reclaim_purges_past_busy_ones),
	KUNIT_CASE(ttm_lru_reclaim_lets_go_of_the_dying),
	KUNIT_CASE(ttm_lru_reclaim_purges_first),
	KUNIT_CASE(ttm_lru_reclaim_writes_back_last),
	KUNIT_CASE(ttm_lru_reclaim_one_lap_is_enough),
	KUNIT_CASE(ttm_lru_reclaim_forgets_attempts),
	KUNIT_CASE(ttm_lru_reclaim_forgets_success),
	KUNIT_CASE(ttm_lru_reclaim_backs_up_no_zombies),
	KUNIT_CASE(ttm_lru_reclaim_scope),
	KUNIT_CASE(ttm_lru_reclaim_drops_no_last_reference),
	KUNIT_CASE(ttm_lru_reclaim_walk_drops_no_last_reference),
#ifdef LRU_CAN_FAIL
	KUNIT_CASE(ttm_lru_reclaim_release_without_memory),
#endif
	{}
};

static struct kunit_suite ttm_lru_reclaim_suite = {
	.name = "ttm_lru_reclaim",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_reclaim_cases,
};

kunit_test_suites(&ttm_lru_reclaim_suite);

MODULE_DESCRIPTION("KUnit tests for TTM in memory reclaim");
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_LICENSE("Dual MIT/GPL");
