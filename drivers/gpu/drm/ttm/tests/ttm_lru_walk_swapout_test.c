// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for swap-out and hibernation, which walk over reserved buffers.
 */

#include <linux/limits.h>
#include <linux/module.h>

#include "../ttm_module.h"
#include "lib/ttm_lru_mass.h"
#include "lib/ttm_lru_meeting.h"

static void ttm_lru_walk_swapout_goes_on(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c d");
	struct ttm_operation_ctx ctx = {};
	s64 pages;

	lru_fill(w, "abcd");
	lru_mock.fail = "ab";
	lru_mock.error = -ENOSPC;
	pages = ttm_bo_swapout(w->bdev, &ctx, lru_man(w), GFP_KERNEL, 2);
	lru_mock.fail = NULL;
	KUNIT_EXPECT_EQ(test, pages, 2);
	EXPECT_LETTERS(lru_mock.moved, "abcd");
	EXPECT_LETTERS(lru_mock.swapped, "cd");
	EXPECT_SOUND(w, "a b / c d");
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "abcd"), "");
}

/* A buffer without pages stays. */
static void ttm_lru_walk_swapout_of_unpopulated(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");
	struct ttm_operation_ctx ctx = {};
	struct ttm_buffer_object *bo;

	lru_fill(w, "bc");
	bo = lru_reserve(w, 'b');
	ttm_tt_unpopulate(w->bdev, bo->ttm);
	lru_unreserve(bo);
	KUNIT_EXPECT_EQ(test, ttm_bo_swapout(w->bdev, &ctx, lru_man(w),
					     GFP_KERNEL, S64_MAX), 1);
	EXPECT_LETTERS(lru_mock.moved, "c");
	EXPECT_SOUND(w, "a b / c");
}

static void ttm_lru_walk_swapout_of_members(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_SYSTEM, "a* b* c* d");
	struct ttm_operation_ctx ctx = {};

	lru_fill(w, "bd");
	KUNIT_EXPECT_EQ(test, ttm_bo_swapout(w->bdev, &ctx, lru_man(w),
					     GFP_KERNEL, S64_MAX), 2);
	EXPECT_SOUND(w, "a* c* / b d");
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "bd"), "");
	EXPECT_SOUND(w, "a* c* b* d");
}

/*
 * The fourth patch of the original series: one walk swaps out all buffers
 * behind those that can't be. In Linux, each of them takes another attempt at
 * the failing ones.
 */
static void ttm_lru_walk_hibernation_in_one_walk(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c d e f g h");
	int ret;

	lru_fill(w, "abcdefgh");
	lru_mock.fail = "abc";
	lru_mock.error = -ENOSPC;
	ret = ttm_device_prepare_hibernation(w->bdev);
	lru_mock.fail = NULL;
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_LETTERS(lru_mock.moved, "abcdefgh");
	EXPECT_LETTERS(lru_mock.swapped, "defgh");
	EXPECT_SOUND(w, "a b c / d e f g h");
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "abcdefgh"), "");
}

/*
 * The same with many buffers, counted: @k that fail in front of others. For
 * each buffer the driver is asked whether it is valuable, and moves it to
 * system memory.
 */
#define LRU_SWAPPABLE	1000

static struct {
	const struct ttm_buffer_object *failing, *end;
	unsigned long steps, attempts, swapped;
} lru_counted;

static bool lru_count_step(struct ttm_buffer_object *bo,
			   const struct ttm_place *place)
{
	lru_counted.steps++;
	return true;
}

static int lru_count_attempt(struct ttm_buffer_object *bo, bool evict,
			     struct ttm_operation_ctx *ctx,
			     struct ttm_resource *new_mem,
			     struct ttm_place *hop)
{
	lru_counted.attempts++;
	if (bo >= lru_counted.failing && bo < lru_counted.end)
		return -ENOSPC;
	ttm_bo_move_null(bo, new_mem);
	return 0;
}

static void lru_count_swapped(struct ttm_buffer_object *bo)
{
	lru_counted.swapped++;
}

static void ttm_lru_walk_swapout_behind(struct kunit *test, unsigned int k)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "");
	struct ttm_operation_ctx ctx = {};
	unsigned int n = k + LRU_SWAPPABLE;
	struct lru_mass mass;
	int ret = 0;

	lru_mass_init(&mass, w, n, 0);
	for (unsigned int i = 0; i < n && !ret; i++) {
		struct ttm_buffer_object *bo = &mass.bo[i];

		dma_resv_lock(bo->base.resv, NULL);
		ret = ttm_tt_create(bo, false) ?: ttm_bo_populate(bo, &ctx);
		dma_resv_unlock(bo->base.resv);
	}
	memset(&lru_counted, 0, sizeof(lru_counted));
	lru_counted.failing = mass.bo;
	lru_counted.end = mass.bo + k;
	w->funcs.eviction_valuable = lru_count_step;
	w->funcs.move = lru_count_attempt;
	w->funcs.swap_notify = lru_count_swapped;
	if (!ret)
		ret = ttm_device_prepare_hibernation(w->bdev);
	lru_counted.end = mass.bo;
	lru_mass_fini(&mass, w);

	kunit_info(test, "counted: %u of %u fail: %lu attempts, %lu steps\n", k,
		   n, lru_counted.attempts, lru_counted.steps);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, lru_counted.swapped, LRU_SWAPPABLE);
	KUNIT_EXPECT_EQ(test, lru_counted.attempts, n);
	KUNIT_EXPECT_EQ(test, lru_counted.steps, n);
}

static void ttm_lru_walk_swapout_behind_1(struct kunit *test)
{
	ttm_lru_walk_swapout_behind(test, 1);
}

static void ttm_lru_walk_swapout_behind_100(struct kunit *test)
{
	ttm_lru_walk_swapout_behind(test, 100);
}

static void ttm_lru_walk_swapout_behind_1000(struct kunit *test)
{
	ttm_lru_walk_swapout_behind(test, 1000);
}

static void ttm_lru_walk_swapout_one_buffer(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");
	struct ttm_operation_ctx ctx = {};

	lru_fill(w, "ab");
	KUNIT_EXPECT_EQ(test, ttm_device_swapout(w->bdev, &ctx, GFP_KERNEL), 1);
	EXPECT_SOUND(w, "b / a");
	KUNIT_EXPECT_EQ(test, ttm_device_swapout(w->bdev, &ctx, GFP_KERNEL), 1);
	EXPECT_SOUND(w, "/ a b");
	KUNIT_EXPECT_EQ(test, ttm_device_swapout(w->bdev, &ctx, GFP_KERNEL), 0);
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "ab"), "");
}

/* Pages swapped out are returned rather than a later error. */
static void ttm_lru_walk_swapout_keeps_its_progress(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c d");
	struct ttm_operation_ctx ctx = {};
	s64 pages;

	lru_fill(w, "abcd");
	lru_mock.fail = "c";
	lru_mock.error = -EIO;
	pages = ttm_bo_swapout(w->bdev, &ctx, lru_man(w), GFP_KERNEL, 4);
	KUNIT_EXPECT_EQ(test, pages, 2);
	pages = ttm_bo_swapout(w->bdev, &ctx, lru_man(w), GFP_KERNEL, 4);
	lru_mock.fail = NULL;
	KUNIT_EXPECT_EQ(test, pages, -EIO);
	EXPECT_SOUND(w, "c d / a b");
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "abcd"), "");
}

static void ttm_lru_walk_swapout_zombies(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_SYSTEM, "a b");
	struct ttm_operation_ctx ctx = {};
	struct ttm_buffer_object *bo;
	s64 pages;

	lru_fill(w, "ab");
	/* As if its delayed delete were still to come. */
	bo = lru_bo(w, 'a');
	bo->deleted = true;
	pages = ttm_bo_swapout(w->bdev, &ctx, lru_man(w), GFP_KERNEL, 1);
	bo->deleted = false;
	KUNIT_EXPECT_EQ(test, pages, 1);
	KUNIT_EXPECT_NULL(test, bo->resource);
	KUNIT_EXPECT_NULL(test, bo->ttm);
	EXPECT_SOUND(w, "b");
}

#ifndef CONFIG_DRM_TTM_LRU_PRISTINE
/* A buffer that was busy is tried again. */
static void lru_end_moment_at_c(struct lru_world *w, char letter)
{
	if (letter == 'c' && dma_resv_is_locked(&w->resv))
		dma_resv_unlock(&w->resv);
}

static void ttm_lru_walk_swapout_looks_twice(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_SYSTEM, "a* b* c");
	struct ttm_operation_ctx ctx = {};
	int ret;

	lru_fill(w, "abc");
	lru_mock.at = lru_end_moment_at_c;
	lru_make_busy(&w->resv);
	ret = ttm_device_swapout_all(w->bdev, &ctx, GFP_KERNEL);
	lru_end_moment_at_c(w, 'c');
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_SOUND(w, "/ c a b");
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "abc"), "");
}

/* All managers of a device, though the first failed. */
static void ttm_lru_walk_swapout_all_managers(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");
	struct ttm_operation_ctx ctx = {};
	int ret;

	lru_fill(w, "abc");
	lru_reserve(w, 'a');
	lru_move_to_system(w, 'a');
	lru_unreserve(lru_bo(w, 'a'));
	lru_mock.fail = "b";
	lru_mock.error = -ENOMEM;
	ret = ttm_device_swapout_all(w->bdev, &ctx, GFP_KERNEL);
	lru_mock.fail = NULL;
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_LETTERS(lru_mock.swapped, "ac");
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "abc"), "");
}

/* All devices; the one that gave pages last is asked last. */
static void ttm_lru_walk_swapout_all_devices(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_SYSTEM, "a b");
	struct ttm_operation_ctx ctx = {};
	struct lru_world *other;
	s64 pages[3];

	lru_fill(w, "ab");
	other = lru_mock_world(test, TTM_PL_SYSTEM, "c d");
	lru_fill(other, "cd");
	pages[0] = ttm_global_swapout_pages(&ctx, GFP_KERNEL, 1);
	EXPECT_SOUND(w, "b / a");
	EXPECT_SOUND(other, "c d");
	pages[1] = ttm_global_swapout_pages(&ctx, GFP_KERNEL, 1);
	EXPECT_SOUND(w, "b / a");
	EXPECT_SOUND(other, "d / c");
	pages[2] = ttm_global_swapout_pages(&ctx, GFP_KERNEL, 100);
	EXPECT_SOUND(w, "/ a b");
	EXPECT_SOUND(other, "/ c d");
	KUNIT_EXPECT_EQ(test, pages[0], 1);
	KUNIT_EXPECT_EQ(test, pages[1], 1);
	KUNIT_EXPECT_EQ(test, pages[2], 2);
	KUNIT_EXPECT_EQ(test,
			ttm_global_swapout_pages(&ctx, GFP_KERNEL, 1), 0);
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "ab"), "");
	KUNIT_EXPECT_STREQ(test, lru_verify(other, "cd"), "");
}
#endif

#if defined(LRU_CAN_FAIL) && !defined(CONFIG_DRM_TTM_LRU_PRISTINE)
/* Let the n-th allocation fail, for each n until none does. */
static int lru_last_ret;

static void lru_swapout_all(struct lru_world *w)
{
	struct ttm_operation_ctx ctx = {};

	lru_last_ret = ttm_device_swapout_all(w->bdev, &ctx, GFP_KERNEL);
}

static void ttm_lru_walk_swapout_failing_allocations(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a* b* c");
	unsigned int n = 0, out;

	do {
		lru_mock.swapped = (struct lru_letters) {};
		for (char c = 'a'; c <= 'c'; c++) {
			KUNIT_ASSERT_EQ(test, lru_populate(w, c), 0);
			if (lru_bo(w, c)->resource->mem_type == TTM_PL_TT)
				continue;
			lru_alloc_next(w, c);
			lru_move(w, c);
		}
		lru_fill(w, "abc");
		n++;
		if (!lru_with_failure(n, lru_swapout_all, w))
			break;
		KUNIT_EXPECT_EQ_MSG(test, lru_last_ret, 0, "allocation %u", n);
		/* One buffer may fail for lack of memory, no more. */
		out = 0;
		for (char c = 'a'; c <= 'c'; c++)
			out += ttm_tt_is_swapped(lru_bo(w, c)->ttm);
		KUNIT_EXPECT_GE_MSG(test, out, 2, "allocation %u", n);
		KUNIT_EXPECT_STREQ(test, lru_verify(w, "abc"), "");
	} while (n < 1000);
	kunit_info(test, "each of %u allocations failed\n", n - 1);
	KUNIT_EXPECT_GT(test, n, 10);
	KUNIT_EXPECT_LT(test, n, 1000);
}
#endif

static struct kunit_case ttm_lru_walk_swapout_cases[] = {
	KUNIT_CASE(ttm_lru_walk_swapout_goes_on),
	KUNIT_CASE(ttm_lru_walk_swapout_of_unpopulated),
	KUNIT_CASE(ttm_lru_walk_swapout_of_members),
	KUNIT_CASE(ttm_lru_walk_hibernation_in_one_walk),
	KUNIT_CASE(ttm_lru_walk_swapout_behind_1),
	KUNIT_CASE(ttm_lru_walk_swapout_behind_100),
	KUNIT_CASE_SLOW(ttm_lru_walk_swapout_behind_1000),
	KUNIT_CASE(ttm_lru_walk_swapout_one_buffer),
	KUNIT_CASE(ttm_lru_walk_swapout_keeps_its_progress),
	KUNIT_CASE(ttm_lru_walk_swapout_zombies),
#ifndef CONFIG_DRM_TTM_LRU_PRISTINE
	KUNIT_CASE(ttm_lru_walk_swapout_looks_twice),
	KUNIT_CASE(ttm_lru_walk_swapout_all_managers),
	KUNIT_CASE(ttm_lru_walk_swapout_all_devices),
#endif
#if defined(LRU_CAN_FAIL) && !defined(CONFIG_DRM_TTM_LRU_PRISTINE)
	KUNIT_CASE(ttm_lru_walk_swapout_failing_allocations),
#endif
	{}
};

static struct kunit_suite ttm_lru_walk_swapout_suite = {
	.name = "ttm_lru_walk_swapout",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_walk_swapout_cases,
};

kunit_test_suites(&ttm_lru_walk_swapout_suite);

MODULE_DESCRIPTION("KUnit tests for TTM's swap-out");
MODULE_LICENSE("Dual MIT/GPL");
