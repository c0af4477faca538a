// drm/ttm: move eviction and swap-out to files of their own
//
// Their walks are in ttm_evict.c and ttm_swapout.c, and call functions for a single
// buffer, which stay here and are no longer static.
//
// SPDX-License-Identifier: GPL-2.0 OR MIT
// File: drivers/gpu/drm/ttm/ttm_bo.c

@@
identifier f = {
	ttm_bo_evict_first, ttm_bo_evict_cb, ttm_bo_evict_alloc,
	ttm_bo_alloc_resource, ttm_bo_mem_space,
	ttm_bo_evict_cgroup, ttm_bo_swapout_cb, ttm_bo_swapout
};
@@
- f(...) { ... }

@@
declarer name EXPORT_SYMBOL;
identifier f = { ttm_bo_evict_cgroup, ttm_bo_mem_space };
@@
- EXPORT_SYMBOL(f);

@@
declarer name EXPORT_SYMBOL_FOR_TESTS_ONLY;
@@
- EXPORT_SYMBOL_FOR_TESTS_ONLY(ttm_bo_swapout);

@@
identifier s = {
	ttm_bo_alloc_state, ttm_bo_evict_walk, ttm_bo_swapout_walk
};
@@
- struct s { ... };

@@
identifier ops = { ttm_evict_walk_ops, ttm_swap_ops };
@@
- struct ttm_lru_walk_ops ops = { ... };

@@
type T;
identifier f = {
	ttm_bo_handle_move_mem, ttm_bo_cleanup_memtype_use, ttm_bo_evict,
	ttm_bo_alloc_at_place, ttm_bo_add_pipelined_eviction_fences
};
@@
- static
  T f(...) { ... }

// A search skips a victim that can't leave, and may try it many times. The search
// returns the final error, so do not log each attempt.
@@
identifier ctx, ret;
@@
  ttm_bo_evict(..., struct ttm_operation_ctx *ctx)
  {
  <+...
- if (ret != -ERESTARTSYS)
+ if (ret != -ERESTARTSYS && !ctx->scope)
  { ... }
  ...+>
  }

@@
identifier ctx, ret;
statement S;
@@
  ttm_bo_evict(..., struct ttm_operation_ctx *ctx)
  {
  <+...
- if (ret != -ERESTARTSYS && ret != -EINTR)
+ if (ret != -ERESTARTSYS && ret != -EINTR && !ctx->scope)
  S
  ...+>
  }
