// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Worlds with a shrinker, see ttm_lru_reclaim.h.
 */

#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/dma-fence.h>
#include <linux/err.h>
#include <linux/sched.h>
#include <linux/shrinker.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include <drm/ttm/ttm_backup.h>
#include <drm/ttm/ttm_pool.h>
#include <drm/ttm/ttm_shrinker.h>

#include "ttm_lru_reclaim.h"

struct lru_reclaim reclaim;

static void reclaim_shrunk(struct ttm_buffer_object *bo, bool purged)
{
	char letter = lru_letter(reclaim.w, bo);

	lru_note(purged ? &reclaim.purged : &reclaim.backed_up, letter);
	if (reclaim.at)
		reclaim.at(reclaim.w, letter);
}

static const struct ttm_shrinker_funcs reclaim_funcs = {
	.shrunk = reclaim_shrunk,
};

static int reclaim_populate(struct ttm_device *bdev, struct ttm_tt *tt,
			    struct ttm_operation_ctx *ctx)
{
	if (ttm_tt_is_backed_up(tt))
		return ttm_tt_restore(bdev, tt, ctx);
	return ttm_pool_alloc(&bdev->pool, tt, ctx);
}

static void reclaim_unpopulate(struct ttm_device *bdev, struct ttm_tt *tt)
{
	ttm_pool_free(&bdev->pool, tt);
}

static u64 reclaim_space(void)
{
	return SZ_1M;
}

/* A world on a device with backups, in a system with swap space. */
struct lru_world *reclaim_world(struct kunit *test, u32 mem_type,
				const char *picture, const char *filled)
{
	struct lru_world *w = lru_mock_world(test, mem_type, picture);

	w->funcs.ttm_tt_create = lru_shrinkable_create;
	w->funcs.ttm_tt_populate = reclaim_populate;
	w->funcs.ttm_tt_unpopulate = reclaim_unpopulate;
	memset(&reclaim, 0, sizeof(reclaim));
	reclaim.w = w;
	lru_fill(w, filled);
	kunit_activate_static_stub(test, ttm_backup_bytes_avail, reclaim_space);
	return w;
}

void reclaim_start_with(struct kunit *test,
			const struct ttm_shrinker_funcs *funcs)
{
	reclaim.shrinker = ttm_shrinker_create(reclaim.w->bdev, funcs, "test");
	KUNIT_ASSERT_FALSE(test, IS_ERR(reclaim.shrinker));
}

void reclaim_start(struct kunit *test)
{
	reclaim_start_with(test, &reclaim_funcs);
}

void reclaim_stop(void)
{
	ttm_shrinker_destroy(reclaim.shrinker);
}

unsigned long reclaim_count(gfp_t gfp)
{
	struct shrinker *core = ttm_shrinker_core(reclaim.shrinker);
	struct shrink_control sc = { .gfp_mask = gfp };

	return core->count_objects(core, &sc);
}

unsigned long reclaim_scan(gfp_t gfp, unsigned long pages)
{
	struct shrinker *core = ttm_shrinker_core(reclaim.shrinker);
	struct shrink_control sc = {
		.gfp_mask = gfp,
		.nr_to_scan = pages,
		.nr_scanned = pages,
	};
	unsigned long ret = core->scan_objects(core, &sc);

	reclaim.scanned = sc.nr_scanned;
	return ret;
}

/* Scan as kswapd does. */
unsigned long reclaim_scan_kswapd(unsigned long pages)
{
	unsigned long ret;

	current->flags |= PF_KSWAPD;
	ret = reclaim_scan(GFP_KERNEL, pages);
	current->flags &= ~PF_KSWAPD;
	return ret;
}

void reclaim_set_purgeable(struct lru_world *w, char letter, bool purgeable)
{
	struct ttm_buffer_object *bo = lru_reserve(w, letter);

	ttm_bo_set_purgeable(bo, purgeable);
	lru_unreserve(bo);
}

atomic_t reclaim_waits;

static const char *reclaim_fence_name(struct dma_fence *fence)
{
	return "ttm-lru-reclaim";
}

static bool reclaim_fence_waited_for(struct dma_fence *fence)
{
	atomic_inc(&reclaim_waits);
	return true;
}

static const struct dma_fence_ops reclaim_fence_ops = {
	.get_driver_name = reclaim_fence_name,
	.get_timeline_name = reclaim_fence_name,
	.enable_signaling = reclaim_fence_waited_for,
};

static DEFINE_SPINLOCK(reclaim_fence_lock);

/* The GPU uses a buffer until lru_idle(), and counts waits for it. */
void reclaim_use(struct lru_world *w, char letter)
{
	struct ttm_buffer_object *bo;
	int ret;

	atomic_set(&reclaim_waits, 0);
	w->fence = kzalloc_obj(*w->fence);
	KUNIT_ASSERT_NOT_NULL(w->test, w->fence);
	dma_fence_init(w->fence, &reclaim_fence_ops, &reclaim_fence_lock,
		       dma_fence_context_alloc(1), 1);
	bo = lru_reserve(w, letter);
	ret = dma_resv_reserve_fences(bo->base.resv, 1);
	if (!ret)
		dma_resv_add_fence(bo->base.resv, w->fence,
				   DMA_RESV_USAGE_BOOKKEEP);
	lru_unreserve(bo);
	KUNIT_ASSERT_EQ(w->test, ret, 0);
}
