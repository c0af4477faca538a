// drm/ttm: swap-out and teardown go to files of their own
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

// It protects the list of devices, which swap-out goes through.
@@
declarer name DEFINE_MUTEX;
@@
- static
  DEFINE_MUTEX(ttm_global_mutex);
