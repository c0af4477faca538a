// SPDX-License-Identifier: GPL-2.0 OR MIT

#ifdef CONFIG_RUST_DRM_TTM

#include <linux/device.h>
#include <linux/dma-buf.h>
#include <linux/dma-mapping.h>
#include <linux/dma-resv.h>
#include <linux/fault-inject.h>
#include <linux/io.h>
#include <linux/kref.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include <drm/drm_gem.h>
#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_resource.h>
#include <drm/ttm/ttm_tt.h>

#include "../../drivers/gpu/drm/ttm/ttm_lru_internal.h"
#include "../../drivers/gpu/drm/ttm/ttm_pool_internal.h"

__rust_helper unsigned int
rust_helper_ttm_lru_item_priority(const struct ttm_lru_item *item)
{
	return ttm_lru_item_priority(item);
}

__rust_helper bool
rust_helper_ttm_lru_item_in_range(const struct ttm_lru_item *item)
{
	return ttm_lru_item_in_range(item);
}

__rust_helper struct ww_acquire_ctx *
rust_helper_dma_resv_locking_ctx(struct dma_resv *obj)
{
	return dma_resv_locking_ctx(obj);
}

__rust_helper int rust_helper_kref_get_unless_zero(struct kref *kref)
{
	return kref_get_unless_zero(kref);
}

__rust_helper int
rust_helper_dma_resv_lock_interruptible(struct dma_resv *obj,
					struct ww_acquire_ctx *ctx)
{
	return dma_resv_lock_interruptible(obj, ctx);
}

__rust_helper bool rust_helper_dma_resv_trylock(struct dma_resv *obj)
{
	return dma_resv_trylock(obj);
}

__rust_helper void rust_helper_get_dma_buf(struct dma_buf *dmabuf)
{
	get_dma_buf(dmabuf);
}

__rust_helper int
rust_helper_dma_coerce_mask_and_coherent(struct device *dev, u64 mask)
{
	return dma_coerce_mask_and_coherent(dev, mask);
}

__rust_helper bool rust_helper_ttm_dma_is_limited(struct device *dev)
{
	return dma_addressing_limited(dev);
}

#if IS_ENABLED(CONFIG_KUNIT) && defined(CONFIG_FAULT_INJECTION)
/* Let so many mappings of pages for a device succeed, and then so many fail. */
__rust_helper void rust_helper_ttm_fail_dma_maps(int first, int times)
{
	struct fault_attr *attr = &ttm_dma_map_fault_inject;

	attr->probability = times ? 100 : 0;
	attr->verbose = 0;
	atomic_set(&attr->space, first + 1);
	atomic_set(&attr->times, times);
}
#endif

__rust_helper void rust_helper_device_lock(struct device *dev)
{
	device_lock(dev);
}

__rust_helper void rust_helper_device_unlock(struct device *dev)
{
	device_unlock(dev);
}

__rust_helper void rust_helper_vunmap(const void *addr)
{
	vunmap(addr);
}

__rust_helper bool rust_helper_pfn_valid(unsigned long pfn)
{
	return pfn_valid(pfn);
}

__rust_helper struct page *rust_helper_pfn_to_page(unsigned long pfn)
{
	return pfn_to_page(pfn);
}

__rust_helper bool rust_helper_virt_addr_valid(const void *addr)
{
	return virt_addr_valid(addr);
}

__rust_helper struct page *rust_helper_virt_to_page(const void *addr)
{
	return virt_to_page(addr);
}

__rust_helper phys_addr_t rust_helper_page_to_phys(struct page *page)
{
	return page_to_phys(page);
}

__rust_helper int
rust_helper_dma_mapping_error(struct device *dev, dma_addr_t dma_addr)
{
	return dma_mapping_error(dev, dma_addr);
}

__rust_helper void __iomem *
rust_helper_ioremap_caching(phys_addr_t offset, size_t size,
			    enum ttm_caching caching)
{
	if (caching == ttm_write_combined)
		return ioremap_wc(offset, size);
#ifdef CONFIG_X86
	if (caching == ttm_cached)
		return ioremap_cache(offset, size);
#endif
	return ioremap(offset, size);
}

__rust_helper void *rust_helper_vmap_pages(struct page **pages,
					   unsigned int count)
{
	return vmap(pages, count, VM_MAP, PAGE_KERNEL);
}

__rust_helper bool
rust_helper_drm_gem_object_is_shared_for_memory_stats(struct drm_gem_object *obj)
{
	return drm_gem_object_is_shared_for_memory_stats(obj);
}

__rust_helper void rust_helper_ttm_bo_move_null(struct ttm_buffer_object *bo,
						struct ttm_resource *new_mem)
{
	ttm_bo_move_null(bo, new_mem);
}

__rust_helper bool rust_helper_ttm_tt_is_populated(struct ttm_tt *tt)
{
	return ttm_tt_is_populated(tt);
}

__rust_helper bool rust_helper_ttm_tt_is_swapped(const struct ttm_tt *tt)
{
	return ttm_tt_is_swapped(tt);
}

__rust_helper bool rust_helper_ttm_tt_is_backed_up(const struct ttm_tt *tt)
{
	return ttm_tt_is_backed_up(tt);
}

__rust_helper void rust_helper_ttm_tt_clear_backed_up(struct ttm_tt *tt)
{
	ttm_tt_clear_backed_up(tt);
}

__rust_helper void rust_helper_ttm_tt_mark_for_clear(struct ttm_tt *ttm)
{
	ttm_tt_mark_for_clear(ttm);
}

__rust_helper void
rust_helper_ttm_resource_manager_set_used(struct ttm_resource_manager *man,
					  bool used)
{
	ttm_resource_manager_set_used(man, used);
}

__rust_helper void
rust_helper_ttm_resource_manager_cleanup(struct ttm_resource_manager *man)
{
	ttm_resource_manager_cleanup(man);
}

__rust_helper bool
rust_helper_ttm_resource_cursor_advance_to(struct ttm_resource_cursor *cursor,
					   struct ttm_resource **res)
{
	return ttm_resource_cursor_advance_to(cursor, res);
}

#endif /* CONFIG_RUST_DRM_TTM */
