// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Free the pages of all buffers before their device is removed.
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

static void ttm_bo_unpopulate(struct ttm_buffer_object *bo)
{
	dma_resv_assert_held(bo->base.resv);
	if (bo->ttm)
		ttm_tt_unpopulate(bo->bdev, bo->ttm);
}

/*
 * Return true if the walk left out a buffer: it was replaced or entered meanwhile,
 * or it was a zombie whose last reference was being dropped. Its release
 * unpopulates it, or the next walk does.
 */
static bool ttm_manager_unpopulate(struct ttm_resource_manager *man)
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
		ttm_bo_unpopulate(bo);
	return ttm_lru_left_out_any(&cursor.left_out);
}

/* The same for buffers that are pinned or swapped out. */
static bool ttm_unevictable_unpopulate(struct ttm_device *bdev)
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
			ttm_bo_unpopulate(bo);
			dma_resv_unlock(bo->base.resv);
			ttm_bo_put(bo);
		} else {
			dying = true;
		}
		cond_resched();
	}
}

static bool ttm_device_unpopulate(struct ttm_device *bdev)
{
	bool left_out = ttm_unevictable_unpopulate(bdev);

	for (int i = TTM_PL_SYSTEM; i < TTM_NUM_MEM_TYPES; i++) {
		struct ttm_resource_manager *man = ttm_manager_type(bdev, i);

		if (man && man->use_tt)
			left_out |= ttm_manager_unpopulate(man);
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
	while (ttm_device_unpopulate(bdev))
		schedule_timeout_uninterruptible(1);
}
EXPORT_SYMBOL(ttm_device_clear_dma_mappings);
