// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for P7, bounded: a bounded walk takes at most as many steps as
 * there were resources when it began, and returns those that have not moved
 * since.
 */

#include <linux/module.h>

#include "lib/ttm_lru_fixture.h"

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

/* Take a step of @walk that must not follow the link behind @letter. */
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

/*
 * However many have moved, the walk looks at the first of them and goes on to
 * the next list.
 */
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

static struct kunit_case ttm_lru_p7_cases[] = {
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
	{}
};

static struct kunit_suite ttm_lru_p7_suite = {
	.name = "ttm_lru_p7",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_p7_cases,
};

kunit_test_suites(&ttm_lru_p7_suite);

MODULE_DESCRIPTION("KUnit tests for P7, bounded walks of TTM's LRU lists");
MODULE_LICENSE("Dual MIT/GPL");
