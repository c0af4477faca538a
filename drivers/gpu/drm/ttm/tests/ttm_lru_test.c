// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for plain walks of TTM's LRU lists, and for the end of a bulk
 * move. It runs last, and so its last case sees whether lockdep watched all
 * suites.
 */

#include <linux/debug_locks.h>
#include <linux/lockdep.h>
#include <linux/module.h>

#include "lib/ttm_lru_fixture.h"

/*
 * Plain walks
 */

static void ttm_lru_walk_empty(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "");

	EXPECT_FIRST(w, H, "");
	lru_fini(w, H);
	EXPECT_LRU(w, "");
}

static void ttm_lru_walk_one(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a");

	EXPECT_FIRST(w, H, "a");
	EXPECT_LRU(w, "a H");
	EXPECT_NEXT(w, H, "");
	lru_fini(w, H);
	EXPECT_LRU(w, "a");
}

static void ttm_lru_walk_in_order(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b c");

	EXPECT_FIRST(w, H, "a");
	EXPECT_LRU(w, "a H b c");
	EXPECT_NEXT(w, H, "b");
	EXPECT_LRU(w, "a b H c");
	EXPECT_NEXT(w, H, "c");
	EXPECT_LRU(w, "a b c H");
	EXPECT_NEXT(w, H, "");
	lru_fini(w, H);
	EXPECT_LRU(w, "a b c");
}

static void ttm_lru_walk_all_priorities(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a | b | c | d");

	EXPECT_FIRST(w, H, "a");
	EXPECT_LRU(w, "a H | b | c | d");
	EXPECT_NEXT(w, H, "b");
	EXPECT_LRU(w, "a | b H | c | d");
	EXPECT_NEXT(w, H, "c");
	EXPECT_LRU(w, "a | b | c H | d");
	EXPECT_NEXT(w, H, "d");
	EXPECT_LRU(w, "a | b | c | d H");
	EXPECT_NEXT(w, H, "");
	lru_fini(w, H);
	EXPECT_LRU(w, "a | b | c | d");
}

static void ttm_lru_walk_over_empty_priorities(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "| a | | b");

	EXPECT_FIRST(w, H, "a");
	EXPECT_LRU(w, "| a H | | b");
	EXPECT_NEXT(w, H, "b");
	EXPECT_LRU(w, "| a | | b H");
	EXPECT_NEXT(w, H, "");
}

static void ttm_lru_walk_unevictable_unseen(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b / c d");

	EXPECT_FIRST(w, H, "a");
	EXPECT_REST(w, H, "b");
}

static void ttm_lru_walk_over_ranges(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b* c* d+ e | f* g");

	EXPECT_FIRST(w, H, "a");
	EXPECT_REST(w, H, "b c d e f g");
}

static void ttm_lru_walk_many_cursors_in_one_place(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b c");

	for (int i = 0; i < LRU_WALKS; i++)
		EXPECT_FIRST(w, i, "a");
	EXPECT_LRU(w, "a H I J K L M b c");
	EXPECT_NEXT(w, J, "b");
	EXPECT_LRU(w, "a H I K L M b J c");
	EXPECT_REST(w, H, "b c");
	EXPECT_REST(w, K, "b c");
	EXPECT_REST(w, J, "c");
	EXPECT_REST(w, I, "b c");
	for (int i = 0; i < LRU_WALKS; i++)
		lru_fini(w, i);
	EXPECT_LRU(w, "a b c");
}

static void ttm_lru_walk_steps_over_hitches(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b | c");

	EXPECT_FIRST(w, H, "a");
	EXPECT_FIRST(w, I, "a");
	EXPECT_NEXT(w, I, "b");
	EXPECT_FIRST(w, J, "a");
	EXPECT_NEXT(w, J, "b");
	EXPECT_NEXT(w, J, "c");
	EXPECT_LRU(w, "a H b I | c J");

	EXPECT_FIRST(w, K, "a");
	EXPECT_REST(w, K, "b c");
	lru_fini(w, K);
	EXPECT_LRU(w, "a H b I | c J");
}

static void ttm_lru_walk_macro(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b | c");
	struct ttm_resource *res;
	int seen = 0;

	spin_lock(&w->bdev->lru_lock);
	ttm_resource_manager_for_each_res(&w->walk[H], res)
		seen++;
	ttm_resource_manager_for_each_res(&w->walk[I], res)
		if (res == lru_bo(w, 'b')->resource)
			break;
	spin_unlock(&w->bdev->lru_lock);
	KUNIT_EXPECT_EQ(test, seen, 3);
	lru_fini(w, H);
	EXPECT_LRU(w, "a b I | c");
	EXPECT_REST(w, I, "c");
}

static void ttm_lru_walk_first_res_or_null(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b");
	struct list_head *head = &lru_man(w)->lru[0];
	struct ttm_resource *res;

	EXPECT_FIRST(w, H, "a");
	lru_free(w, 'a');
	EXPECT_LRU(w, "H b");
	scoped_guard(spinlock, &w->bdev->lru_lock)
		res = ttm_lru_first_res_or_null(head);
	KUNIT_EXPECT_PTR_EQ(test, res, lru_bo(w, 'b')->resource);

	lru_free(w, 'b');
	EXPECT_LRU(w, "H");
	scoped_guard(spinlock, &w->bdev->lru_lock)
		res = ttm_lru_first_res_or_null(head);
	KUNIT_EXPECT_NULL(test, res);
}

/*
 * The end of a bulk move
 */

static void ttm_lru_bulk_fini_empty(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c");

	EXPECT_FIRST(w, H, "a");
	lru_leave(w, 'a');
	lru_leave(w, 'b');
	kunit_warning_suppress(test) {
		ttm_lru_bulk_move_fini(w->bdev, &w->bulk[STAR]);
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 0);
	}
	EXPECT_SOUND(w, "a H b c");
}

/* A driver ends a bulk move that has members, and reuses its memory. */
static void ttm_lru_bulk_fini_with_members(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* x c+ d+ | e* f");

	EXPECT_FIRST(w, H, "a");
	kunit_warning_suppress(test) {
		ttm_lru_bulk_move_fini(w->bdev, &w->bulk[STAR]);
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
	}
	EXPECT_SOUND(w, "a H b x c+ d+ | e f");
	EXPECT_UNREGISTERED(w, H);
	KUNIT_EXPECT_NULL(test, lru_bo(w, 'a')->bulk_move);
	KUNIT_EXPECT_NULL(test, lru_bo(w, 'b')->bulk_move);
	KUNIT_EXPECT_NULL(test, lru_bo(w, 'e')->bulk_move);
	memset(&w->bulk[STAR], 0x5a, sizeof(w->bulk[STAR]));
	lru_tail(w, 'a');
	lru_free(w, 'b');
	ttm_lru_bulk_move_init(&w->bulk[STAR]);
	EXPECT_SOUND(w, "H x c+ d+ a | e f");
	EXPECT_REST(w, H, "x c d a e f");
}

/* The same, while a buffer has two resources in the bulk. */
static void ttm_lru_bulk_fini_during_a_move(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b");

	lru_alloc_next(w, 'a');
	EXPECT_SOUND(w, "a* a'* b");
	kunit_warning_suppress(test) {
		ttm_lru_bulk_move_fini(w->bdev, &w->bulk[STAR]);
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
	}
	ttm_lru_bulk_move_init(&w->bulk[STAR]);
	EXPECT_SOUND(w, "a a' b");
	lru_move(w, 'a');
	EXPECT_SOUND(w, "a b");
}

/* The last case: lockdep must have watched all others. */
static void ttm_lru_lockdep_is_alive(struct kunit *test)
{
#ifdef CONFIG_PROVE_LOCKING
	struct lru_world *w = lru_world(test, "a");
	int held, then;

	KUNIT_EXPECT_TRUE(test, debug_locks);
	scoped_guard(spinlock, &w->bdev->lru_lock)
		held = lockdep_is_held(&w->bdev->lru_lock);
	then = lockdep_is_held(&w->bdev->lru_lock);
	KUNIT_EXPECT_EQ(test, held, LOCK_STATE_HELD);
	KUNIT_EXPECT_EQ(test, then, LOCK_STATE_NOT_HELD);
#else
	kunit_skip(test, "needs CONFIG_PROVE_LOCKING");
#endif
}

static struct kunit_case ttm_lru_cases[] = {
	KUNIT_CASE(ttm_lru_walk_empty),
	KUNIT_CASE(ttm_lru_walk_one),
	KUNIT_CASE(ttm_lru_walk_in_order),
	KUNIT_CASE(ttm_lru_walk_all_priorities),
	KUNIT_CASE(ttm_lru_walk_over_empty_priorities),
	KUNIT_CASE(ttm_lru_walk_unevictable_unseen),
	KUNIT_CASE(ttm_lru_walk_over_ranges),
	KUNIT_CASE(ttm_lru_walk_many_cursors_in_one_place),
	KUNIT_CASE(ttm_lru_walk_steps_over_hitches),
	KUNIT_CASE(ttm_lru_walk_macro),
	KUNIT_CASE(ttm_lru_walk_first_res_or_null),
	KUNIT_CASE(ttm_lru_bulk_fini_empty),
	KUNIT_CASE(ttm_lru_bulk_fini_with_members),
	KUNIT_CASE(ttm_lru_bulk_fini_during_a_move),
	KUNIT_CASE(ttm_lru_lockdep_is_alive),
	{}
};

static struct kunit_suite ttm_lru_suite = {
	.name = "ttm_lru",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_cases,
};

kunit_test_suites(&ttm_lru_suite);

MODULE_DESCRIPTION("KUnit tests for the walks of TTM's LRU lists");
MODULE_LICENSE("Dual MIT/GPL");
