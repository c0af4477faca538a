// drm/ttm: move the walk over buffers to ttm_lru_walk.c
//
// SPDX-License-Identifier: GPL-2.0 OR MIT
// File: drivers/gpu/drm/ttm/ttm_bo_util.c

@@
identifier f = {
	ttm_lru_walk_trylock, ttm_lru_walk_ticketlock, ttm_lru_walk_for_evict,
	ttm_bo_lru_cursor_cleanup_bo, ttm_bo_lru_cursor_init,
	ttm_bo_lru_cursor_fini, __ttm_bo_lru_cursor_next,
	ttm_bo_lru_cursor_next, ttm_bo_lru_cursor_first
};
@@
- f(...) { ... }

@@
declarer name EXPORT_SYMBOL;
identifier f = {
	ttm_lru_walk_for_evict, ttm_bo_lru_cursor_init, ttm_bo_lru_cursor_fini,
	ttm_bo_lru_cursor_next, ttm_bo_lru_cursor_first
};
@@
- EXPORT_SYMBOL(f);

// ttm_resource_del_bulk_move() also handles a member that becomes unevictable.
@@
expression res, bo;
@@
- ttm_resource_del_bulk_move_unevictable
+ ttm_resource_del_bulk_move
  (res, bo)
