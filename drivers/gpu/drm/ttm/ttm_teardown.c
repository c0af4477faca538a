// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Free or unmap the pages of all buffers before their device is removed.
 */

#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/sched.h>

#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_device.h>
#include <drm/ttm/ttm_placement.h>
#include <drm/ttm/ttm_resource.h>
#include <drm/ttm/ttm_tt.h>

#include "ttm_bo_internal.h"
#include "ttm_lru_internal.h"
#include "ttm_pool_internal.h"

typedef void ttm_teardown_t(struct ttm_buffer_object *bo);

static void ttm_bo_unpopulate(struct ttm_buffer_object *bo)
{
	dma_resv_assert_held(bo->base.resv);
	if (bo->ttm)
		ttm_tt_unpopulate(bo->bdev, bo->ttm);
}

/*
 * Coherent memory goes with its device. Other pages stay, with their content: the CPU
 * and other devices may use them.
 */
static void ttm_bo_end_dma(struct ttm_buffer_object *bo)
{
	struct ttm_pool *pool = &bo->bdev->pool;

	/* The addresses of an imported buffer are the exporter's. */
	if (!bo->ttm || bo->type == ttm_bo_type_sg)
		return;
	if (!ttm_pool_uses_dma_alloc(pool)) {
		ttm_pool_unmap_tt(pool, bo->ttm);
		return;
	}
	dma_resv_wait_timeout(bo->base.resv, DMA_RESV_USAGE_BOOKKEEP, false,
			      MAX_SCHEDULE_TIMEOUT);
	ttm_bo_unpopulate(bo);
}

/*
 * Return true if the walk left out a buffer: it was replaced or entered meanwhile,
 * or it was a zombie whose last reference was being dropped. Its release
 * unpopulates it, or the next walk does.
 */
static bool ttm_manager_tear_down(struct ttm_resource_manager *man,
				  ttm_teardown_t *tear_down)
{
	struct ttm_operation_ctx ctx = {};
	struct ttm_lru_walk_arg arg = {
		.ctx = &ctx,
		.sleeping_lock = true,
		/* Buffers that move to the tail meanwhile have pages as well. */
		.unbounded = true,
	};
	struct ttm_bo_lru_cursor cursor;
	struct ttm_buffer_object *bo;

	ttm_bo_lru_for_each_reserved_guarded(&cursor, man, &arg, bo)
		tear_down(bo);
	return ttm_lru_left_out_any(&cursor.left_out);
}

/* The same for buffers that are pinned or swapped out. */
static bool ttm_unevictable_tear_down(struct ttm_device *bdev,
				      ttm_teardown_t *tear_down)
{
	u64 since[TTM_NUM_MEM_TYPES];
	struct ttm_buffer_object *bo;
	struct ttm_resource *res;
	bool dying = false;

	scoped_guard(spinlock, &bdev->lru_lock)
		ttm_unevictable_walk_start(bdev, since);
	for (;;) {
		scoped_guard(spinlock, &bdev->lru_lock) {
			res = ttm_unevictable_walk_next(bdev, since);
			bo = res ? ttm_bo_get_unless_zero(res->bo) : NULL;
		}
		if (!res)
			return dying;
		if (bo) {
			dma_resv_lock(bo->base.resv, NULL);
			tear_down(bo);
			dma_resv_unlock(bo->base.resv);
			ttm_bo_put(bo);
		} else {
			dying = true;
		}
		cond_resched();
	}
}

static bool ttm_device_tear_down(struct ttm_device *bdev,
				 ttm_teardown_t *tear_down)
{
	bool left_out = ttm_unevictable_tear_down(bdev, tear_down);

	for (int i = TTM_PL_SYSTEM; i < TTM_NUM_MEM_TYPES; i++) {
		struct ttm_resource_manager *man = ttm_manager_type(bdev, i);

		/* A buffer elsewhere may have pages, as a move has failed. */
		if (man)
			left_out |= ttm_manager_tear_down(man, tear_down);
	}
	return left_out;
}

/**
 * ttm_device_clear_dma_mappings() - free all pages before a device is removed
 * @bdev: The device, which can't be reached any more. Nothing populates buffers.
 *
 * Unpopulate all buffers, also pinned ones, so that none of their pages stays
 * mapped for the device. Buffers stay on their lists, and in their bulks.
 *
 * Context: May sleep. Takes reservations, and waits for them: the caller must
 * hold none. Takes &ttm_device.lru_lock, each time for a constant number of
 * resources.
 */
void ttm_device_clear_dma_mappings(struct ttm_device *bdev)
{
	while (ttm_device_tear_down(bdev, ttm_bo_unpopulate))
		schedule_timeout_uninterruptible(1);
}
EXPORT_SYMBOL(ttm_device_clear_dma_mappings);

/**
 * ttm_device_end_dma() - unmap all pages before a device is unbound
 * @bdev: The device. From here on populating maps no pages, and fails if they would
 * have to be coherent memory.
 *
 * Unmap the pages of all buffers, also of pinned ones. The pages stay populated: they
 * may be mapped for the kernel, and other devices may have imported them. Only buffers
 * of coherent memory, which must be neither mapped for the kernel nor exported, lose
 * their pages, when they are idle.
 *
 * Context: As ttm_device_clear_dma_mappings().
 */
void ttm_device_end_dma(struct ttm_device *bdev)
{
	while (ttm_device_tear_down(bdev, ttm_bo_end_dma))
		schedule_timeout_uninterruptible(1);
	ttm_pool_drain(&bdev->pool);
	WARN_ON(atomic_long_read(&bdev->pool.dma_pages));
}
EXPORT_SYMBOL(ttm_device_end_dma);
