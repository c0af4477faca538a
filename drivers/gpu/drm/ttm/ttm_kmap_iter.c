// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Page iterators over a resource in I/O memory, for ttm_move_memcpy().
 */

#include <linux/err.h>
#include <linux/export.h>
#include <linux/io.h>
#include <linux/io-mapping.h>
#include <linux/iosys-map.h>
#include <linux/scatterlist.h>

#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_resource.h>

/* Let the cache hold the piece of the sg_table that has page @i. */
static void iomap_seek(struct ttm_kmap_iter_iomap *it, pgoff_t i)
{
	struct scatterlist *sg = it->cache.sg;

	if (!sg || i < it->cache.i) {
		sg = it->st->sgl;
		it->cache.i = 0;
	} else if (i >= it->cache.end) {
		it->cache.i = it->cache.end;
		sg = sg_next(sg);
	} else {
		return;
	}

	for (;; sg = sg_next(sg)) {
		it->cache.end = it->cache.i + (sg_dma_len(sg) >> PAGE_SHIFT);
		if (i < it->cache.end)
			break;
		it->cache.i = it->cache.end;
	}
	it->cache.offs = sg_dma_address(sg) - it->start;
	it->cache.sg = sg;
}

static void iomap_map_local(struct ttm_kmap_iter *base, struct iosys_map *dmap,
			    pgoff_t i)
{
	struct ttm_kmap_iter_iomap *it =
		container_of(base, struct ttm_kmap_iter_iomap, base);
	resource_size_t offset;

	iomap_seek(it, i);
	offset = (resource_size_t)(i - it->cache.i) << PAGE_SHIFT;
	offset += it->cache.offs;
	iosys_map_set_vaddr_iomem(dmap,
				  io_mapping_map_local_wc(it->iomap, offset));
}

static void iomap_unmap_local(struct ttm_kmap_iter *base, struct iosys_map *map)
{
	io_mapping_unmap_local(map->vaddr_iomem);
}

static const struct ttm_kmap_iter_ops iomap_ops = {
	.unmap_local = iomap_unmap_local,
	.map_local = iomap_map_local,
};

/**
 * ttm_kmap_iter_iomap_init() - iterate over I/O memory listed in an sg_table
 * @iter_io: The iterator.
 * @iomap: The mapping of the whole I/O memory.
 * @st: The pieces of it that make up the resource, each a number of pages.
 * @start: DMA address that corresponds to the start of @iomap.
 *
 * Return: The iterator, for ttm_move_memcpy().
 */
struct ttm_kmap_iter *
ttm_kmap_iter_iomap_init(struct ttm_kmap_iter_iomap *iter_io,
			 struct io_mapping *iomap,
			 struct sg_table *st,
			 resource_size_t start)
{
	*iter_io = (struct ttm_kmap_iter_iomap) {
		.base.ops = &iomap_ops,
		.iomap = iomap,
		.st = st,
		.start = start,
	};
	return &iter_io->base;
}
EXPORT_SYMBOL(ttm_kmap_iter_iomap_init);

static void linear_io_map_local(struct ttm_kmap_iter *base,
				struct iosys_map *dmap, pgoff_t i)
{
	*dmap = container_of(base, struct ttm_kmap_iter_linear_io, base)->dmap;
	iosys_map_incr(dmap, i << PAGE_SHIFT);
}

static const struct ttm_kmap_iter_ops linear_io_ops = {
	.map_local = linear_io_map_local,
};

/* Map all of @mem, with the caching that it asks for or else uncached. */
static int linear_io_map(struct iosys_map *dmap, const struct ttm_resource *mem)
{
	phys_addr_t offset = mem->bus.offset;
	void *vaddr;

	iosys_map_clear(dmap);
	switch (mem->bus.caching) {
	case ttm_cached:
		vaddr = memremap(offset, mem->size,
				 MEMREMAP_WB | MEMREMAP_WT | MEMREMAP_WC);
		iosys_map_set_vaddr(dmap, vaddr);
		break;
	case ttm_write_combined:
		iosys_map_set_vaddr_iomem(dmap, ioremap_wc(offset, mem->size));
		break;
	default:
		break;
	}
	if (iosys_map_is_null(dmap))
		iosys_map_set_vaddr_iomem(dmap, ioremap(offset, mem->size));

	return iosys_map_is_null(dmap) ? -ENOMEM : 0;
}

/**
 * ttm_kmap_iter_linear_io_init() - iterate over contiguous I/O memory
 * @iter_io: The iterator.
 * @bdev: The device.
 * @mem: The resource; must be I/O memory.
 *
 * For TTM's own use. Context: May sleep.
 *
 * Return: The iterator, for ttm_move_memcpy(), to be ended with
 * ttm_kmap_iter_linear_io_fini(); or an error pointer: -EINVAL if @mem is no
 * I/O memory, -ENOMEM, or what reserving it gave.
 */
struct ttm_kmap_iter *
ttm_kmap_iter_linear_io_init(struct ttm_kmap_iter_linear_io *iter_io,
			     struct ttm_device *bdev,
			     struct ttm_resource *mem)
{
	int ret = ttm_mem_io_reserve(bdev, mem);

	if (ret)
		return ERR_PTR(ret);

	iter_io->base.ops = &linear_io_ops;
	iter_io->needs_unmap = !mem->bus.addr;
	if (!mem->bus.is_iomem)
		ret = -EINVAL;
	else if (iter_io->needs_unmap)
		ret = linear_io_map(&iter_io->dmap, mem);
	else
		iosys_map_set_vaddr(&iter_io->dmap, mem->bus.addr);

	if (ret) {
		ttm_mem_io_free(bdev, mem);
		return ERR_PTR(ret);
	}
	return &iter_io->base;
}

/**
 * ttm_kmap_iter_linear_io_fini() - end an iteration
 * @iter_io: The iterator.
 * @bdev: The device.
 * @mem: The resource.
 *
 * For TTM's own use. Context: May sleep.
 */
void
ttm_kmap_iter_linear_io_fini(struct ttm_kmap_iter_linear_io *iter_io,
			     struct ttm_device *bdev,
			     struct ttm_resource *mem)
{
	struct iosys_map *dmap = &iter_io->dmap;

	if (iter_io->needs_unmap && dmap->is_iomem)
		iounmap(dmap->vaddr_iomem);
	else if (iter_io->needs_unmap)
		memunmap(dmap->vaddr);
	ttm_mem_io_free(bdev, mem);
}
