/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * I/O memory and scatterlists, as far as to compile: upstream, the page
 * iterators share a file with the LRU. Here nobody calls them.
 */
#ifndef _STUB_IOMEM_H_
#define _STUB_IOMEM_H_

struct iosys_map {
	void *vaddr_iomem;
	void *vaddr;
	bool is_iomem;
};

struct scatterlist {
	int unused;
};

struct sg_table {
	struct scatterlist *sgl;
};

#define MEMREMAP_WB			1
#define MEMREMAP_WT			2
#define MEMREMAP_WC			4

#define sg_next(sg)			(sg)
#define sg_dma_len(sg)			0UL
#define sg_dma_address(sg)		0UL
#define io_mapping_map_local_wc(m, o)	((void)(m), (void)(o), NULL)
#define io_mapping_unmap_local(p)	((void)(p))
#define iosys_map_set_vaddr_iomem(m, p)	((m)->vaddr_iomem = (p))
#define iosys_map_set_vaddr(m, p)	((m)->vaddr = (p))
#define iosys_map_incr(m, n)		((void)(m), (void)(n))
#define iosys_map_is_null(m)		(!(m)->vaddr)
#define iosys_map_is_set(m)		(!!(m)->vaddr)
#define ioremap(at, size)		((void)(at), NULL)
#define ioremap_wc(at, size)		((void)(at), NULL)
#define memremap(at, size, flags)	((void)(at), NULL)
#define iounmap(p)			((void)(p))
#define memunmap(p)			((void)(p))

#endif
