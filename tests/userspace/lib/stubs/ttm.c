// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Functions of TTM's that most programs here need in name only. */

#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_tt.h>

/* Swapping is done by the page: all at once, and it never fails. */
int ttm_tt_populate(struct ttm_device *bdev, struct ttm_tt *ttm,
		    struct ttm_operation_ctx *ctx)
{
	ttm->page_flags &= ~TTM_TT_FLAG_SWAPPED;
	return 0;
}

long ttm_tt_backup(struct ttm_device *bdev, struct ttm_tt *ttm,
		   const struct ttm_backup_flags flags)
{
	ttm->page_flags |= TTM_TT_FLAG_SWAPPED;
	return 1;
}

void ttm_bo_unmap_virtual(struct ttm_buffer_object *bo)
{
}

int ttm_bo_wait_ctx(struct ttm_buffer_object *bo,
		    struct ttm_operation_ctx *ctx)
{
	return 0;
}

int ttm_bo_validate(struct ttm_buffer_object *bo,
		    struct ttm_placement *placement,
		    struct ttm_operation_ctx *ctx)
{
	return 0;
}

int ttm_bo_evict_first(struct ttm_device *bdev,
		       struct ttm_resource_manager *man,
		       struct ttm_operation_ctx *ctx)
{
	return -ENOENT;
}

s64 ttm_bo_evict_cgroup(struct ttm_device *bdev,
			struct ttm_resource_manager *man,
			struct dmem_cgroup_pool_state *limit_pool,
			s64 target_bytes, struct ttm_operation_ctx *ctx)
{
	return 0;
}

/* For programs without TTM's own: they reach no I/O memory. */
__attribute__((weak))
int ttm_mem_io_reserve(struct ttm_device *bdev, struct ttm_resource *mem)
{
	return -EINVAL;
}

__attribute__((weak))
void ttm_mem_io_free(struct ttm_device *bdev, struct ttm_resource *mem)
{
}
