// drm/ttm: move swap-out and teardown to files of their own
//
// SPDX-License-Identifier: GPL-2.0 OR MIT
// File: drivers/gpu/drm/ttm/ttm_device.c

@@
identifier f = {
	ttm_device_prepare_hibernation, ttm_global_swapout, ttm_device_swapout,
	ttm_device_clear_lru_dma_mappings, ttm_device_clear_dma_mappings
};
@@
- f(...) { ... }

@@
declarer name EXPORT_SYMBOL;
identifier f = {
	ttm_device_prepare_hibernation, ttm_device_swapout,
	ttm_device_clear_dma_mappings
};
@@
- EXPORT_SYMBOL(f);

// The mutex protects the list of devices, which swap-out uses.
@@
declarer name DEFINE_MUTEX;
@@
- static
  DEFINE_MUTEX(ttm_global_mutex);
