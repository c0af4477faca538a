// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The LRU lists of TTM resources: list operations, bulk ranges, and cursors.
 *
 * One long file: each list operation updates the registration of hitches, and the
 * compiler inlines these functions into each other.
 */

#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/minmax.h>

#include <drm/drm_util.h>
#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_placement.h>
#include <drm/ttm/ttm_resource.h>
#include <drm/ttm/ttm_tt.h>

#include "ttm_lru_debug.h"
#include "ttm_lru_internal.h"

/**
 * DOC: TTM LRU lists, hitches and bulk ranges
 *
 * Each &struct ttm_resource_manager has an LRU list for each priority. Its
 * nodes are &struct ttm_lru_item, the head is where eviction starts, and all
 * of it is protected by &ttm_device.lru_lock, a spinlock.
 *
 * **Hitches.** Eviction, swap-out and shrinking walk these lists, and must drop
 * the lock to do anything with a buffer. A &struct ttm_resource_cursor keeps the
 * walk's place meanwhile: it parks a node of its own, a *hitch*, right before the
 * resource that it would visit next, and everybody else steps over it. In the
 * pictures, letters are resources and ``H`` is a hitch::
 *
 *	A  B  C  D		the list
 *	A  B  H  C  D		next() returned B; the lock may be dropped
 *	A  H  C  D  B		meanwhile B was used: next() returns C
 *	H  D  B			meanwhile A and C were freed: next() returns D
 *
 * A walk depends only on which side of its hitch a resource is on: no list
 * operation takes a resource from ahead of a hitch to behind it, and no
 * hitch moves past a resource that stays. So a walk returns each resource that
 * stays on the list (P1), and returns none twice unless it was moved (P2).
 * Documentation/gpu/ttm-lru.rst lists the promises P1 to P10. A walk may or may
 * not return a resource that *enters* meanwhile, that is: one that is allocated,
 * unpinned, swapped in, given another priority, or joins a bulk.
 *
 * **Bulk ranges.** The buffers of one VM share a reservation lock and are used
 * together. They form a &struct ttm_lru_bulk_move: contiguous sublists, one for
 * each memory type and priority, which ttm_lru_bulk_move_tail() moves to the
 * tail without visiting the members. Members of one range are starred::
 *
 *	A* B* C* D  E		first = A, last = C
 *	D  E  A* B* C*		after a bulk move
 *
 * A hitch strictly between first and last would be carried along, and its walk
 * would miss D and E. So exactly such cursors are *registered* with the bulk.
 * Before the sublist moves, their hitches are put behind its end::
 *
 *	A* B* H  C* D  E	a cursor in the range: registered
 *	A* B* C* H  D  E	  its hitch moves behind the last member first
 *	H  D  E  A* B* C*	  then the sublist moves: D and E come next
 *
 * A member that moves to its range's tail is put right behind the last member:
 * cursors that are behind the range have passed the member already. A joining
 * resource may still be ahead of such a cursor and must remain ahead of it. So it
 * is put behind the last member *and* the hitches that directly follow that.
 * These are inside the range now, and are registered::
 *
 *	A* B* H  D  E		C joins ...
 *	A* B* H  C* D  E	... ahead of the cursor, which is registered now
 *
 * When first or last leaves, the hitches next to it are no longer inside::
 *
 *	A* H  B* C*  ->  H  B* C*
 *
 * **The list's own word.** Pins, swap-outs and priorities change in the buffer
 * first; the list follows later. Each list operation therefore latches the
 * resource's list, its priority, and whether it is in a range, in
 * &struct ttm_lru_item. Each operation begins by moving the resource to where
 * the buffer now says that it belongs.
 *
 * **Stamps.** &struct ttm_lru_item also holds a stamp of the resource's last move, in
 * units of the manager's lru_clock, which ticks when a bounded walk begins. A bulk
 * move stamps only the first member of a range: a member moved last at its own stamp
 * or at the first member's, whichever is later.
 *
 * **Bounded walks.** A walker that moves each resource to the tail would meet it again
 * for ever. A bounded walk ignores resources that have moved since it began::
 *
 *	A  H  B  C		a bounded walk returned A
 *	H  B  C  A		it was moved: next() returns B, C, then NULL
 *
 * **Using a cursor.** ttm_resource_manager_first() and
 * ttm_resource_manager_next() return with the hitch parked; the lock may be
 * dropped at once. A walker that looks at many resources in one lock hold uses
 * ttm_resource_cursor_for_each(), which writes nothing to the list, and calls
 * ttm_resource_cursor_pause() before it unlocks::
 *
 *	ttm_resource_cursor_init(&cursor, man);
 *	spin_lock(&bdev->lru_lock);
 *	ttm_resource_cursor_restart(&cursor);
 *	ttm_resource_cursor_for_each(&cursor, res) {
 *		if (!valuable(res))
 *			continue;
 *		ttm_resource_cursor_pause(&cursor);
 *		bo = get(res->bo);
 *		spin_unlock(&bdev->lru_lock);
 *		evict(bo);
 *		spin_lock(&bdev->lru_lock);
 *	}
 *	ttm_resource_cursor_fini(&cursor);
 *	spin_unlock(&bdev->lru_lock);
 */

static struct ttm_resource_cursor *
ttm_lru_item_to_cursor(struct ttm_lru_item *item)
{
	return container_of(item, struct ttm_resource_cursor, hitch);
}

/* P4: exactly the hitches strictly inside a range are registered with its bulk. */
static void ttm_cursor_register(struct ttm_resource_cursor *cursor,
				struct ttm_lru_bulk_move *bulk,
				struct ttm_lru_bulk_move_pos *range)
{
	if (cursor->range == range)
		return;

	cursor->range = range;
	list_move_tail(&cursor->bulk_link, &bulk->cursor_list);
}

static void ttm_cursor_deregister(struct ttm_resource_cursor *cursor)
{
	if (!cursor->range)
		return;

	cursor->range = NULL;
	list_del_init(&cursor->bulk_link);
}

/* The range that @res is a member of. */
static struct ttm_lru_bulk_move_pos *
ttm_resource_range(const struct ttm_resource *res)
{
	struct ttm_lru_bulk_move *bulk = res->bo->bulk_move;

	return &bulk->pos[res->mem_type][ttm_lru_item_priority(&res->lru)];
}

/* P4: return the first resource from @item on. Deregister the hitches on the way. */
static noinline struct ttm_resource *
ttm_range_release_hitches(struct ttm_lru_item *item, bool forward)
{
	while (!ttm_lru_item_is_res(item)) {
		ttm_cursor_deregister(ttm_lru_item_to_cursor(item));
		item = forward ? list_next_entry(item, link) :
				 list_prev_entry(item, link);
	}
	return ttm_lru_item_to_res(item);
}

/*
 * @res is an end of a range and leaves: return the member next to it, the new
 * end. The hitches in between are no longer inside the range.
 */
static struct ttm_resource *ttm_range_new_end(struct ttm_resource *res,
					      bool forward)
{
	struct ttm_lru_item *item = forward ? list_next_entry(&res->lru, link) :
					      list_prev_entry(&res->lru, link);

	if (likely(ttm_lru_item_is_res(item)))
		return ttm_lru_item_to_res(item);
	return ttm_range_release_hitches(item, forward);
}

/* Latch that @res is at @place with @priority since @stamp. */
static void ttm_resource_latch(struct ttm_resource *res,
			       enum ttm_lru_place place, u64 priority, u64 stamp)
{
	res->lru.state = ttm_lru_res_state(place, priority) | stamp;
}

/* Last move of @res, a member of the range, alone or with the range. */
static u64 ttm_range_moved(const struct ttm_lru_bulk_move_pos *range,
			   const struct ttm_resource *res)
{
	return max(ttm_lru_item_stamp(&res->lru),
		   ttm_lru_item_stamp(&range->first->lru));
}

/**
 * ttm_resource_moved() - tell when a resource moved last
 * @res: The resource, on a list of its manager.
 *
 * Context: &ttm_device.lru_lock held. O(1).
 *
 * Return: The last move of @res, alone or with its range, in units of
 * &ttm_resource_manager.lru_clock.
 */
u64 ttm_resource_moved(const struct ttm_resource *res)
{
	if (!ttm_lru_item_in_range(&res->lru))
		return ttm_lru_item_stamp(&res->lru);
	return ttm_range_moved(ttm_resource_range(res), res);
}

/*
 * @res, the first of its range, leaves. @next takes over the stamp of the range's
 * last move, unless it moved later itself.
 */
static void ttm_range_del_first(struct ttm_lru_bulk_move_pos *range,
				struct ttm_resource *res,
				struct ttm_resource *next)
{
	/* Both states differ only in stamp and AT_TAIL, so max() takes the later move. */
	next->lru.state = max(next->lru.state, res->lru.state);
	range->first = next;
}

/* Take @res, which still stands where it did, out of its range. */
static void ttm_range_unlink(struct ttm_lru_bulk_move_pos *range,
			     struct ttm_resource *res)
{
	if (range->first == range->last)
		*range = (struct ttm_lru_bulk_move_pos) {};
	else if (range->first == res)
		ttm_range_del_first(range, res, ttm_range_new_end(res, true));
	else if (range->last == res)
		range->last = ttm_range_new_end(res, false);
}

/*
 * Take @res out of its range and make it loose where it stands. If it was in the
 * middle, the caller must move it out of the range.
 */
static void ttm_range_del(struct ttm_lru_bulk_move_pos *range,
			  struct ttm_resource *res)
{
	u64 at_tail = res->lru.state & TTM_LRU_AT_TAIL;
	u64 moved = ttm_range_moved(range, res);

	ttm_range_unlink(range, res);
	ttm_resource_latch(res, TTM_LRU_LOOSE,
			   ttm_lru_item_priority(&res->lru), moved | at_tail);
}

/*
 * Make @res, which is loose, the last member of its range in @bulk. Hitches that
 * directly follow the current last member stay before @res, as their walks may not
 * have met @res yet (P1). An empty range begins where @res stands. Joining counts as
 * a move.
 */
static void ttm_resource_join(struct ttm_resource *res,
			      const struct ttm_buffer_object *bo,
			      struct ttm_lru_bulk_move *bulk,
			      struct ttm_resource_manager *man)
{
	u64 priority = ttm_lru_item_priority(&res->lru);
	struct ttm_lru_bulk_move_pos *range = &bulk->pos[res->mem_type][priority];
	struct ttm_lru_item *item;
	struct list_head *tail;
	u64 at_tail = 0;

	if (!range->last) {
		*range = (struct ttm_lru_bulk_move_pos) { res, res };
		if (ttm_lru_item_stamp(&res->lru) == man->lru_clock)
			at_tail = res->lru.state & TTM_LRU_AT_TAIL;
		ttm_resource_latch(res, TTM_LRU_RANGE, priority,
				   man->lru_clock | at_tail);
		return;
	}

	/* A bulk moves as a whole, under the one reservation of its members. */
	WARN_ON_ONCE(range->first->bo->base.resv != bo->base.resv);
	tail = &range->last->lru.link;
	item = &range->last->lru;
	list_for_each_entry_continue(item, &man->lru[priority], link) {
		if (ttm_lru_item_is_res(item))
			break;
		ttm_cursor_register(ttm_lru_item_to_cursor(item), bulk, range);
		tail = &item->link;
	}
	if (tail->next != &res->lru.link)
		list_move(&res->lru.link, tail);
	range->last = res;
	ttm_resource_latch(res, TTM_LRU_RANGE, priority, man->lru_clock);
}

/*
 * Take @res out of its range and leave it on the list. Walks that have not met @res
 * still have it ahead of them (P1).
 */
static void ttm_range_loosen(struct ttm_resource_manager *man,
			     struct ttm_resource *res)
{
	struct ttm_lru_bulk_move_pos *range = ttm_resource_range(res);
	struct ttm_resource *last = range->last;
	bool inner = res != range->first && res != last;

	ttm_range_del(range, res);
	if (inner) {
		list_move(&res->lru.link, &last->lru.link);
		ttm_resource_latch(res, TTM_LRU_LOOSE,
				   ttm_lru_item_priority(&res->lru),
				   man->lru_clock);
	}
}

static bool ttm_resource_is_swapped(const struct ttm_resource *res,
				    const struct ttm_buffer_object *bo)
{
	/*
	 * The ttm_tt belongs to the current resource. A resource that a
	 * swapped-out buffer is being moved to holds no swapped-out pages.
	 */
	if (!bo->ttm || bo->resource != res)
		return false;

	dma_resv_assert_held(bo->base.resv);
	return ttm_tt_is_swapped(bo->ttm);
}

static bool ttm_resource_is_unevictable(const struct ttm_resource *res,
					const struct ttm_buffer_object *bo)
{
	return bo->pin_count || ttm_resource_is_swapped(res, bo);
}

/* Count a resource that enters. @new is its buffer if it is a new one, else NULL. */
static __always_inline void
ttm_resource_manager_entered(struct ttm_resource_manager *man,
			     const struct ttm_buffer_object *new)
{
	/* Plain, as WRITE_ONCE() would take two more instructions: unlocked reads allow it. */
	man->lru_entries++;
	WRITE_ONCE(man->lru_newest, new);
}

/*
 * P5: put @res on the list and at the priority that @bo asks for, in the range of
 * @bulk, or in none if that is NULL. Do nothing if it is there already.
 */
static void ttm_resource_sync(struct ttm_resource *res,
			      struct ttm_buffer_object *bo,
			      struct ttm_lru_bulk_move *bulk)
{
	struct ttm_resource_manager *man = ttm_manager_type(bo->bdev,
							    res->mem_type);
	bool unevictable = ttm_resource_is_unevictable(res, bo);
	struct ttm_device *bdev = bo->bdev;
	struct list_head *list;
	bool stays;

	lockdep_assert_held(&bdev->lru_lock);

	list = unevictable ? &bdev->unevictable : &man->lru[bo->priority];
	stays = list == ttm_resource_list(bdev, res);

	if (ttm_lru_item_in_range(&res->lru)) {
		/* A priority must not change inside a bulk. */
		WARN_ON_ONCE(bulk && ttm_lru_item_priority(&res->lru) !=
				     bo->priority);
		if (!bulk || !stays)
			ttm_range_loosen(man, res);
	}
	if (!stays) {
		ttm_resource_manager_entered(man, NULL);
		list_move_tail(&res->lru.link, list);
		ttm_resource_latch(res, unevictable ? TTM_LRU_UNEVICTABLE :
						      TTM_LRU_LOOSE,
				   bo->priority,
				   man->lru_clock | TTM_LRU_AT_TAIL);
	}
	if (bulk && ttm_lru_item_place(&res->lru) == TTM_LRU_LOOSE) {
		ttm_resource_manager_entered(man, NULL);
		ttm_resource_join(res, bo, bulk, man);
	}
}

/**
 * ttm_resource_add_bulk_move() - let a resource join its buffer's bulk
 * @res: The resource.
 * @bo: Its buffer object, reserved.
 *
 * Put @res on the list that @bo asks for. If it is evictable and @bo has a bulk
 * move, put it at the tail of its range; the first member of a range stays where
 * it is. Idempotent.
 *
 * Context: &ttm_device.lru_lock held. O(1) plus the hitches directly behind the
 * range.
 */
void ttm_resource_add_bulk_move(struct ttm_resource *res,
				struct ttm_buffer_object *bo)
{
	struct ttm_lru_debug_spot old = ttm_lru_debug_spot(bo->bdev, res);

	ttm_resource_sync(res, bo, bo->bulk_move);
	ttm_lru_debug_moved(bo->bdev, res, old);
}

/**
 * ttm_resource_del_bulk_move() - take a resource out of its buffer's bulk
 * @res: The resource.
 * @bo: Its buffer object, reserved, its bulk move still set.
 *
 * Afterwards @res is in no range. An end of the range stays in its place, a
 * member from the middle moves right behind the range. If @bo is pinned or
 * swapped out, @res moves to the unevictable list. Idempotent.
 *
 * Context: &ttm_device.lru_lock held. O(1) plus the hitches next to @res.
 */
void ttm_resource_del_bulk_move(struct ttm_resource *res,
				struct ttm_buffer_object *bo)
{
	struct ttm_lru_debug_spot old = ttm_lru_debug_spot(bo->bdev, res);

	ttm_resource_sync(res, bo, NULL);
	ttm_lru_debug_moved(bo->bdev, res, old);
}

/* Make @res, an inner member, the last one of its range. */
static void ttm_range_put_last(struct ttm_lru_bulk_move_pos *range,
			       struct ttm_resource *res, u64 state)
{
	list_move(&res->lru.link, &range->last->lru.link);
	range->last = res;
	res->lru.state = state;
}

static noinline void
ttm_range_move_first_tail(struct ttm_lru_bulk_move_pos *range,
			  struct ttm_resource *res, u64 state)
{
	ttm_range_del_first(range, res, ttm_range_new_end(res, true));
	ttm_range_put_last(range, res, state);
}

/*
 * P2: make @res, a member, the last one of its range. Cursors behind the range have
 * passed @res, and it stays behind them.
 */
static void ttm_range_move_tail(struct ttm_lru_bulk_move_pos *range,
				struct ttm_resource *res, u64 state)
{
	struct ttm_lru_item *next;

	if (range->last == res)
		return;
	if (range->first == res) {
		next = list_next_entry(&res->lru, link);
		if (unlikely(!ttm_lru_item_is_res(next))) {
			ttm_range_move_first_tail(range, res, state);
			return;
		}
		ttm_range_del_first(range, res, ttm_lru_item_to_res(next));
	}
	ttm_range_put_last(range, res, state);
}

/* Move @res to the tail after a change in @bo that the list has not followed yet. */
static noinline void ttm_resource_sync_at_tail(struct ttm_resource *res,
					       struct ttm_buffer_object *bo)
{
	struct ttm_resource_manager *man = ttm_manager_type(bo->bdev,
							    res->mem_type);
	enum ttm_lru_place place;
	u64 priority;

	ttm_resource_sync(res, bo, bo->bulk_move);
	place = ttm_lru_item_place(&res->lru);
	priority = ttm_lru_item_priority(&res->lru);
	if (place == TTM_LRU_RANGE) {
		ttm_range_move_tail(ttm_resource_range(res), res,
				    ttm_lru_res_state(place, priority) |
				    man->lru_clock);
		return;
	}
	list_move_tail(&res->lru.link, ttm_resource_list(bo->bdev, res));
	ttm_resource_latch(res, place, priority,
			   man->lru_clock | TTM_LRU_AT_TAIL);
}

/* Move @res, which belongs in its buffer's @bulk, to the tail of its range. */
static noinline void ttm_resource_to_range_tail(struct ttm_resource *res,
						struct ttm_buffer_object *bo,
						struct ttm_lru_bulk_move *bulk,
						u64 clock)
{
	u64 state = ttm_lru_res_state(TTM_LRU_RANGE, bo->priority);

	/* A member's place and priority are in the lowest byte. */
	if (likely((u8)res->lru.state == (u8)state))
		ttm_range_move_tail(&bulk->pos[res->mem_type][bo->priority],
				    res, state | clock);
	else
		ttm_resource_sync_at_tail(res, bo);
}

/**
 * ttm_resource_move_to_lru_tail() - mark a resource as just used
 * @res: The resource; its buffer object is reserved.
 *
 * Move @res to the tail of its range if it is in one, else to the tail of its
 * list. Walks that are behind the range don't meet it there.
 *
 * Context: &ttm_device.lru_lock held. O(1) plus the hitches next to @res and, if
 * @res joins a range, the hitches directly behind the range.
 */
void ttm_resource_move_to_lru_tail(struct ttm_resource *res)
{
	struct ttm_buffer_object *bo = res->bo;
	struct ttm_lru_debug_spot old = ttm_lru_debug_spot(bo->bdev, res);
	struct ttm_lru_bulk_move *bulk = bo->bulk_move;
	struct ttm_resource_manager *man;
	u64 priority = bo->priority;

	lockdep_assert_held(&bo->bdev->lru_lock);

	man = ttm_manager_type(bo->bdev, res->mem_type);
	if (unlikely(ttm_resource_is_unevictable(res, bo))) {
		ttm_resource_sync_at_tail(res, bo);
	} else if (bulk) {
		ttm_resource_to_range_tail(res, bo, bulk, man->lru_clock);
	} else {
		list_move_tail(&res->lru.link, &man->lru[priority]);
		ttm_resource_latch(res, TTM_LRU_LOOSE, priority,
				   man->lru_clock | TTM_LRU_AT_TAIL);
	}
	ttm_lru_debug_moved(bo->bdev, res, old);
}

/**
 * ttm_resource_set_bo() - give a resource to another buffer object
 * @res: The resource.
 * @bo: The new owner, with the same bulk move as the old one.
 *
 * Context: Takes &ttm_device.lru_lock.
 */
void ttm_resource_set_bo(struct ttm_resource *res,
			 struct ttm_buffer_object *bo)
{
	guard(spinlock)(&bo->bdev->lru_lock);
	WARN_ON_ONCE(ttm_lru_item_in_range(&res->lru) &&
		     res->bo->bulk_move != bo->bulk_move);
	res->bo = bo;
}

/**
 * ttm_lru_bulk_move_init() - make an empty bulk move
 * @bulk: The bulk move.
 */
void ttm_lru_bulk_move_init(struct ttm_lru_bulk_move *bulk)
{
	*bulk = (struct ttm_lru_bulk_move) {};
	INIT_LIST_HEAD(&bulk->cursor_list);
}
EXPORT_SYMBOL(ttm_lru_bulk_move_init);

/*
 * Make the members of a range loose where they stand, and count them. A buffer that
 * is being moved may have a resource in another range as well: then its bulk_move may
 * be NULL already.
 */
static unsigned int ttm_range_dissolve(struct ttm_device *bdev,
				       struct ttm_lru_bulk_move_pos *range)
{
	struct ttm_resource *res;
	unsigned int n = 0;

	while ((res = range->first)) {
		struct ttm_lru_debug_spot old = ttm_lru_debug_spot(bdev, res);

		ttm_range_del(range, res);
		res->bo->bulk_move = NULL;
		ttm_lru_debug_moved(bdev, res, old);
		n++;
	}
	return n;
}

/**
 * ttm_lru_bulk_move_fini() - end a bulk move
 * @bdev: The device.
 * @bulk: The bulk move. All buffers should have left it.
 *
 * A buffer that has not left is a driver's bug: warn about it, and make the
 * members of the ranges loose where they stand, so that nothing points to @bulk
 * when its memory is freed.
 *
 * Context: Takes &ttm_device.lru_lock.
 */
void ttm_lru_bulk_move_fini(struct ttm_device *bdev,
			    struct ttm_lru_bulk_move *bulk)
{
	unsigned int mem_type, priority, left = 0;

	spin_lock(&bdev->lru_lock);
	for (mem_type = 0; mem_type < TTM_NUM_MEM_TYPES; mem_type++)
		for (priority = 0; priority < TTM_MAX_BO_PRIORITY; priority++)
			left += ttm_range_dissolve(bdev,
						   &bulk->pos[mem_type][priority]);
	spin_unlock(&bdev->lru_lock);

	WARN(left, "TTM bulk move ended with %u resources in it\n", left);
}
EXPORT_SYMBOL(ttm_lru_bulk_move_fini);

/* P1: put the hitches inside ranges behind these: their walks continue there. */
static noinline void
ttm_lru_bulk_move_leave_cursors(struct ttm_lru_bulk_move *bulk)
{
	struct ttm_resource_cursor *cursor, *next;

	list_for_each_entry_safe(cursor, next, &bulk->cursor_list, bulk_link) {
		list_move(&cursor->hitch.link, &cursor->range->last->lru.link);
		ttm_cursor_deregister(cursor);
	}
}

/* Move a range with no hitch inside to the tail of its list. */
static void ttm_range_to_list_tail(struct ttm_lru_bulk_move_pos *range,
				   unsigned int mem_type, unsigned int priority)
{
	struct ttm_resource *first = range->first, *last = range->last;
	struct ttm_device *bdev = first->bo->bdev;
	struct ttm_resource_manager *man = ttm_manager_type(bdev, mem_type);
	struct ttm_lru_debug_spot old = ttm_lru_debug_spot(bdev, first);

	lockdep_assert_held(&bdev->lru_lock);
	dma_resv_assert_held(first->bo->base.resv);
	dma_resv_assert_held(last->bo->base.resv);

	list_bulk_move_tail(&man->lru[priority], &first->lru.link,
			    &last->lru.link);
	ttm_resource_latch(first, TTM_LRU_RANGE, priority,
			   man->lru_clock | TTM_LRU_AT_TAIL);
	ttm_lru_debug_moved(bdev, first, old);
	ttm_lru_debug_moved(bdev, last, old);
}

/* Does @bulk have members of @mem_type? Most bulks have few memory types. */
static bool ttm_lru_bulk_move_has(const struct ttm_lru_bulk_move *bulk,
				  unsigned int mem_type)
{
	unsigned long any = 0;

	for (unsigned int i = 0; i < TTM_MAX_BO_PRIORITY; i++)
		any |= (unsigned long)bulk->pos[mem_type][i].first;
	return any;
}

/**
 * ttm_lru_bulk_move_tail() - mark all members of a bulk as just used
 * @bulk: The bulk move; the reservation lock of its members is held.
 *
 * Move each range to the tail of its list, with its members in the same order.
 * Cursors inside a range stay at the range's old place.
 *
 * Context: &ttm_device.lru_lock held. P8: O(1) plus the number of cursors inside
 * the ranges, however many members there are.
 */
void ttm_lru_bulk_move_tail(struct ttm_lru_bulk_move *bulk)
{
	unsigned int mem_type, priority;

	if (unlikely(!list_empty(&bulk->cursor_list)))
		ttm_lru_bulk_move_leave_cursors(bulk);

	for (mem_type = 0; mem_type < TTM_NUM_MEM_TYPES; mem_type++) {
		if (!ttm_lru_bulk_move_has(bulk, mem_type))
			continue;
		for (priority = 0; priority < TTM_MAX_BO_PRIORITY; priority++)
			if (bulk->pos[mem_type][priority].first)
				ttm_range_to_list_tail(&bulk->pos[mem_type][priority],
						       mem_type, priority);
	}
}
EXPORT_SYMBOL(ttm_lru_bulk_move_tail);

/* Take the hitch off the list. */
static void ttm_cursor_unlink(struct ttm_resource_cursor *cursor)
{
	list_del_init(&cursor->hitch.link);
	ttm_cursor_deregister(cursor);
}

/* Let the walk continue behind @at. */
static void ttm_cursor_set_at(struct ttm_resource_cursor *cursor,
			      struct list_head *at)
{
	ttm_lru_debug_cursor(cursor, at);
	cursor->at = at;
}

/* Let the walk continue with the list of @priority, from its beginning. */
static void ttm_cursor_set_list(struct ttm_resource_cursor *cursor,
				u64 priority)
{
	struct ttm_resource_manager *man = ttm_resource_cursor_man(cursor);
	u64 state = cursor->hitch.state & ~TTM_LRU_HITCH_PRIORITY;

	cursor->list = man->lru + priority;
	cursor->hitch.state = state |
			      TTM_LRU_FIELD(TTM_LRU_HITCH_PRIORITY, priority);
}

static bool ttm_cursor_is_paused(const struct ttm_resource_cursor *cursor)
{
	return cursor->at == &cursor->hitch.link;
}

static void ttm_cursor_init(struct ttm_resource_cursor *cursor,
			    struct ttm_resource_manager *man,
			    u64 state)
{
	*cursor = (struct ttm_resource_cursor) { .list = man->lru };
	ttm_lru_item_init(&cursor->hitch, state);
	INIT_LIST_HEAD(&cursor->bulk_link);
	cursor->at = &cursor->hitch.link;
	ttm_cursor_set_list(cursor, TTM_MAX_BO_PRIORITY);
}

/**
 * ttm_resource_cursor_init() - make a cursor that is in no walk
 * @cursor: The cursor. Must not move in memory until ttm_resource_cursor_fini().
 * @man: The manager whose resources will be walked.
 *
 * Start a walk with ttm_resource_manager_first() or
 * ttm_resource_cursor_restart().
 *
 * Context: No lock needed.
 */
void ttm_resource_cursor_init(struct ttm_resource_cursor *cursor,
			      struct ttm_resource_manager *man)
{
	ttm_cursor_init(cursor, man, TTM_LRU_HITCH);
}
EXPORT_SYMBOL(ttm_resource_cursor_init);

/**
 * ttm_resource_cursor_init_bounded() - make a cursor for bounded walks
 * @cursor: The cursor. Must not move in memory until ttm_resource_cursor_fini().
 * @man: The manager whose resources will be walked.
 *
 * As ttm_resource_cursor_init(), but a walk ignores resources that have entered
 * or moved since it began, alone or with their bulk. It returns each other
 * resource once, if that stays. So it takes no more steps than there were
 * resources when it began, whatever others or the walker itself move to the tail
 * meanwhile.
 *
 * Context: No lock needed.
 */
void ttm_resource_cursor_init_bounded(struct ttm_resource_cursor *cursor,
				      struct ttm_resource_manager *man)
{
	ttm_cursor_init(cursor, man, TTM_LRU_HITCH | TTM_LRU_BOUNDED);
}
EXPORT_SYMBOL(ttm_resource_cursor_init_bounded);

/**
 * ttm_resource_cursor_fini() - end a walk
 * @cursor: The cursor, in any state.
 *
 * Afterwards @cursor is on no list and in no walk (P6). It may go out of scope, or
 * start another walk. Idempotent.
 *
 * Context: &ttm_device.lru_lock held. O(1).
 */
void ttm_resource_cursor_fini(struct ttm_resource_cursor *cursor)
{
	lockdep_assert_held(&ttm_resource_cursor_man(cursor)->bdev->lru_lock);

	ttm_cursor_set_at(cursor, &cursor->hitch.link);
	ttm_cursor_unlink(cursor);
	ttm_cursor_set_list(cursor, TTM_MAX_BO_PRIORITY);
}
EXPORT_SYMBOL(ttm_resource_cursor_fini);

#ifdef CONFIG_LOCKDEP
/* For the inline steps: the header does not include the definition of the device. */
void ttm_resource_cursor_assert_locked(const struct ttm_resource_cursor *cursor)
{
	lockdep_assert_held(&ttm_resource_cursor_man(cursor)->bdev->lru_lock);
}
EXPORT_SYMBOL(ttm_resource_cursor_assert_locked);
#endif

/**
 * ttm_resource_manager_tick() - begin to tell which resources move from now on
 * @man: The manager.
 *
 * Context: &ttm_device.lru_lock held. O(1).
 *
 * Return: The clock. Resources that move or enter from now on have this stamp or a
 * higher one.
 */
u64 ttm_resource_manager_tick(struct ttm_resource_manager *man)
{
	lockdep_assert_held(&man->bdev->lru_lock);

	man->lru_clock += TTM_LRU_TICK;
	return man->lru_clock;
}

/**
 * ttm_resource_cursor_restart() - start a walk, or start it over
 * @cursor: The cursor, in any state.
 *
 * Put @cursor before the first resource of the lowest priority. Call
 * ttm_resource_cursor_pause() before the lock is dropped.
 *
 * Context: &ttm_device.lru_lock held. O(1).
 *
 * Return: @cursor.
 */
struct ttm_resource_cursor *
ttm_resource_cursor_restart(struct ttm_resource_cursor *cursor)
{
	struct ttm_resource_manager *man = ttm_resource_cursor_man(cursor);

	ttm_resource_cursor_fini(cursor);
	ttm_cursor_set_list(cursor, 0);
	if (ttm_resource_cursor_is_bounded(cursor)) {
		cursor->hitch.state &= ~TTM_LRU_STAMP;
		cursor->hitch.state |= ttm_resource_manager_tick(man);
	}
	ttm_cursor_set_at(cursor, man->lru);
	return cursor;
}
EXPORT_SYMBOL(ttm_resource_cursor_restart);

/* P7: a bounded walk ignores resources that have moved since it began. */
static bool ttm_cursor_ignores(const struct ttm_resource_cursor *cursor,
			       const struct ttm_resource *res)
{
	return ttm_resource_cursor_is_bounded(cursor) &&
	       ttm_resource_moved(res) >= ttm_lru_item_stamp(&cursor->hitch);
}

/*
 * A bounded walk ignores @res: return the last node that it is sure to ignore as
 * well. @res moved to the tail of its list or range, so the resources behind it
 * there have moved since. A resource that left a range's middle is the exception.
 */
static struct list_head *
ttm_cursor_last_ignored(const struct ttm_resource_cursor *cursor,
			struct ttm_resource *res)
{
	struct ttm_lru_bulk_move_pos *range;
	const struct ttm_lru_item *first;

	if (!ttm_lru_item_in_range(&res->lru))
		return res->lru.state & TTM_LRU_AT_TAIL ? cursor->list->prev :
							  &res->lru.link;

	range = ttm_resource_range(res);
	first = &range->first->lru;
	if (first->state & TTM_LRU_AT_TAIL &&
	    ttm_lru_item_stamp(first) >= ttm_lru_item_stamp(&cursor->hitch))
		return cursor->list->prev;
	return &range->last->lru.link;
}

/**
 * ttm_resource_cursor_advance_within() - step over a limited number of resources
 * @cursor: The cursor.
 * @budget: How many resources the step may look at, at least one. Lowered by the
 * number that it looked at.
 *
 * As ttm_resource_cursor_advance(), for callers that must drop the lock after a
 * constant number of resources.
 *
 * Context: &ttm_device.lru_lock held. O(budget) plus the hitches passed.
 *
 * Return: As ttm_resource_cursor_advance(), or ERR_PTR(-EAGAIN) if the budget was
 * used up before a resource was found. The next step continues from there.
 */
struct ttm_resource *
ttm_resource_cursor_advance_within(struct ttm_resource_cursor *cursor,
				   unsigned long *budget)
{
	struct list_head *node = cursor->at;

	lockdep_assert_held(&ttm_resource_cursor_man(cursor)->bdev->lru_lock);

	while (ttm_resource_cursor_priority(cursor) < TTM_MAX_BO_PRIORITY) {
		struct list_head *list = cursor->list;
		struct ttm_resource *res;
		struct ttm_lru_item *item;

		for (node = node->next; node != list; node = node->next) {
			item = list_entry(node, struct ttm_lru_item, link);
			if (!ttm_lru_item_is_res(item))
				continue;
			res = ttm_lru_item_to_res(item);
			--*budget;
			if (!ttm_cursor_ignores(cursor, res)) {
				ttm_cursor_set_at(cursor, node);
				return res;
			}
			if (!*budget) {
				ttm_cursor_set_at(cursor, node);
				return ERR_PTR(-EAGAIN);
			}
			node = ttm_cursor_last_ignored(cursor, res);
		}
		/* On to the next priority. */
		ttm_cursor_unlink(cursor);
		ttm_cursor_set_list(cursor,
				    ttm_resource_cursor_priority(cursor) + 1);
		node = cursor->list;
	}

	ttm_resource_cursor_fini(cursor);
	return NULL;
}

/**
 * __ttm_resource_cursor_advance() - step over hitches, ignored resources and list ends
 * @cursor: The cursor.
 *
 * The slow path of ttm_resource_cursor_advance().
 *
 * Context: &ttm_device.lru_lock held.
 *
 * Return: As ttm_resource_cursor_advance().
 */
struct ttm_resource *
__ttm_resource_cursor_advance(struct ttm_resource_cursor *cursor)
{
	unsigned long budget = ULONG_MAX;

	return ttm_resource_cursor_advance_within(cursor, &budget);
}
EXPORT_SYMBOL(__ttm_resource_cursor_advance);

/* The hitch is right behind @res: register it if it is inside a range. */
static void ttm_cursor_update_range(struct ttm_resource_cursor *cursor,
				    const struct ttm_resource *res)
{
	struct ttm_lru_bulk_move_pos *range = NULL;

	if (ttm_lru_item_in_range(&res->lru))
		range = ttm_resource_range(res);
	if (range && range->last != res)
		ttm_cursor_register(cursor, res->bo->bulk_move, range);
	else
		ttm_cursor_deregister(cursor);
}

/*
 * The hitch was parked behind @res; @one_step says that it advanced by exactly one
 * node. A hitch that was inside a range is then behind a member of it.
 */
static __always_inline void
ttm_cursor_parked_at(struct ttm_resource_cursor *cursor,
		     const struct ttm_resource *res, bool one_step)
{
	const struct ttm_lru_bulk_move_pos *range = cursor->range;

	if (range ? !one_step || range->last == res :
		    ttm_lru_item_in_range(&res->lru))
		ttm_cursor_update_range(cursor, res);
}

/**
 * ttm_resource_cursor_pause() - park the hitch where the walk is
 * @cursor: The cursor.
 *
 * Afterwards the caller may drop the lock and do list operations; the walk
 * continues from here. Only the hitch moves, so the order of the resources stays
 * the same (P3). Do nothing if the hitch is parked already, or @cursor is in no
 * walk.
 *
 * Context: &ttm_device.lru_lock held. O(1).
 */
void ttm_resource_cursor_pause(struct ttm_resource_cursor *cursor)
{
	bool one_step = cursor->hitch.link.next == cursor->at;
	struct list_head *at = cursor->at;
	struct ttm_lru_item *item;

	lockdep_assert_held(&ttm_resource_cursor_man(cursor)->bdev->lru_lock);

	if (ttm_cursor_is_paused(cursor))
		return;

	ttm_cursor_set_at(cursor, &cursor->hitch.link);
	ttm_lru_debug_parked(ttm_resource_cursor_man(cursor));
	list_move(&cursor->hitch.link, at);
	/* Before the first step there is no resource, only the list's head. */
	if (at == cursor->list)
		return;
	item = list_entry(at, struct ttm_lru_item, link);
	ttm_cursor_parked_at(cursor, ttm_lru_item_to_res(item), one_step);
}
EXPORT_SYMBOL(ttm_resource_cursor_pause);

/**
 * ttm_resource_cursor_skip_bulk() - skip the rest of a bulk range
 * @cursor: The cursor.
 *
 * If the walk is inside a bulk range, continue behind the range's last member,
 * for instance because the reservation that the members share is taken. A walk
 * that skipped has not seen everything. Call ttm_resource_cursor_pause() before
 * the lock is dropped.
 *
 * Context: &ttm_device.lru_lock held. O(1).
 */
void ttm_resource_cursor_skip_bulk(struct ttm_resource_cursor *cursor)
{
	struct ttm_lru_bulk_move_pos *range = cursor->range;
	struct ttm_resource *res;

	lockdep_assert_held(&ttm_resource_cursor_man(cursor)->bdev->lru_lock);

	if (!ttm_cursor_is_paused(cursor)) {
		if (cursor->at == cursor->list)
			return;
		res = ttm_lru_item_to_res(list_entry(cursor->at,
						     struct ttm_lru_item, link));
		range = ttm_lru_item_in_range(&res->lru) ?
			ttm_resource_range(res) : NULL;
	}
	if (range)
		ttm_cursor_set_at(cursor, &range->last->lru.link);
}
EXPORT_SYMBOL(ttm_resource_cursor_skip_bulk);

/* ttm_resource_in_shared_bulk() of @res, which is in a range. */
bool __ttm_resource_in_shared_bulk(const struct ttm_resource *res)
{
	const struct ttm_lru_bulk_move_pos *range = ttm_resource_range(res);
	const struct dma_resv *resv = res->bo->base.resv;

	return range->first->bo->base.resv == resv &&
	       range->last->bo->base.resv == resv;
}

/* Step to @res, the next resource, with the hitch parked before and after. */
static __always_inline void
ttm_cursor_step_parked(struct ttm_resource_cursor *cursor,
		       struct ttm_resource *res)
{
	list_move(&cursor->hitch.link, &res->lru.link);
	ttm_lru_debug_parked(ttm_resource_cursor_man(cursor));
	ttm_cursor_parked_at(cursor, res, true);
}

/* The next node is not simply the next resource, or the hitch isn't parked. */
static noinline struct ttm_resource *
ttm_cursor_next_slowly(struct ttm_resource_cursor *cursor)
{
	struct ttm_lru_item *item = &cursor->hitch;
	struct ttm_resource *res;

	if (ttm_cursor_is_paused(cursor) && !list_empty(&item->link)) {
		/* Mostly the next node is a hitch. */
		list_for_each_entry_continue(item, cursor->list, link) {
			if (ttm_resource_cursor_is_next(cursor, item)) {
				res = ttm_lru_item_to_res(item);
				ttm_cursor_step_parked(cursor, res);
				return res;
			}
			if (ttm_lru_item_is_res(item))
				break;
		}
	}

	res = __ttm_resource_cursor_advance(cursor);
	ttm_resource_cursor_pause(cursor);
	return res;
}

/**
 * ttm_resource_manager_next() - step to the next resource
 * @cursor: The cursor.
 *
 * Context: &ttm_device.lru_lock held; it may be dropped right afterwards, the
 * hitch is parked. O(1) plus the hitches passed.
 *
 * Return: The next resource, or %NULL if the walk has ended or @cursor is in
 * none. Further calls then return %NULL too (P6), and the hitch is on no list.
 */
struct ttm_resource *
ttm_resource_manager_next(struct ttm_resource_cursor *cursor)
{
	struct ttm_lru_item *item = list_entry(cursor->at->next,
					       struct ttm_lru_item, link);
	struct ttm_resource *res;

	lockdep_assert_held(&ttm_resource_cursor_man(cursor)->bdev->lru_lock);

	if (unlikely(!ttm_cursor_is_paused(cursor) ||
		     !ttm_resource_cursor_is_next(cursor, item)))
		return ttm_cursor_next_slowly(cursor);

	res = ttm_lru_item_to_res(item);
	ttm_cursor_step_parked(cursor, res);
	return res;
}
EXPORT_SYMBOL(ttm_resource_manager_next);

/**
 * ttm_resource_manager_first() - start a walk, or start it over
 * @cursor: The cursor, in any state.
 *
 * Context: &ttm_device.lru_lock held; it may be dropped right afterwards, the
 * hitch is parked. O(1) plus the hitches passed.
 *
 * Return: The first resource of the lowest priority that has one, or %NULL if
 * there is none: the walk has then ended.
 */
struct ttm_resource *
ttm_resource_manager_first(struct ttm_resource_cursor *cursor)
{
	return ttm_resource_manager_next(ttm_resource_cursor_restart(cursor));
}
EXPORT_SYMBOL(ttm_resource_manager_first);

/**
 * ttm_resource_manager_visit_lru() - look at every node of a manager's lists
 * @man: The manager.
 * @visit: Called for each node, hitches included, in the order of a walk. Must
 * not change the lists.
 * @arg: Passed to @visit.
 *
 * Only for printing and tests: O(nodes) in one lock hold. To find a buffer to
 * evict, use a cursor.
 *
 * Context: &ttm_device.lru_lock held.
 */
void
ttm_resource_manager_visit_lru(struct ttm_resource_manager *man,
			       void (*visit)(const struct ttm_lru_item *item,
					     void *arg),
			       void *arg)
{
	const struct ttm_lru_item *item;
	unsigned int priority;

	lockdep_assert_held(&man->bdev->lru_lock);

	for (priority = 0; priority < TTM_MAX_BO_PRIORITY; priority++)
		list_for_each_entry(item, &man->lru[priority], link)
			visit(item, arg);
}
EXPORT_SYMBOL(ttm_resource_manager_visit_lru);

/**
 * ttm_lru_first_res_or_null() - the first resource on a list
 * @head: The list, a manager's or the unevictable one.
 *
 * Context: &ttm_device.lru_lock held. O(1) plus the hitches passed.
 *
 * Return: The resource, or %NULL if the list has none.
 */
struct ttm_resource *ttm_lru_first_res_or_null(struct list_head *head)
{
	struct ttm_lru_item *item;

	list_for_each_entry(item, head, link)
		if (ttm_lru_item_is_res(item))
			return ttm_lru_item_to_res(item);

	return NULL;
}
EXPORT_SYMBOL_FOR_TESTS_ONLY(ttm_lru_first_res_or_null);

/**
 * ttm_unevictable_walk_start() - start a walk over a device's unevictable list
 * @bdev: The device.
 * @since: Filled with each memory type's clock; a resource with this stamp or a later
 * one moved during the walk.
 *
 * Context: &ttm_device.lru_lock held. O(1).
 */
void ttm_unevictable_walk_start(struct ttm_device *bdev,
				u64 since[TTM_NUM_MEM_TYPES])
{
	lockdep_assert_held(&bdev->lru_lock);

	for (int i = 0; i < TTM_NUM_MEM_TYPES; i++) {
		struct ttm_resource_manager *man = ttm_manager_type(bdev, i);

		since[i] = man ? ttm_resource_manager_tick(man) : 0;
	}
}

/**
 * ttm_unevictable_walk_next() - the next resource of the unevictable list
 * @bdev: The device.
 * @since: From ttm_unevictable_walk_start().
 *
 * The order of that list means nothing, and no cursor walks it. So each step takes
 * the resource at the tail and moves it to the head. The walk ends when it has already
 * returned the resource at the tail: those before it were returned as well, as others
 * add and move resources only to the tail. Only one such walk may run at a time.
 *
 * Context: &ttm_device.lru_lock held; it may be dropped between steps. O(1).
 *
 * Return: The next resource, or %NULL if the walk has returned all resources on the
 * list, and none has moved since.
 */
struct ttm_resource *ttm_unevictable_walk_next(struct ttm_device *bdev,
					       const u64 since[TTM_NUM_MEM_TYPES])
{
	struct ttm_lru_debug_spot old;
	struct ttm_resource *res;

	lockdep_assert_held(&bdev->lru_lock);

	if (list_empty(&bdev->unevictable))
		return NULL;
	res = ttm_lru_item_to_res(list_last_entry(&bdev->unevictable,
						  struct ttm_lru_item, link));
	/* Stamped without AT_TAIL since the start: this walk has returned it. */
	if (!(res->lru.state & TTM_LRU_AT_TAIL) &&
	    ttm_lru_item_stamp(&res->lru) >= since[res->mem_type])
		return NULL;

	old = ttm_lru_debug_spot(bdev, res);
	list_move(&res->lru.link, &bdev->unevictable);
	ttm_resource_latch(res, TTM_LRU_UNEVICTABLE,
			   ttm_lru_item_priority(&res->lru),
			   ttm_manager_type(bdev, res->mem_type)->lru_clock);
	ttm_lru_debug_moved(bdev, res, old);
	return res;
}

/* Put @res, which is on no list yet, on its list. */
static void ttm_resource_enter(struct ttm_resource *res,
			       struct ttm_buffer_object *bo,
			       struct ttm_resource_manager *man)
{
	struct ttm_lru_debug_spot old = ttm_lru_debug_spot(bo->bdev, res);

	if (unlikely(ttm_resource_is_unevictable(res, bo))) {
		ttm_resource_sync(res, bo, bo->bulk_move);
	} else {
		ttm_resource_manager_entered(man, bo);
		list_add_tail(&res->lru.link, &man->lru[bo->priority]);
		ttm_resource_latch(res, TTM_LRU_LOOSE, bo->priority,
				   man->lru_clock | TTM_LRU_AT_TAIL);
		if (bo->bulk_move)
			ttm_resource_join(res, bo, bo->bulk_move, man);
	}
	ttm_lru_debug_moved(bo->bdev, res, old);
}

/**
 * ttm_resource_init() - make a resource and put it on its list
 * @bo: The buffer object that it is for.
 * @place: Where it is allocated.
 * @res: The resource.
 *
 * Managers call this when they allocate. From here on walks can return @res: it is
 * at the tail of its list, or of its range if @bo has a bulk move.
 *
 * Context: Takes &ttm_device.lru_lock.
 */
void ttm_resource_init(struct ttm_buffer_object *bo,
		       const struct ttm_place *place,
		       struct ttm_resource *res)
{
	struct ttm_device *bdev = bo->bdev;
	struct ttm_resource_manager *man;

	*res = (struct ttm_resource) {
		.bo = bo,
		.size = bo->base.size,
		.mem_type = place->mem_type,
		.placement = place->flags,
		.bus.caching = ttm_cached,
	};
	ttm_lru_item_init(&res->lru, ttm_lru_res_state(TTM_LRU_OFF, 0));

	man = ttm_manager_type(bdev, place->mem_type);
	guard(spinlock)(&bdev->lru_lock);
	man->usage += res->size;
	ttm_resource_enter(res, bo, man);
}
EXPORT_SYMBOL(ttm_resource_init);

/**
 * ttm_resource_fini() - take a resource off its list
 * @man: The manager that it was allocated from.
 * @res: The resource, in any state.
 *
 * Managers call this before they free the memory of @res. Takes @res out of its
 * range first if it is in one.
 *
 * Context: Takes &ttm_device.lru_lock.
 */
void ttm_resource_fini(struct ttm_resource_manager *man,
		       struct ttm_resource *res)
{
	struct ttm_lru_debug_spot old;

	guard(spinlock)(&man->bdev->lru_lock);
	old = ttm_lru_debug_spot(man->bdev, res);
	if (ttm_lru_item_in_range(&res->lru))
		ttm_range_unlink(ttm_resource_range(res), res);
	list_del_init(&res->lru.link);
	res->lru.state = ttm_lru_res_state(TTM_LRU_OFF, 0);
	man->usage -= res->size;
	ttm_lru_debug_moved(man->bdev, res, old);
}
EXPORT_SYMBOL(ttm_resource_fini);

/**
 * ttm_resource_has_entered() - confirm that a buffer's last resource entered
 * @man: The manager.
 * @bo: The buffer object, reserved.
 *
 * Call this before an allocation whose failure ttm_resource_not_entered() reports:
 * that then takes back only this allocation.
 *
 * Context: Takes &ttm_device.lru_lock.
 */
void ttm_resource_has_entered(struct ttm_resource_manager *man,
			      const struct ttm_buffer_object *bo)
{
	/* Only an allocation for @bo sets it to @bo, and @bo is reserved. */
	if (likely(READ_ONCE(man->lru_newest) != bo))
		return;
	guard(spinlock)(&man->bdev->lru_lock);
	if (man->lru_newest == bo)
		WRITE_ONCE(man->lru_newest, NULL);
}

/**
 * ttm_resource_not_entered() - take back the entry of a failed allocation
 * @man: The manager.
 * @bo: The buffer object that it was for.
 *
 * Many managers call ttm_resource_init() before they look for space. If they find
 * none, a resource has entered and left again. A search must not take its own attempts
 * for resources of others. An entry that another walk or search has counted stays
 * counted, see ttm_resource_manager_entries().
 *
 * Context: Takes &ttm_device.lru_lock.
 */
void ttm_resource_not_entered(struct ttm_resource_manager *man,
			      const struct ttm_buffer_object *bo)
{
	guard(spinlock)(&man->bdev->lru_lock);
	if (man->lru_newest != bo)
		return;
	WRITE_ONCE(man->lru_newest, NULL);
	man->lru_entries--;
}
