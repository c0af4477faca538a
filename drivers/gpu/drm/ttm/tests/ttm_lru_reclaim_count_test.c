// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for E6, reclaim: what a shrinker reports can be freed, and purgeable
 * pages are counted apart. Built into the kernel, as ttm_lru_shrinker.
 */

#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/module.h>
#include <linux/shrinker.h>
#include <linux/slab.h>

#include <drm/ttm/ttm_backup.h>

#include "lib/ttm_lru_reclaim.h"

static void reclaim_expect_count(struct kunit *test, unsigned long nofs,
				 unsigned long kernel)
{
	KUNIT_EXPECT_EQ(test, reclaim_count(GFP_NOFS), nofs ?: SHRINK_EMPTY);
	KUNIT_EXPECT_EQ(test, reclaim_count(GFP_KERNEL), kernel ?: SHRINK_EMPTY);
}

/* A buffer may become purgeable before it has pages, or after. */
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
	/* New pages are not purgeable. */
	ttm_tt_clear_backed_up(lru_bo(w, 'b')->ttm);
	lru_fill(w, "b");
	reclaim_expect_count(test, 0, 3);
	KUNIT_EXPECT_EQ(test, reclaim_scan(GFP_NOFS, 100), SHRINK_STOP);
	reclaim_stop();
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "abc"), "");
}

/* Pages beyond the space for backups are not reported. */
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

/* A ghost's content may be lost, even if its buffer's may not. */
static void ttm_lru_reclaim_counts_ghosts(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_TT, "a b", "ab");

	reclaim_start(test);
	reclaim_expect_count(test, 0, 2);
	lru_purge_busy(w, 'a');
	reclaim_expect_count(test, 1, 2);
	/* The GPU still uses it. */
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

/* A buffer without a backup is not reported, not even while it is released. */
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

/* The shrinker does not try it either. */
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

/* The shrinker looks only at managers whose memory consists of pages. */
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
	/* There is no such manager here. */
	KUNIT_EXPECT_EQ(test, ret[0], SHRINK_STOP);
	KUNIT_EXPECT_EQ(test, ret[1], SHRINK_STOP);
	EXPECT_SOUND(w, "a b");
}

/* The shrinker passes over a purgeable buffer without a resource. */
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

/*
 * A purgeable buffer that was busy is purged later in the scan, not backed up.
 */
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

static struct kunit_case ttm_lru_reclaim_count_cases[] = {
	KUNIT_CASE(ttm_lru_reclaim_counts_purgeable),
	KUNIT_CASE(ttm_lru_reclaim_counts_what_has_room),
	KUNIT_CASE(ttm_lru_reclaim_counts_ghosts),
	KUNIT_CASE(ttm_lru_reclaim_forgets),
	KUNIT_CASE(ttm_lru_reclaim_counts_what_has_a_backup),
	KUNIT_CASE(ttm_lru_reclaim_leaves_what_has_no_backup),
	KUNIT_CASE(ttm_lru_reclaim_leaves_what_is_not_pages),
	KUNIT_CASE(ttm_lru_reclaim_purges_past_one_that_is_nowhere),
	KUNIT_CASE(ttm_lru_reclaim_purges_in_a_lap),
	{}
};

static struct kunit_suite ttm_lru_reclaim_count_suite = {
	.name = "ttm_lru_reclaim_count",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_reclaim_count_cases,
};

kunit_test_suites(&ttm_lru_reclaim_count_suite);

MODULE_DESCRIPTION("KUnit tests for the reports of TTM's shrinker");
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_LICENSE("Dual MIT/GPL");
