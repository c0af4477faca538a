// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What the stubs remember. */

#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_tt.h>

struct stub_warnings stub_warnings;
struct stub_stop stub_stop;
struct ttm_global ttm_glob;

void stub_warn(const char *file, unsigned int line, const char *what)
{
	if (stub_warnings.count++)
		return;
	stub_warnings.first = what;
	stub_warnings.file = file;
	stub_warnings.line = line;
}

bool __list_add_valid_or_report(struct list_head *node,
				struct list_head *prev, struct list_head *next)
{
	return !WARN(1, "list_add corruption");
}

bool __list_del_entry_valid_or_report(struct list_head *entry)
{
	return !WARN(1, "list_del corruption");
}

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
