// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for P1, complete: a walk returns each resource that stays on the
 * LRU from the walk's first step to its end.
 */

#include <linux/module.h>

#include "lib/ttm_lru_fixture.h"

static void ttm_lru_p1_last_returned_is_freed(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b c");

	EXPECT_FIRST(w, H, "a");
	lru_free(w, 'a');
	EXPECT_LRU(w, "H b c");
	EXPECT_REST(w, H, "b c");
}

static void ttm_lru_p1_next_is_freed(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b c");

	EXPECT_FIRST(w, H, "a");
	lru_free(w, 'b');
	EXPECT_LRU(w, "a H c");
	EXPECT_REST(w, H, "c");
}

static void ttm_lru_p1_all_around_is_freed(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b c | d");

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	lru_free(w, 'a');
	lru_free(w, 'b');
	lru_free(w, 'c');
	EXPECT_LRU(w, "H | d");
	EXPECT_REST(w, H, "d");
}

static void ttm_lru_p1_returned_goes_to_tail(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b c");

	EXPECT_FIRST(w, H, "a");
	lru_tail(w, 'a');
	EXPECT_LRU(w, "H b c a");
	EXPECT_REST(w, H, "b c a");
}

static void ttm_lru_p1_upcoming_goes_to_tail(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b c");

	EXPECT_FIRST(w, H, "a");
	lru_tail(w, 'b');
	EXPECT_LRU(w, "a H c b");
	EXPECT_REST(w, H, "c b");
}

static void ttm_lru_p1_tail_behind_a_parked_hitch(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b");

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	EXPECT_LRU(w, "a b H");
	lru_tail(w, 'a');
	EXPECT_LRU(w, "b H a");
	EXPECT_REST(w, H, "a");
}

static void ttm_lru_p1_new_ones_are_met(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a");

	EXPECT_FIRST(w, H, "a");
	lru_make(w, 'b', 0, NULL, false);
	lru_make(w, 'c', 2, NULL, false);
	EXPECT_LRU(w, "a H b | | c");
	EXPECT_REST(w, H, "b c");
}

static void ttm_lru_p1_pinned_ones_leave_the_rest(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b c d");

	EXPECT_FIRST(w, H, "a");
	lru_pin(w, 'a');
	lru_pin(w, 'b');
	EXPECT_LRU(w, "H c d / a b");
	EXPECT_NEXT(w, H, "c");
	lru_unpin(w, 'a');
	EXPECT_LRU(w, "c H d a / b");
	EXPECT_REST(w, H, "d a");
}

static void ttm_lru_p1_other_walks_come_and_go(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b* c* d");

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	EXPECT_FIRST(w, I, "a");
	EXPECT_NEXT(w, I, "b");
	EXPECT_FIRST(w, J, "a");
	EXPECT_LRU(w, "a J b* H I c* d");
	lru_fini(w, I);
	EXPECT_REST(w, J, "b c d");
	lru_fini(w, J);
	EXPECT_LRU(w, "a b* H c* d");
	EXPECT_REST(w, H, "c d");
}

static void ttm_lru_p1_bulk_move_before_cursor(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c d");

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	EXPECT_NEXT(w, H, "c");
	lru_bulk_tail(w, STAR);
	EXPECT_LRU(w, "c H d a* b*");
	EXPECT_REST(w, H, "d a b");
}

static void ttm_lru_p1_bulk_move_at_range_end(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c d");

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	EXPECT_LRU(w, "a* b* H c d");
	lru_bulk_tail(w, STAR);
	EXPECT_LRU(w, "H c d a* b*");
	EXPECT_REST(w, H, "c d a b");
}

static void ttm_lru_p1_bulk_move_inside_range(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d e");

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	EXPECT_LRU(w, "a* b* H c* d e");
	lru_bulk_tail(w, STAR);
	EXPECT_LRU(w, "H d e a* b* c*");
	EXPECT_REST(w, H, "d e a b c");
}

static void ttm_lru_p1_bulk_move_at_range_front(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "x a* b* c");

	EXPECT_FIRST(w, H, "x");
	EXPECT_LRU(w, "x H a* b* c");
	lru_bulk_tail(w, STAR);
	EXPECT_LRU(w, "x H c a* b*");
	EXPECT_REST(w, H, "c a b");
}

static void ttm_lru_p1_bulk_move_behind_cursor(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "x y a* b* c");

	EXPECT_FIRST(w, H, "x");
	lru_bulk_tail(w, STAR);
	EXPECT_LRU(w, "x H y c a* b*");
	EXPECT_REST(w, H, "y c a b");
}

static void ttm_lru_p1_bulk_move_one_member(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b c");

	EXPECT_FIRST(w, H, "a");
	lru_bulk_tail(w, STAR);
	EXPECT_LRU(w, "H b c a*");
	EXPECT_REST(w, H, "b c a");
}

static void ttm_lru_p1_bulk_move_many_cursors(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "x a* b* c* y");

	EXPECT_FIRST(w, H, "x");
	EXPECT_FIRST(w, I, "x");
	EXPECT_NEXT(w, I, "a");
	EXPECT_FIRST(w, J, "x");
	EXPECT_NEXT(w, J, "a");
	EXPECT_NEXT(w, J, "b");
	EXPECT_FIRST(w, K, "x");
	EXPECT_NEXT(w, K, "a");
	EXPECT_NEXT(w, K, "b");
	EXPECT_NEXT(w, K, "c");
	EXPECT_LRU(w, "x H a* I b* J c* K y");
	lru_bulk_tail(w, STAR);
	EXPECT_LRU(w, "x H I J K y a* b* c*");
	EXPECT_REST(w, H, "y a b c");
	EXPECT_REST(w, I, "y a b c");
	EXPECT_REST(w, J, "y a b c");
	EXPECT_REST(w, K, "y a b c");
}

static void ttm_lru_p1_bulk_move_twice(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c d");

	EXPECT_FIRST(w, H, "a");
	lru_bulk_tail(w, STAR);
	EXPECT_LRU(w, "H c d a* b*");
	EXPECT_NEXT(w, H, "c");
	lru_bulk_tail(w, STAR);
	EXPECT_LRU(w, "c H d a* b*");
	EXPECT_NEXT(w, H, "d");
	EXPECT_NEXT(w, H, "a");
	lru_bulk_tail(w, STAR);
	EXPECT_LRU(w, "c d H a* b*");
}

static void ttm_lru_p1_bulk_move_all_priorities(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* x | c* d* y");

	EXPECT_FIRST(w, H, "a");
	EXPECT_FIRST(w, I, "a");
	EXPECT_NEXT(w, I, "b");
	EXPECT_NEXT(w, I, "x");
	EXPECT_NEXT(w, I, "c");
	EXPECT_LRU(w, "a* H b* x | c* I d* y");
	lru_bulk_tail(w, STAR);
	EXPECT_LRU(w, "H x a* b* | I y c* d*");
	EXPECT_REST(w, I, "y c d");
	EXPECT_REST(w, H, "x a b y c d");
}

static void ttm_lru_p1_bulk_move_all_mem_types(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* x");

	w->mem_type = TTM_PL_SYSTEM;
	lru_make_picture(w, "c* d* y");
	lru_walk_init(w, I);
	EXPECT_FIRST(w, H, "a");
	EXPECT_FIRST(w, I, "c");
	EXPECT_LRU(w, "c* I d* y");
	lru_bulk_tail(w, STAR);
	EXPECT_LRU(w, "I y c* d*");
	EXPECT_REST(w, I, "y c d");

	w->mem_type = TTM_PL_TT;
	EXPECT_LRU(w, "H x a* b*");
	EXPECT_REST(w, H, "x a b");
}

static void ttm_lru_p1_bulk_move_of_another_bulk(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c+ d+ e");

	EXPECT_FIRST(w, H, "a");
	lru_bulk_tail(w, PLUS);
	EXPECT_LRU(w, "a* H b* e c+ d+");
	EXPECT_NEXT(w, H, "b");
	lru_bulk_tail(w, STAR);
	EXPECT_LRU(w, "H e c+ d+ a* b*");
	EXPECT_REST(w, H, "e c d a b");
}

static void ttm_lru_p1_bulk_move_of_an_empty_bulk(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b");

	EXPECT_FIRST(w, H, "a");
	lru_leave(w, 'a');
	lru_bulk_tail(w, STAR);
	lru_bulk_tail(w, PLUS);
	EXPECT_LRU(w, "a H b");
	EXPECT_REST(w, H, "b");
}

static void ttm_lru_p1_first_leaves_then_bulk_move(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	EXPECT_FIRST(w, H, "a");
	lru_leave(w, 'a');
	EXPECT_LRU(w, "a H b* c* d");
	lru_bulk_tail(w, STAR);
	EXPECT_LRU(w, "a H d b* c*");
	EXPECT_REST(w, H, "d b c");
}

static void ttm_lru_p1_last_leaves_then_bulk_move(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	lru_leave(w, 'c');
	EXPECT_LRU(w, "a* b* H c d");
	lru_bulk_tail(w, STAR);
	EXPECT_LRU(w, "H c d a* b*");
	EXPECT_REST(w, H, "c d a b");
}

static void ttm_lru_p1_middle_leaves_ahead(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	EXPECT_FIRST(w, H, "a");
	lru_leave(w, 'b');
	EXPECT_LRU(w, "a* H c* b d");
	EXPECT_REST(w, H, "c b d");
}

static void ttm_lru_p1_middle_leaves_before_hitches_at_end(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	EXPECT_NEXT(w, H, "c");
	lru_leave(w, 'b');
	EXPECT_LRU(w, "a* c* b H d");
	EXPECT_REST(w, H, "d");
}

static void ttm_lru_p1_member_to_tail_stays_ahead(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	EXPECT_FIRST(w, H, "a");
	lru_tail(w, 'b');
	EXPECT_LRU(w, "a* H c* b* d");
	EXPECT_REST(w, H, "c b d");
}

/* The walk is behind the range already. */
static void ttm_lru_p1_member_to_tail_stays_behind(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c");

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	lru_tail(w, 'a');
	EXPECT_LRU(w, "b* a* H c");
	EXPECT_REST(w, H, "c");
}

static void ttm_lru_p1_joining_is_met(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b c");

	EXPECT_FIRST(w, H, "a");
	lru_join(w, 'c', STAR);
	EXPECT_LRU(w, "a* H c* b");
	EXPECT_REST(w, H, "c b");
}

static void ttm_lru_p1_join_then_bulk_move(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b c d");

	EXPECT_FIRST(w, H, "a");
	lru_join(w, 'c', STAR);
	lru_bulk_tail(w, STAR);
	EXPECT_LRU(w, "H b d a* c*");
	EXPECT_REST(w, H, "b d a c");
}

static void ttm_lru_p1_range_empties_and_comes_back(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c d e");

	EXPECT_FIRST(w, H, "a");
	lru_leave(w, 'b');
	lru_leave(w, 'a');
	EXPECT_LRU(w, "a H b c d e");
	lru_join(w, 'd', STAR);
	lru_join(w, 'a', STAR);
	EXPECT_LRU(w, "H b c d* a* e");
	lru_bulk_tail(w, STAR);
	EXPECT_LRU(w, "H b c e d* a*");
	EXPECT_REST(w, H, "b c e d a");
}

static void ttm_lru_p1_priorities_below_and_above(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b | c d | e");

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	EXPECT_NEXT(w, H, "c");
	lru_set_priority(w, 'e', 0);
	lru_tail(w, 'e');
	lru_set_priority(w, 'a', 3);
	lru_tail(w, 'a');
	EXPECT_LRU(w, "b e | c H d | | a");
	EXPECT_REST(w, H, "d a");
}

/* TTM's own swap-out drops the lock for each buffer. */
static void ttm_lru_p1_swap_out_walk(struct kunit *test)
{
	struct lru_world *w = lru_world_system(test, "a* b* c* d e");
	struct ttm_operation_ctx ctx = {};
	s64 pages;

	for (char letter = 'a'; letter <= 'd'; letter++)
		KUNIT_ASSERT_EQ(test, lru_populate(w, letter), 0);
	EXPECT_FIRST(w, H, "a");
	pages = ttm_bo_swapout(w->bdev, &ctx, lru_man(w), GFP_KERNEL, 100);
	KUNIT_EXPECT_EQ(test, pages, 4);
	EXPECT_SOUND(w, "H e / a b c d");
	EXPECT_REST(w, H, "e");
}

static struct kunit_case ttm_lru_p1_cases[] = {
	KUNIT_CASE(ttm_lru_p1_last_returned_is_freed),
	KUNIT_CASE(ttm_lru_p1_next_is_freed),
	KUNIT_CASE(ttm_lru_p1_all_around_is_freed),
	KUNIT_CASE(ttm_lru_p1_returned_goes_to_tail),
	KUNIT_CASE(ttm_lru_p1_upcoming_goes_to_tail),
	KUNIT_CASE(ttm_lru_p1_tail_behind_a_parked_hitch),
	KUNIT_CASE(ttm_lru_p1_new_ones_are_met),
	KUNIT_CASE(ttm_lru_p1_pinned_ones_leave_the_rest),
	KUNIT_CASE(ttm_lru_p1_other_walks_come_and_go),
	KUNIT_CASE(ttm_lru_p1_bulk_move_before_cursor),
	KUNIT_CASE(ttm_lru_p1_bulk_move_at_range_end),
	KUNIT_CASE(ttm_lru_p1_bulk_move_inside_range),
	KUNIT_CASE(ttm_lru_p1_bulk_move_at_range_front),
	KUNIT_CASE(ttm_lru_p1_bulk_move_behind_cursor),
	KUNIT_CASE(ttm_lru_p1_bulk_move_one_member),
	KUNIT_CASE(ttm_lru_p1_bulk_move_many_cursors),
	KUNIT_CASE(ttm_lru_p1_bulk_move_twice),
	KUNIT_CASE(ttm_lru_p1_bulk_move_all_priorities),
	KUNIT_CASE(ttm_lru_p1_bulk_move_all_mem_types),
	KUNIT_CASE(ttm_lru_p1_bulk_move_of_another_bulk),
	KUNIT_CASE(ttm_lru_p1_bulk_move_of_an_empty_bulk),
	KUNIT_CASE(ttm_lru_p1_first_leaves_then_bulk_move),
	KUNIT_CASE(ttm_lru_p1_last_leaves_then_bulk_move),
	KUNIT_CASE(ttm_lru_p1_middle_leaves_ahead),
	KUNIT_CASE(ttm_lru_p1_middle_leaves_before_hitches_at_end),
	KUNIT_CASE(ttm_lru_p1_member_to_tail_stays_ahead),
	KUNIT_CASE(ttm_lru_p1_member_to_tail_stays_behind),
	KUNIT_CASE(ttm_lru_p1_joining_is_met),
	KUNIT_CASE(ttm_lru_p1_join_then_bulk_move),
	KUNIT_CASE(ttm_lru_p1_range_empties_and_comes_back),
	KUNIT_CASE(ttm_lru_p1_priorities_below_and_above),
	KUNIT_CASE(ttm_lru_p1_swap_out_walk),
	{}
};

static struct kunit_suite ttm_lru_p1_suite = {
	.name = "ttm_lru_p1",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_p1_cases,
};

kunit_test_suites(&ttm_lru_p1_suite);

MODULE_DESCRIPTION("KUnit tests for P1, complete walks of TTM's LRU lists");
MODULE_LICENSE("Dual MIT/GPL");
