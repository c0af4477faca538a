// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for E7, bounded time: emptying a manager and searches wait for a
 * hung GPU only once, and where -ENOMEM would do, no process is killed.
 */

#include <linux/dma-fence.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "lib/ttm_lru_room.h"

/*
 * After a victim lacked memory, larger ones are skipped, and the OOM killer is
 * not used.
 */
static void ttm_lru_room_memory_is_short(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a b c");
	struct ttm_operation_ctx ctx = {};

	lru_bo(w, 'a')->base.size = 4 * PAGE_SIZE;
	lru_bo(w, 'b')->base.size = 4 * PAGE_SIZE;
	lru_mock.fail = "ab";
	lru_mock.error = -ENOMEM;
	KUNIT_EXPECT_EQ(test, lru_place_waiting(w, "", &ctx), 0);
	EXPECT_LETTERS(lru_mock.moved, "acx");
	EXPECT_LETTERS(lru_mock.killing, "a");
	KUNIT_EXPECT_FALSE(test, ctx.gfp_retry_mayfail);
	lru_bo(w, 'a')->base.size = PAGE_SIZE;
	lru_bo(w, 'b')->base.size = PAGE_SIZE;
	EXPECT_SOUND(w, "a b x");
}

/* A hung GPU: each wait for it times out, and is counted. */
#define LRU_TIMEOUT	(6 * HZ)

static unsigned int lru_waits;

static const char *lru_hung_name(struct dma_fence *fence)
{
	return "ttm-lru-hung";
}

static long lru_hung_wait(struct dma_fence *fence, bool intr, long timeout)
{
	lru_waits++;
	schedule_timeout_uninterruptible(LRU_TIMEOUT);
	return 0;
}

static const struct dma_fence_ops lru_hung_ops = {
	.get_driver_name = lru_hung_name,
	.get_timeline_name = lru_hung_name,
	.wait = lru_hung_wait,
};

static DEFINE_SPINLOCK(lru_hung_lock);

static struct dma_fence *lru_hang(struct lru_world *w, const char *letters)
{
	struct dma_fence *fence = kzalloc_obj(*fence);

	KUNIT_ASSERT_NOT_NULL(w->test, fence);
	dma_fence_init(fence, &lru_hung_ops, &lru_hung_lock,
		       dma_fence_context_alloc(1), 1);
	for (; *letters; letters++) {
		struct ttm_buffer_object *bo = lru_reserve(w, *letters);

		if (!dma_resv_reserve_fences(bo->base.resv, 1))
			dma_resv_add_fence(bo->base.resv, fence,
					   DMA_RESV_USAGE_BOOKKEEP);
		lru_unreserve(bo);
	}
	return fence;
}

static void lru_set_deleted(struct lru_world *w, const char *letters, bool deleted)
{
	for (; *letters; letters++)
		lru_bo(w, *letters)->deleted = deleted;
}

/* a to d are zombies that the GPU uses; e is idle and can be evicted. */
static void ttm_lru_room_a_hung_gpu_is_waited_for_once(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c d e");
	struct dma_fence *fence = lru_hang(w, "abcd");
	int ret;

	lru_set_deleted(w, "abcd", true);
	lru_waits = 0;
	ret = ttm_resource_manager_evict_all(w->bdev, lru_man(w));
	lru_set_deleted(w, "abcd", false);
	dma_fence_signal(fence);
	dma_fence_put(fence);
	KUNIT_EXPECT_EQ(test, ret, -EBUSY);
	KUNIT_EXPECT_EQ(test, lru_waits, 1);
	EXPECT_SOUND(w, "a b c d");
}

/*
 * A zombie needs no memory to leave, so it is evicted though memory is short.
 */
static void ttm_lru_room_zombies_need_no_memory(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a b");
	struct ttm_operation_ctx ctx = {};
	int ret;

	lru_mock.fail = "a";
	lru_mock.error = -ENOMEM;
	lru_set_deleted(w, "b", true);
	ret = lru_place(w, 'x', &ctx, NULL);
	lru_set_deleted(w, "b", false);
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_SOUND(w, "a x");
}

/* A search waits only once, too, and leaves the caller's context unchanged. */
static void ttm_lru_room_a_hung_gpu_refuses_once(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a b c");
	struct dma_fence *fence = lru_hang(w, "abc");
	struct ttm_operation_ctx ctx = {};
	int ret;

	lru_set_deleted(w, "abc", true);
	lru_waits = 0;
	ret = lru_place(w, 'x', &ctx, NULL);
	lru_set_deleted(w, "abc", false);
	dma_fence_signal(fence);
	dma_fence_put(fence);
	KUNIT_EXPECT_EQ(test, ret, -ENOSPC);
	KUNIT_EXPECT_EQ(test, lru_waits, 1);
	KUNIT_EXPECT_FALSE(test, ctx.no_wait_gpu);
	EXPECT_SOUND(w, "a b c");
}

#ifdef CONFIG_CGROUP_DMEM
static void ttm_lru_room_a_hung_gpu_drains_once(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a b");
	struct dma_fence *fence = lru_hang(w, "ab");
	s64 freed;

	lru_set_deleted(w, "ab", true);
	lru_waits = 0;
	freed = lru_drain(w, "ab", PAGE_SIZE);
	lru_set_deleted(w, "ab", false);
	dma_fence_signal(fence);
	dma_fence_put(fence);
	KUNIT_EXPECT_EQ(test, freed, 0);
	KUNIT_EXPECT_EQ(test, lru_waits, 1);
}
#endif

/* A victim that fails at once is not a hung GPU: wait for b's reservation. */
static void ttm_lru_room_one_that_fails_is_no_hang(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a b");
	struct ttm_operation_ctx ctx = {};

	lru_mock.fail = "a";
	lru_mock.error = -EBUSY;
	KUNIT_EXPECT_EQ(test, lru_place_waiting(w, "b", &ctx), 0);
	EXPECT_SOUND(w, "a x");
}

#ifdef LRU_CAN_FAIL
static char lru_to_place;
static int lru_placed;

static void lru_place_that(struct lru_world *w)
{
	struct ttm_operation_ctx ctx = {};

	lru_placed = lru_place(w, lru_to_place, &ctx, NULL);
}

static int lru_move_at_once(struct ttm_buffer_object *bo, bool evict,
			    struct ttm_operation_ctx *ctx,
			    struct ttm_resource *new_mem, struct ttm_place *hop)
{
	ttm_bo_move_null(bo, new_mem);
	return 0;
}

/*
 * Without memory for the fences of moves out of the way, give the place back.
 * Each buffer is a new one, without room for any fences.
 */
static void ttm_lru_room_every_allocation_fails(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a");
	struct ttm_resource_manager *man = lru_man(w);
	struct dma_fence *fence[TTM_NUM_MOVE_FENCES];
	bool failed = true;

	w->funcs.move = lru_move_at_once;
	lru_mock.space += PAGE_SIZE;
	for (int i = 0; i < TTM_NUM_MOVE_FENCES; i++) {
		fence[i] = lru_busy(w);
		w->fence = NULL;
		man->eviction_fences[i] = dma_fence_get(fence[i]);
	}
	for (int n = 1; failed; n++) {
		lru_to_place = 'a' + n;
		lru_make_homeless(w, lru_to_place);
		failed = lru_with_failure(n, lru_place_that, w);
		if (lru_placed)
			KUNIT_EXPECT_EQ(test, lru_placed, -ENOMEM);
		else
			lru_free(w, lru_to_place);
		KUNIT_EXPECT_EQ(test, man->usage, PAGE_SIZE);
	}
	KUNIT_EXPECT_EQ(test, lru_placed, 0);
	for (int i = 0; i < TTM_NUM_MOVE_FENCES; i++) {
		dma_fence_signal(fence[i]);
		dma_fence_put(fence[i]);
		dma_fence_put(man->eviction_fences[i]);
		man->eviction_fences[i] = NULL;
	}
	EXPECT_SOUND(w, "a");
}
#endif

static struct kunit_case ttm_lru_room_hang_cases[] = {
	KUNIT_CASE(ttm_lru_room_memory_is_short),
	KUNIT_CASE(ttm_lru_room_zombies_need_no_memory),
	KUNIT_CASE(ttm_lru_room_a_hung_gpu_is_waited_for_once),
	KUNIT_CASE(ttm_lru_room_a_hung_gpu_refuses_once),
#ifdef CONFIG_CGROUP_DMEM
	KUNIT_CASE(ttm_lru_room_a_hung_gpu_drains_once),
#endif
	KUNIT_CASE(ttm_lru_room_one_that_fails_is_no_hang),
#ifdef LRU_CAN_FAIL
	KUNIT_CASE(ttm_lru_room_every_allocation_fails),
#endif
	{}
};

static struct kunit_suite ttm_lru_room_hang_suite = {
	.name = "ttm_lru_room_hang",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_room_hang_cases,
};

kunit_test_suites(&ttm_lru_room_hang_suite);

MODULE_DESCRIPTION("KUnit tests for making room where memory and time are short");
MODULE_LICENSE("Dual MIT/GPL");
