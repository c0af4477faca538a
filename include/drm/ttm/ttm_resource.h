/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Copyright 2020 Advanced Micro Devices, Inc.
 *
 * Permission is hereby granted, free of charge, to any person obtaining a
 * copy of this software and associated documentation files (the "Software"),
 * to deal in the Software without restriction, including without limitation
 * the rights to use, copy, modify, merge, publish, distribute, sublicense,
 * and/or sell copies of the Software, and to permit persons to whom the
 * Software is furnished to do so, subject to the following conditions:
 *
 * The above copyright notice and this permission notice shall be included in
 * all copies or substantial portions of the Software.
 *
 * THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
 * IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
 * FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT.  IN NO EVENT SHALL
 * THE COPYRIGHT HOLDER(S) OR AUTHOR(S) BE LIABLE FOR ANY CLAIM, DAMAGES OR
 * OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE,
 * ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR
 * OTHER DEALINGS IN THE SOFTWARE.
 *
 * Authors: Christian König
 */
/*
 * TTM resources, their managers, and the LRU lists that walkers follow.
 *
 * The DOC section at the head of drivers/gpu/drm/ttm/ttm_resource.c explains
 * items, hitches, cursors and bulk ranges.
 */
#ifndef _TTM_RESOURCE_H_
#define _TTM_RESOURCE_H_

#include <linux/dma-fence.h>
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
struct ttm_buffer_object;
struct ttm_device;
struct ttm_place;
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
	TTM_LRU_RESOURCE = 1,
	/** @TTM_LRU_HITCH: embedded in a &struct ttm_resource_cursor */
	TTM_LRU_HITCH = 2
};

/**
 * struct ttm_lru_item - a node of an LRU list
 * @link: The list link.
 * @state: What this node is, where, and since when: its &enum ttm_lru_item_type in
 * the lowest bits. ttm_lru_internal.h has the layout of the others.
 *
 * Pins, swap-outs and drivers change a buffer first; the list follows later. Only
 * list operations change @state, so it says where a resource really is.
 *
 * Protected by the device's lru_lock.
 */
struct ttm_lru_item {
	struct list_head link;
	u64 state;
};

/**
 * ttm_lru_item_is_res() - tell resources from hitches
 * @item: A node on an LRU list.
 *
 * Return: true if @item is embedded in a &struct ttm_resource.
 */
static inline bool ttm_lru_item_is_res(const struct ttm_lru_item *item)
{
	return !(item->state & TTM_LRU_HITCH);
}

/**
 * struct ttm_resource_manager_func - functions of a manager of a memory type
 */
struct ttm_resource_manager_func {
	/**
	 * @alloc: Find space for @bo as @place asks, call ttm_resource_init()
	 * and return the resource in @res with its start set. May sleep; takes
	 * the manager's own locks. Returns 0, -ENOSPC if there is no room
	 * (other buffers may then be evicted), or another negative error.
	 */
	int  (*alloc)(struct ttm_resource_manager *man,
		      struct ttm_buffer_object *bo,
		      const struct ttm_place *place,
		      struct ttm_resource **res);

	/**
	 * @free: Call ttm_resource_fini() and free the space that @alloc took.
	 * May sleep.
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
 * struct ttm_lru_stats - counts of what walks over a manager's buffers did, for tests
 * @holds: Holds of the lru_lock.
 * @examined: Resources that were looked at.
 * @longest: The most resources that were looked at in one hold.
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
	/**
	 * @func: The manager's functions. Constant. A resource must be on the
	 * LRU, by ttm_resource_init(), for as long as it takes space: otherwise
	 * eviction cannot find that space, and fails although it could be freed.
	 */
	const struct ttm_resource_manager_func *func;

	/** @eviction_lock: Protects @eviction_fences. */
	spinlock_t eviction_lock;
	/** @eviction_fences: Fences of the last pipelined moves, or %NULL. */
	struct dma_fence *eviction_fences[TTM_NUM_MOVE_FENCES];

	/** @lru: A list for each priority, protected by the lru_lock. */
	struct list_head lru[TTM_MAX_BO_PRIORITY];

	/**
	 * @lru_clock: Bounded walks so far, in units of %TTM_LRU_TICK. Protected
	 * by the lru_lock.
	 */
	u64 lru_clock;

	/**
	 * @lru_entries: How many resources entered so far. A resource that
	 * enters may be behind the hitch of a walk in progress, which then does
	 * not see it. Protected by the lru_lock.
	 */
	u64 lru_entries;

	/**
	 * @lru_newest: The buffer whose new resource entered last, or %NULL if
	 * the last one to enter was not new. Only compared. Protected by the
	 * lru_lock.
	 */
	const struct ttm_buffer_object *lru_newest;

	/** @usage: Bytes of all resources, protected by the lru_lock. */
	u64 usage;

	/** @cg: The region that memory is accounted to, or %NULL. */
	struct dmem_cgroup_region *cg;

#ifdef CONFIG_DRM_TTM_LRU_DEBUG
	/** @lru_ops: List operations so far, protected by the lru_lock. */
	unsigned long lru_ops;
	/** @lru_check_at: Value of @lru_ops at which whole lists are checked. */
	unsigned long lru_check_at;
	/** @lru_stats: For tests, protected by the lru_lock. */
	struct ttm_lru_stats lru_stats;
#endif
};

/**
 * struct ttm_bus_placement - where a resource appears on the I/O bus
 * @addr: Virtual address if mapped, or %NULL.
 * @offset: Physical address.
 * @is_iomem: Whether it is I/O memory.
 * @caching: How to map it.
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
	/**
	 * @lru: Node on &ttm_resource_manager.lru or the unevictable list. It is
	 * the first member, and @bo follows, as each step of a walk reads both.
	 */
	struct ttm_lru_item lru;
	/**
	 * @bo: The buffer object; not a counted reference, protected by the
	 * lru_lock. %NULL for space that a driver took for itself.
	 */
	struct ttm_buffer_object *bo;
	/** @size: Size in bytes. */
	size_t size;
	/** @mem_type: The memory type. */
	u32 mem_type;
	/** @placement: TTM_PL_FLAG_* it was allocated with. */
	u32 placement;
	/** @start: Start of the space, in the manager's units. */
	unsigned long start;
	/** @bus: How the CPU reaches it. */
	struct ttm_bus_placement bus;
	/** @css: The cgroup's part that the space is charged to, or %NULL. */
	struct dmem_cgroup_pool_state *css;
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
 */
struct ttm_lru_bulk_move_pos {
	struct ttm_resource *first;
	struct ttm_resource *last;
};

/**
 * struct ttm_lru_bulk_move - buffers that move to the tail together
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
 * @list: The manager's list at the hitch's priority, which is walked. Points behind
 * the manager's last list if the cursor is in no walk.
 * @hitch: Node that keeps the walk's place while the lru_lock isn't held.
 * @at: The node behind which the walk continues: the hitch while the cursor is
 * paused, else the node that it has advanced to.
 * @bulk_link: Link in &ttm_lru_bulk_move.cursor_list while registered.
 * @range: The range that the hitch is registered with, or %NULL.
 * @lru_ops: Debugging: &ttm_resource_manager.lru_ops when @at was set.
 * @cookie: Debugging: pins the lru_lock while the hitch is left behind.
 *
 * All members are private. Protected by the lru_lock.
 */
struct ttm_resource_cursor {
	struct list_head *list;
	struct ttm_lru_item hitch;
	struct list_head *at;
	struct list_head bulk_link;
	struct ttm_lru_bulk_move_pos *range;
#ifdef CONFIG_DRM_TTM_LRU_DEBUG
	unsigned long lru_ops;
	struct pin_cookie cookie;
#endif
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

/* Walks over a manager's resources */
void ttm_resource_cursor_init(struct ttm_resource_cursor *cursor,
			      struct ttm_resource_manager *man);
void ttm_resource_cursor_init_bounded(struct ttm_resource_cursor *cursor,
				      struct ttm_resource_manager *man);
void ttm_resource_cursor_fini(struct ttm_resource_cursor *cursor);
struct ttm_resource *
ttm_resource_manager_first(struct ttm_resource_cursor *cursor);
struct ttm_resource *
ttm_resource_manager_next(struct ttm_resource_cursor *cursor);

/**
 * ttm_resource_manager_for_each_res() - walk all evictable resources
 * @cursor: An initialized &struct ttm_resource_cursor.
 * @res: The current resource.
 *
 * Hold the lru_lock at each step; it may be dropped in between. A caller that
 * leaves the loop early must end the walk with ttm_resource_cursor_fini().
 */
#define ttm_resource_manager_for_each_res(cursor, res)			\
	for (struct ttm_resource_cursor *__cursor =			\
		     ttm_resource_cursor_restart(cursor);		\
	     ((res) = ttm_resource_manager_next(__cursor));)

/*
 * For walkers that look at many resources in one hold of the lock: a step writes
 * nothing to the list, and the walker must pause before it unlocks.
 */
struct ttm_resource_cursor *
ttm_resource_cursor_restart(struct ttm_resource_cursor *cursor);
void ttm_resource_cursor_pause(struct ttm_resource_cursor *cursor);
void ttm_resource_cursor_skip_bulk(struct ttm_resource_cursor *cursor);
struct ttm_resource *
__ttm_resource_cursor_advance(struct ttm_resource_cursor *cursor);

#ifdef CONFIG_LOCKDEP
void ttm_resource_cursor_assert_locked(const struct ttm_resource_cursor *cursor);
#else
static inline void
ttm_resource_cursor_assert_locked(const struct ttm_resource_cursor *cursor)
{
}
#endif

/**
 * ttm_resource_cursor_is_next() - is the next node simply the next resource?
 * @cursor: The cursor.
 * @item: The node that follows &ttm_resource_cursor.at, or the list's head.
 *
 * The lowest bytes of a resource and of the hitch of an unbounded walk have no bit in
 * common. The hitch of a bounded walk shares one with every resource, as such a walk
 * must look at the resource's stamp.
 *
 * Return: true if the walk's next step is to @item; false if there is more to
 * look at.
 */
static inline bool
ttm_resource_cursor_is_next(const struct ttm_resource_cursor *cursor,
			    const struct ttm_lru_item *item)
{
	return &item->link != cursor->list &&
	       !((u8)item->state & (u8)cursor->hitch.state);
}

/**
 * ttm_resource_cursor_advance_to() - step, unless the walk has ended
 * @cursor: The cursor.
 * @res: Set to the result of ttm_resource_cursor_advance().
 *
 * Context: As ttm_resource_cursor_advance().
 *
 * Return: true if there is a next resource.
 */
static __always_inline bool
ttm_resource_cursor_advance_to(struct ttm_resource_cursor *cursor,
			       struct ttm_resource **res)
{
#ifndef CONFIG_DRM_TTM_LRU_DEBUG
	struct ttm_lru_item *item = list_entry(cursor->at->next,
					       struct ttm_lru_item, link);

	ttm_resource_cursor_assert_locked(cursor);
	if (likely(ttm_resource_cursor_is_next(cursor, item))) {
		cursor->at = &item->link;
		*res = ttm_lru_item_to_res(item);
		return true;
	}
#endif
	*res = __ttm_resource_cursor_advance(cursor);
	return *res;
}

/**
 * ttm_resource_cursor_advance() - step to the next resource and leave the hitch behind
 * @cursor: The cursor.
 *
 * Step without writing to the list; only at the end of a list, take the hitch off
 * it. Call ttm_resource_cursor_pause() before the lock is dropped and before any
 * list operation.
 *
 * Context: &ttm_device.lru_lock held. O(1) plus the hitches passed. A bounded walk
 * also passes, one by one, resources that have left a range since it began, or
 * whose range was made or lost its first member since then.
 *
 * Return: The next resource, or %NULL if the walk has ended or @cursor is in
 * none. Further calls then return %NULL too, and the hitch is on no list.
 */
static inline struct ttm_resource *
ttm_resource_cursor_advance(struct ttm_resource_cursor *cursor)
{
	struct ttm_resource *res;

	return ttm_resource_cursor_advance_to(cursor, &res) ? res : NULL;
}

/**
 * ttm_resource_cursor_for_each() - continue a walk while the lock is held
 * @cursor: A cursor that is in a walk, see ttm_resource_cursor_restart().
 * @res: The current resource.
 *
 * The cheapest loop: a few instructions for each resource. In it, and after a break,
 * call ttm_resource_cursor_pause() before the &ttm_device.lru_lock is dropped and
 * before any list operation.
 */
#define ttm_resource_cursor_for_each(cursor, res)			\
	for (; ttm_resource_cursor_advance_to(cursor, &(res));)

/* Bulk moves */
void ttm_lru_bulk_move_init(struct ttm_lru_bulk_move *bulk);
void ttm_lru_bulk_move_tail(struct ttm_lru_bulk_move *bulk);
void ttm_lru_bulk_move_fini(struct ttm_device *bdev,
			    struct ttm_lru_bulk_move *bulk);

/* Life of a resource */
void ttm_resource_init(struct ttm_buffer_object *bo,
		       const struct ttm_place *place,
		       struct ttm_resource *res);
void ttm_resource_fini(struct ttm_resource_manager *man,
		       struct ttm_resource *res);
int ttm_resource_alloc(struct ttm_buffer_object *bo,
		       const struct ttm_place *place,
		       struct ttm_resource **res,
		       struct dmem_cgroup_pool_state *charge_pool);
void ttm_resource_free(struct ttm_buffer_object *bo, struct ttm_resource **res);

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

#endif
