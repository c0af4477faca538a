// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The callers of the list operations, as they stand in TTM's ttm_bo.c and
 * ttm_bo_util.c; only that their calls pass by the model.
 */

#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_placement.h>
#include <drm/ttm/ttm_tt.h>

#include "callers.h"
#include "ttm_bo_internal.h"
#include "world.h"

#define ttm_resource_add_bulk_move		watched_add
#define ttm_resource_del_bulk_move		watched_del
#ifdef PRISTINE
#define ttm_resource_del_bulk_move_unevictable	watched_del_unevictable
#endif
#define ttm_resource_move_to_lru_tail		watched_tail

/* Transferred buffers hold a reference that here nobody ever drops. */
void ttm_bo_put(struct ttm_buffer_object *bo)
{
}

#include "callers-extracted.h"

int caller_transfer(struct ttm_buffer_object *bo,
		    struct ttm_buffer_object **ghost)
{
	return ttm_buffer_object_transfer(bo, ghost);
}
