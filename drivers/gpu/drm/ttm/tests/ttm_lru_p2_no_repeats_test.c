// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for P2, no repeats: a walk returns a resource again only if it
 * moved in between.
 */

#include <linux/module.h>

#include "lib/ttm_lru_fixture.h"

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

static struct kunit_case ttm_lru_p2_cases[] = {
	KUNIT_CASE(ttm_lru_p2_bulk_move_past_the_returned),
	KUNIT_CASE(ttm_lru_p2_first_that_left_stays_behind),
	KUNIT_CASE(ttm_lru_p2_last_to_tail_is_no_move),
	KUNIT_CASE(ttm_lru_p2_leaving_the_end_is_no_move),
	KUNIT_CASE(ttm_lru_p2_joining_in_place_is_no_move),
	KUNIT_CASE(ttm_lru_p2_range_comes_back_behind),
	KUNIT_CASE(ttm_lru_p2_other_operations_change_nothing),
	{}
};

static struct kunit_suite ttm_lru_p2_suite = {
	.name = "ttm_lru_p2",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_p2_cases,
};

kunit_test_suites(&ttm_lru_p2_suite);

MODULE_DESCRIPTION("KUnit tests for P2, walks of TTM's LRU lists without repeats");
MODULE_LICENSE("Dual MIT/GPL");
