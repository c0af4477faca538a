// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for the restartable walks of TTM's LRU lists.
 *
 * Every case draws a small world of real buffers, does list operations on it
 * while walks are under way, and compares pictures, see ttm_lru_fixture.h.
 *
 * Cases never hold a lock over an assertion, and all that a case makes goes
 * with its world, which the suite's exit function ends: a case that fails
 * half-way leaves nothing behind for the next.
 *
 * With CONFIG_DRM_TTM_LRU_PRISTINE the suite is built for Linux's own core,
 * to show what that gets wrong; what it has no names for is left out.
 */

#include <linux/debug_locks.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/seq_buf.h>
#include <linux/slab.h>

#include <drm/ttm/ttm_tt.h>

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
 * P1: who was on the LRU from a walk's first step to its end is returned
 */

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

/* The walk is behind the range, and has passed it by. */
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

/*
 * P2: who was not moved is returned once
 */

static void ttm_lru_p2_bulk_move_past_the_returned(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "x a* b* y");

	EXPECT_FIRST(w, H, "x");
	EXPECT_NEXT(w, H, "a");
	lru_bulk_tail(w, STAR);
	EXPECT_LRU(w, "x H y a* b*");
	EXPECT_REST(w, H, "y a b");
}

static void ttm_lru_p2_first_that_left_stays_behind(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	lru_leave(w, 'a');
	lru_bulk_tail(w, STAR);
	EXPECT_LRU(w, "a H d b* c*");
	EXPECT_REST(w, H, "d b c");
}

static void ttm_lru_p2_last_to_tail_is_no_move(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c");

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	lru_tail(w, 'b');
	EXPECT_LRU(w, "a* b* H c");
	EXPECT_REST(w, H, "c");
}

static void ttm_lru_p2_leaving_the_end_is_no_move(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c");

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	lru_leave(w, 'b');
	EXPECT_LRU(w, "a* b H c");
	lru_leave(w, 'a');
	EXPECT_LRU(w, "a b H c");
	EXPECT_REST(w, H, "c");
}

static void ttm_lru_p2_joining_in_place_is_no_move(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "x y z");

	EXPECT_FIRST(w, H, "x");
	EXPECT_NEXT(w, H, "y");
	lru_join(w, 'y', STAR);
	EXPECT_LRU(w, "x y* H z");
	EXPECT_REST(w, H, "z");
}

static void ttm_lru_p2_range_comes_back_behind(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "x y a* b* z");

	EXPECT_FIRST(w, H, "x");
	EXPECT_NEXT(w, H, "y");
	EXPECT_NEXT(w, H, "a");
	lru_free(w, 'a');
	lru_free(w, 'b');
	lru_join(w, 'x', STAR);
	lru_join(w, 'y', STAR);
	EXPECT_LRU(w, "x* y* H z");
	lru_tail(w, 'y');
	EXPECT_REST(w, H, "z");
}

static void ttm_lru_p2_other_operations_change_nothing(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b c* d* e | f / g");

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	EXPECT_NEXT(w, H, "c");
	EXPECT_NEXT(w, H, "d");
	lru_pin(w, 'e');
	lru_tail(w, 'g');
	lru_pin(w, 'c');
	lru_leave(w, 'c');
	lru_free(w, 'a');
	EXPECT_LRU(w, "b d* H | f / e g c");
	EXPECT_REST(w, H, "f");
}

/*
 * P3: nobody but walkers can tell that there are walks
 */

/*
 * One operation: t to the tail, j join, l leave, p pin, u unpin, f free,
 * n allocate, o priority, each with a buffer and perhaps an argument; B and a
 * mark, the bulk goes to the tail. Returns what follows.
 */
static const char *lru_do(struct lru_world *w, const char *op)
{
	switch (op[0]) {
	case 't':
		lru_tail(w, op[1]);
		return op + 2;
	case 'j':
		lru_join(w, op[1], op[2] == '*' ? STAR : PLUS);
		return op + 3;
	case 'l':
		lru_leave(w, op[1]);
		return op + 2;
	case 'p':
		lru_pin(w, op[1]);
		return op + 2;
	case 'u':
		lru_unpin(w, op[1]);
		return op + 2;
	case 'f':
		lru_free(w, op[1]);
		return op + 2;
	case 'n':
		lru_alloc(w, op[1]);
		return op + 2;
	case 'o':
		lru_set_priority(w, op[1], op[2] - '0');
		lru_tail(w, op[1]);
		return op + 3;
	case 'B':
		lru_bulk_tail(w, op[1] == '*' ? STAR : PLUS);
		return op + 2;
	default:
		KUNIT_FAIL_AND_ABORT(w->test, "no operation: %s", op);
		return "";
	}
}

/*
 * Do @ops in a world without walks, and in one with cursors in all kinds of
 * places, and compare what everybody sees after each of them.
 */
static void lru_expect_unseen(struct kunit *test, const char *picture,
			      const char *ops)
{
	struct lru_world *plain = lru_world(test, picture);
	struct lru_world *walked = lru_world(test, picture);

	for (int i = 0; i < LRU_WALKS; i++) {
		lru_first(walked, i);
		for (int step = 0; step < i; step++)
			lru_next(walked, i);
	}
	for (int n = 0; *ops; n++) {
		const char *op = ops;

		if (*ops == ' ') {
			ops++;
			continue;
		}
		lru_do(plain, op);
		ops = lru_do(walked, op);
		KUNIT_ASSERT_STREQ_MSG(test, lru_draw_seen(walked),
				       lru_draw_seen(plain), "after %s", op);
		if (!*lru_next(walked, n % LRU_WALKS)) {
			lru_renew(walked, n % LRU_WALKS);
			lru_first(walked, n % LRU_WALKS);
		}
	}
}

static void ttm_lru_p3_tail(struct kunit *test)
{
	lru_expect_unseen(test, "a b c d", "ta tb tc td ta tc tb td");
}

static void ttm_lru_p3_tail_in_range(struct kunit *test)
{
	lru_expect_unseen(test, "a* b* c* d e", "ta tb tc ta tc td tc tb ta");
}

static void ttm_lru_p3_join_and_leave(struct kunit *test)
{
	lru_expect_unseen(test, "a* b* c d e",
			  "je* lb jc* la jd* lc ld le ja* jc* jb*");
}

static void ttm_lru_p3_bulk_move(struct kunit *test)
{
	lru_expect_unseen(test, "a* b* c* d+ e+ f",
			  "B* B+ la B* ja* B+ ta B* lb lc B+ la B*");
}

static void ttm_lru_p3_pin_and_unpin(struct kunit *test)
{
	lru_expect_unseen(test, "a* b* c* d",
			  "pa pb pc pd ub ua ud uc pb B* ub pa pc ua uc");
}

static void ttm_lru_p3_free_and_alloc(struct kunit *test)
{
	lru_expect_unseen(test, "a* b* c* d | e+ f",
			  "fa na fb fc fa nb B* na nc fd fe B+ ne ff nd nf");
}

static void ttm_lru_p3_switching_bulks(struct kunit *test)
{
	lru_expect_unseen(test, "a* b* c+ d+ e",
			  "ja+ jc* jb+ B+ je* jd* B* ja* jb*");
}

static void ttm_lru_p3_priorities(struct kunit *test)
{
	lru_expect_unseen(test, "a b | c* d* e",
			  "oa1 tb oe0 B* ob1 ja* oe3 jb* lc oc0 B*");
}

/*
 * P4: ranges hold their members, and exactly the hitches strictly inside are
 * registered
 */

static void ttm_lru_p4_registered_inside_only(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "x a* b* c* y");

	EXPECT_FIRST(w, H, "x");
	EXPECT_UNREGISTERED(w, H);
	EXPECT_NEXT(w, H, "a");
	EXPECT_REGISTERED(w, H, "*");
	EXPECT_NEXT(w, H, "b");
	EXPECT_REGISTERED(w, H, "*");
	EXPECT_NEXT(w, H, "c");
	EXPECT_UNREGISTERED(w, H);
	EXPECT_NEXT(w, H, "y");
	EXPECT_UNREGISTERED(w, H);
}

static void ttm_lru_p4_one_member_has_no_inside(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "x a* y");

	EXPECT_FIRST(w, H, "x");
	EXPECT_NEXT(w, H, "a");
	EXPECT_SOUND(w, "x a* H y");
	EXPECT_UNREGISTERED(w, H);
}

static void ttm_lru_p4_from_range_to_range(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c+ d+");

	EXPECT_FIRST(w, H, "a");
	EXPECT_REGISTERED(w, H, "*");
	EXPECT_NEXT(w, H, "b");
	EXPECT_UNREGISTERED(w, H);
	EXPECT_NEXT(w, H, "c");
	EXPECT_REGISTERED(w, H, "+");
	KUNIT_EXPECT_TRUE(test, list_empty(&w->bulk[STAR].cursor_list));
	lru_bulk_tail(w, STAR);
	EXPECT_SOUND(w, "c+ H d+ a* b*");
	EXPECT_REST(w, H, "d a b");
}

static void ttm_lru_p4_from_priority_to_priority(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* | c* d* x");

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	EXPECT_UNREGISTERED(w, H);
	EXPECT_NEXT(w, H, "c");
	EXPECT_REGISTERED(w, H, "*");
	lru_bulk_tail(w, STAR);
	EXPECT_SOUND(w, "a* b* | H x c* d*");
	EXPECT_UNREGISTERED(w, H);
}

static void ttm_lru_p4_first_leaves(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c*");

	EXPECT_FIRST(w, H, "a");
	EXPECT_FIRST(w, I, "a");
	EXPECT_NEXT(w, I, "b");
	EXPECT_REGISTERED(w, H, "*");
	lru_leave(w, 'a');
	EXPECT_SOUND(w, "a H b* I c*");
	EXPECT_UNREGISTERED(w, H);
	EXPECT_REGISTERED(w, I, "*");
}

static void ttm_lru_p4_first_is_freed(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c*");

	EXPECT_FIRST(w, H, "a");
	lru_free(w, 'a');
	EXPECT_SOUND(w, "H b* c*");
	EXPECT_UNREGISTERED(w, H);
}

static void ttm_lru_p4_middle_leaves(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	EXPECT_FIRST(w, H, "a");
	EXPECT_FIRST(w, I, "a");
	EXPECT_NEXT(w, I, "b");
	lru_leave(w, 'b');
	EXPECT_SOUND(w, "a* H I c* b d");
	EXPECT_REGISTERED(w, H, "*");
	EXPECT_REGISTERED(w, I, "*");
}

static void ttm_lru_p4_middle_is_freed(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	lru_free(w, 'b');
	EXPECT_SOUND(w, "a* H c* d");
	EXPECT_REGISTERED(w, H, "*");
	EXPECT_REST(w, H, "c d");
}

static void ttm_lru_p4_last_leaves(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	EXPECT_FIRST(w, H, "a");
	EXPECT_FIRST(w, I, "a");
	EXPECT_NEXT(w, I, "b");
	lru_leave(w, 'c');
	EXPECT_SOUND(w, "a* H b* I c d");
	EXPECT_REGISTERED(w, H, "*");
	EXPECT_UNREGISTERED(w, I);
}

static void ttm_lru_p4_last_is_freed(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* d");

	EXPECT_FIRST(w, H, "a");
	lru_free(w, 'b');
	EXPECT_SOUND(w, "a* H d");
	EXPECT_UNREGISTERED(w, H);
}

static void ttm_lru_p4_first_goes_to_tail(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	EXPECT_FIRST(w, H, "a");
	lru_tail(w, 'a');
	EXPECT_SOUND(w, "H b* c* a* d");
	EXPECT_UNREGISTERED(w, H);
	lru_tail(w, 'b');
	EXPECT_SOUND(w, "H c* a* b* d");
}

static void ttm_lru_p4_two_members_change_places(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c");

	EXPECT_FIRST(w, H, "a");
	EXPECT_FIRST(w, I, "a");
	EXPECT_NEXT(w, I, "b");
	lru_tail(w, 'a');
	EXPECT_SOUND(w, "H b* a* I c");
	EXPECT_UNREGISTERED(w, H);
	EXPECT_UNREGISTERED(w, I);
	EXPECT_REST(w, I, "c");
}

static void ttm_lru_p4_joining_registers(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b c");

	EXPECT_FIRST(w, H, "a");
	EXPECT_FIRST(w, I, "a");
	EXPECT_UNREGISTERED(w, H);
	lru_join(w, 'c', STAR);
	EXPECT_SOUND(w, "a* H I c* b");
	EXPECT_REGISTERED(w, H, "*");
	EXPECT_REGISTERED(w, I, "*");
}

static void ttm_lru_p4_joining_from_behind_a_hitch(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b c");

	EXPECT_FIRST(w, H, "a");
	lru_join(w, 'b', STAR);
	/* It followed the range already, but for the hitch. */
	EXPECT_SOUND(w, "a* H b* c");
	EXPECT_REGISTERED(w, H, "*");
	EXPECT_REST(w, H, "b c");
}

static void ttm_lru_p4_alloc_registers(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b");

	EXPECT_FIRST(w, H, "a");
	lru_make(w, 'c', 0, &w->bulk[STAR], false);
	EXPECT_SOUND(w, "a* H c* b");
	EXPECT_REGISTERED(w, H, "*");
}

static void ttm_lru_p4_range_empties(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c");

	EXPECT_FIRST(w, H, "a");
	lru_free(w, 'b');
	lru_free(w, 'a');
	EXPECT_SOUND(w, "H c");
	KUNIT_EXPECT_TRUE(test, list_empty(&w->bulk[STAR].cursor_list));
	KUNIT_EXPECT_NULL(test, w->bulk[STAR].pos[w->mem_type][0].first);
	KUNIT_EXPECT_NULL(test, w->bulk[STAR].pos[w->mem_type][0].last);
}

static void ttm_lru_p4_bulk_move_deregisters(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	EXPECT_FIRST(w, H, "a");
	EXPECT_FIRST(w, I, "a");
	EXPECT_NEXT(w, I, "b");
	lru_bulk_tail(w, STAR);
	EXPECT_SOUND(w, "H I d a* b* c*");
	EXPECT_UNREGISTERED(w, H);
	EXPECT_UNREGISTERED(w, I);
	KUNIT_EXPECT_TRUE(test, list_empty(&w->bulk[STAR].cursor_list));
}

static void ttm_lru_p4_fini_deregisters(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b*");

	EXPECT_FIRST(w, H, "a");
	lru_fini(w, H);
	EXPECT_SOUND(w, "a* b*");
	EXPECT_UNREGISTERED(w, H);
	KUNIT_EXPECT_TRUE(test, list_empty(&w->bulk[STAR].cursor_list));
}

static void ttm_lru_p4_switching_bulks(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d+ e+ f");

	EXPECT_FIRST(w, H, "a");
	lru_join(w, 'a', PLUS);
	EXPECT_SOUND(w, "H b* c* d+ e+ a+ f");
	lru_join(w, 'c', PLUS);
	EXPECT_SOUND(w, "H b* d+ e+ a+ c+ f");
	lru_join(w, 'b', PLUS);
	EXPECT_SOUND(w, "H d+ e+ a+ c+ b+ f");
	KUNIT_EXPECT_NULL(test, w->bulk[STAR].pos[w->mem_type][0].first);
	lru_join(w, 'e', STAR);
	EXPECT_SOUND(w, "H d+ a+ c+ b+ e* f");
}

static void ttm_lru_p4_joining_in_all_places(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b c d e");

	/* An empty range is joined in place, */
	lru_join(w, 'c', STAR);
	EXPECT_SOUND(w, "a b c* d e");
	/* one that is followed already as well, */
	lru_join(w, 'd', STAR);
	EXPECT_SOUND(w, "a b c* d* e");
	/* else at its tail, from before it and from behind it. */
	lru_join(w, 'a', STAR);
	EXPECT_SOUND(w, "b c* d* a* e");
	lru_make(w, 'f', 0, NULL, false);
	lru_join(w, 'f', STAR);
	EXPECT_SOUND(w, "b c* d* a* f* e");
	/* Once more is no more. */
	lru_join(w, 'c', STAR);
	EXPECT_SOUND(w, "b c* d* a* f* e");
}

static void ttm_lru_p4_leaving_from_all_places(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d* e");

	lru_leave(w, 'b');
	EXPECT_SOUND(w, "a* c* d* b e");
	lru_leave(w, 'a');
	EXPECT_SOUND(w, "a c* d* b e");
	lru_leave(w, 'd');
	EXPECT_SOUND(w, "a c* d b e");
	lru_leave(w, 'c');
	EXPECT_SOUND(w, "a c d b e");
	lru_leave(w, 'c');
	EXPECT_SOUND(w, "a c d b e");
	lru_bulk_tail(w, STAR);
	EXPECT_SOUND(w, "a c d b e");
}

static void ttm_lru_p4_tail_in_range(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	lru_tail(w, 'a');
	EXPECT_SOUND(w, "b* c* a* d");
	lru_tail(w, 'c');
	EXPECT_SOUND(w, "b* a* c* d");
	lru_tail(w, 'c');
	EXPECT_SOUND(w, "b* a* c* d");
	lru_tail(w, 'd');
	EXPECT_SOUND(w, "b* a* c* d");
}

/* Walkers see a resource as soon as its manager has initialised it. */
static void ttm_lru_p4_init_joins_at_once(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b");
	struct ttm_place place = { .mem_type = w->mem_type };
	struct ttm_resource *res = kunit_kzalloc(test, sizeof(*res),
						 GFP_KERNEL);
	struct ttm_buffer_object *bo;

	KUNIT_ASSERT_NOT_NULL(test, res);
	bo = lru_reserve(w, 'a');
	ttm_resource_init(bo, &place, res);
	lru_unreserve(bo);
	w->next[0] = res;
	EXPECT_SOUND(w, "a* a'* b");
	lru_tail(w, 'a');
	EXPECT_SOUND(w, "a'* a* b");

	ttm_resource_fini(lru_man(w), res);
	w->next[0] = NULL;
	EXPECT_SOUND(w, "a* b");
}

/*
 * Managers call ttm_resource_fini() from their error paths, too, where nobody
 * has taken the resource out of its range.
 */
static void ttm_lru_p4_fini_leaves_range(struct kunit *test)
{
	static const char * const left[] = {
		"H b* c* d | e", "H c* d | e", "H d | e", "H | e", "H",
	};
	struct lru_world *w = lru_world(test, "a* b* c* d | e");

	EXPECT_FIRST(w, H, "a");
	for (int i = 0; i < ARRAY_SIZE(left); i++) {
		struct ttm_resource *res = w->bo[i]->resource;

		ttm_resource_fini(lru_man(w), res);
		KUNIT_EXPECT_TRUE(test, list_empty(&res->lru.link));
		/* Accounted once more when the buffer ends. */
		scoped_guard(spinlock, &w->bdev->lru_lock)
			lru_man(w)->usage += res->size;
		EXPECT_SOUND(w, left[i]);
	}
	EXPECT_REST(w, H, "");
}

/*
 * P5: evictable on its manager's list at its priority, or unevictable
 */

static void ttm_lru_p5_pin_loose(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b");

	EXPECT_FIRST(w, H, "a");
	lru_pin(w, 'a');
	EXPECT_SOUND(w, "H b / a");
	lru_unpin(w, 'a');
	EXPECT_SOUND(w, "H b a");
	EXPECT_REST(w, H, "b a");
}

static void ttm_lru_p5_pin_first(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	EXPECT_FIRST(w, H, "a");
	lru_pin(w, 'a');
	EXPECT_SOUND(w, "H b* c* d / a");
	lru_unpin(w, 'a');
	EXPECT_SOUND(w, "H b* c* a* d");
	EXPECT_REST(w, H, "b c a d");
}

static void ttm_lru_p5_pin_middle(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	lru_pin(w, 'b');
	EXPECT_SOUND(w, "a* H c* d / b");
	lru_unpin(w, 'b');
	EXPECT_SOUND(w, "a* H c* b* d");
	EXPECT_REST(w, H, "c b d");
}

static void ttm_lru_p5_pin_last(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	lru_pin(w, 'c');
	EXPECT_SOUND(w, "a* b* H d / c");
	lru_unpin(w, 'c');
	EXPECT_SOUND(w, "a* b* H c* d");
	EXPECT_REST(w, H, "c d");
}

static void ttm_lru_p5_pin_twice(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c");

	lru_pin(w, 'a');
	lru_pin(w, 'a');
	EXPECT_SOUND(w, "b* c / a");
	lru_unpin(w, 'a');
	EXPECT_SOUND(w, "b* c / a");
	lru_unpin(w, 'a');
	EXPECT_SOUND(w, "b* a* c");
}

static void ttm_lru_p5_pin_all(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* | c* d");

	EXPECT_FIRST(w, H, "a");
	for (char letter = 'a'; letter <= 'd'; letter++)
		lru_pin(w, letter);
	EXPECT_SOUND(w, "H / a b c d");
	for (char letter = 'd'; letter >= 'a'; letter--)
		lru_unpin(w, letter);
	EXPECT_SOUND(w, "H b* a* | d c*");
	EXPECT_REST(w, H, "b a d c");
}

static void ttm_lru_p5_pinned_to_tail(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a / b c");

	lru_tail(w, 'b');
	EXPECT_SOUND(w, "a / c b");
	lru_tail(w, 'b');
	EXPECT_SOUND(w, "a / c b");
}

static void ttm_lru_p5_pinned_member_and_bulk_moves(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	lru_pin(w, 'c');
	lru_bulk_tail(w, STAR);
	EXPECT_SOUND(w, "d a* b* / c");
	lru_tail(w, 'c');
	EXPECT_SOUND(w, "d a* b* / c");
	lru_tail(w, 'a');
	EXPECT_SOUND(w, "d b* a* / c");
}

static void ttm_lru_p5_alloc_pinned(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b");

	lru_make(w, 'c', 0, &w->bulk[STAR], true);
	EXPECT_SOUND(w, "a* b / c");
	lru_unpin(w, 'c');
	EXPECT_SOUND(w, "a* c* b");
}

static void ttm_lru_p5_pinned_switches_bulks(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c+ d");

	lru_pin(w, 'a');
	lru_join(w, 'a', PLUS);
	EXPECT_SOUND(w, "b* c+ d / a");
	lru_unpin(w, 'a');
	EXPECT_SOUND(w, "b* c+ a+ d");
	lru_pin(w, 'a');
	lru_leave(w, 'a');
	EXPECT_SOUND(w, "b* c+ d / a");
	lru_unpin(w, 'a');
	EXPECT_SOUND(w, "b* c+ d a");
}

static void ttm_lru_p5_pinned_is_freed(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b*");

	lru_pin(w, 'b');
	lru_free(w, 'b');
	EXPECT_SOUND(w, "a*");
	lru_alloc(w, 'b');
	EXPECT_SOUND(w, "a* / b");
}

static void ttm_lru_p5_priority_waits_for_an_operation(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b c");

	EXPECT_FIRST(w, H, "a");
	lru_set_priority(w, 'a', 2);
	lru_set_priority(w, 'b', 2);
	EXPECT_LRU(w, "a H b c");
	lru_tail(w, 'b');
	EXPECT_LRU(w, "a H c | | b");
	lru_free(w, 'a');
	EXPECT_SOUND(w, "H c | | b");
	EXPECT_REST(w, H, "c b");
}

static void ttm_lru_p5_priority_changes_while_pinned(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b / c");

	lru_set_priority(w, 'c', 3);
	EXPECT_SOUND(w, "a b / c");
	lru_unpin(w, 'c');
	EXPECT_SOUND(w, "a b | | | c");
}

static void ttm_lru_p5_priority_then_join(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b | c* d");

	lru_set_priority(w, 'a', 1);
	lru_join(w, 'a', STAR);
	EXPECT_SOUND(w, "b | c* a* d");
	lru_set_priority(w, 'b', 2);
	lru_join(w, 'b', STAR);
	EXPECT_SOUND(w, "| c* a* d | b*");
}

/* Drivers must not do that. If one does, its ranges stay whole. */
static void ttm_lru_p5_priority_changes_in_a_bulk(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c | d*");

	EXPECT_FIRST(w, H, "a");
	lru_set_priority(w, 'a', 1);
	kunit_warning_suppress(test) {
		lru_tail(w, 'a');
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
	}
	EXPECT_SOUND(w, "H b* c | d* a*");
	EXPECT_REST(w, H, "b c d a");
}

static void ttm_lru_p5_hitch_on_its_list(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a | b | c");

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	lru_free(w, 'a');
	lru_free(w, 'b');
	EXPECT_SOUND(w, "| H | c");
	lru_make(w, 'd', 1, NULL, false);
	lru_make(w, 'e', 0, NULL, false);
	EXPECT_SOUND(w, "e | H d | c");
	EXPECT_REST(w, H, "d c");
}

static void ttm_lru_p5_swap_out_first(struct kunit *test)
{
	struct lru_world *w = lru_world_system(test, "a* b* c* d");

	EXPECT_FIRST(w, H, "a");
	KUNIT_ASSERT_EQ(test, lru_populate(w, 'a'), 0);
	EXPECT_SOUND(w, "a* H b* c* d");
	KUNIT_EXPECT_EQ(test, lru_swapout(w), 1);
	EXPECT_SOUND(w, "H b* c* d / a");
	KUNIT_ASSERT_EQ(test, lru_populate(w, 'a'), 0);
	EXPECT_SOUND(w, "H b* c* a* d");
	EXPECT_REST(w, H, "b c a d");
}

static void ttm_lru_p5_swap_out_middle(struct kunit *test)
{
	struct lru_world *w = lru_world_system(test, "a* b* c* d");

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	KUNIT_ASSERT_EQ(test, lru_populate(w, 'b'), 0);
	KUNIT_EXPECT_EQ(test, lru_swapout(w), 1);
	EXPECT_SOUND(w, "a* H c* d / b");
	KUNIT_ASSERT_EQ(test, lru_populate(w, 'b'), 0);
	EXPECT_SOUND(w, "a* H c* b* d");
}

static void ttm_lru_p5_swap_out_last(struct kunit *test)
{
	struct lru_world *w = lru_world_system(test, "a* b* c* d e");

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	KUNIT_ASSERT_EQ(test, lru_populate(w, 'c'), 0);
	KUNIT_EXPECT_EQ(test, lru_swapout(w), 1);
	EXPECT_SOUND(w, "a* b* H d e / c");
	lru_join(w, 'e', STAR);
	EXPECT_SOUND(w, "a* b* H e* d / c");
	KUNIT_ASSERT_EQ(test, lru_populate(w, 'c'), 0);
	EXPECT_SOUND(w, "a* b* H e* c* d");
}

static void ttm_lru_p5_swap_in_to_an_empty_range(struct kunit *test)
{
	struct lru_world *w = lru_world_system(test, "a* b");

	KUNIT_ASSERT_EQ(test, lru_populate(w, 'a'), 0);
	KUNIT_EXPECT_EQ(test, lru_swapout(w), 1);
	EXPECT_SOUND(w, "b / a");
	KUNIT_ASSERT_EQ(test, lru_populate(w, 'a'), 0);
	EXPECT_SOUND(w, "b a*");
}

static void ttm_lru_p5_swapped_out_is_pinned(struct kunit *test)
{
	struct lru_world *w = lru_world_system(test, "a* b* c");

	KUNIT_ASSERT_EQ(test, lru_populate(w, 'a'), 0);
	KUNIT_EXPECT_EQ(test, lru_swapout(w), 1);
	lru_pin(w, 'a');
	EXPECT_SOUND(w, "b* c / a");
	lru_unpin(w, 'a');
	EXPECT_SOUND(w, "b* c / a");
	lru_pin(w, 'a');
	KUNIT_ASSERT_EQ(test, lru_populate(w, 'a'), 0);
	EXPECT_SOUND(w, "b* c / a");
	lru_unpin(w, 'a');
	EXPECT_SOUND(w, "b* a* c");
}

static void ttm_lru_p5_swapped_out_switches_bulks(struct kunit *test)
{
	struct lru_world *w = lru_world_system(test, "a* b* c+ d");

	KUNIT_ASSERT_EQ(test, lru_populate(w, 'b'), 0);
	KUNIT_EXPECT_EQ(test, lru_swapout(w), 1);
	lru_join(w, 'b', PLUS);
	lru_tail(w, 'b');
	EXPECT_SOUND(w, "a* c+ d / b");
	KUNIT_ASSERT_EQ(test, lru_populate(w, 'b'), 0);
	EXPECT_SOUND(w, "a* c+ b+ d");
}

static void ttm_lru_p5_swapped_out_is_freed(struct kunit *test)
{
	struct lru_world *w = lru_world_system(test, "a* b*");

	KUNIT_ASSERT_EQ(test, lru_populate(w, 'b'), 0);
	KUNIT_EXPECT_EQ(test, lru_swapout(w), 1);
	EXPECT_SOUND(w, "a* / b");
	lru_free(w, 'b');
	EXPECT_SOUND(w, "a*");
	lru_bulk_tail(w, STAR);
	lru_make(w, 'c', 0, &w->bulk[STAR], false);
	EXPECT_SOUND(w, "a* c*");
}

/* It is moved to system memory for that, where its bulk has a range as well. */
static void ttm_lru_p5_swap_out_from_another_type(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	KUNIT_ASSERT_EQ(test, lru_populate(w, 'c'), 0);
	KUNIT_EXPECT_EQ(test, lru_swapout(w), 1);
	EXPECT_SOUND(w, "a* b* d / c");
	w->mem_type = TTM_PL_SYSTEM;
	EXPECT_SOUND(w, "/ c");
	KUNIT_ASSERT_EQ(test, lru_populate(w, 'c'), 0);
	EXPECT_SOUND(w, "c*");
}

/* TTM's own walker, which drops the lock for each buffer that it swaps out. */
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

/*
 * Ghosts, which keep a buffer's old resource while the copy engine is at work.
 * They are in no bulk, and go to the tail.
 */

static void ttm_lru_ghost_of_first(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	EXPECT_FIRST(w, H, "a");
	lru_alloc_next(w, 'a');
	EXPECT_SOUND(w, "a* H b* c* a'* d");
	lru_move_busy(w, 'a');
	EXPECT_SOUND(w, "H b* c* a* d ~");
	EXPECT_NEXT(w, H, "b");
	lru_idle(w);
	EXPECT_SOUND(w, "b* H c* a* d");
	EXPECT_REST(w, H, "c a d");
}

static void ttm_lru_ghost_of_middle(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	lru_alloc_next(w, 'b');
	lru_move_busy(w, 'b');
	EXPECT_SOUND(w, "a* H c* b* d ~");
	EXPECT_REST(w, H, "c b d ~");
	lru_idle(w);
	EXPECT_SOUND(w, "a* c* b* d");
}

static void ttm_lru_ghost_of_last(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	w->mem_type = TTM_PL_SYSTEM;
	lru_alloc_next(w, 'c');
	EXPECT_SOUND(w, "c'*");
	lru_move_busy(w, 'c');
	EXPECT_SOUND(w, "c*");

	w->mem_type = TTM_PL_TT;
	EXPECT_SOUND(w, "a* b* H d ~");
	EXPECT_UNREGISTERED(w, H);
	EXPECT_REST(w, H, "d ~");
}

static void ttm_lru_ghost_of_only(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b");

	EXPECT_FIRST(w, H, "a");
	w->mem_type = TTM_PL_SYSTEM;
	lru_alloc_next(w, 'a');
	lru_move_busy(w, 'a');
	EXPECT_SOUND(w, "a*");

	w->mem_type = TTM_PL_TT;
	EXPECT_SOUND(w, "H b ~");
	lru_bulk_tail(w, STAR);
	EXPECT_REST(w, H, "b ~");
}

static void ttm_lru_ghost_of_loose(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b");

	EXPECT_FIRST(w, H, "a");
	lru_alloc_next(w, 'a');
	lru_move_busy(w, 'a');
	EXPECT_SOUND(w, "H b a ~");
	lru_bulk_tail(w, STAR);
	lru_idle(w);
	EXPECT_SOUND(w, "H b a");
}

static void ttm_lru_ghost_of_purged(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	lru_purge_busy(w, 'b');
	EXPECT_SOUND(w, "a* H c* d ~");
	lru_idle(w);
	EXPECT_SOUND(w, "a* H c* d");
	EXPECT_REST(w, H, "c d");
}

static void ttm_lru_move_without_ghost(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	EXPECT_FIRST(w, H, "a");
	lru_alloc_next(w, 'a');
	EXPECT_SOUND(w, "a* H b* c* a'* d");
	lru_move(w, 'a');
	EXPECT_SOUND(w, "H b* c* a* d");
	EXPECT_REST(w, H, "b c a d");
}

/*
 * P6: an end is an end, and a start a start
 */

static void ttm_lru_p6_ended_stays_ended(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a");

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "");
	lru_make(w, 'b', 0, NULL, false);
	lru_make(w, 'c', 3, NULL, false);
	EXPECT_NEXT(w, H, "");
	EXPECT_NEXT(w, H, "");
	EXPECT_SOUND(w, "a b | | | c");
}

static void ttm_lru_p6_hitch_is_off_at_the_end(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b*");
	struct ttm_resource_cursor *cursor = &w->walk[H];

	EXPECT_FIRST(w, H, "a");
	KUNIT_EXPECT_FALSE(test, list_empty(&cursor->hitch.link));
	EXPECT_REST(w, H, "b");
	KUNIT_EXPECT_TRUE(test, list_empty(&cursor->hitch.link));
	EXPECT_UNREGISTERED(w, H);
}

static void ttm_lru_p6_next_in_no_walk(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b");

	EXPECT_NEXT(w, H, "");
	EXPECT_NEXT(w, H, "");
	EXPECT_FIRST(w, H, "a");
	lru_fini(w, H);
	EXPECT_NEXT(w, H, "");
	EXPECT_SOUND(w, "a b");
}

static void ttm_lru_p6_fini_in_every_state(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* | c");

	/* in no walk yet, */
	lru_fini(w, H);
	lru_fini(w, H);
	EXPECT_SOUND(w, "a* b* | c");
	/* inside a range, */
	EXPECT_FIRST(w, H, "a");
	lru_fini(w, H);
	EXPECT_SOUND(w, "a* b* | c");
	/* at its end, */
	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	lru_fini(w, H);
	EXPECT_SOUND(w, "a* b* | c");
	/* on another list, */
	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	EXPECT_NEXT(w, H, "c");
	lru_fini(w, H);
	lru_fini(w, H);
	EXPECT_SOUND(w, "a* b* | c");
	/* at the end. */
	EXPECT_FIRST(w, H, "a");
	EXPECT_REST(w, H, "b c");
	lru_fini(w, H);
	EXPECT_SOUND(w, "a* b* | c");
	EXPECT_FIRST(w, H, "a");
}

static void ttm_lru_p6_first_in_every_state(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* | c d");

	/* in no walk yet, */
	EXPECT_FIRST(w, H, "a");
	/* inside a range, */
	EXPECT_FIRST(w, H, "a");
	EXPECT_SOUND(w, "a* H b* | c d");
	EXPECT_NEXT(w, H, "b");
	/* at its end, */
	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	EXPECT_NEXT(w, H, "c");
	/* on another list, */
	EXPECT_FIRST(w, H, "a");
	EXPECT_SOUND(w, "a* H b* | c d");
	EXPECT_REST(w, H, "b c d");
	/* at the end, */
	EXPECT_FIRST(w, H, "a");
	lru_fini(w, H);
	/* and after that. */
	EXPECT_FIRST(w, H, "a");
	EXPECT_REST(w, H, "b c d");
}

static void ttm_lru_p6_first_of_nothing(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a");

	EXPECT_FIRST(w, H, "a");
	lru_free(w, 'a');
	EXPECT_FIRST(w, H, "");
	EXPECT_SOUND(w, "");
	lru_alloc(w, 'a');
	EXPECT_NEXT(w, H, "");
	EXPECT_FIRST(w, H, "a");
}

static void ttm_lru_p6_init_defines_everything(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c");

	memset(&w->walk[H], 0x5a, sizeof(w->walk[H]));
	lru_walk_init(w, H);
	lru_fini(w, H);
	memset(&w->walk[H], 0xff, sizeof(w->walk[H]));
	lru_walk_init(w, H);
	EXPECT_UNREGISTERED(w, H);
	EXPECT_FIRST(w, H, "a");
	EXPECT_SOUND(w, "a* H b* c");
	EXPECT_REST(w, H, "b c");
}

#ifndef CONFIG_DRM_TTM_LRU_PRISTINE
/*
 * P7, bounded: a bounded walk ends in as many steps as there were resources,
 * and returns those that stayed where they were
 */

static void lru_bound(struct lru_world *w, enum lru_walk walk)
{
	lru_fini(w, walk);
	ttm_resource_cursor_init_bounded(&w->walk[walk], lru_man(w));
}

static struct lru_world *lru_world_bounded(struct kunit *test,
					   const char *picture)
{
	struct lru_world *w = lru_world(test, picture);

	lru_bound(w, H);
	return w;
}

static void ttm_lru_p7_still_ones_are_returned(struct kunit *test)
{
	struct lru_world *w = lru_world_bounded(test, "a* b* c | d e+ | | f");

	EXPECT_FIRST(w, H, "a");
	EXPECT_REST(w, H, "b c d e f");
	EXPECT_NEXT(w, H, "");
}

static void ttm_lru_p7_chasing_its_own_tail(struct kunit *test)
{
	struct lru_world *w = lru_world_bounded(test, "a b c d");

	EXPECT_FIRST(w, H, "a");
	lru_tail(w, 'a');
	EXPECT_NEXT(w, H, "b");
	lru_tail(w, 'b');
	EXPECT_NEXT(w, H, "c");
	lru_tail(w, 'c');
	EXPECT_NEXT(w, H, "d");
	lru_tail(w, 'd');
	EXPECT_NEXT(w, H, "");
	EXPECT_LRU(w, "a b c d");
}

static void ttm_lru_p7_chasing_a_bulk(struct kunit *test)
{
	struct lru_world *w = lru_world_bounded(test, "a* b* c d");

	EXPECT_FIRST(w, H, "a");
	lru_bulk_tail(w, STAR);
	EXPECT_LRU(w, "H c d a* b*");
	EXPECT_NEXT(w, H, "c");
	lru_bulk_tail(w, STAR);
	EXPECT_NEXT(w, H, "d");
	lru_bulk_tail(w, STAR);
	EXPECT_NEXT(w, H, "");
}

static void ttm_lru_p7_moved_ones_are_not(struct kunit *test)
{
	struct lru_world *w = lru_world_bounded(test, "a b c d | e f");

	EXPECT_FIRST(w, H, "a");
	lru_tail(w, 'c');
	lru_tail(w, 'e');
	EXPECT_LRU(w, "a H b d c | f e");
	EXPECT_REST(w, H, "b d f");
}

static void ttm_lru_p7_new_ones_are_not(struct kunit *test)
{
	struct lru_world *w = lru_world_bounded(test, "a b* | d");

	EXPECT_FIRST(w, H, "a");
	lru_make(w, 'e', 0, NULL, false);
	lru_make(w, 'f', 0, &w->bulk[STAR], false);
	lru_make(w, 'g', 1, &w->bulk[PLUS], false);
	EXPECT_LRU(w, "a H b* f* e | d g+");
	EXPECT_REST(w, H, "b d");
}

static void ttm_lru_p7_unpinned_ones_are_not(struct kunit *test)
{
	struct lru_world *w = lru_world_bounded(test, "a b* c* d");

	EXPECT_FIRST(w, H, "a");
	lru_pin(w, 'b');
	lru_unpin(w, 'b');
	EXPECT_LRU(w, "a H c* b* d");
	EXPECT_REST(w, H, "c d");
}

static void ttm_lru_p7_another_priority_is_a_move(struct kunit *test)
{
	struct lru_world *w = lru_world_bounded(test, "a b c | d");

	EXPECT_FIRST(w, H, "a");
	lru_set_priority(w, 'b', 1);
	lru_tail(w, 'b');
	EXPECT_LRU(w, "a H c | d b");
	EXPECT_REST(w, H, "c d");
}

static void ttm_lru_p7_member_to_tail(struct kunit *test)
{
	struct lru_world *w = lru_world_bounded(test, "x a* b* c* d");

	EXPECT_FIRST(w, H, "x");
	lru_tail(w, 'a');
	lru_tail(w, 'b');
	EXPECT_LRU(w, "x H c* a* b* d");
	EXPECT_REST(w, H, "c d");
}

static void ttm_lru_p7_last_to_tail_is_no_move(struct kunit *test)
{
	struct lru_world *w = lru_world_bounded(test, "x a* b* c");

	EXPECT_FIRST(w, H, "x");
	lru_tail(w, 'b');
	EXPECT_REST(w, H, "a b c");
}

static void ttm_lru_p7_joining_in_place(struct kunit *test)
{
	struct lru_world *w = lru_world_bounded(test, "x a b c");

	EXPECT_FIRST(w, H, "x");
	lru_join(w, 'a', STAR);
	EXPECT_LRU(w, "x H a* b c");
	EXPECT_REST(w, H, "b c");
}

static void ttm_lru_p7_joining_what_was_moved(struct kunit *test)
{
	struct lru_world *w = lru_world_bounded(test, "x a b* c");

	EXPECT_FIRST(w, H, "x");
	lru_tail(w, 'a');
	lru_join(w, 'a', PLUS);
	lru_tail(w, 'c');
	EXPECT_LRU(w, "x H b* a+ c");
	EXPECT_REST(w, H, "b");
}

static void ttm_lru_p7_middle_leaves(struct kunit *test)
{
	struct lru_world *w = lru_world_bounded(test, "x a* b* c* d");

	EXPECT_FIRST(w, H, "x");
	lru_leave(w, 'b');
	EXPECT_LRU(w, "x H a* c* b d");
	EXPECT_REST(w, H, "a c d");
}

static void ttm_lru_p7_leaving_the_end_is_no_move(struct kunit *test)
{
	struct lru_world *w = lru_world_bounded(test, "x a* b* c* d");

	EXPECT_FIRST(w, H, "x");
	lru_leave(w, 'a');
	lru_leave(w, 'c');
	EXPECT_LRU(w, "x H a b* c d");
	EXPECT_REST(w, H, "a b c d");
}

static void ttm_lru_p7_leaving_a_moved_range(struct kunit *test)
{
	struct lru_world *w = lru_world_bounded(test, "x a* b* c* d");

	EXPECT_FIRST(w, H, "x");
	lru_bulk_tail(w, STAR);
	lru_leave(w, 'a');
	lru_leave(w, 'c');
	EXPECT_LRU(w, "x H d a b* c");
	EXPECT_REST(w, H, "d");
}

static void ttm_lru_p7_bulk_ends(struct kunit *test)
{
	struct lru_world *w = lru_world_bounded(test, "x a* b* c");

	EXPECT_FIRST(w, H, "x");
	lru_bulk_tail(w, STAR);
	kunit_warning_suppress(test)
		ttm_lru_bulk_move_fini(w->bdev, &w->bulk[STAR]);
	ttm_lru_bulk_move_init(&w->bulk[STAR]);
	EXPECT_LRU(w, "x H c a b");
	EXPECT_REST(w, H, "c");
}

static void ttm_lru_p7_moves_before_the_start(struct kunit *test)
{
	struct lru_world *w = lru_world_bounded(test, "a b* c* d");

	EXPECT_FIRST(w, H, "a");
	lru_tail(w, 'a');
	lru_bulk_tail(w, STAR);
	EXPECT_LRU(w, "H d a b* c*");
	EXPECT_FIRST(w, H, "d");
	lru_leave(w, 'b');
	EXPECT_REST(w, H, "a b c");
}

static void ttm_lru_p7_walks_of_different_age(struct kunit *test)
{
	struct lru_world *w = lru_world_bounded(test, "a b c d");

	lru_bound(w, I);
	EXPECT_FIRST(w, H, "a");
	lru_tail(w, 'b');
	EXPECT_FIRST(w, I, "a");
	lru_tail(w, 'c');
	EXPECT_LRU(w, "a H I d b c");
	EXPECT_REST(w, H, "d");
	EXPECT_REST(w, I, "d b");
}

static void ttm_lru_p7_plain_walks_meet_all(struct kunit *test)
{
	struct lru_world *w = lru_world_bounded(test, "a b c*");

	EXPECT_FIRST(w, H, "a");
	EXPECT_FIRST(w, I, "a");
	lru_tail(w, 'a');
	lru_bulk_tail(w, STAR);
	EXPECT_REST(w, H, "b");
	EXPECT_REST(w, I, "b a c");
}

static void ttm_lru_p7_skip_bulk(struct kunit *test)
{
	struct lru_world *w = lru_world_bounded(test, "a* b* c d");

	EXPECT_FIRST(w, H, "a");
	lru_tail(w, 'c');
	scoped_guard(spinlock, &w->bdev->lru_lock) {
		ttm_resource_cursor_skip_bulk(&w->walk[H]);
		ttm_resource_cursor_pause(&w->walk[H]);
	}
	EXPECT_LRU(w, "a* b* H d c");
	EXPECT_REST(w, H, "d");
}

/* A step of @walk, in which whoever goes on from @letter is lost. */
static void lru_next_not_past(struct lru_world *w, enum lru_walk walk,
			      char letter)
{
	struct list_head *node = &lru_bo(w, letter)->resource->lru.link;
	struct list_head *next = node->next;

	guard(spinlock)(&w->bdev->lru_lock);
	node->next = NULL;
	ttm_resource_cursor_advance(&w->walk[walk]);
	ttm_resource_cursor_pause(&w->walk[walk]);
	node->next = next;
}

/* However many were moved: the walk looks at the first, and is through. */
static void ttm_lru_p7_ends_at_the_first_moved(struct kunit *test)
{
	struct lru_world *w = lru_world_bounded(test, "a b c d | e");

	EXPECT_FIRST(w, H, "a");
	lru_tail(w, 'b');
	lru_tail(w, 'c');
	lru_tail(w, 'd');
	EXPECT_LRU(w, "a H b c d | e");
	lru_next_not_past(w, H, 'b');
	EXPECT_LRU(w, "a b c d | e H");
}

static void ttm_lru_p7_ends_at_a_moved_range(struct kunit *test)
{
	struct lru_world *w = lru_world_bounded(test, "a b* c* d* e | f");

	EXPECT_FIRST(w, H, "a");
	lru_tail(w, 'e');
	lru_bulk_tail(w, STAR);
	lru_tail(w, 'e');
	EXPECT_LRU(w, "a H b* c* d* e | f");
	lru_next_not_past(w, H, 'b');
	EXPECT_LRU(w, "a b* c* d* e | f H");
}

static void ttm_lru_p7_ends_at_a_new_range(struct kunit *test)
{
	struct lru_world *w = lru_world_bounded(test, "a | f");

	EXPECT_FIRST(w, H, "a");
	lru_make(w, 'b', 0, &w->bulk[STAR], false);
	lru_make(w, 'c', 0, &w->bulk[STAR], false);
	lru_make(w, 'd', 0, NULL, false);
	EXPECT_LRU(w, "a H b* c* d | f");
	lru_next_not_past(w, H, 'c');
	EXPECT_LRU(w, "a b* c* d | f H");
}
#endif

/*
 * P8: a step costs the hitches it passes, a bulk move the ranges and the
 * cursors inside. Counted are the nodes that an operation writes to.
 */

/* Nodes of a world that is too big to be drawn. */
#define LRU_MAX_LINKS	10100

struct lru_link {
	struct list_head *node;
	struct list_head was;
};

static void lru_remember_list(struct lru_world *w, struct list_head *head)
{
	struct list_head *node = head;

	do {
		if (w->nr_links == LRU_MAX_LINKS)
			return;
		w->links[w->nr_links++] = (struct lru_link) { node, *node };
		node = node->next;
	} while (node != head);
}

static void lru_remember_locked(struct lru_world *w)
{
	w->nr_links = 0;
	for (int i = 0; i < TTM_MAX_BO_PRIORITY; i++)
		lru_remember_list(w, &lru_man(w)->lru[i]);
	lru_remember_list(w, &w->bdev->unevictable);
	for (int i = 0; i < LRU_BULKS; i++)
		lru_remember_list(w, &w->bulk[i].cursor_list);
	/* Those that are on a list have been there. */
	for (int i = 0; i < LRU_WALKS; i++)
		if (list_empty(&w->walk[i].hitch.link))
			lru_remember_list(w, &w->walk[i].hitch.link);
}

static void lru_links_init(struct lru_world *w)
{
	w->links = kunit_kmalloc_array(w->test, LRU_MAX_LINKS,
				       sizeof(*w->links), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(w->test, w->links);
}

static void lru_remember(struct lru_world *w)
{
	guard(spinlock)(&w->bdev->lru_lock);
	lru_remember_locked(w);
}

/* How many of the nodes remembered have been written to. */
static unsigned int lru_changed(struct lru_world *w)
{
	unsigned int changed = 0;

	for (int i = 0; i < w->nr_links; i++)
		if (w->links[i].node->next != w->links[i].was.next ||
		    w->links[i].node->prev != w->links[i].was.prev)
			changed++;
	return changed;
}

/* As many members of a bulk as a big VM has buffers, at the tail. */
static void lru_make_flock(struct lru_world *w, unsigned int n)
{
	struct ttm_place place = { .mem_type = w->mem_type };
	struct ttm_buffer_object *bo;
	int ret = 0;

	lru_links_init(w);
	w->flock = kunit_kcalloc(w->test, n, sizeof(*w->flock), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(w->test, w->flock);
	bo = ttm_bo_kunit_init(w->test, &w->devs, PAGE_SIZE, &w->resv);
	w->flock_bo = bo;

	dma_resv_lock(&w->resv, NULL);
	ttm_bo_set_bulk_move(bo, &w->bulk[STAR]);
	for (; w->nr_flock < n && !ret; w->nr_flock++)
		ret = ttm_resource_alloc(bo, &place, &w->flock[w->nr_flock],
					 NULL);
	dma_resv_unlock(&w->resv);
	KUNIT_ASSERT_EQ(w->test, ret, 0);
}

static void ttm_lru_p8_bulk_move_writes_to_its_ends(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "x");
	struct ttm_lru_bulk_move_pos *pos;

	lru_make_flock(w, 10000);
	lru_make(w, 'y', 0, NULL, false);
	pos = &w->bulk[STAR].pos[w->mem_type][0];
	KUNIT_EXPECT_PTR_EQ(test, pos->first, w->flock[0]);
	KUNIT_EXPECT_PTR_EQ(test, pos->last, w->flock[9999]);
	lru_remember(w);
	lru_bulk_tail(w, STAR);
	/* Both ends, their neighbours x and y, and the list's head. */
	KUNIT_EXPECT_EQ(test, lru_changed(w), 5);
	KUNIT_EXPECT_PTR_EQ(test, w->flock[0]->lru.link.prev,
			    &lru_bo(w, 'y')->resource->lru.link);
}

/* Whoever follows a link inside the flock faults, until it is healed. */
static void lru_poison_inside(struct lru_world *w)
{
	guard(spinlock)(&w->bdev->lru_lock);
	for (int i = 2; i < w->nr_flock - 2; i++)
		w->flock[i]->lru.link = (struct list_head) {
			LIST_POISON1, LIST_POISON2
		};
#ifdef CONFIG_DRM_TTM_LRU_DEBUG
	/* Its checks of whole lists may well look inside. */
	lru_man(w)->lru_check_at = ULONG_MAX;
#endif
}

static void lru_heal_inside(struct lru_world *w)
{
	guard(spinlock)(&w->bdev->lru_lock);
	for (int i = 2; i < w->nr_flock - 2; i++) {
		w->flock[i]->lru.link.prev = &w->flock[i - 1]->lru.link;
		w->flock[i]->lru.link.next = &w->flock[i + 1]->lru.link;
	}
}

static void ttm_lru_p8_bulk_move_looks_at_its_ends(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "x");
	const char *last;

	lru_make_flock(w, 10000);
	lru_make(w, 'y', 0, NULL, false);
	EXPECT_FIRST(w, H, "x");
	lru_next(w, H);
	EXPECT_REGISTERED(w, H, "*");
	lru_poison_inside(w);
	lru_bulk_tail(w, STAR);
	last = lru_next(w, H);
	lru_heal_inside(w);
	KUNIT_EXPECT_STREQ(test, last, "y");
}

static void ttm_lru_p8_bulk_move_with_cursors_inside(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "x");

	lru_make_flock(w, 10000);
	lru_make(w, 'y', 0, NULL, false);
	lru_remember(w);
	for (int i = 0; i < LRU_WALKS; i++) {
		EXPECT_FIRST(w, i, "x");
		for (int step = 0; step < 1000 * (i + 1); step++)
			lru_next(w, i);
	}
	/* Each hitch and its neighbours, and the bulk's list of cursors. */
	KUNIT_EXPECT_EQ(test, lru_changed(w), 3 * LRU_WALKS + 1);
	lru_bulk_tail(w, STAR);
	/* The neighbours of the hitches are neighbours again. */
	KUNIT_EXPECT_EQ(test, lru_changed(w), 5 + LRU_WALKS);
	for (int i = 0; i < LRU_WALKS; i++) {
		EXPECT_UNREGISTERED(w, i);
		EXPECT_NEXT(w, i, "y");
	}
}

static void ttm_lru_p8_member_operations_write_to_neighbours(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "x");
	struct ttm_resource *res;

	lru_make_flock(w, 10000);
	lru_make(w, 'y', 0, NULL, false);
	lru_make(w, 'z', 0, NULL, false);
	res = w->flock[5000];
	w->flock_bo->resource = res;

	lru_remember(w);
	dma_resv_lock(&w->resv, NULL);
	scoped_guard(spinlock, &w->bdev->lru_lock)
		ttm_bo_move_to_lru_tail(w->flock_bo);
	dma_resv_unlock(&w->resv);
	w->flock_bo->resource = NULL;
	KUNIT_EXPECT_PTR_EQ(test, w->bulk[STAR].pos[w->mem_type][0].last, res);
	/* The member, its old neighbours and its new ones. */
	KUNIT_EXPECT_EQ(test, lru_changed(w), 5);

	lru_remember(w);
	lru_join(w, 'z', STAR);
	/* z, y on both sides of it, the list's head, the last member. */
	KUNIT_EXPECT_EQ(test, lru_changed(w), 4);
}

static void ttm_lru_p8_step_over_hitches(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b c");

	lru_links_init(w);
	w->crowd = kunit_kcalloc(test, 64, sizeof(*w->crowd), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, w->crowd);
	scoped_guard(spinlock, &w->bdev->lru_lock)
		for (; w->nr_crowd < 64; w->nr_crowd++) {
			ttm_resource_cursor_init(&w->crowd[w->nr_crowd],
						 lru_man(w));
			ttm_resource_manager_first(&w->crowd[w->nr_crowd]);
		}
	EXPECT_FIRST(w, H, "a");
	lru_remember(w);
	EXPECT_NEXT(w, H, "b");
	/* The hitch, its old neighbours and its new ones. */
	KUNIT_EXPECT_EQ(test, lru_changed(w), 5);
	lru_remember(w);
	EXPECT_NEXT(w, H, "c");
	KUNIT_EXPECT_EQ(test, lru_changed(w), 4);
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

/* A driver's bug, after which the bulk's memory goes. */
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

/*
 * What mainline's cursor gets wrong, see the numbers in the project's notes
 */

/* A VM with one buffer in VRAM is evicted, and comes back. */
static void ttm_lru_defect1_registration_outlives_range(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b c d e");

	EXPECT_FIRST(w, H, "a");
	EXPECT_LRU(w, "a* H b c d e");
	lru_free(w, 'a');
	EXPECT_LRU(w, "H b c d e");
	lru_alloc(w, 'a');
	EXPECT_LRU(w, "H b c d e a*");
	lru_bulk_tail(w, STAR);
	EXPECT_LRU(w, "H b c d e a*");
	EXPECT_REST(w, H, "b c d e a");
}

static void ttm_lru_defect2_hitch_pulled_back(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "x y a*");

	EXPECT_FIRST(w, H, "x");
	EXPECT_NEXT(w, H, "y");
	EXPECT_NEXT(w, H, "a");
	lru_free(w, 'a');
	EXPECT_LRU(w, "x y H");
	lru_join(w, 'x', STAR);
	EXPECT_LRU(w, "x* y H");
	lru_bulk_tail(w, STAR);
	EXPECT_LRU(w, "y H x*");
	EXPECT_REST(w, H, "x");
}

static void ttm_lru_defect3_unpin_into_empty_range(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b c");

	lru_pin(w, 'a');
	EXPECT_LRU(w, "b c / a");
	lru_unpin(w, 'a');
	EXPECT_LRU(w, "b c a*");
	lru_join(w, 'b', STAR);
	EXPECT_LRU(w, "c a* b*");
	EXPECT_FIRST(w, H, "c");
	EXPECT_REST(w, H, "a b");
}

static void ttm_lru_defect4_walk_of_a_foreign_list(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b c");

	EXPECT_FIRST(w, H, "a");
	lru_pin(w, 'a');
	lru_unpin(w, 'a');
	lru_bulk_tail(w, STAR);
	EXPECT_LRU(w, "H b c a*");
	EXPECT_REST(w, H, "b c a");
}

static void ttm_lru_defect5_next_after_the_end(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a");

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "");
	EXPECT_NEXT(w, H, "");
	EXPECT_LRU(w, "a");
}

static void ttm_lru_defect5_first_after_the_end(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a | b");

	EXPECT_FIRST(w, H, "a");
	EXPECT_REST(w, H, "b");
	EXPECT_FIRST(w, H, "a");
	EXPECT_REST(w, H, "b");
}

static void ttm_lru_defect5_first_in_the_middle(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a | b");

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	EXPECT_FIRST(w, H, "a");
	EXPECT_LRU(w, "a H | b");
}

/* A cursor on the stack finds there what the last one left. */
static void ttm_lru_defect5_init_leaves_the_bulk(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c");

	memset(&w->walk[H], 0x5a, sizeof(w->walk[H]));
	lru_set_registered(w, H, STAR);
	lru_walk_init(w, H);
	EXPECT_FIRST(w, H, "a");
	lru_bulk_tail(w, STAR);
	EXPECT_LRU(w, "H c a* b*");
	EXPECT_REST(w, H, "c a b");
}

/*
 * Swapping out and shrinking take a member out of its range in 7.3. But a
 * driver that needn't keep the content moves a swapped-out buffer as it is:
 * its new resource joined the range, and only then is it the one whose pages
 * are swapped out.
 */
static void ttm_lru_defect6_swapped_out_keeps_its_range(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	KUNIT_ASSERT_EQ(test, lru_populate(w, 'c'), 0);
	KUNIT_EXPECT_EQ(test, lru_swapout(w), 1);
	EXPECT_LRU(w, "a* b* d / c");
	lru_alloc_next(w, 'c');
	lru_move(w, 'c');
	lru_tail(w, 'c');
	EXPECT_LRU(w, "a* b* d / c");
	lru_join(w, 'd', STAR);
	EXPECT_LRU(w, "a* b* d* / c");
	lru_bulk_tail(w, STAR);
	EXPECT_LRU(w, "a* b* d* / c");
}

/* As Xe's for purged pages, and the system is out of memory. */
static int lru_populate_fails(struct ttm_device *bdev, struct ttm_tt *tt,
			      struct ttm_operation_ctx *ctx)
{
	ttm_tt_clear_backed_up(tt);
	return -ENOMEM;
}

/* Let populating a buffer fail after its swapped flag was cleared. */
static int lru_purge_then_fail(struct lru_world *w)
{
	const struct ttm_bo_shrink_flags purge = { .purge = true };
	struct ttm_operation_ctx ctx = {};
	struct ttm_buffer_object *bo;
	long pages;
	int ret;

	w->funcs.ttm_tt_create = lru_shrinkable_create;
	ret = lru_populate(w, 'a');
	if (ret)
		return ret;
	bo = lru_reserve(w, 'a');
	pages = ttm_bo_shrink(&ctx, bo, purge);
	lru_unreserve(bo);
	if (pages != 1)
		return -EINVAL;

	w->funcs.ttm_tt_populate = lru_populate_fails;
	ret = lru_populate(w, 'a');
	w->funcs.ttm_tt_populate = NULL;
	return ret == -ENOMEM ? 0 : -EINVAL;
}

static void ttm_lru_defect7_evictable_in_no_range(struct kunit *test)
{
	struct lru_world *w = lru_world_system(test, "a* b");

	KUNIT_ASSERT_EQ(test, lru_purge_then_fail(w), 0);
	EXPECT_LRU(w, "b / a");
	lru_tail(w, 'a');
	EXPECT_LRU(w, "b a*");
	lru_bulk_tail(w, STAR);
	EXPECT_LRU(w, "b a*");
}

/* The flag was cleared, and the list not told: leaving must find that out. */
static void ttm_lru_defect7_leaving_no_range(struct kunit *test)
{
	struct lru_world *w = lru_world_system(test, "a* b");

	KUNIT_ASSERT_EQ(test, lru_purge_then_fail(w), 0);
	kunit_warning_suppress(test) {
		lru_leave(w, 'a');
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 0);
	}
	EXPECT_LRU(w, "b a");
}

/*
 * More of it, found by exploring all states: see Documentation/gpu/ttm-lru.rst
 */

/* Defect 1 needs nobody to be freed, only to leave. */
static void ttm_lru_explored_p1_first_leaves(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b");

	EXPECT_FIRST(w, H, "a");
	lru_leave(w, 'a');
	lru_make(w, 'c', 0, &w->bulk[STAR], false);
	lru_bulk_tail(w, STAR);
	EXPECT_REST(w, H, "b c");
}

/* Nor does defect 2. */
static void ttm_lru_explored_p2_last_leaves(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b*");

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	lru_leave(w, 'b');
	lru_bulk_tail(w, STAR);
	EXPECT_REST(w, H, "a");
}

/* From defect 3 not only a hang follows: a walk is handed pinned buffers. */
static void ttm_lru_explored_p5_pinned_is_returned(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b*");

	lru_pin(w, 'a');
	EXPECT_FIRST(w, H, "b");
	lru_pin(w, 'b');
	lru_unpin(w, 'b');
	lru_bulk_tail(w, STAR);
	EXPECT_LRU(w, "H b* / a");
	EXPECT_NEXT(w, H, "b");
	EXPECT_NEXT(w, H, "");
}

/*
 * At random: some buffers, three walks that go on and on, and in between what
 * the others do. Kept is only what the promises are about, which knows nothing
 * of lists: whom a walk owes a visit, and who was returned and has not been
 * moved since.
 */
#define LRU_RANDOM_BUFFERS	8
#define LRU_RANDOM_OPS		30000

struct lru_ledger {
	struct lru_world *w;
	struct rnd_state rnd;
	u32 on_lru;
	u32 owed[LRU_WALKS];
	u32 returned[LRU_WALKS];
	bool under_way[LRU_WALKS];
	struct lru_log log;
};

static void lru_random_fail(struct lru_ledger *l, const char *what)
{
	KUNIT_FAIL_AND_ABORT(l->w->test, "%s after%s: %s", what,
			     lru_log_text(&l->log), lru_draw(l->w, true));
}

static void lru_moved(struct lru_ledger *l, u32 buffers)
{
	for (int i = 0; i < LRU_WALKS; i++)
		l->returned[i] &= ~buffers;
}

/* They left, or entered: no walk under way owes them a visit. */
static void lru_entered(struct lru_ledger *l, u32 buffers)
{
	lru_moved(l, buffers);
	for (int i = 0; i < LRU_WALKS; i++)
		l->owed[i] &= ~buffers;
}

static void lru_random_step(struct lru_ledger *l, enum lru_walk walk)
{
	struct lru_world *w = l->w;
	const char *name;
	u32 buffer;

	lru_log(&l->log, "%c", 'H' + walk);
	if (!l->under_way[walk]) {
		l->under_way[walk] = true;
		l->owed[walk] = l->on_lru;
		l->returned[walk] = 0;
		name = lru_first(w, walk);
	} else if (prandom_u32_state(&l->rnd) % 64) {
		name = lru_next(w, walk);
	} else {
		/* It has seen enough. */
		l->owed[walk] = 0;
		name = "";
	}

	if (!*name) {
		if (l->owed[walk])
			lru_random_fail(l, "a walk missed a resource");
		l->under_way[walk] = false;
		lru_renew(w, walk);
		return;
	}
	buffer = BIT(name[0] - 'a');
	if (!(l->on_lru & buffer))
		lru_random_fail(l, "a walk returned what isn't on the LRU");
	if (l->returned[walk] & buffer)
		lru_random_fail(l, "a walk repeated a resource");
	l->returned[walk] |= buffer;
	l->owed[walk] &= ~buffer;
}

/* The members of a bulk that are on the LRU. */
static u32 lru_members(struct lru_ledger *l, enum lru_bulk bulk)
{
	u32 members = 0;

	for (int i = 0; i < LRU_RANDOM_BUFFERS; i++)
		if (l->w->bo[i]->bulk_move == &l->w->bulk[bulk])
			members |= BIT(i);
	return members & l->on_lru;
}

/* Whether a buffer stands at an end of its range, or at its last place. */
static bool lru_at_end(struct lru_world *w, struct ttm_buffer_object *bo,
		       bool last)
{
	struct ttm_lru_bulk_move_pos *pos;

	pos = &bo->bulk_move->pos[w->mem_type][bo->priority];
	return pos->last == bo->resource ||
	       (!last && pos->first == bo->resource);
}

static void lru_random_op(struct lru_ledger *l, bool pins)
{
	u32 which = prandom_u32_state(&l->rnd) % LRU_RANDOM_BUFFERS;
	u32 dice = prandom_u32_state(&l->rnd) % 100;
	struct lru_world *w = l->w;
	struct ttm_buffer_object *bo = w->bo[which];
	u32 buffer = BIT(which);
	char op[5] = { 0, 'a' + which };

	if (!bo->resource) {
		op[0] = 'n';
		if (!bo->pin_count) {
			l->on_lru |= buffer;
			lru_entered(l, buffer);
		}
	} else if (bo->pin_count) {
		op[0] = dice < 90 ? 'u' : 't';
		if (dice < 90) {
			l->on_lru |= buffer;
			lru_entered(l, buffer);
		}
	} else if (dice < 25) {
		op[0] = 't';
		if (!bo->bulk_move || !lru_at_end(w, bo, true))
			lru_moved(l, buffer);
	} else if (dice < 45) {
		op[0] = 'B';
		op[1] = dice < 35 ? '*' : '+';
		lru_moved(l, lru_members(l, dice < 35 ? STAR : PLUS));
	} else if (dice < 60) {
		op[0] = 'f';
		l->on_lru &= ~buffer;
		lru_entered(l, buffer);
	} else if (dice < 70) {
		op[0] = 'l';
		if (bo->bulk_move && !lru_at_end(w, bo, false))
			lru_moved(l, buffer);
	} else if (dice < 85) {
		enum lru_bulk bulk = dice < 80 ? STAR : PLUS;

		op[0] = 'j';
		op[2] = "*+"[bulk];
		if (bo->bulk_move != &w->bulk[bulk])
			lru_entered(l, buffer);
	} else if (dice < 92 && pins) {
		op[0] = 'p';
		l->on_lru &= ~buffer;
		lru_entered(l, buffer);
	} else if (!bo->bulk_move) {
		op[0] = 'o';
		op[2] = '0' + dice % 2;
		if (bo->priority != dice % 2)
			lru_entered(l, buffer);
		else
			lru_moved(l, buffer);
	}
	if (!op[0])
		return;
	lru_log(&l->log, "%s", op);
	lru_do(w, op);
}

static void lru_random(struct kunit *test, bool pins, u64 seed)
{
	struct lru_ledger *l = kunit_kzalloc(test, sizeof(*l), GFP_KERNEL);
	struct lru_world *w = lru_world(test, "a* b* c* d+ e+ f | g* h");

	KUNIT_ASSERT_NOT_NULL(test, l);
	l->w = w;
	l->on_lru = BIT(LRU_RANDOM_BUFFERS) - 1;
	prandom_seed_state(&l->rnd, seed);
	for (int i = 0; i < LRU_RANDOM_OPS; i++) {
		u32 dice = prandom_u32_state(&l->rnd) % 8;

		if (dice < J + 1)
			lru_random_step(l, dice);
		else
			lru_random_op(l, pins);
		lru_draw(w, LRU_STRICT);
		if (LRU_STRICT && w->broken)
			lru_random_fail(l, "a list is broken");
	}
}

static void ttm_lru_p1_p2_at_random(struct kunit *test)
{
	lru_random(test, false, 1);
}

static void ttm_lru_p1_p2_at_random_with_pins(struct kunit *test)
{
	lru_random(test, true, 2);
}

/* The same in two worlds, of which one has no walks. */
static void ttm_lru_p3_at_random(struct kunit *test)
{
	struct lru_ledger *l = kunit_kzalloc(test, sizeof(*l), GFP_KERNEL);
	static const char picture[] = "a* b* c* d+ e+ f | g* h";
	struct lru_world *walked = lru_world(test, picture);
	struct lru_world *plain = lru_world(test, picture);

	KUNIT_ASSERT_NOT_NULL(test, l);
	l->w = walked;
	l->on_lru = BIT(LRU_RANDOM_BUFFERS) - 1;
	prandom_seed_state(&l->rnd, 3);
	for (int i = 0; i < LRU_RANDOM_OPS; i++) {
		u32 dice = prandom_u32_state(&l->rnd) % 8;
		unsigned long ops = l->log.ops;

		if (dice < J + 1) {
			lru_random_step(l, dice);
			continue;
		}
		lru_random_op(l, true);
		if (l->log.ops == ops)
			continue;
		lru_do(plain, l->log.op[ops % LRU_LOG]);
		if (strcmp(lru_draw_seen(walked), lru_draw_seen(plain)))
			lru_random_fail(l, "walks are seen");
	}
}

#ifndef CONFIG_DRM_TTM_LRU_PRISTINE
/*
 * The pieces of a step
 */

/*
 * In one hold of the lock: r restart, a advance, p pause, s skip the bulk,
 * n next, F first, f fini; m remember the links, c count what was written to.
 * Returns what the steps returned, a dash at an end, and the counts.
 */
static const char *lru_pieces(struct lru_world *w, enum lru_walk walk,
			      const char *pieces)
{
	struct ttm_resource_cursor *cursor = &w->walk[walk];
	struct seq_buf s;

	seq_buf_init(&s, w->steps, sizeof(w->steps));
	guard(spinlock)(&w->bdev->lru_lock);
	for (; *pieces; pieces++) {
		struct ttm_resource *res;

		switch (*pieces) {
		case 'r':
			ttm_resource_cursor_restart(cursor);
			continue;
		case 'p':
			ttm_resource_cursor_pause(cursor);
			continue;
		case 's':
			ttm_resource_cursor_skip_bulk(cursor);
			continue;
		case 'f':
			ttm_resource_cursor_fini(cursor);
			continue;
		case 'm':
			lru_remember_locked(w);
			continue;
		case 'c':
			seq_buf_printf(&s, "%u", lru_changed(w));
			continue;
		case 'a':
			res = ttm_resource_cursor_advance(cursor);
			break;
		case 'n':
			res = ttm_resource_manager_next(cursor);
			break;
		case 'F':
			res = ttm_resource_manager_first(cursor);
			break;
		default:
			continue;
		}
		seq_buf_puts(&s, res ? lru_name(w, res) : "-");
	}
	return seq_buf_str(&s);
}

#define EXPECT_PIECES(w, walk, pieces, expected) \
	KUNIT_EXPECT_STREQ(test, lru_pieces(w, walk, pieces), expected)

static void ttm_lru_advance_writes_nothing(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b* c* d* e | f");

	lru_links_init(w);
	EXPECT_FIRST(w, I, "a");
	EXPECT_NEXT(w, I, "b");
	EXPECT_PIECES(w, H, "r m aaaaaa c p", "abcdef0");
	EXPECT_LRU(w, "a b* I c* d* e | f H");
}

static void ttm_lru_advance_from_parked_writes_nothing(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b* c* d* e");

	lru_links_init(w);
	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	EXPECT_PIECES(w, H, "m aa c p", "cd0");
	EXPECT_LRU(w, "a b* c* d* H e");
}

static void ttm_lru_advance_returns_all(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b* | c+ d+ e | | f / g");

	EXPECT_PIECES(w, H, "raaaaaaa", "abcdef-");
	EXPECT_LRU(w, "a b* | c+ d+ e | | f / g");
	EXPECT_PIECES(w, H, "aa", "--");
}

static void ttm_lru_advance_in_no_walk(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a");

	EXPECT_PIECES(w, H, "a", "-");
	EXPECT_FIRST(w, H, "a");
	EXPECT_PIECES(w, H, "a", "-");
	EXPECT_PIECES(w, H, "a", "-");
	EXPECT_FIRST(w, H, "a");
	lru_fini(w, H);
	EXPECT_PIECES(w, H, "a", "-");
	EXPECT_LRU(w, "a");
}

static void ttm_lru_advance_off_a_list_takes_the_hitch(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a | b");

	EXPECT_FIRST(w, H, "a");
	EXPECT_PIECES(w, H, "aa", "b-");
	EXPECT_LRU(w, "a | b");
}

static void ttm_lru_pause_behind_the_last_returned(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b c d");

	EXPECT_PIECES(w, H, "raap", "ab");
	EXPECT_LRU(w, "a b H c d");
	EXPECT_PIECES(w, H, "ap", "c");
	EXPECT_LRU(w, "a b c H d");
	EXPECT_NEXT(w, H, "d");
}

static void ttm_lru_pause_before_other_hitches(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b");

	EXPECT_FIRST(w, I, "a");
	EXPECT_FIRST(w, J, "a");
	EXPECT_PIECES(w, H, "rap", "a");
	EXPECT_LRU(w, "a H I J b");
	EXPECT_REST(w, H, "b");
	EXPECT_REST(w, I, "b");
}

static void ttm_lru_pause_when_parked(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c");

	lru_links_init(w);
	EXPECT_PIECES(w, H, "mpc", "0");
	EXPECT_FIRST(w, H, "a");
	EXPECT_PIECES(w, H, "mppc", "0");
	EXPECT_LRU(w, "a* H b* c");
	EXPECT_REST(w, H, "b c");
	EXPECT_PIECES(w, H, "mpc", "0");
	EXPECT_LRU(w, "a* b* c");
}

static void ttm_lru_pause_on_another_priority(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a | | b c");

	EXPECT_PIECES(w, H, "raap", "ab");
	EXPECT_LRU(w, "a | | b H c");
	EXPECT_FIRST(w, H, "a");
	EXPECT_PIECES(w, H, "ap", "b");
	EXPECT_LRU(w, "a | | b H c");
	lru_free(w, 'b');
	EXPECT_REST(w, H, "c");
}

static void ttm_lru_pause_registers(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "x a* b* c* d+ e+");

	EXPECT_PIECES(w, H, "rap", "x");
	EXPECT_UNREGISTERED(w, H);
	EXPECT_PIECES(w, H, "ap", "a");
	EXPECT_REGISTERED(w, H, "*");
	EXPECT_PIECES(w, H, "aap", "bc");
	EXPECT_UNREGISTERED(w, H);
	EXPECT_PIECES(w, H, "rap aaap", "xabc");
	EXPECT_UNREGISTERED(w, H);
	EXPECT_PIECES(w, H, "raaap aap", "xabcd");
	EXPECT_REGISTERED(w, H, "+");
	lru_bulk_tail(w, STAR);
	EXPECT_LRU(w, "x d+ H e+ a* b* c*");
	lru_bulk_tail(w, PLUS);
	EXPECT_LRU(w, "x H a* b* c* d+ e+");
}

static void ttm_lru_restart_links_nothing(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b | c");

	lru_links_init(w);
	EXPECT_PIECES(w, H, "mrcf", "0");
	EXPECT_LRU(w, "a b | c");
	EXPECT_PIECES(w, H, "rp", "");
	EXPECT_LRU(w, "H a b | c");
	EXPECT_NEXT(w, H, "a");
}

static void ttm_lru_restart_then_pause(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c");

	EXPECT_PIECES(w, H, "rp", "");
	EXPECT_LRU(w, "H a* b* c");
	EXPECT_UNREGISTERED(w, H);
	lru_bulk_tail(w, STAR);
	EXPECT_LRU(w, "H c a* b*");
	lru_tail(w, 'c');
	EXPECT_REST(w, H, "a b c");
}

static void ttm_lru_restart_on_an_empty_list(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "| | a");

	EXPECT_PIECES(w, H, "rp", "");
	EXPECT_LRU(w, "H | | a");
	lru_make(w, 'b', 0, NULL, false);
	EXPECT_LRU(w, "H b | | a");
	EXPECT_REST(w, H, "b a");
}

static void ttm_lru_restart_in_every_state(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* | c");

	/* in no walk yet, restarted, advanced, inside a range, */
	EXPECT_PIECES(w, H, "ra ra raa rap rap", "aaabaa");
	EXPECT_LRU(w, "a* H b* | c");
	/* at the range's end, on another list, advanced to there, */
	EXPECT_PIECES(w, H, "ap rap aap rap aa rap", "babcabca");
	EXPECT_LRU(w, "a* H b* | c");
	/* at the end, and in no walk any more. */
	EXPECT_PIECES(w, H, "aaa rap f rap", "bc-aa");
	EXPECT_LRU(w, "a* H b* | c");
}

static void ttm_lru_first_and_next_when_advanced(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b c");

	EXPECT_PIECES(w, H, "raaF", "aba");
	EXPECT_LRU(w, "a H b c");
	EXPECT_PIECES(w, H, "an", "bc");
	EXPECT_LRU(w, "a b c H");
	EXPECT_PIECES(w, H, "rn", "a");
	EXPECT_LRU(w, "a H b c");
}

static void ttm_lru_fini_when_advanced(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b*");

	EXPECT_PIECES(w, H, "raf", "a");
	EXPECT_LRU(w, "a* b*");
	EXPECT_FIRST(w, H, "a");
	EXPECT_PIECES(w, H, "af", "b");
	EXPECT_LRU(w, "a* b*");
	EXPECT_PIECES(w, H, "rf a", "-");
}

static void ttm_lru_skip_bulk_when_advanced(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "x a* b* c* y");

	EXPECT_PIECES(w, H, "raas ap", "xay");
	EXPECT_PIECES(w, H, "raaas ap", "xaby");
	EXPECT_PIECES(w, H, "raaaas ap", "xabcy");
	EXPECT_LRU(w, "x a* b* c* y H");
}

static void ttm_lru_skip_bulk_when_parked(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "x a* b* c* y");

	EXPECT_PIECES(w, H, "raap", "xa");
	EXPECT_REGISTERED(w, H, "*");
	EXPECT_PIECES(w, H, "sp", "");
	EXPECT_LRU(w, "x a* b* c* H y");
	EXPECT_UNREGISTERED(w, H);
	EXPECT_NEXT(w, H, "y");

	EXPECT_PIECES(w, H, "raaap s ap", "xaby");
	EXPECT_LRU(w, "x a* b* c* y H");
}

static void ttm_lru_skip_bulk_writes_nothing(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "x a* b* c* y");

	lru_links_init(w);
	EXPECT_PIECES(w, H, "raap m s a c p", "xay0");
	EXPECT_LRU(w, "x a* b* c* y H");
	EXPECT_PIECES(w, H, "r m aas a c p", "xay0");
}

static void ttm_lru_skip_bulk_of_loose_ones(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "x y a* b* z");

	/* advanced to a loose one, parked behind one, before the range, */
	EXPECT_PIECES(w, H, "ras ap s ap", "xya");
	EXPECT_PIECES(w, H, "raap s", "xy");
	EXPECT_LRU(w, "x y H a* b* z");
	/* and behind the range. */
	EXPECT_PIECES(w, H, "aap s", "ab");
	EXPECT_LRU(w, "x y a* b* H z");
	EXPECT_NEXT(w, H, "z");
}

static void ttm_lru_skip_bulk_in_no_walk(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b*");

	EXPECT_PIECES(w, H, "s a", "-");
	EXPECT_PIECES(w, H, "rs ap", "a");
	EXPECT_LRU(w, "a* H b*");
	EXPECT_PIECES(w, H, "aas a", "b--");
	EXPECT_LRU(w, "a* b*");
}

static void ttm_lru_skip_bulk_from_range_to_range(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c+ d+ | e* f* g");

	EXPECT_PIECES(w, H, "rasas asap", "aceg");
	EXPECT_LRU(w, "a* b* c+ d+ | e* f* g H");
	EXPECT_PIECES(w, H, "rap s ap s ap s ap", "aceg");
}

static void ttm_lru_skip_bulk_to_the_end(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b*");

	EXPECT_PIECES(w, H, "ras a", "a-");
	EXPECT_PIECES(w, H, "rap s a a", "a--");
	EXPECT_LRU(w, "a* b*");
}

static void ttm_lru_skip_bulk_looks_at_the_end_only(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "x");
	const char *steps;

	lru_make_flock(w, 10000);
	lru_make(w, 'y', 0, NULL, false);
	lru_poison_inside(w);
	steps = lru_pieces(w, H, "raas ap rap ap s ap");
	lru_heal_inside(w);
	KUNIT_EXPECT_STREQ(test, steps, "x~yx~y");
}

static void ttm_lru_skip_bulk_then_bulk_move(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	EXPECT_PIECES(w, H, "ras p", "a");
	EXPECT_LRU(w, "a* b* c* H d");
	lru_bulk_tail(w, STAR);
	EXPECT_LRU(w, "H d a* b* c*");
	EXPECT_REST(w, H, "d a b c");
}

static void ttm_lru_skip_bulk_then_join(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c d");

	EXPECT_PIECES(w, H, "ras p", "a");
	lru_join(w, 'd', STAR);
	EXPECT_LRU(w, "a* b* H d* c");
	EXPECT_REGISTERED(w, H, "*");
	EXPECT_PIECES(w, H, "s ap", "c");
}

struct lru_visited {
	struct lru_world *w;
	struct seq_buf s;
};

static void lru_visit(const struct ttm_lru_item *item, void *arg)
{
	struct lru_visited *v = arg;

	if (ttm_lru_item_is_res(item))
		seq_buf_puts(&v->s, lru_name(v->w, ttm_lru_item_to_res((void *)
								item)));
	else
		seq_buf_putc(&v->s, 'H');
}

static void ttm_lru_visit_every_node(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b* c* | d / e");
	struct lru_visited v = { .w = w };

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	seq_buf_init(&v.s, w->steps, sizeof(w->steps));
	scoped_guard(spinlock, &w->bdev->lru_lock)
		ttm_resource_manager_visit_lru(lru_man(w), lru_visit, &v);
	KUNIT_EXPECT_STREQ(test, seq_buf_str(&v.s), "abHcd");
}

/*
 * CONFIG_DRM_TTM_LRU_DEBUG
 */

static void lru_needs_debug(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_DRM_TTM_LRU_DEBUG))
		kunit_skip(test, "needs CONFIG_DRM_TTM_LRU_DEBUG");
}

static void ttm_lru_debug_unlock_when_advanced(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b");

	lru_needs_debug(test);
	if (!IS_ENABLED(CONFIG_PROVE_LOCKING))
		kunit_skip(test, "needs CONFIG_PROVE_LOCKING");

	kunit_warning_suppress(test) {
		lru_pieces(w, H, "rap");
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 0);
		lru_pieces(w, H, "a");
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
		/* The lock isn't pinned any more, which is told as well. */
		lru_fini(w, H);
	}
	EXPECT_LRU(w, "a b");
}

/* A list operation by the holder, between two pieces of a step. */
static void lru_tail_in_between(struct lru_world *w, char letter,
				void (*then)(struct ttm_resource_cursor *))
{
	struct ttm_buffer_object *bo = lru_reserve(w, letter);

	scoped_guard(spinlock, &w->bdev->lru_lock) {
		ttm_resource_cursor_advance(&w->walk[H]);
		ttm_bo_move_to_lru_tail(bo);
		then(&w->walk[H]);
	}
	lru_unreserve(bo);
}

static void lru_advance_and_pause(struct ttm_resource_cursor *cursor)
{
	ttm_resource_cursor_advance(cursor);
	ttm_resource_cursor_pause(cursor);
}

static void ttm_lru_debug_operation_before_pause(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b c");

	lru_needs_debug(test);
	EXPECT_FIRST(w, H, "a");
	kunit_warning_suppress(test) {
		lru_tail_in_between(w, 'c', ttm_resource_cursor_pause);
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
	}
	EXPECT_LRU(w, "a b H c");
}

static void ttm_lru_debug_operation_before_advance(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b c");

	lru_needs_debug(test);
	EXPECT_FIRST(w, H, "a");
	kunit_warning_suppress(test) {
		lru_tail_in_between(w, 'a', lru_advance_and_pause);
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
	}
	EXPECT_LRU(w, "b c H a");
}

static void ttm_lru_debug_proper_use_is_silent(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b* c* d");

	kunit_warning_suppress(test) {
		lru_pieces(w, H, "raap");
		lru_tail(w, 'a');
		lru_pieces(w, H, "s ap F p n rp");
		lru_bulk_tail(w, STAR);
		lru_pieces(w, H, "aas aaaa a f");
		lru_pieces(w, H, "ra s f");
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 0);
	}
	EXPECT_LRU(w, "d a b* c*");
}

/* Moves @letter with what is latched for @wrong spoilt: is that noticed? */
static int lru_warnings_of_wrong_place(struct lru_world *w, char wrong,
				       char letter, unsigned int times)
{
	struct ttm_lru_item *item = &lru_bo(w, wrong)->resource->lru;
	u64 state = item->state;
	int warnings = 0;

	item->state &= ~TTM_LRU_PLACE;
	item->state |= FIELD_PREP(TTM_LRU_PLACE, TTM_LRU_UNEVICTABLE);
	kunit_warning_suppress(w->test) {
		while (times-- && !warnings) {
			lru_tail(w, letter);
			warnings = KUNIT_SUPPRESSED_WARNING_COUNT();
		}
	}
	item->state = state;
	return warnings;
}

static void ttm_lru_debug_neighbour_in_a_wrong_place(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b c d");

	lru_needs_debug(test);
	/* b is next to where a was, and d to where it is then. */
	KUNIT_EXPECT_GE(test, lru_warnings_of_wrong_place(w, 'b', 'a', 1), 1);
	EXPECT_LRU(w, "b c d a");
	KUNIT_EXPECT_GE(test, lru_warnings_of_wrong_place(w, 'a', 'c', 1), 1);
	EXPECT_LRU(w, "b d a c");
}

static void ttm_lru_debug_whole_list_in_time(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b c d e f g h i j");

	lru_needs_debug(test);
	KUNIT_EXPECT_GE(test, lru_warnings_of_wrong_place(w, 'c', 'j', 20), 1);
	EXPECT_LRU(w, "a b c d e f g h i j");
}

static void ttm_lru_debug_wrong_registration(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c");

	lru_needs_debug(test);
	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	lru_set_registered(w, H, STAR);
	kunit_warning_suppress(test) {
		lru_tail(w, 'c');
		KUNIT_EXPECT_GE(test, KUNIT_SUPPRESSED_WARNING_COUNT(), 1);
	}
	lru_set_registered(w, H, -1);
	EXPECT_LRU(w, "a* b* H c");
}

static void ttm_lru_debug_wrong_range_end(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c");
	struct ttm_lru_bulk_move_pos *pos;

	lru_needs_debug(test);
	pos = &w->bulk[STAR].pos[w->mem_type][0];
	pos->last = lru_bo(w, 'a')->resource;
	kunit_warning_suppress(test) {
		lru_tail(w, 'c');
		KUNIT_EXPECT_GE(test, KUNIT_SUPPRESSED_WARNING_COUNT(), 1);
	}
	pos->last = lru_bo(w, 'b')->resource;
	EXPECT_LRU(w, "a* b* c");
}
#endif

/* Last of all: the cases above were watched by lockdep to their end. */
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
	KUNIT_CASE(ttm_lru_p2_bulk_move_past_the_returned),
	KUNIT_CASE(ttm_lru_p2_first_that_left_stays_behind),
	KUNIT_CASE(ttm_lru_p2_last_to_tail_is_no_move),
	KUNIT_CASE(ttm_lru_p2_leaving_the_end_is_no_move),
	KUNIT_CASE(ttm_lru_p2_joining_in_place_is_no_move),
	KUNIT_CASE(ttm_lru_p2_range_comes_back_behind),
	KUNIT_CASE(ttm_lru_p2_other_operations_change_nothing),
	KUNIT_CASE(ttm_lru_p3_tail),
	KUNIT_CASE(ttm_lru_p3_tail_in_range),
	KUNIT_CASE(ttm_lru_p3_join_and_leave),
	KUNIT_CASE(ttm_lru_p3_bulk_move),
	KUNIT_CASE(ttm_lru_p3_pin_and_unpin),
	KUNIT_CASE(ttm_lru_p3_free_and_alloc),
	KUNIT_CASE(ttm_lru_p3_switching_bulks),
	KUNIT_CASE(ttm_lru_p3_priorities),
	KUNIT_CASE(ttm_lru_p4_registered_inside_only),
	KUNIT_CASE(ttm_lru_p4_one_member_has_no_inside),
	KUNIT_CASE(ttm_lru_p4_from_range_to_range),
	KUNIT_CASE(ttm_lru_p4_from_priority_to_priority),
	KUNIT_CASE(ttm_lru_p4_first_leaves),
	KUNIT_CASE(ttm_lru_p4_first_is_freed),
	KUNIT_CASE(ttm_lru_p4_middle_leaves),
	KUNIT_CASE(ttm_lru_p4_middle_is_freed),
	KUNIT_CASE(ttm_lru_p4_last_leaves),
	KUNIT_CASE(ttm_lru_p4_last_is_freed),
	KUNIT_CASE(ttm_lru_p4_first_goes_to_tail),
	KUNIT_CASE(ttm_lru_p4_two_members_change_places),
	KUNIT_CASE(ttm_lru_p4_joining_registers),
	KUNIT_CASE(ttm_lru_p4_joining_from_behind_a_hitch),
	KUNIT_CASE(ttm_lru_p4_alloc_registers),
	KUNIT_CASE(ttm_lru_p4_range_empties),
	KUNIT_CASE(ttm_lru_p4_bulk_move_deregisters),
	KUNIT_CASE(ttm_lru_p4_fini_deregisters),
	KUNIT_CASE(ttm_lru_p4_switching_bulks),
	KUNIT_CASE(ttm_lru_p4_joining_in_all_places),
	KUNIT_CASE(ttm_lru_p4_leaving_from_all_places),
	KUNIT_CASE(ttm_lru_p4_tail_in_range),
	KUNIT_CASE(ttm_lru_p4_init_joins_at_once),
	KUNIT_CASE(ttm_lru_p4_fini_leaves_range),
	KUNIT_CASE(ttm_lru_p5_pin_loose),
	KUNIT_CASE(ttm_lru_p5_pin_first),
	KUNIT_CASE(ttm_lru_p5_pin_middle),
	KUNIT_CASE(ttm_lru_p5_pin_last),
	KUNIT_CASE(ttm_lru_p5_pin_twice),
	KUNIT_CASE(ttm_lru_p5_pin_all),
	KUNIT_CASE(ttm_lru_p5_pinned_to_tail),
	KUNIT_CASE(ttm_lru_p5_pinned_member_and_bulk_moves),
	KUNIT_CASE(ttm_lru_p5_alloc_pinned),
	KUNIT_CASE(ttm_lru_p5_pinned_switches_bulks),
	KUNIT_CASE(ttm_lru_p5_pinned_is_freed),
	KUNIT_CASE(ttm_lru_p5_priority_waits_for_an_operation),
	KUNIT_CASE(ttm_lru_p5_priority_changes_while_pinned),
	KUNIT_CASE(ttm_lru_p5_priority_then_join),
	KUNIT_CASE(ttm_lru_p5_priority_changes_in_a_bulk),
	KUNIT_CASE(ttm_lru_p5_hitch_on_its_list),
	KUNIT_CASE(ttm_lru_p5_swap_out_first),
	KUNIT_CASE(ttm_lru_p5_swap_out_middle),
	KUNIT_CASE(ttm_lru_p5_swap_out_last),
	KUNIT_CASE(ttm_lru_p5_swap_in_to_an_empty_range),
	KUNIT_CASE(ttm_lru_p5_swapped_out_is_pinned),
	KUNIT_CASE(ttm_lru_p5_swapped_out_switches_bulks),
	KUNIT_CASE(ttm_lru_p5_swapped_out_is_freed),
	KUNIT_CASE(ttm_lru_p5_swap_out_from_another_type),
	KUNIT_CASE(ttm_lru_p1_swap_out_walk),
	KUNIT_CASE(ttm_lru_ghost_of_first),
	KUNIT_CASE(ttm_lru_ghost_of_middle),
	KUNIT_CASE(ttm_lru_ghost_of_last),
	KUNIT_CASE(ttm_lru_ghost_of_only),
	KUNIT_CASE(ttm_lru_ghost_of_loose),
	KUNIT_CASE(ttm_lru_ghost_of_purged),
	KUNIT_CASE(ttm_lru_move_without_ghost),
	KUNIT_CASE(ttm_lru_p6_ended_stays_ended),
	KUNIT_CASE(ttm_lru_p6_hitch_is_off_at_the_end),
	KUNIT_CASE(ttm_lru_p6_next_in_no_walk),
	KUNIT_CASE(ttm_lru_p6_fini_in_every_state),
	KUNIT_CASE(ttm_lru_p6_first_in_every_state),
	KUNIT_CASE(ttm_lru_p6_first_of_nothing),
	KUNIT_CASE(ttm_lru_p6_init_defines_everything),
	KUNIT_CASE(ttm_lru_p8_bulk_move_writes_to_its_ends),
	KUNIT_CASE(ttm_lru_p8_bulk_move_looks_at_its_ends),
	KUNIT_CASE(ttm_lru_p8_bulk_move_with_cursors_inside),
	KUNIT_CASE(ttm_lru_p8_member_operations_write_to_neighbours),
	KUNIT_CASE(ttm_lru_p8_step_over_hitches),
	KUNIT_CASE(ttm_lru_bulk_fini_empty),
	KUNIT_CASE(ttm_lru_bulk_fini_with_members),
	KUNIT_CASE(ttm_lru_bulk_fini_during_a_move),
	KUNIT_CASE(ttm_lru_defect1_registration_outlives_range),
	KUNIT_CASE(ttm_lru_defect2_hitch_pulled_back),
	KUNIT_CASE(ttm_lru_defect3_unpin_into_empty_range),
	KUNIT_CASE(ttm_lru_defect4_walk_of_a_foreign_list),
	KUNIT_CASE(ttm_lru_defect5_next_after_the_end),
	KUNIT_CASE(ttm_lru_defect5_first_after_the_end),
	KUNIT_CASE(ttm_lru_defect5_first_in_the_middle),
	KUNIT_CASE(ttm_lru_defect5_init_leaves_the_bulk),
	KUNIT_CASE(ttm_lru_defect6_swapped_out_keeps_its_range),
	KUNIT_CASE(ttm_lru_defect7_evictable_in_no_range),
	KUNIT_CASE(ttm_lru_defect7_leaving_no_range),
	KUNIT_CASE(ttm_lru_explored_p1_first_leaves),
	KUNIT_CASE(ttm_lru_explored_p2_last_leaves),
	KUNIT_CASE(ttm_lru_explored_p5_pinned_is_returned),
	KUNIT_CASE_SLOW(ttm_lru_p1_p2_at_random),
	KUNIT_CASE_SLOW(ttm_lru_p1_p2_at_random_with_pins),
	KUNIT_CASE_SLOW(ttm_lru_p3_at_random),
#ifndef CONFIG_DRM_TTM_LRU_PRISTINE
	KUNIT_CASE(ttm_lru_p7_still_ones_are_returned),
	KUNIT_CASE(ttm_lru_p7_chasing_its_own_tail),
	KUNIT_CASE(ttm_lru_p7_chasing_a_bulk),
	KUNIT_CASE(ttm_lru_p7_moved_ones_are_not),
	KUNIT_CASE(ttm_lru_p7_new_ones_are_not),
	KUNIT_CASE(ttm_lru_p7_unpinned_ones_are_not),
	KUNIT_CASE(ttm_lru_p7_another_priority_is_a_move),
	KUNIT_CASE(ttm_lru_p7_member_to_tail),
	KUNIT_CASE(ttm_lru_p7_last_to_tail_is_no_move),
	KUNIT_CASE(ttm_lru_p7_joining_in_place),
	KUNIT_CASE(ttm_lru_p7_joining_what_was_moved),
	KUNIT_CASE(ttm_lru_p7_middle_leaves),
	KUNIT_CASE(ttm_lru_p7_leaving_the_end_is_no_move),
	KUNIT_CASE(ttm_lru_p7_leaving_a_moved_range),
	KUNIT_CASE(ttm_lru_p7_bulk_ends),
	KUNIT_CASE(ttm_lru_p7_moves_before_the_start),
	KUNIT_CASE(ttm_lru_p7_walks_of_different_age),
	KUNIT_CASE(ttm_lru_p7_plain_walks_meet_all),
	KUNIT_CASE(ttm_lru_p7_skip_bulk),
	KUNIT_CASE(ttm_lru_p7_ends_at_the_first_moved),
	KUNIT_CASE(ttm_lru_p7_ends_at_a_moved_range),
	KUNIT_CASE(ttm_lru_p7_ends_at_a_new_range),
	KUNIT_CASE(ttm_lru_advance_writes_nothing),
	KUNIT_CASE(ttm_lru_advance_from_parked_writes_nothing),
	KUNIT_CASE(ttm_lru_advance_returns_all),
	KUNIT_CASE(ttm_lru_advance_in_no_walk),
	KUNIT_CASE(ttm_lru_advance_off_a_list_takes_the_hitch),
	KUNIT_CASE(ttm_lru_pause_behind_the_last_returned),
	KUNIT_CASE(ttm_lru_pause_before_other_hitches),
	KUNIT_CASE(ttm_lru_pause_when_parked),
	KUNIT_CASE(ttm_lru_pause_on_another_priority),
	KUNIT_CASE(ttm_lru_pause_registers),
	KUNIT_CASE(ttm_lru_restart_links_nothing),
	KUNIT_CASE(ttm_lru_restart_then_pause),
	KUNIT_CASE(ttm_lru_restart_on_an_empty_list),
	KUNIT_CASE(ttm_lru_restart_in_every_state),
	KUNIT_CASE(ttm_lru_first_and_next_when_advanced),
	KUNIT_CASE(ttm_lru_fini_when_advanced),
	KUNIT_CASE(ttm_lru_skip_bulk_when_advanced),
	KUNIT_CASE(ttm_lru_skip_bulk_when_parked),
	KUNIT_CASE(ttm_lru_skip_bulk_writes_nothing),
	KUNIT_CASE(ttm_lru_skip_bulk_of_loose_ones),
	KUNIT_CASE(ttm_lru_skip_bulk_in_no_walk),
	KUNIT_CASE(ttm_lru_skip_bulk_from_range_to_range),
	KUNIT_CASE(ttm_lru_skip_bulk_to_the_end),
	KUNIT_CASE(ttm_lru_skip_bulk_looks_at_the_end_only),
	KUNIT_CASE(ttm_lru_skip_bulk_then_bulk_move),
	KUNIT_CASE(ttm_lru_skip_bulk_then_join),
	KUNIT_CASE(ttm_lru_visit_every_node),
	KUNIT_CASE(ttm_lru_debug_unlock_when_advanced),
	KUNIT_CASE(ttm_lru_debug_operation_before_pause),
	KUNIT_CASE(ttm_lru_debug_operation_before_advance),
	KUNIT_CASE(ttm_lru_debug_proper_use_is_silent),
	KUNIT_CASE(ttm_lru_debug_neighbour_in_a_wrong_place),
	KUNIT_CASE(ttm_lru_debug_whole_list_in_time),
	KUNIT_CASE(ttm_lru_debug_wrong_registration),
	KUNIT_CASE(ttm_lru_debug_wrong_range_end),
#endif
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
