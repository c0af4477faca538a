// drm/ttm: resources and their managers, without the lists
//
// Linux's ttm_resource.c without the functions that ours has: cursors, bulk moves, and
// putting a resource on a list and taking it off.
//
// SPDX-License-Identifier: GPL-2.0 OR MIT
// From: drivers/gpu/drm/ttm/ttm_resource.c
// File: drivers/gpu/drm/ttm/ttm_resource_manager.c

@@
identifier f = {
	ttm_resource_cursor_clear_bulk, ttm_resource_cursor_move_bulk_tail,
	ttm_bulk_move_adjust_cursors, ttm_bulk_move_drop_cursors,
	ttm_resource_cursor_init, ttm_resource_cursor_fini,
	ttm_resource_cursor_check_bulk, ttm_resource_manager_first,
	ttm_resource_manager_next, ttm_lru_first_res_or_null,
	ttm_lru_bulk_move_init, ttm_lru_bulk_move_fini, ttm_lru_bulk_move_tail,
	ttm_lru_bulk_move_pos, ttm_lru_prev_res, ttm_lru_next_res,
	ttm_lru_bulk_move_pos_tail, ttm_lru_bulk_move_add,
	ttm_lru_bulk_move_del, ttm_resource_is_swapped, ttm_resource_unevictable,
	ttm_resource_add_bulk_move, ttm_resource_del_bulk_move,
	ttm_resource_del_bulk_move_unevictable, ttm_resource_move_to_lru_tail,
	ttm_resource_init, ttm_resource_fini, ttm_resource_set_bo,
	ttm_resource_manager_evict_all, ttm_resource_manager_dmem_reclaim
};
@@
- f(...) { ... }

@@
declarer name EXPORT_SYMBOL;
identifier f = {
	ttm_lru_bulk_move_init, ttm_lru_bulk_move_fini, ttm_lru_bulk_move_tail,
	ttm_resource_init, ttm_resource_fini, ttm_resource_manager_evict_all,
	ttm_resource_manager_dmem_reclaim
};
@@
- EXPORT_SYMBOL(f);

// ttm_resource_init() lets a resource join its bulk, ttm_resource_fini() lets it leave.
@@
identifier f = { ttm_resource_add_bulk_move, ttm_resource_del_bulk_move };
expression bo;
@@
- spin_lock(&bo->bdev->lru_lock);
- f(...);
- spin_unlock(&bo->bdev->lru_lock);

@@
identifier man;
@@
  ttm_resource_manager_init(struct ttm_resource_manager *man, ...)
  {
  ...
  man->usage = 0;
+ man->lru_clock = 0;
  ...
  }

@@
identifier man, p;
@@
  ttm_resource_manager_debug(struct ttm_resource_manager *man, struct drm_printer *p)
  {
  ...
+ ttm_lru_debug_print(man, p);
  if (man->func->debug)
  	man->func->debug(man, p);
  }

@@
@@
  #include <drm/drm_util.h>
+
+ #include "ttm_lru_debug.h"
+ #include "ttm_lru_internal.h"
