// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for E6, reclaim: nobody waits, the last pages are kept back, and
 * no last reference is dropped in memory reclaim.
 *
 * The mock driver's functions do what other threads would do at that point.
 * Built into the kernel, as ttm_lru_shrinker.
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

#include <drm/ttm/ttm_backup.h>

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

/* While one scan works on a, another one takes b. */
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

/* kswapd does not wait for a GPU, as all allocations wait for kswapd. */
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

/* A scan returns SHRINK_STOP only after it has looked at all buffers. */
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

/*
 * A scan does not return SHRINK_STOP while others hold idle buffers, purgeable
 * or not.
 */
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

/* A scan does not return SHRINK_STOP while a buffer is being released. */
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
 * Memory is kept back
 */

/* Available to the system, in pages. */
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

/* An allocation that may fail does not get the last pages. */
static void ttm_lru_reclaim_keeps_memory_back(struct kunit *test)
{
	struct lru_world *w = reclaim_world_short(test, "a b", "");

	KUNIT_EXPECT_EQ(test, reclaim_populate_or(w, 'a', true), -ENOMEM);
	KUNIT_EXPECT_FALSE(test, ttm_tt_is_populated(lru_bo(w, 'a')->ttm));
	KUNIT_EXPECT_EQ(test, reclaim_populate_or(w, 'b', false), 0);
	reclaim_left.memory++;
	KUNIT_EXPECT_EQ(test, reclaim_populate_or(w, 'a', true), 0);
}

/*
 * An allocation that may fail gets the last pages if as much can be purged, or
 * backed up.
 */
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

/* A buffer that is restored makes room in the backup. */
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
 * The context of memory reclaim
 */

static void reclaim_note_scope(struct lru_world *w, char letter)
{
	reclaim.result = current->flags &
			 (PF_MEMALLOC_NOFS | PF_MEMALLOC_NOIO);
}

/* The driver's allocations are limited to the context of the reclaim. */
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

/* Drop the last other reference, so that the shrinker has the last one. */
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

/* The same for the walk of a driver's own shrinker. */
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
/* End the GPU's work when told to, or when a release waits for it. */
static struct completion reclaim_released;

static int reclaim_end_work(void *data)
{
	struct lru_world *w = data;

	reclaim.result = wait_for_completion_timeout(&reclaim_released, 5 * HZ);
	dma_fence_signal(w->fence);
	return lru_until_stopped();
}

static void reclaim_drop_a(struct lru_world *w)
{
	reclaim_drop(w, 'a');
}

/* Without memory to copy the fences, the release is left to the workqueue. */
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
	/*
	 * The GPU may still write there, so the workqueue must not free the
	 * pages.
	 */
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
	KUNIT_CASE(ttm_lru_reclaim_keeps_memory_back),
	KUNIT_CASE(ttm_lru_reclaim_keeps_back_no_more),
	KUNIT_CASE(ttm_lru_reclaim_restores_from_a_full_backup),
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
