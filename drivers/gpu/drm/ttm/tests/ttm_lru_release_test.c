// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for buffers whose last reference is gone: what TTM waits for before it frees
 * them (E7).
 *
 * Worlds and pictures are those of ttm_lru_test.c.
 */

#include <linux/completion.h>
#include <linux/dma-fence.h>
#include <linux/module.h>

#include "lib/ttm_lru_mock_driver.h"

/* A fence that tells when somebody waits for it. */
struct release_fence {
	struct dma_fence base;
	struct completion *waited;
	bool is_waited;
};

static const char *release_name(struct dma_fence *fence)
{
	return "ttm-lru-release";
}

static long release_wait(struct dma_fence *base, bool intr, long timeout)
{
	struct release_fence *fence = container_of(base, struct release_fence, base);

	WRITE_ONCE(fence->is_waited, true);
	complete(fence->waited);
	return dma_fence_default_wait(base, intr, timeout);
}

static const struct dma_fence_ops release_ops = {
	.get_driver_name = release_name,
	.get_timeline_name = release_name,
	.wait = release_wait,
};

static DEFINE_SPINLOCK(release_lock);

/* The GPU uses what has the reservation @resv. */
static struct release_fence *release_use(struct kunit *test, struct dma_resv *resv,
					 struct completion *waited)
{
	struct release_fence *fence = kzalloc_obj(*fence);
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, fence);
	fence->waited = waited;
	dma_fence_init(&fence->base, &release_ops, &release_lock,
		       dma_fence_context_alloc(1), 1);
	dma_resv_lock(resv, NULL);
	ret = dma_resv_reserve_fences(resv, 1);
	if (!ret)
		dma_resv_add_fence(resv, &fence->base, DMA_RESV_USAGE_BOOKKEEP);
	dma_resv_unlock(resv);
	KUNIT_ASSERT_EQ(test, ret, 0);
	return fence;
}

static void release_signal(struct release_fence *fence)
{
	dma_fence_signal(&fence->base);
	dma_fence_put(&fence->base);
}

static struct completion release_destroyed;

static void release_destroy(struct ttm_buffer_object *bo)
{
	dummy_ttm_bo_destroy(bo);
	complete(&release_destroyed);
}

/*
 * An imported buffer shares the exporter's reservation, where others go on adding fences.
 * Its release waits for the fences that were there, and for no later one.
 */
static void ttm_lru_release_of_an_imported_one(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "b");
	struct release_fence *before, *after;
	struct completion waited;
	struct ttm_buffer_object *a;

	init_completion(&waited);
	init_completion(&release_destroyed);
	lru_make(w, 'a', 0, NULL, false);
	a = lru_bo(w, 'a');
	w->bo['a' - 'a'] = NULL;
	a->type = ttm_bo_type_sg;
	a->destroy = release_destroy;

	before = release_use(test, &w->resv, &waited);
	ttm_bo_fini(a);
	wait_for_completion(&waited);
	after = release_use(test, &w->resv, &release_destroyed);
	release_signal(before);
	/* Completed as well if somebody waits for the later fence. */
	wait_for_completion(&release_destroyed);
	KUNIT_EXPECT_FALSE(test, READ_ONCE(after->is_waited));
	release_signal(after);
	flush_workqueue(w->bdev->wq);
	EXPECT_SOUND(w, "b");
}

static struct kunit_case ttm_lru_release_cases[] = {
	KUNIT_CASE(ttm_lru_release_of_an_imported_one),
	{}
};

static struct kunit_suite ttm_lru_release_suite = {
	.name = "ttm_lru_release",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_release_cases,
};

kunit_test_suites(&ttm_lru_release_suite);

MODULE_DESCRIPTION("KUnit tests for buffers whose last reference is gone");
MODULE_LICENSE("Dual MIT/GPL");
