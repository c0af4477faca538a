// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for P5, in its place: an evictable resource is on its manager's
 * list at its priority, any other one on the unevictable list.
 */

#include <linux/module.h>

#include "lib/ttm_lru_fixture.h"

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

/* Drivers must not do this. If one does, its ranges remain intact. */
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

/* Swap-out moves c to system memory, where its bulk has a range as well. */
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

static struct kunit_case ttm_lru_p5_cases[] = {
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
	{}
};

static struct kunit_suite ttm_lru_p5_suite = {
	.name = "ttm_lru_p5",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_p5_cases,
};

kunit_test_suites(&ttm_lru_p5_suite);

MODULE_DESCRIPTION("KUnit tests for P5, TTM's resources in their places");
MODULE_LICENSE("Dual MIT/GPL");
