/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The inside of the LRU lists: the layout of a node's state, and operations on
 * resources and cursors for the files of this folder. Drivers in C need none of it.
 */
#ifndef _TTM_LRU_INTERNAL_H_
#define _TTM_LRU_INTERNAL_H_

#include <linux/bitfield.h>
#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/err.h>
#include <linux/limits.h>

#include <drm/ttm/ttm_device.h>
#include <drm/ttm/ttm_resource.h>

struct dmem_cgroup_pool_state;
struct ttm_placement;

/**
 * enum ttm_lru_place - where the last list operation put a resource
 */
enum ttm_lru_place {
	/** @TTM_LRU_OFF: on no list */
	TTM_LRU_OFF = 0,
	/** @TTM_LRU_RANGE: on its manager's list, in its buffer's bulk range */
	TTM_LRU_RANGE = 1,
	/** @TTM_LRU_LOOSE: on its manager's list, in no bulk range */
	TTM_LRU_LOOSE = 2,
	/** @TTM_LRU_UNEVICTABLE: on &ttm_device.unevictable */
	TTM_LRU_UNEVICTABLE = 4
};

/*
 * &ttm_lru_item.state of a node. A hitch and a resource both have the type and the
 * stamp; each other field belongs to one of them.
 *
 * %TTM_LRU_BOUNDED: hitch: its walk is bounded. All resources have this bit as well, so
 * one AND of both lowest bytes tells whether a walk may take a node as it is. See
 * ttm_resource_cursor_is_next().
 * %TTM_LRU_PRIORITY, %TTM_LRU_PLACE: resource: its list.
 * %TTM_LRU_AT_TAIL: resource: at its stamp it moved to the tail of its list; for the
 * first member of a range, the whole range did. The resources behind have moved since.
 * %TTM_LRU_HITCH_PRIORITY: hitch: its list; %TTM_MAX_BO_PRIORITY for a cursor in no
 * walk.
 * %TTM_LRU_STAMP: resource: &ttm_resource_manager.lru_clock when it last moved alone;
 * for the first member of a range, also when the range last moved. Hitch: the clock
 * when its bounded walk began. The highest bits, so the later of two states is greater.
 */
#define TTM_LRU_TYPE		GENMASK_ULL(1, 0)
#define TTM_LRU_BOUNDED		BIT_ULL(2)
#define TTM_LRU_PRIORITY	GENMASK_ULL(6, 4)
#define TTM_LRU_PLACE		GENMASK_ULL(9, 7)
#define TTM_LRU_AT_TAIL		BIT_ULL(10)
#define TTM_LRU_HITCH_PRIORITY	GENMASK_ULL(13, 11)
#define TTM_LRU_STAMP		GENMASK_ULL(63, 16)
#define TTM_LRU_TICK		BIT_ULL(16)

/* As FIELD_PREP(), but the caller knows that @val fits: one instruction less. */
#define TTM_LRU_FIELD(mask, val)	((u64)(val) << __bf_shf(mask))
#define TTM_LRU_MEMBER			TTM_LRU_FIELD(TTM_LRU_PLACE, TTM_LRU_RANGE)

/* Each value fits into its field. */
static_assert(!((TTM_LRU_RESOURCE | TTM_LRU_HITCH) & ~TTM_LRU_TYPE));
static_assert(!(TTM_LRU_FIELD(TTM_LRU_PLACE, TTM_LRU_UNEVICTABLE) & ~TTM_LRU_PLACE));
static_assert(!(TTM_LRU_FIELD(TTM_LRU_PRIORITY, TTM_MAX_BO_PRIORITY - 1) &
		~TTM_LRU_PRIORITY));
static_assert(!(TTM_LRU_FIELD(TTM_LRU_HITCH_PRIORITY, TTM_MAX_BO_PRIORITY) &
		~TTM_LRU_HITCH_PRIORITY));
/* A stamp is a multiple of a tick, above all other fields. */
static_assert(TTM_LRU_STAMP == ~(TTM_LRU_TICK - 1));
/*
 * The lowest byte of a resource holds the priority and whether it is in a range. That
 * of a hitch holds only its type and whether its walk is bounded.
 */
static_assert((u8)(TTM_LRU_MEMBER | TTM_LRU_PRIORITY) ==
	      (TTM_LRU_MEMBER | TTM_LRU_PRIORITY));
static_assert(!(u8)TTM_LRU_HITCH_PRIORITY);

/**
 * ttm_lru_res_state() - the state to latch for a resource, without a stamp
 * @place: Where it is.
 * @priority: The priority of its list.
 *
 * Return: The state, with the lowest stamp.
 */
static inline u64 ttm_lru_res_state(enum ttm_lru_place place, u64 priority)
{
	return TTM_LRU_RESOURCE | TTM_LRU_BOUNDED |
	       TTM_LRU_FIELD(TTM_LRU_PLACE, place) |
	       TTM_LRU_FIELD(TTM_LRU_PRIORITY, priority);
}

/**
 * ttm_lru_item_init() - make a node that is on no list
 * @item: The node.
 * @state: Its initial state.
 */
static inline void ttm_lru_item_init(struct ttm_lru_item *item, u64 state)
{
	item->state = state;
	INIT_LIST_HEAD(&item->link);
}

/**
 * ttm_lru_item_place() - where a resource is
 * @item: Its node.
 *
 * Return: The place that the last list operation latched.
 */
static inline enum ttm_lru_place
ttm_lru_item_place(const struct ttm_lru_item *item)
{
	return FIELD_GET(TTM_LRU_PLACE, item->state);
}

/**
 * ttm_lru_item_in_range() - is a resource a member of a bulk range?
 * @item: Its node.
 *
 * Return: true if the last list operation put it there.
 */
static inline bool ttm_lru_item_in_range(const struct ttm_lru_item *item)
{
	return item->state & TTM_LRU_MEMBER;
}

/**
 * ttm_lru_item_priority() - the priority of the list that a resource is on
 * @item: Its node.
 *
 * Return: The priority that the last list operation latched.
 */
static inline unsigned int
ttm_lru_item_priority(const struct ttm_lru_item *item)
{
	return FIELD_GET(TTM_LRU_PRIORITY, item->state);
}

/**
 * ttm_lru_item_stamp() - when a resource moved last, or a walk began
 * @item: The node.
 *
 * Return: The stamp, in units of %TTM_LRU_TICK.
 */
static inline u64 ttm_lru_item_stamp(const struct ttm_lru_item *item)
{
	return item->state & TTM_LRU_STAMP;
}

/**
 * ttm_resource_cursor_priority() - the priority of the list that is walked
 * @cursor: The cursor.
 *
 * Return: The priority; %TTM_MAX_BO_PRIORITY if the cursor is in no walk.
 */
static inline unsigned int
ttm_resource_cursor_priority(const struct ttm_resource_cursor *cursor)
{
	return FIELD_GET(TTM_LRU_HITCH_PRIORITY, cursor->hitch.state);
}

/**
 * ttm_resource_cursor_man() - whose resources a cursor walks
 * @cursor: The cursor.
 *
 * Return: The manager.
 */
static inline struct ttm_resource_manager *
ttm_resource_cursor_man(const struct ttm_resource_cursor *cursor)
{
	return container_of(cursor->list - ttm_resource_cursor_priority(cursor),
			    struct ttm_resource_manager, lru[0]);
}

/**
 * ttm_resource_cursor_is_bounded() - does a cursor's walk ignore resources that moved?
 * @cursor: The cursor.
 *
 * Return: true if it was initialized by ttm_resource_cursor_init_bounded().
 */
static inline bool
ttm_resource_cursor_is_bounded(const struct ttm_resource_cursor *cursor)
{
	return cursor->hitch.state & TTM_LRU_BOUNDED;
}

/**
 * ttm_resource_cursor_since() - the stamp from which a walk ignores resources
 * @cursor: The cursor.
 *
 * Return: The stamp of the beginning of a bounded walk, which ignores resources that
 * moved at this stamp or a later one. U64_MAX if the walk is unbounded.
 */
static inline u64
ttm_resource_cursor_since(const struct ttm_resource_cursor *cursor)
{
	return ttm_resource_cursor_is_bounded(cursor) ?
	       ttm_lru_item_stamp(&cursor->hitch) : U64_MAX;
}

/* Walks: more for walks over buffers */
struct ttm_resource *
ttm_resource_cursor_advance_within(struct ttm_resource_cursor *cursor,
				   unsigned long *budget);
u64 ttm_resource_manager_tick(struct ttm_resource_manager *man);
u64 ttm_resource_moved(const struct ttm_resource *res);
bool __ttm_resource_in_shared_bulk(const struct ttm_resource *res);
void ttm_resource_manager_visit_lru(struct ttm_resource_manager *man,
				    void (*visit)(const struct ttm_lru_item *item,
						  void *arg),
				    void *arg);
struct ttm_resource *ttm_lru_first_res_or_null(struct list_head *head);
void ttm_unevictable_walk_start(struct ttm_device *bdev,
				u64 since[TTM_NUM_MEM_TYPES]);
struct ttm_resource *
ttm_unevictable_walk_next(struct ttm_device *bdev,
			  const u64 since[TTM_NUM_MEM_TYPES]);

/**
 * ttm_resource_manager_entries() - begin to tell whether resources enter from now on
 * @man: The manager.
 *
 * An attempt to allocate may be under way, whose resource has entered and is about to
 * leave again. Its entry is part of the result, so it can't be taken back any more: that
 * would hide another entry from the caller.
 *
 * Context: &ttm_device.lru_lock held. O(1).
 *
 * Return: How many resources have entered so far. The count is higher as soon as another
 * one enters.
 */
static inline u64 ttm_resource_manager_entries(struct ttm_resource_manager *man)
{
	lockdep_assert_held(&man->bdev->lru_lock);

	WRITE_ONCE(man->lru_newest, NULL);
	return man->lru_entries;
}

/**
 * ttm_resource_cursor_is_plain() - is the next node a resource that has not moved?
 * @cursor: The cursor.
 * @item: The node that follows &ttm_resource_cursor.at, or the list's head.
 * @since: From ttm_resource_cursor_since().
 *
 * A member of a range counts only if the hitch is parked inside that range: finding
 * another range takes more than this inline step.
 *
 * Return: true if the walk's next step is to @item; false if there is more to look at.
 */
static __always_inline bool
ttm_resource_cursor_is_plain(const struct ttm_resource_cursor *cursor,
			     const struct ttm_lru_item *item, u64 since)
{
	const u64 kind = TTM_LRU_TYPE | TTM_LRU_PLACE;
	const u64 loose = TTM_LRU_RESOURCE |
			  TTM_LRU_FIELD(TTM_LRU_PLACE, TTM_LRU_LOOSE);
	const u64 member = TTM_LRU_RESOURCE | TTM_LRU_MEMBER;

	if (IS_ENABLED(CONFIG_DRM_TTM_LRU_DEBUG) ||
	    unlikely(&item->link == cursor->list) ||
	    unlikely(item->state >= since))
		return false;
	if (likely((item->state & kind) == loose))
		return true;
	return (item->state & kind) == member && cursor->range &&
	       cursor->at == &cursor->hitch.link &&
	       cursor->range->first->lru.state < since;
}

/**
 * ttm_resource_cursor_step_plain() - step if the next node is a resource to return
 * @cursor: The cursor.
 * @since: From ttm_resource_cursor_since() when the walk began.
 * @res: Set to the next resource after a step.
 *
 * Call ttm_resource_cursor_pause() before the lock is dropped.
 *
 * Context: &ttm_device.lru_lock held. O(1).
 *
 * Return: true after a step; false if the caller must step with
 * ttm_resource_cursor_advance_within().
 */
static __always_inline bool
ttm_resource_cursor_step_plain(struct ttm_resource_cursor *cursor, u64 since,
			       struct ttm_resource **res)
{
	struct ttm_lru_item *item = list_entry(cursor->at->next,
					       struct ttm_lru_item, link);

	ttm_resource_cursor_assert_locked(cursor);
	if (!ttm_resource_cursor_is_plain(cursor, item, since))
		return false;
	cursor->at = &item->link;
	*res = ttm_lru_item_to_res(item);
	return true;
}

/**
 * ttm_resource_in_shared_bulk() - does a resource's whole range share its reservation?
 * @res: The resource, on a list.
 *
 * Compare with the reservations at both ends of the bulk range that @res is in. A
 * member that is being moved or released may have a reservation of its own.
 *
 * Context: &ttm_device.lru_lock held. O(1).
 *
 * Return: true if @res is in a range, and the buffers at both ends share its
 * reservation. If that is taken, a walk may skip the rest of the range.
 */
static inline bool ttm_resource_in_shared_bulk(const struct ttm_resource *res)
{
	return ttm_lru_item_in_range(&res->lru) &&
	       __ttm_resource_in_shared_bulk(res);
}

/**
 * ttm_resource_list() - the list that a resource is on
 * @bdev: The device.
 * @res: The resource.
 *
 * Context: &ttm_device.lru_lock held.
 *
 * Return: The list, as the last list operation has it; %NULL for none.
 */
static inline struct list_head *
ttm_resource_list(struct ttm_device *bdev, const struct ttm_resource *res)
{
	struct ttm_resource_manager *man;

	switch (ttm_lru_item_place(&res->lru)) {
	case TTM_LRU_OFF:
		return NULL;
	case TTM_LRU_UNEVICTABLE:
		return &bdev->unevictable;
	default:
		man = ttm_manager_type(bdev, res->mem_type);
		return &man->lru[ttm_lru_item_priority(&res->lru)];
	}
}

/* List operations on a resource */
void ttm_resource_add_bulk_move(struct ttm_resource *res,
				struct ttm_buffer_object *bo);
void ttm_resource_del_bulk_move(struct ttm_resource *res,
				struct ttm_buffer_object *bo);
void ttm_resource_move_to_lru_tail(struct ttm_resource *res);
void ttm_resource_set_bo(struct ttm_resource *res,
			 struct ttm_buffer_object *bo);
void ttm_resource_has_entered(struct ttm_resource_manager *man,
			      const struct ttm_buffer_object *bo);
void ttm_resource_not_entered(struct ttm_resource_manager *man,
			      const struct ttm_buffer_object *bo);

/* ttm_resource_manager.c */
int ttm_resource_try_charge(struct ttm_buffer_object *bo,
			    const struct ttm_place *place,
			    struct dmem_cgroup_pool_state **ret_pool,
			    struct dmem_cgroup_pool_state **ret_limit_pool);
bool ttm_resource_intersects(struct ttm_device *bdev,
			     struct ttm_resource *res,
			     const struct ttm_place *place,
			     size_t size);
bool ttm_resource_compatible(struct ttm_resource *res,
			     struct ttm_placement *placement,
			     bool evicting);

#endif
