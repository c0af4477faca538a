// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for eviction: E1, no false ENOSPC, and E3, ww rules. The cases
 * allot a number of pages to TT, where each buffer needs one.
 */

#include <linux/cgroup_dmem.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/limits.h>
#include <linux/module.h>

#include "lib/ttm_lru_meeting.h"
#include "lib/ttm_lru_room.h"

static void ttm_lru_walk_evicts_the_oldest(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b | c");
	struct ttm_operation_ctx ctx = {};

	lru_fill(w, "abc");
	lru_make_homeless(w, 'x');
	lru_mock.space = 3 * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), 0);
	EXPECT_LETTERS(lru_mock.moved, "ax");
	EXPECT_SOUND(w, "b x | c");
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "abc"), "");
}

static void ttm_lru_walk_evicts_what_is_worth_it(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");
	struct ttm_operation_ctx ctx = {};

	lru_make_homeless(w, 'x');
	lru_mock.space = 3 * PAGE_SIZE;
	lru_mock.worthless = "ab";
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), 0);
	EXPECT_LETTERS(lru_mock.asked, "abc");
	EXPECT_SOUND(w, "a b x");
}

/* Buffers without content to keep are dropped. */
static void ttm_lru_walk_evicts_to_nowhere(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");
	struct ttm_operation_ctx ctx = {};

	lru_make_homeless(w, 'x');
	lru_mock.space = 2 * PAGE_SIZE;
	lru_mock.drop = "a";
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), 0);
	KUNIT_EXPECT_NULL(test, lru_bo(w, 'a')->resource);
	EXPECT_SOUND(w, "b x");
}

static void ttm_lru_walk_evict_nothing_to_get(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");
	struct ttm_operation_ctx ctx = {};

	lru_make_homeless(w, 'x');
	lru_mock.space = 2 * PAGE_SIZE;
	lru_mock.worthless = "ab";
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), -ENOSPC);
	EXPECT_SOUND(w, "a b");
}

static void ttm_lru_walk_evict_fails_with(struct kunit *test, int error)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");
	struct ttm_operation_ctx ctx = {};

	lru_fill(w, "abc");
	lru_make_homeless(w, 'x');
	lru_mock.space = 3 * PAGE_SIZE;
	lru_mock.fail = "ab";
	lru_mock.error = error;
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), 0);
	EXPECT_LETTERS(lru_mock.moved, "abcx");
	EXPECT_SOUND(w, "a b x");
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "abc"), "");
}

static void ttm_lru_walk_evict_goes_on_after_enospc(struct kunit *test)
{
	ttm_lru_walk_evict_fails_with(test, -ENOSPC);
}

static void ttm_lru_walk_evict_goes_on_after_ebusy(struct kunit *test)
{
	ttm_lru_walk_evict_fails_with(test, -EBUSY);
}

static void ttm_lru_walk_evict_goes_on_after_enomem(struct kunit *test)
{
	ttm_lru_walk_evict_fails_with(test, -ENOMEM);
}

/* If nothing else can be evicted, the caller gets -ENOMEM, as in Linux. */
static void ttm_lru_walk_evict_reports_enomem(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");
	struct ttm_operation_ctx ctx = {};

	lru_make_homeless(w, 'x');
	lru_mock.space = 2 * PAGE_SIZE;
	lru_mock.fail = "a";
	lru_mock.worthless = "b";
	lru_mock.error = -ENOMEM;
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), -ENOMEM);
	EXPECT_SOUND(w, "a b");
}

static void ttm_lru_walk_evict_ends_with_eio(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");
	struct ttm_operation_ctx ctx = {};

	lru_make_homeless(w, 'x');
	lru_mock.space = 2 * PAGE_SIZE;
	lru_mock.fail = "a";
	lru_mock.error = -EIO;
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), -EIO);
	EXPECT_LETTERS(lru_mock.moved, "a");
	EXPECT_SOUND(w, "a b");
}

static void ttm_lru_walk_evict_lent_ones(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a* b* c*");
	struct ttm_operation_ctx ctx = {
		.allow_res_evict = true,
		.resv = &w->resv,
	};

	lru_make(w, 'x', 0, NULL, false);
	lru_free(w, 'x');
	lru_mock.space = 3 * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), 0);
	EXPECT_SOUND(w, "b* c* x");
}

static void ttm_lru_walk_evict_waits_with_a_ticket(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");
	struct ttm_operation_ctx ctx = {};

	lru_make_homeless(w, 'x');
	lru_mock.space = 3 * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, lru_place_waiting(w, "abc", &ctx), 0);
	EXPECT_SOUND(w, "b c x");
}

/*
 * a is waited for, but not valuable; b is valuable, and busy as well. It takes
 * a pass that waits for all.
 */
static void ttm_lru_walk_evict_waits_for_all(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");
	struct ttm_operation_ctx ctx = {};

	lru_make_homeless(w, 'x');
	lru_mock.space = 3 * PAGE_SIZE;
	lru_mock.worthless = "ac";
	KUNIT_EXPECT_EQ(test, lru_place_waiting(w, "ab", &ctx), 0);
	EXPECT_SOUND(w, "a c x");
}

static void ttm_lru_walk_evict_waits_for_a_bulk(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a* b* c* d");
	struct ttm_operation_ctx ctx = {};

	lru_make_homeless(w, 'x');
	lru_mock.space = 4 * PAGE_SIZE;
	lru_mock.worthless = "abd";
	KUNIT_EXPECT_EQ(test, lru_place_waiting(w, "a", &ctx), 0);
	EXPECT_SOUND(w, "a* b* d x");
}

static void ttm_lru_walk_evict_may_die(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");
	struct ttm_operation_ctx ctx = {};

	lru_make_homeless(w, 'x');
	lru_mock.space = 2 * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, lru_place_while_held(w, "ab", &ctx, true), -ENOSPC);
	EXPECT_SOUND(w, "a b");
}

/* All evictable buffers are evicted before the caller is refused. */
static void ttm_lru_walk_evict_everything(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a* b* c d | e f");
	struct ttm_operation_ctx ctx = {};

	lru_make_homeless(w, 'x');
	lru_mock.space = 1;	/* x never fits */
	KUNIT_EXPECT_EQ(test, lru_place_waiting(w, "adf", &ctx), -ENOSPC);
	EXPECT_SOUND(w, "");
}

/* The only bulk is busy, but only during the first look. */
static void lru_end_moment(struct lru_world *w, char letter)
{
	if (letter == 'z' && dma_resv_is_locked(&w->resv))
		dma_resv_unlock(&w->resv);
}

static void ttm_lru_walk_evict_looks_twice(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a* b* z");
	struct ttm_operation_ctx ctx = {};
	int ret;

	lru_make_homeless(w, 'x');
	lru_mock.space = 3 * PAGE_SIZE;
	lru_mock.worthless = "z";
	lru_mock.at = lru_end_moment;
	lru_make_busy(&w->resv);
	ret = lru_place(w, 'x', &ctx, NULL);
	lru_end_moment(w, 'z');
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_SOUND(w, "b* z x");
}

/* a becomes valuable after b was evicted. */
static void lru_all_are_worth_it(struct lru_world *w, char letter)
{
	if (letter == 'b')
		lru_mock.worthless = NULL;
}

static void ttm_lru_walk_evict_as_long_as_it_helps(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");
	struct ttm_operation_ctx ctx = {};

	lru_make_homeless(w, 'x');
	lru_mock.space = PAGE_SIZE;
	lru_mock.worthless = "a";
	lru_mock.at = lru_all_are_worth_it;
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), 0);
	EXPECT_LETTERS(lru_mock.asked, "aba");
	EXPECT_SOUND(w, "x");
}

static void ttm_lru_walk_evict_all(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a* b* c | d");

	lru_fill(w, "abcd");
	KUNIT_EXPECT_EQ(test, ttm_resource_manager_evict_all(w->bdev,
							     lru_man(w)), 0);
	EXPECT_SOUND(w, "");
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "abcd"), "");
}

/* Buffers that can't be evicted do not stop the eviction of others. */
static void ttm_lru_walk_evict_all_but_failing(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b* c* d | e");
	int ret;

	lru_mock.fail = "ab";
	lru_mock.error = -ENOSPC;
	ret = ttm_resource_manager_evict_all(w->bdev, lru_man(w));
	lru_mock.fail = NULL;
	KUNIT_EXPECT_EQ(test, ret, -ENOSPC);
	EXPECT_SOUND(w, "a b*");
}

/* While there is progress, a buffer that failed is tried again. */
static void ttm_lru_walk_evict_all_tries_again(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");

	lru_mock.fail = "a";
	lru_mock.error = -ENOSPC;
	lru_mock.failures = 1;
	KUNIT_EXPECT_EQ(test, ttm_resource_manager_evict_all(w->bdev,
							     lru_man(w)), 0);
	EXPECT_LETTERS(lru_mock.moved, "abca");
	EXPECT_SOUND(w, "");
}

/* A zombie is freed instead of being moved. */
static void ttm_lru_walk_evict_zombies(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");
	struct ttm_operation_ctx ctx = {};
	struct ttm_buffer_object *bo;
	int ret;

	lru_fill(w, "ab");
	lru_make_homeless(w, 'x');
	lru_mock.space = 2 * PAGE_SIZE;
	/* As if its delayed delete were still to come. */
	bo = lru_bo(w, 'a');
	bo->deleted = true;
	ret = lru_place(w, 'x', &ctx, NULL);
	bo->deleted = false;
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_LETTERS(lru_mock.moved, "x");
	KUNIT_EXPECT_NULL(test, bo->resource);
	KUNIT_EXPECT_NULL(test, bo->ttm);
	EXPECT_SOUND(w, "b x");
}

/* A driver evicts to where the buffers are: Linux's own eviction never ends. */
static void ttm_lru_walk_evict_all_stay(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");
	int ret;

	lru_mock.stay = true;
	ret = ttm_resource_manager_evict_all(w->bdev, lru_man(w));
	lru_mock.stay = false;
	KUNIT_EXPECT_EQ(test, ret, -EBUSY);
	EXPECT_SOUND(w, "a b");
}

/* The same when making room in a transaction. */
static void ttm_lru_walk_evict_but_stay(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");
	struct ttm_operation_ctx ctx = {};

	lru_make_homeless(w, 'x');
	lru_bo(w, 'x')->base.size = 4 * PAGE_SIZE;
	lru_mock.space = 4 * PAGE_SIZE;
	lru_mock.stay = true;
	KUNIT_EXPECT_EQ(test, lru_place_waiting(w, "", &ctx), -ENOSPC);
	lru_bo(w, 'x')->base.size = PAGE_SIZE;
	lru_mock.stay = false;
	EXPECT_SOUND(w, "a b");
}

static void ttm_lru_walk_evict_all_waits(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b* c* d");
	struct lru_holder holder = { .when_waited = true };
	int ret;

	lru_hold(&holder, w, 'c');
	ret = ttm_resource_manager_evict_all(w->bdev, lru_man(w));
	lru_let_go(&holder);
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_SOUND(w, "");
}

/*
 * A buffer that was pinned while the walk waited for it stays. Linux moves it.
 */
static void lru_pin_it(struct lru_world *w, char letter)
{
	ttm_bo_pin(lru_bo(w, letter));
}

static void ttm_lru_walk_evict_all_pinned_meanwhile(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");
	struct lru_holder holder = {
		.when_waited = true,
		.before = lru_pin_it,
	};
	int ret;

	lru_hold(&holder, w, 'a');
	ret = ttm_resource_manager_evict_all(w->bdev, lru_man(w));
	lru_let_go(&holder);
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_LETTERS(lru_mock.moved, "b");
	EXPECT_SOUND(w, "/ a");
}

/* A ghost keeps its place until the copy engine has finished. */
static int lru_idle_later(void *arg)
{
	struct lru_world *w = arg;

	msleep(20);
	lru_idle(w);
	return lru_until_stopped();
}

static void ttm_lru_walk_evict_all_ghosts(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");
	struct task_struct *engine;
	int ret;

	lru_alloc_next(w, 'a');
	lru_move_busy(w, 'a');
	EXPECT_LRU(w, "b a ~");
	engine = kthread_run(lru_idle_later, w, "ttm-lru-engine");
	KUNIT_ASSERT_FALSE(test, IS_ERR(engine));
	ret = ttm_resource_manager_evict_all(w->bdev, lru_man(w));
	kthread_stop(engine);
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_SOUND(w, "");
}

/* A pipelined eviction is in progress until its fence signals. */
static void ttm_lru_walk_evict_all_pipelined(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a");
	struct task_struct *engine;
	struct dma_fence *fence;
	bool arrived;
	int ret;

	fence = dma_fence_get(lru_busy(w));
	lru_man(w)->eviction_fences[0] = dma_fence_get_stub();
	lru_man(w)->eviction_fences[1] = dma_fence_get(fence);
	engine = kthread_run(lru_idle_later, w, "ttm-lru-engine");
	KUNIT_ASSERT_FALSE(test, IS_ERR(engine));
	ret = ttm_resource_manager_evict_all(w->bdev, lru_man(w));
	arrived = dma_fence_is_signaled(fence);
	ttm_resource_manager_cleanup(lru_man(w));
	dma_fence_put(fence);
	kthread_stop(engine);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_TRUE(test, arrived);
}

static void ttm_lru_walk_evict_all_dying(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");
	struct task_struct *other;
	struct lru_dying dying;
	int ret;

	other = lru_let_die(&dying, w, 'a');
	ret = ttm_resource_manager_evict_all(w->bdev, lru_man(w));
	kthread_stop(other);
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_SOUND(w, "");
}

#ifdef CONFIG_CGROUP_DMEM
static void ttm_lru_walk_evict_cgroup(struct kunit *test)
{
	const struct dmem_cgroup_init init = { .size = SZ_1M };
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c d");
	struct dmem_cgroup_pool_state *pool, *limit;
	struct lru_holder holder = { .when_waited = true };
	struct dmem_cgroup_region *region;
	struct ttm_operation_ctx ctx = {};
	s64 freed = -1;

	region = dmem_cgroup_register_region(&init, "ttm-lru-test");
	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(region));
	for (char c = 'b'; c <= 'd'; c++)
		if (!dmem_cgroup_try_charge(region, PAGE_SIZE, &pool, &limit))
			lru_bo(w, c)->resource->css = pool;
	lru_hold(&holder, w, 'b');
	if (lru_bo(w, 'd')->resource->css)
		freed = ttm_bo_evict_cgroup(w->bdev, lru_man(w),
					    lru_bo(w, 'd')->resource->css,
					    2 * PAGE_SIZE, &ctx);
	lru_let_go(&holder);
	KUNIT_EXPECT_EQ(test, freed, 2 * PAGE_SIZE);
	/* b, which was busy, was not needed; a is not charged. */
	EXPECT_SOUND(w, "a b");

	lru_free(w, 'b');
	dmem_cgroup_unregister_region(region);
}
#endif

#if defined(LRU_CAN_FAIL) && !defined(CONFIG_DRM_TTM_LRU_PRISTINE)
/* Let the n-th allocation fail, for each n until none does. */
static int lru_last_ret;

static void lru_place_x(struct lru_world *w)
{
	struct ttm_operation_ctx ctx = {};

	lru_last_ret = lru_place(w, 'x', &ctx, NULL);
}

static void ttm_lru_walk_evict_failing_allocations(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");
	struct ttm_operation_ctx ctx = {};
	unsigned int n = 0;
	bool failed;

	lru_fill(w, "abc");
	lru_make_homeless(w, 'x');
	lru_mock.space = 3 * PAGE_SIZE;
	do {
		n++;
		failed = lru_with_failure(n, lru_place_x, w);
		if (lru_last_ret) {
			KUNIT_EXPECT_EQ_MSG(test, lru_last_ret, -ENOMEM,
					    "allocation %u", n);
			KUNIT_EXPECT_NULL(test, lru_bo(w, 'x')->resource);
		} else {
			lru_free(w, 'x');
		}
		/* Bring evicted buffers back. */
		for (char c = 'a'; c <= 'c'; c++)
			KUNIT_ASSERT_EQ(test, lru_place(w, c, &ctx, NULL), 0);
		KUNIT_EXPECT_EQ(test, lru_man(w)->usage, 3 * PAGE_SIZE);
		KUNIT_EXPECT_STREQ(test, lru_verify(w, "abc"), "");
	} while (failed && n < 1000);
	kunit_info(test, "each of %u allocations failed\n", n - 1);
	KUNIT_EXPECT_EQ(test, lru_last_ret, 0);
	KUNIT_EXPECT_GT(test, n, 2);
	KUNIT_EXPECT_LT(test, n, 1000);
}
#endif

static struct kunit_case ttm_lru_walk_evict_cases[] = {
	KUNIT_CASE(ttm_lru_walk_evicts_the_oldest),
	KUNIT_CASE(ttm_lru_walk_evicts_what_is_worth_it),
	KUNIT_CASE(ttm_lru_walk_evicts_to_nowhere),
	KUNIT_CASE(ttm_lru_walk_evict_nothing_to_get),
	KUNIT_CASE(ttm_lru_walk_evict_goes_on_after_enospc),
	KUNIT_CASE(ttm_lru_walk_evict_goes_on_after_ebusy),
	KUNIT_CASE(ttm_lru_walk_evict_goes_on_after_enomem),
	KUNIT_CASE(ttm_lru_walk_evict_reports_enomem),
	KUNIT_CASE(ttm_lru_walk_evict_ends_with_eio),
	KUNIT_CASE(ttm_lru_walk_evict_lent_ones),
	KUNIT_CASE(ttm_lru_walk_evict_waits_with_a_ticket),
	KUNIT_CASE(ttm_lru_walk_evict_waits_for_all),
	KUNIT_CASE(ttm_lru_walk_evict_waits_for_a_bulk),
	KUNIT_CASE(ttm_lru_walk_evict_may_die),
	KUNIT_CASE(ttm_lru_walk_evict_everything),
	KUNIT_CASE(ttm_lru_walk_evict_looks_twice),
	KUNIT_CASE(ttm_lru_walk_evict_as_long_as_it_helps),
	KUNIT_CASE(ttm_lru_walk_evict_all),
	KUNIT_CASE(ttm_lru_walk_evict_all_but_failing),
	KUNIT_CASE(ttm_lru_walk_evict_all_tries_again),
	KUNIT_CASE(ttm_lru_walk_evict_zombies),
	KUNIT_CASE(ttm_lru_walk_evict_all_stay),
	KUNIT_CASE(ttm_lru_walk_evict_but_stay),
	KUNIT_CASE(ttm_lru_walk_evict_all_waits),
	KUNIT_CASE(ttm_lru_walk_evict_all_pinned_meanwhile),
	KUNIT_CASE(ttm_lru_walk_evict_all_ghosts),
	KUNIT_CASE(ttm_lru_walk_evict_all_pipelined),
	KUNIT_CASE(ttm_lru_walk_evict_all_dying),
#ifdef CONFIG_CGROUP_DMEM
	KUNIT_CASE(ttm_lru_walk_evict_cgroup),
#endif
#if defined(LRU_CAN_FAIL) && !defined(CONFIG_DRM_TTM_LRU_PRISTINE)
	KUNIT_CASE(ttm_lru_walk_evict_failing_allocations),
#endif
	{}
};

static struct kunit_suite ttm_lru_walk_evict_suite = {
	.name = "ttm_lru_walk_evict",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_walk_evict_cases,
};

kunit_test_suites(&ttm_lru_walk_evict_suite);

MODULE_DESCRIPTION("KUnit tests for TTM's eviction");
MODULE_LICENSE("Dual MIT/GPL");
