// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for E6, reclaim: TTM's shrinker works on real pages of real
 * buffers, under memory pressure as the system makes it. The swap space is
 * pretended: backups stay in shmem.
 */

#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/shrinker.h>

#include <drm/ttm/ttm_backup.h>

#include "lib/ttm_lru_reclaim.h"

/* Pages that could be shrunk. */
static long shrunk_pages(struct lru_world *w)
{
	return atomic_long_read(&w->bdev->shrinkable_pages);
}

/* A system without swap space. */
static struct lru_world *shrunk_world_without_swap(struct kunit *test,
						   const char *picture,
						   const char *filled)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, picture,
					    filled);

	kunit_deactivate_static_stub(test, ttm_backup_bytes_avail);
	return w;
}

/*
 * Under pressure
 */

static void ttm_lru_shrinker_backs_up(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, "a b | c",
					    "abc");

	reclaim_start(test);
	KUNIT_EXPECT_EQ(test, shrunk_pages(w), 3);
	drop_slab();
	reclaim_stop();

	KUNIT_EXPECT_EQ(test, shrunk_pages(w), 0);
	EXPECT_LETTERS(reclaim.backed_up, "abc");
	EXPECT_LETTERS(reclaim.purged, "");
	EXPECT_SOUND(w, "/ a b c");
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "abc"), "");
	KUNIT_EXPECT_EQ(test, shrunk_pages(w), 3);
	EXPECT_SOUND(w, "a b | c");
}

static void ttm_lru_shrinker_moves_to_system_first(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_TT, "a* b* c", "abc");

	reclaim_start(test);
	drop_slab();
	reclaim_stop();

	EXPECT_LETTERS(lru_mock.moved, "abc");
	EXPECT_LETTERS(reclaim.backed_up, "abc");
	EXPECT_SOUND(w, "/ a b c");
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "abc"), "");
}

static void ttm_lru_shrinker_purges(struct kunit *test)
{
	struct lru_world *w = shrunk_world_without_swap(test, "a b c", "abc");

	reclaim_set_purgeable(w, 'b', true);
	reclaim_start(test);
	drop_slab();
	reclaim_stop();

	EXPECT_LETTERS(reclaim.backed_up, "");
	EXPECT_LETTERS(reclaim.purged, "b");
	EXPECT_SOUND(w, "a c / b");
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "ac"), "");
	KUNIT_EXPECT_EQ(test, shrunk_pages(w), 2);
}

static void ttm_lru_shrinker_purges_and_backs_up(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, "a b c",
					    "abc");

	reclaim_set_purgeable(w, 'b', true);
	reclaim_start(test);
	drop_slab();
	reclaim_stop();

	EXPECT_LETTERS(reclaim.backed_up, "ac");
	EXPECT_LETTERS(reclaim.purged, "b");
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "ac"), "");
}

static void ttm_lru_shrinker_leaves_pinned_ones(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, "a* b* c* d",
					    "abcd");

	lru_pin(w, 'b');
	reclaim_start_with(test, NULL);
	drop_slab();
	reclaim_stop();

	EXPECT_SOUND(w, "/ b a c d");
	KUNIT_EXPECT_TRUE(test, ttm_tt_is_populated(lru_bo(w, 'b')->ttm));
	KUNIT_EXPECT_EQ(test, shrunk_pages(w), 1);
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "abcd"), "");
}

/*
 * Contexts of allocations
 */

static void ttm_lru_shrinker_without_swap_space(struct kunit *test)
{
	struct lru_world *w = shrunk_world_without_swap(test, "a b", "ab");
	unsigned long count, ret;

	reclaim_start(test);
	count = reclaim_count(GFP_KERNEL);
	ret = reclaim_scan(GFP_KERNEL, 100);
	reclaim_stop();
	KUNIT_EXPECT_EQ(test, count, SHRINK_EMPTY);
	KUNIT_EXPECT_EQ(test, ret, SHRINK_STOP);
	EXPECT_SOUND(w, "a b");
}

static void ttm_lru_shrinker_without_fs(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, "a b", "ab");
	unsigned long count[2], ret[2];

	reclaim_start(test);
	count[0] = reclaim_count(GFP_NOFS);
	ret[0] = reclaim_scan(GFP_NOFS, 100);
	count[1] = reclaim_count(GFP_KERNEL);
	ret[1] = reclaim_scan(GFP_KERNEL, 100);
	reclaim_stop();
	KUNIT_EXPECT_EQ(test, count[0], SHRINK_EMPTY);
	KUNIT_EXPECT_EQ(test, ret[0], SHRINK_STOP);
	KUNIT_EXPECT_EQ(test, count[1], 2);
	KUNIT_EXPECT_EQ(test, ret[1], 2);
	EXPECT_SOUND(w, "/ a b");
}

static void ttm_lru_shrinker_purges_without_fs(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, "a b", "ab");
	unsigned long count, ret;

	reclaim_set_purgeable(w, 'b', true);
	reclaim_start(test);
	count = reclaim_count(GFP_NOFS);
	ret = reclaim_scan(GFP_NOFS, 100);
	reclaim_stop();
	KUNIT_EXPECT_EQ(test, count, 1);
	KUNIT_EXPECT_EQ(test, ret, 1);
	EXPECT_LETTERS(reclaim.purged, "b");
	EXPECT_SOUND(w, "a / b");
}

/*
 * Zombies, ghosts, and buffers that the GPU uses
 */

/*
 * The last GEM reference is dropped, but TTM still has the buffer: its content
 * is dropped without a word to the driver.
 */
static void ttm_lru_shrinker_zombies(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_TT, "a b", "ab");
	struct drm_gem_object *gem = &lru_bo(w, 'a')->base;
	unsigned long ret;

	reclaim_start(test);
	refcount_set(&gem->refcount.refcount, 0);
	ret = reclaim_scan(GFP_KERNEL, 100);
	kref_init(&gem->refcount);
	reclaim_stop();
	KUNIT_EXPECT_EQ(test, ret, 2);
	EXPECT_LETTERS(lru_mock.moved, "b");
	EXPECT_LETTERS(reclaim.purged, "");
	EXPECT_LETTERS(reclaim.backed_up, "b");
	KUNIT_EXPECT_FALSE(test, ttm_tt_is_populated(lru_bo(w, 'a')->ttm));
}

static void ttm_lru_shrinker_busy_ghosts(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_TT, "a b", "ab");
	unsigned long ret;

	lru_alloc_next(w, 'a');
	lru_move_busy(w, 'a');
	reclaim_start(test);
	ret = reclaim_scan(GFP_KERNEL, 100);
	reclaim_stop();
	KUNIT_EXPECT_EQ(test, ret, 1);
	EXPECT_LETTERS(reclaim.backed_up, "b");
	EXPECT_LRU(w, "a ~ / b");
	lru_idle(w);
	EXPECT_LRU(w, "a / b");
}

/*
 * From scan to scan
 */

/* A buffer that failed is tried again only after the others. */
static void ttm_lru_shrinker_keeps_its_place(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_TT, "a b c d", "abcd");
	unsigned long freed = 0;

	lru_mock.fail = "ab";
	lru_mock.error = -ENOSPC;
	reclaim_start(test);
	for (int i = 0; i < 5; i++)
		freed += reclaim_scan(GFP_KERNEL, 1);
	reclaim_stop();
	KUNIT_EXPECT_EQ(test, freed, 2);
	EXPECT_LETTERS(lru_mock.moved, "abcda");
	EXPECT_LETTERS(reclaim.backed_up, "cd");
	EXPECT_SOUND(w, "a b / c d");
}

static void ttm_lru_shrinker_takes_what_it_is_asked_for(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, "a b c",
					    "abc");
	unsigned long ret;

	reclaim_start_with(test, NULL);
	ret = reclaim_scan(GFP_KERNEL, 2);
	KUNIT_EXPECT_EQ(test, ret, 2);
	KUNIT_EXPECT_STREQ(test, lru_draw_seen(w), "c / a b");
	/* The shrinker's position does not stop lists from changing. */
	lru_free(w, 'b');
	lru_make_alone(w, 'd', 0);
	ret = reclaim_scan(GFP_KERNEL, 2);
	KUNIT_EXPECT_EQ(test, ret, 1);
	reclaim_stop();
	EXPECT_SOUND(w, "d / a c");
}

static struct kunit_case ttm_lru_shrinker_cases[] = {
	KUNIT_CASE(ttm_lru_shrinker_backs_up),
	KUNIT_CASE(ttm_lru_shrinker_moves_to_system_first),
	KUNIT_CASE(ttm_lru_shrinker_purges),
	KUNIT_CASE(ttm_lru_shrinker_purges_and_backs_up),
	KUNIT_CASE(ttm_lru_shrinker_leaves_pinned_ones),
	KUNIT_CASE(ttm_lru_shrinker_without_swap_space),
	KUNIT_CASE(ttm_lru_shrinker_without_fs),
	KUNIT_CASE(ttm_lru_shrinker_purges_without_fs),
	KUNIT_CASE(ttm_lru_shrinker_zombies),
	KUNIT_CASE(ttm_lru_shrinker_busy_ghosts),
	KUNIT_CASE(ttm_lru_shrinker_keeps_its_place),
	KUNIT_CASE(ttm_lru_shrinker_takes_what_it_is_asked_for),
	{}
};

static struct kunit_suite ttm_lru_shrinker_suite = {
	.name = "ttm_lru_shrinker",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_shrinker_cases,
};

kunit_test_suites(&ttm_lru_shrinker_suite);

MODULE_DESCRIPTION("KUnit tests for TTM's shrinker");
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_LICENSE("Dual MIT/GPL");
