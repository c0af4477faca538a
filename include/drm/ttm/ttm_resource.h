/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * TTM resources, their managers, and the LRU lists that walkers follow.
 *
 * The model (items, hitches, cursors and bulk ranges) is taught in the DOC
 * section at the head of drivers/gpu/drm/ttm/ttm_resource.c.
 */
#ifndef _TTM_RESOURCE_H_
#define _TTM_RESOURCE_H_

#include <linux/dma-fence.h>
#include <linux/iosys-map.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/types.h>

#include <drm/ttm/ttm_caching.h>
#include <drm/ttm/ttm_kmap_iter.h>

/* Lists per manager; buffers of a lower priority are evicted first. */
#define TTM_MAX_BO_PRIORITY	4U
/* Memory types per device. */
#define TTM_NUM_MEM_TYPES 9

struct dentry;
struct dmem_cgroup_device;
struct dmem_cgroup_pool_state;
struct dmem_cgroup_region;
struct drm_printer;
struct io_mapping;
struct scatterlist;
struct sg_table;
struct ttm_buffer_object;
struct ttm_device;
struct ttm_place;
struct ttm_placement;
struct ttm_resource;
struct ttm_resource_manager;

/**
 * define TTM_NUM_MOVE_FENCES - move fences that a manager can remember
 *
 * A driver may spread its pipelined evictions over this many entities.
 */
#define TTM_NUM_MOVE_FENCES 8

/**
 * enum ttm_lru_item_type - what kind of node a &struct ttm_lru_item is
 */
enum ttm_lru_item_type {
	/** @TTM_LRU_RESOURCE: embedded in a &struct ttm_resource */
	TTM_LRU_RESOURCE,
	/** @TTM_LRU_HITCH: embedded in a &struct ttm_resource_cursor */
	TTM_LRU_HITCH
};

/**
 * enum ttm_lru_place - where the last list operation put a resource
 */
enum ttm_lru_place {
	/** @TTM_LRU_OFF: on no list */
	TTM_LRU_OFF,
	/** @TTM_LRU_UNEVICTABLE: on &ttm_device.unevictable */
	TTM_LRU_UNEVICTABLE,
	/** @TTM_LRU_LOOSE: on its manager's list, in no bulk range */
	TTM_LRU_LOOSE,
	/** @TTM_LRU_RANGE: on its manager's list, in its buffer's bulk range */
	TTM_LRU_RANGE
};

/**
 * struct ttm_lru_item - a node of an LRU list
 * @link: The list link.
 * @type: Which kind of node this is, an &enum ttm_lru_item_type.
 * @place: Resources: where the node is, an &enum ttm_lru_place.
 * @priority: The priority of the list that the node is on. A cursor that is in
 * no walk has %TTM_MAX_BO_PRIORITY here.
 * @mem_type: Hitches: the memory type of the range they are registered with.
 * @bounded: Hitches: the walks are bounded.
 * @at_tail: Resources: at @stamp it went to the list's tail, so what is behind
 * it has moved since.
 * @stamp: Resources: &ttm_resource_manager.lru_clock when this one moved last by
 * itself. Hitches: the same when their bounded walk started.
 *
 * Pins, swaps and drivers change a buffer first and tell the list later. What
 * is stored here is the list's own word, changed by list operations alone.
 * Protected by the device's lru_lock.
 */
struct ttm_lru_item {
	struct list_head link;
	u64 type : 1;
	u64 place : 2;
	u64 priority : 3;
	u64 mem_type : 4;
	u64 bounded : 1;
	u64 at_tail : 1;
	u64 stamp : 52;
};

/**
 * ttm_lru_item_init() - make a node that is on no list
 * @item: The node.
 * @type: Its kind.
 */
static inline void ttm_lru_item_init(struct ttm_lru_item *item,
				     enum ttm_lru_item_type type)
{
	*item = (struct ttm_lru_item) { .type = type };
	INIT_LIST_HEAD(&item->link);
}

/**
 * ttm_lru_item_is_res() - tell resources from hitches
 * @item: A node on an LRU list.
 *
 * Return: true if @item is embedded in a &struct ttm_resource.
 */
static inline bool ttm_lru_item_is_res(const struct ttm_lru_item *item)
{
	return item->type == TTM_LRU_RESOURCE;
}

/**
 * struct ttm_resource_manager_func - what a manager of a memory type can do
 */
struct ttm_resource_manager_func {
	/**
	 * @alloc: Find space for @bo as @place asks, call ttm_resource_init()
	 * and return the resource in @res with its start set. May sleep; locks
	 * what it needs by itself. Returns 0, -ENOSPC if there is no room
	 * (other buffers may then be evicted), or another negative error.
	 */
	int  (*alloc)(struct ttm_resource_manager *man,
		      struct ttm_buffer_object *bo,
		      const struct ttm_place *place,
		      struct ttm_resource **res);

	/**
	 * @free: Call ttm_resource_fini() and give back what @alloc took. May
	 * sleep.
	 */
	void (*free)(struct ttm_resource_manager *man,
		     struct ttm_resource *res);

	/**
	 * @intersects: Whether evicting @res could make room for @size bytes
	 * in @place. Optional; without it every eviction is worth it.
	 */
	bool (*intersects)(struct ttm_resource_manager *man,
			   struct ttm_resource *res,
			   const struct ttm_place *place,
			   size_t size);

	/**
	 * @compatible: Whether @res, of @size bytes, already satisfies @place
	 * and needs no move. Optional; without it the memory type decides.
	 */
	bool (*compatible)(struct ttm_resource_manager *man,
			   struct ttm_resource *res,
			   const struct ttm_place *place,
			   size_t size);

	/** @debug: Print the manager's state. May sleep. Optional. */
	void (*debug)(struct ttm_resource_manager *man,
		      struct drm_printer *printer);
};

/**
 * struct ttm_lru_stats - what walks over a manager's buffers did, for tests
 * @holds: Holds of the lru_lock.
 * @examined: Resources that were looked at.
 * @longest: Most of them in one hold.
 * @trylocks: Reservations that were tried.
 * @parked: Hitches that were put into the list.
 */
struct ttm_lru_stats {
	u64 holds;
	u64 examined;
	u64 longest;
	u64 trylocks;
	u64 parked;
};

/**
 * struct ttm_resource_manager - a memory type of a device
 */
struct ttm_resource_manager {
	/** @use_type: The memory type is enabled. Constant from start. */
	bool use_type;
	/** @use_tt: Its buffers are backed by a &struct ttm_tt. Constant. */
	bool use_tt;
	/** @bdev: The device this manager belongs to. Constant. */
	struct ttm_device *bdev;
	/** @size: Size of the managed space, in the manager's own units. */
	u64 size;
	/** @func: The manager's functions. Constant. */
	const struct ttm_resource_manager_func *func;

	/** @eviction_lock: Protects @eviction_fences. */
	spinlock_t eviction_lock;
	/** @eviction_fences: Fences of the last pipelined moves, or %NULL. */
	struct dma_fence *eviction_fences[TTM_NUM_MOVE_FENCES];

	/** @lru: A list for each priority, protected by the lru_lock. */
	struct list_head lru[TTM_MAX_BO_PRIORITY];

	/** @lru_clock: Bounded walks so far, protected by the lru_lock. */
	u64 lru_clock;

	/** @usage: Bytes of all resources, protected by the lru_lock. */
	u64 usage;

	/** @cg: The region that memory is accounted to, or %NULL. */
	struct dmem_cgroup_region *cg;

#ifdef CONFIG_DRM_TTM_LRU_DEBUG
	/** @lru_ops: List operations so far, protected by the lru_lock. */
	unsigned long lru_ops;
	/** @lru_check_at: Value of @lru_ops that checks the lists whole. */
	unsigned long lru_check_at;
	/** @lru_stats: For tests, protected by the lru_lock. */
	struct ttm_lru_stats lru_stats;
#endif
};

/**
 * struct ttm_bus_placement - where a resource appears on the I/O bus
 * @addr: Virtual address if mapped, or %NULL.
 * @offset: Physical address.
 * @is_iomem: It is I/O memory.
 * @caching: How it is to be mapped.
 */
struct ttm_bus_placement {
	void			*addr;
	phys_addr_t		offset;
	bool			is_iomem;
	enum ttm_caching	caching;
};

/**
 * struct ttm_resource - space in a memory type, used by a buffer object
 */
struct ttm_resource {
	/** @start: Start of the space, in the manager's units. */
	unsigned long start;
	/** @size: Size in bytes. */
	size_t size;
	/** @mem_type: The memory type. */
	u32 mem_type;
	/** @placement: TTM_PL_FLAG_* it was allocated with. */
	u32 placement;
	/** @bus: How the CPU reaches it. */
	struct ttm_bus_placement bus;
	/**
	 * @bo: The buffer object; not a counted reference, protected by the
	 * lru_lock. %NULL for space that a driver took for itself.
	 */
	struct ttm_buffer_object *bo;
	/** @css: What the space is charged to, or %NULL. */
	struct dmem_cgroup_pool_state *css;
	/** @lru: Node on &ttm_resource_manager.lru or the unevictable list. */
	struct ttm_lru_item lru;
};

/**
 * ttm_lru_item_to_res() - the resource that a node is part of
 * @item: A node for which ttm_lru_item_is_res() holds.
 *
 * Return: The resource that embeds @item.
 */
static inline struct ttm_resource *
ttm_lru_item_to_res(struct ttm_lru_item *item)
{
	return container_of(item, struct ttm_resource, lru);
}

/**
 * struct ttm_lru_bulk_move_pos - a bulk range, the sublist of one list
 * @first: First member on the list, %NULL while the range is empty.
 * @last: Last member on the list, %NULL while the range is empty.
 * @stamp: &ttm_resource_manager.lru_clock when the range went to the tail last.
 */
struct ttm_lru_bulk_move_pos {
	struct ttm_resource *first;
	struct ttm_resource *last;
	u64 stamp;
};

/**
 * struct ttm_lru_bulk_move - buffers that go to the tail together
 * @pos: A range for each memory type and priority.
 * @cursor_list: Cursors whose hitch lies strictly inside one of the ranges.
 *
 * All members must share one reservation object. Buffers join and leave with
 * ttm_bo_set_bulk_move(). Protected by the lru_lock.
 */
struct ttm_lru_bulk_move {
	struct ttm_lru_bulk_move_pos pos[TTM_NUM_MEM_TYPES][TTM_MAX_BO_PRIORITY];
	struct list_head cursor_list;
};

/**
 * struct ttm_resource_cursor - a place in a walk over a manager's resources
 * @man: The manager whose lists are walked.
 * @hitch: Node that keeps the walk's place while the lru_lock isn't held.
 * @bulk_link: Link in &ttm_lru_bulk_move.cursor_list while registered.
 * @bulk: The bulk this cursor is registered with, or %NULL.
 * @at: Set between an advance and the pause that follows: the node behind
 * which the walk goes on. %NULL while the hitch tells that.
 * @lru_ops: Debugging: &ttm_resource_manager.lru_ops when @at was set.
 * @cookie: Debugging: pins the lru_lock while @at is set.
 *
 * All members are private. Protected by the lru_lock.
 */
struct ttm_resource_cursor {
	struct ttm_resource_manager *man;
	struct ttm_lru_item hitch;
	struct list_head bulk_link;
	struct ttm_lru_bulk_move *bulk;
	struct list_head *at;
#ifdef CONFIG_DRM_TTM_LRU_DEBUG
	unsigned long lru_ops;
	struct pin_cookie cookie;
#endif
};

/**
 * struct ttm_kmap_iter_iomap - page iterator over I/O memory in an sg_table
 * @base: What users of the iterator see.
 * @iomap: The mapping of the whole I/O memory.
 * @st: The pieces of @iomap that make up the resource.
 * @start: DMA address that corresponds to the start of @iomap.
 * @cache: The piece that was looked up last.
 * @cache.sg: Its entry in @st, or %NULL.
 * @cache.i: Its first page.
 * @cache.end: The page behind its last.
 * @cache.offs: Its offset in @iomap, in bytes.
 */
struct ttm_kmap_iter_iomap {
	struct ttm_kmap_iter base;
	struct io_mapping *iomap;
	struct sg_table *st;
	resource_size_t start;
	struct {
		struct scatterlist *sg;
		pgoff_t i;
		pgoff_t end;
		pgoff_t offs;
	} cache;
};

/**
 * struct ttm_kmap_iter_linear_io - page iterator over contiguous I/O memory
 * @base: What users of the iterator see.
 * @dmap: The mapping of the whole resource.
 * @needs_unmap: The iterator made @dmap and has to undo it.
 */
struct ttm_kmap_iter_linear_io {
	struct ttm_kmap_iter base;
	struct iosys_map dmap;
	bool needs_unmap;
};

/**
 * ttm_resource_manager_set_used() - enable or disable a memory type
 * @man: The manager; none of its lists may have a node.
 * @used: Whether buffers may be placed in it.
 */
static inline void
ttm_resource_manager_set_used(struct ttm_resource_manager *man, bool used)
{
	struct list_head *lru = man->lru;

	while (lru < man->lru + TTM_MAX_BO_PRIORITY)
		WARN_ON(!list_empty(lru++));
	man->use_type = used;
}

/**
 * ttm_resource_manager_used() - whether a memory type is enabled
 * @man: The manager.
 *
 * Return: true if buffers may be placed in it.
 */
static inline bool ttm_resource_manager_used(struct ttm_resource_manager *man)
{
	return man->use_type;
}

/**
 * ttm_resource_manager_cleanup() - forget the move fences
 * @man: The manager, no longer in use.
 */
static inline void
ttm_resource_manager_cleanup(struct ttm_resource_manager *man)
{
	for (int i = 0; i < TTM_NUM_MOVE_FENCES; i++) {
		dma_fence_put(man->eviction_fences[i]);
		man->eviction_fences[i] = NULL;
	}
}

/* Walking */
void ttm_resource_cursor_init(struct ttm_resource_cursor *cursor,
			      struct ttm_resource_manager *man);
void ttm_resource_cursor_init_bounded(struct ttm_resource_cursor *cursor,
				      struct ttm_resource_manager *man);
void ttm_resource_cursor_fini(struct ttm_resource_cursor *cursor);
struct ttm_resource_cursor *
ttm_resource_cursor_restart(struct ttm_resource_cursor *cursor);
struct ttm_resource *
ttm_resource_cursor_advance(struct ttm_resource_cursor *cursor);
struct ttm_resource *
ttm_resource_cursor_advance_within(struct ttm_resource_cursor *cursor,
				   unsigned long *budget);
void ttm_resource_cursor_pause(struct ttm_resource_cursor *cursor);
void ttm_resource_cursor_skip_bulk(struct ttm_resource_cursor *cursor);
bool ttm_resource_in_shared_bulk(const struct ttm_resource *res);
struct ttm_resource *
ttm_resource_manager_first(struct ttm_resource_cursor *cursor);
struct ttm_resource *
ttm_resource_manager_next(struct ttm_resource_cursor *cursor);
void
ttm_resource_manager_visit_lru(struct ttm_resource_manager *man,
			       void (*visit)(const struct ttm_lru_item *item,
					     void *arg),
			       void *arg);
struct ttm_resource *
ttm_lru_first_res_or_null(struct list_head *head);
void ttm_unevictable_walk_start(struct ttm_device *bdev,
				u64 since[TTM_NUM_MEM_TYPES]);
struct ttm_resource *
ttm_unevictable_walk_next(struct ttm_device *bdev,
			  const u64 since[TTM_NUM_MEM_TYPES]);

/**
 * ttm_resource_manager_for_each_res() - walk all evictable resources
 * @cursor: An initialized &struct ttm_resource_cursor.
 * @res: The current resource.
 *
 * The lru_lock must be held at each step and may be dropped in between. A
 * caller that leaves the loop early ends the walk with
 * ttm_resource_cursor_fini().
 */
#define ttm_resource_manager_for_each_res(cursor, res)			\
	for (struct ttm_resource_cursor *__cursor =			\
		     ttm_resource_cursor_restart(cursor);		\
	     ((res) = ttm_resource_manager_next(__cursor));)

/* Bulk moves */
void ttm_lru_bulk_move_init(struct ttm_lru_bulk_move *bulk);
void ttm_lru_bulk_move_tail(struct ttm_lru_bulk_move *bulk);
void ttm_lru_bulk_move_fini(struct ttm_device *bdev,
			    struct ttm_lru_bulk_move *bulk);

/* List operations on a resource */
void ttm_resource_add_bulk_move(struct ttm_resource *res,
				struct ttm_buffer_object *bo);
void ttm_resource_del_bulk_move(struct ttm_resource *res,
				struct ttm_buffer_object *bo);
void ttm_resource_del_bulk_move_unevictable(struct ttm_resource *res,
					    struct ttm_buffer_object *bo);
void ttm_resource_move_to_lru_tail(struct ttm_resource *res);
void ttm_resource_set_bo(struct ttm_resource *res,
			 struct ttm_buffer_object *bo);

/* Life of a resource */
void ttm_resource_init(struct ttm_buffer_object *bo,
		       const struct ttm_place *place,
		       struct ttm_resource *res);
void ttm_resource_fini(struct ttm_resource_manager *man,
		       struct ttm_resource *res);
int ttm_resource_try_charge(struct ttm_buffer_object *bo,
			    const struct ttm_place *place,
			    struct dmem_cgroup_pool_state **ret_pool,
			    struct dmem_cgroup_pool_state **ret_limit_pool);
int ttm_resource_alloc(struct ttm_buffer_object *bo,
		       const struct ttm_place *place,
		       struct ttm_resource **res,
		       struct dmem_cgroup_pool_state *charge_pool);
void ttm_resource_free(struct ttm_buffer_object *bo, struct ttm_resource **res);
bool ttm_resource_intersects(struct ttm_device *bdev,
			     struct ttm_resource *res,
			     const struct ttm_place *place,
			     size_t size);
bool ttm_resource_compatible(struct ttm_resource *res,
			     struct ttm_placement *placement,
			     bool evicting);

/* Managers */
void ttm_resource_manager_init(struct ttm_resource_manager *man,
			       struct ttm_device *bdev,
			       u64 size);
int ttm_resource_manager_evict_all(struct ttm_device *bdev,
				   struct ttm_resource_manager *man);
u64 ttm_resource_manager_usage(struct ttm_resource_manager *man);
void ttm_resource_manager_debug(struct ttm_resource_manager *man,
				struct drm_printer *p);
void ttm_resource_manager_create_debugfs(struct ttm_resource_manager *man,
					 struct dentry *parent,
					 const char *name);
void ttm_resource_manager_set_dmem_region(struct ttm_resource_manager *man,
					  struct dmem_cgroup_region *region);
int ttm_resource_manager_dmem_reclaim(struct dmem_cgroup_pool_state *pool,
				      u64 target_bytes, void *priv);

/* Page iterators for ttm_move_memcpy() */
struct ttm_kmap_iter *
ttm_kmap_iter_iomap_init(struct ttm_kmap_iter_iomap *iter_io,
			 struct io_mapping *iomap,
			 struct sg_table *st,
			 resource_size_t start);
struct ttm_kmap_iter *
ttm_kmap_iter_linear_io_init(struct ttm_kmap_iter_linear_io *iter_io,
			     struct ttm_device *bdev,
			     struct ttm_resource *mem);
void ttm_kmap_iter_linear_io_fini(struct ttm_kmap_iter_linear_io *iter_io,
				  struct ttm_device *bdev,
				  struct ttm_resource *mem);

#endif
