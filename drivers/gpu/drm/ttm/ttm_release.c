// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Dropping the last reference to a buffer where a release must not run, and
 * waiting for the fences of a zombie.
 */

#include <linux/dma-resv.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_device.h>

#include "ttm_bo_internal.h"
#include "ttm_reclaim.h"

/**
 * ttm_in_reclaim() - tell whether the caller reclaims memory
 *
 * Return: true if it does: then it must not wait for others' allocations.
 */
bool ttm_in_reclaim(void)
{
	return current->flags & PF_MEMALLOC;
}

static void ttm_bo_put_work(struct work_struct *work)
{
	ttm_bo_put(container_of(work, struct ttm_buffer_object, delayed_delete));
}

/**
 * ttm_bo_put_in_reclaim() - drop a reference to a buffer in memory reclaim
 * @bo: The buffer.
 *
 * A release calls the driver, copies fences, and frees the driver's part of the
 * buffer: it may allocate, and wait. So let the device's workqueue drop a last
 * reference.
 *
 * Context: Any but interrupts.
 */
void ttm_bo_put_in_reclaim(struct ttm_buffer_object *bo)
{
	struct ttm_device *bdev = bo->bdev;

	if (refcount_dec_not_one(&bo->kref.refcount))
		return;

	/*
	 * The caller has the only reference, so no release has begun that would
	 * use the work item, and an earlier work item is done with @bo.
	 */
	INIT_WORK(&bo->delayed_delete, ttm_bo_put_work);
	queue_work_node(bdev->pool.nid, bdev->wq, &bo->delayed_delete);
}

/* Copy the fences of the reservation that @bo shares to its own. */
static int ttm_bo_copy_fences(struct ttm_buffer_object *bo)
{
	int ret;

	dma_resv_lock(&bo->base._resv, NULL);
	ret = dma_resv_copy_fences(&bo->base._resv, bo->base.resv);
	dma_resv_unlock(&bo->base._resv);
	return ret;
}

/**
 * ttm_bo_wait_released() - wait until a zombie is idle
 * @bo: The buffer. Its last reference was dropped while it was in use.
 *
 * A zombie that still shares its reservation is imported, or its release had no
 * memory for a copy of the fences. Others keep adding fences to such a
 * reservation, so copy the fences that are there now, and wait for the copies.
 *
 * Context: May sleep, for as long as @bo is in use. Not in memory reclaim.
 */
void ttm_bo_wait_released(struct ttm_buffer_object *bo)
{
	struct dma_resv *resv = &bo->base._resv;

	if (bo->base.resv != resv && ttm_bo_copy_fences(bo))
		resv = bo->base.resv;
	dma_resv_wait_timeout(resv, DMA_RESV_USAGE_BOOKKEEP, false,
			      MAX_SCHEDULE_TIMEOUT);
}
