// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What stays Linux's of making room, as it stands in ttm_bo.c and ttm_bo_util.c. */

#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_placement.h>
#include <drm/ttm/ttm_tt.h>

#include "rivals.h"
#include "ttm_bo_internal.h"

static void ttm_bo_mem_space_debug(struct ttm_buffer_object *bo,
				   struct ttm_placement *placement)
{
}

static void ttm_bo_flush_all_fences(struct ttm_buffer_object *bo)
{
}

/* There is always memory for a copy of the fences. */
void ttm_bo_wait_released(struct ttm_buffer_object *bo)
{
	dma_resv_wait_timeout(&bo->base._resv, DMA_RESV_USAGE_BOOKKEEP, false,
			      MAX_SCHEDULE_TIMEOUT);
}

/* No buffer is purgeable. */
void ttm_purgeable_add_zombie(struct ttm_buffer_object *bo)
{
}

void ttm_purgeable_forget(struct ttm_buffer_object *bo)
{
}

#include "eviction-extracted.h"

void rival_release(struct ttm_buffer_object *bo)
{
	ttm_bo_release(&bo->kref);
}

void rival_delayed_delete(struct ttm_buffer_object *bo)
{
	ttm_bo_delayed_delete(&bo->delayed_delete);
}
