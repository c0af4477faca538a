/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What TTM is built on: GEM objects, pages, cgroups, debugfs. All hollow. */
#ifndef _STUB_DRM_H_
#define _STUB_DRM_H_

struct dentry;
struct dmem_cgroup_pool_state;
struct dmem_cgroup_region;
struct drm_device;
struct drm_vma_offset_manager;
struct ttm_buffer_object;
struct ttm_device;
struct ttm_operation_ctx;
struct vm_area_struct;
struct vm_fault;

struct drm_vma_offset_node {
	int unused;
};

struct drm_gem_object {
	struct drm_device *dev;
	size_t size;
	struct dma_resv *resv;
	struct dma_resv _resv;
	struct drm_vma_offset_node vma_node;
};

struct kref {
	int refs;
};

struct work_struct {
	int unused;
};

struct list_lru {
	int unused;
};

struct drm_printer {
	int unused;
};

struct seq_file {
	void *private;
};

static inline void drm_vma_node_reset(struct drm_vma_offset_node *node)
{
}

static inline void kref_init(struct kref *kref)
{
	kref->refs = 1;
}

static inline int kref_read(const struct kref *kref)
{
	return kref->refs;
}

static inline int kref_get_unless_zero(struct kref *kref)
{
	return kref->refs ? ++kref->refs : 0;
}

static inline void kref_get(struct kref *kref)
{
	kref->refs++;
}

static inline int kref_put(struct kref *kref, void (*release)(struct kref *))
{
	WARN_ON(!kref->refs);
	if (--kref->refs)
		return 0;
	release(kref);
	return 1;
}

/* Transferred buffers are made here; the harness takes them over at once. */
void *stub_alloc(size_t size);

/* No driver is a module. */
struct ttm_device;

static inline void ttm_ghost_hold(struct ttm_device *bdev) { }
static inline void ttm_ghost_release(struct ttm_device *bdev) { }

static inline bool ttm_driver_enter(struct ttm_device *bdev, int *idx)
{
	return true;
}

static inline void ttm_driver_exit(int idx) { }

#define kmalloc_obj(obj)	stub_alloc(sizeof(obj))
#define kfree(ptr)		((void)(ptr))
#ifdef JUDGED
void *stub_realloc(void *ptr, size_t size);
#define kvrealloc(ptr, size, gfp)	stub_realloc(ptr, size)
#else
#define kvrealloc(ptr, size, gfp)	realloc(ptr, size)
#endif
#define kvfree(ptr)		free(ptr)

static inline int
dmem_cgroup_try_charge(struct dmem_cgroup_region *region, u64 size,
		       struct dmem_cgroup_pool_state **pool,
		       struct dmem_cgroup_pool_state **limit)
{
	return 0;
}

static inline void dmem_cgroup_uncharge(struct dmem_cgroup_pool_state *pool,
					u64 size)
{
}

static inline void
dmem_cgroup_pool_state_put(struct dmem_cgroup_pool_state *pool)
{
}

static inline struct dmem_cgroup_pool_state *
dmem_cgroup_get_common_ancestor(struct dmem_cgroup_pool_state *a,
				struct dmem_cgroup_pool_state *b)
{
	return NULL;
}

static inline bool
dmem_cgroup_state_evict_valuable(struct dmem_cgroup_pool_state *limit,
				 struct dmem_cgroup_pool_state *owner,
				 bool ignore_low, bool *hit_low)
{
	return true;
}

#define dmem_cgroup_below_min(root, pool)	((void)(pool), false)
#define dmem_cgroup_below_low(root, pool)	((void)(pool), false)

#define drm_vma_offset_remove(manager, node)	((void)(manager), (void)(node))
#define want_init_on_free()			false
#define INIT_WORK(work, func)			((void)(func))

static inline void stub_print(struct drm_printer *p, ...)
{
}

#define drm_seq_file_printer(m)	((void)(m), (struct drm_printer) {})
#define drm_printf(p, fmt, ...)	stub_print(p, ##__VA_ARGS__)
#define DEFINE_SHOW_ATTRIBUTE(name)					\
	static int (*const name##_fops)(struct seq_file *, void *) = name##_show
#define debugfs_create_file(name, mode, parent, data, fops)		\
	((void)(name), (void)(parent), (void)(data), (void)(fops))

#endif
