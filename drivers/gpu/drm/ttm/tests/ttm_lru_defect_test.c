// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for the defects of mainline's cursor that
 * Documentation/gpu/ttm-lru.rst lists, and for more of them that the
 * exploration of all states found.
 */

#include <linux/module.h>

#include <drm/ttm/ttm_tt.h>

#include "lib/ttm_lru_fixture.h"

/* A VM has one buffer in VRAM, which is evicted and comes back. */
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

/* A cursor on the stack contains whatever was there before. */
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
 * In 7.3, swap-out and shrinking take a member out of its range. But a driver
 * that need not keep the content moves a swapped-out buffer as it is: its new
 * resource joins the range first, and becomes the resource of swapped-out pages
 * afterwards.
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

/* Fail to populate as Xe does with purged pages when memory is short. */
static int lru_populate_fails(struct ttm_device *bdev, struct ttm_tt *tt,
			      struct ttm_operation_ctx *ctx)
{
	ttm_tt_clear_backed_up(tt);
	return -ENOMEM;
}

/* Fail to populate a buffer after its swapped flag was cleared. */
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

/* The flag was cleared without a list operation: leaving must notice. */
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
 * Found by exploring all states, see Documentation/gpu/ttm-lru.rst.
 */

/* Defect 1 also occurs if the first member leaves instead of being freed. */
static void ttm_lru_explored_p1_first_leaves(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b");

	EXPECT_FIRST(w, H, "a");
	lru_leave(w, 'a');
	lru_make(w, 'c', 0, &w->bulk[STAR], false);
	lru_bulk_tail(w, STAR);
	EXPECT_REST(w, H, "b c");
}

/* So does defect 2 if the last member leaves. */
static void ttm_lru_explored_p2_last_leaves(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b*");

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	lru_leave(w, 'b');
	lru_bulk_tail(w, STAR);
	EXPECT_REST(w, H, "a");
}

/* Defect 3 not only hangs: a walk may return pinned buffers. */
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

static struct kunit_case ttm_lru_defect_cases[] = {
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
	{}
};

static struct kunit_suite ttm_lru_defect_suite = {
	.name = "ttm_lru_defect",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_defect_cases,
};

kunit_test_suites(&ttm_lru_defect_suite);

MODULE_DESCRIPTION("KUnit tests for the defects of mainline's TTM cursor");
MODULE_LICENSE("Dual MIT/GPL");
