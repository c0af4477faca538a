// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Checks of the LRU lists after list operations.
 *
 * A list is right if each *gap*, the nodes from one resource to the next, is
 * right: both resources are latched for this list (P5); a range begins at its
 * first member, ends at its last, and nowhere else; and the hitches in the gap
 * are registered with a bulk exactly if both resources are members of it (P4). So
 * check the gaps that an operation touched after each one. Check whole lists only
 * after a number of operations in proportion to their length.
 *
 * Nothing here reads a buffer's ttm, which its reservation protects, nor the
 * buffer of a resource that is in no range, which may be NULL.
 */

#include <linux/spinlock.h>

#include <drm/drm_print.h>
#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_device.h>

#include "ttm_lru_debug.h"
#include "ttm_lru_internal.h"

/* The most nodes of a broken list that are printed. */
#define TTM_LRU_DEBUG_PRINT	64

static struct ttm_lru_item *to_item(struct list_head *node)
{
	return list_entry(node, struct ttm_lru_item, link);
}

static bool is_hitch(struct list_head *list, struct list_head *node)
{
	return node != list && !ttm_lru_item_is_res(to_item(node));
}

static struct ttm_resource_cursor *to_cursor(struct list_head *node)
{
	return container_of(to_item(node), struct ttm_resource_cursor, hitch);
}

/* The resource at a node; NULL for the list's head. */
static struct ttm_resource *to_res(struct list_head *list,
				   struct list_head *node)
{
	return node == list ? NULL : ttm_lru_item_to_res(to_item(node));
}

/* The bulk that a resource is latched into; NULL for none, or no resource. */
static struct ttm_lru_bulk_move *bulk_of(struct ttm_resource *res)
{
	if (!res || !ttm_lru_item_in_range(&res->lru))
		return NULL;
	return res->bo->bulk_move;
}

static struct ttm_lru_bulk_move_pos *range_of(struct ttm_resource *res)
{
	return &bulk_of(res)->pos[res->mem_type]
				 [ttm_lru_item_priority(&res->lru)];
}

static void print_node(struct ttm_device *bdev, struct list_head *node)
{
	struct ttm_lru_item *item = to_item(node);
	struct ttm_resource *res;

	if (!ttm_lru_item_is_res(item)) {
		pr_err("  hitch    %p priority %u range %p\n", item,
		       ttm_resource_cursor_priority(to_cursor(node)),
		       to_cursor(node)->range);
		return;
	}
	res = ttm_lru_item_to_res(item);
	pr_err("  resource %p type %u priority %u place %u bulk %p\n", res,
	       res->mem_type, ttm_lru_item_priority(item),
	       ttm_lru_item_place(item), bulk_of(res));
}

static void complain(struct ttm_device *bdev, struct list_head *list,
		     const char *what)
{
	struct list_head *node;
	unsigned int n = 0;

	WARN(1, "TTM LRU broken: %s\n", what);
	list_for_each(node, list) {
		if (n++ == TTM_LRU_DEBUG_PRINT) {
			pr_err("  ...\n");
			break;
		}
		print_node(bdev, node);
	}
}

/* Is @res latched for the list that it is on? */
static bool res_in_place(struct ttm_device *bdev, struct list_head *list,
			 struct ttm_resource *res)
{
	return list == ttm_resource_list(bdev, res);
}

/* Is @cursor on @list, and registered with @range, or with none if it is NULL? */
static bool hitch_in_place(struct list_head *list,
			   struct ttm_resource_cursor *cursor,
			   struct ttm_lru_bulk_move_pos *range)
{
	return ttm_resource_cursor_priority(cursor) < TTM_MAX_BO_PRIORITY &&
	       cursor->list == list && cursor->range == range &&
	       list_empty(&cursor->bulk_link) == !range;
}

/* Check a gap, given its first node: a resource or the head of @list. */
static struct list_head *check_gap(struct ttm_device *bdev,
				   struct list_head *list,
				   struct list_head *node)
{
	struct ttm_resource *res = to_res(list, node), *next_res;
	struct ttm_lru_bulk_move *bulk = bulk_of(res), *next_bulk, *inside;
	struct list_head *next = node->next;

	while (is_hitch(list, next))
		next = next->next;
	next_res = to_res(list, next);
	next_bulk = bulk_of(next_res);
	inside = bulk == next_bulk ? bulk : NULL;

	if (next_res && !res_in_place(bdev, list, next_res))
		complain(bdev, list, "a resource is not where it is latched");
	else if (bulk && (range_of(res)->last == res) == !!inside)
		complain(bdev, list, "a range does not end at its last member");
	else if (next_bulk && (range_of(next_res)->first == next_res) == !!inside)
		complain(bdev, list, "a range does not begin at its first member");

	for (node = node->next; node != next; node = node->next)
		if (!hitch_in_place(list, to_cursor(node),
				    inside ? range_of(res) : NULL))
			complain(bdev, list, "a hitch's registration is wrong");

	return next;
}

/* Check the gap that @node, which may be a hitch, is part of. */
static void check_around(struct ttm_device *bdev, struct list_head *list,
			 struct list_head *node)
{
	while (is_hitch(list, node))
		node = node->prev;
	check_gap(bdev, list, node);
}

static unsigned long check_list(struct ttm_device *bdev, struct list_head *list)
{
	struct list_head *node = list;
	unsigned long n = 0;

	do {
		node = check_gap(bdev, list, node);
		n++;
	} while (node != list);

	return n;
}

/* Check whole lists, so rarely that it costs a few nodes for each operation. */
static void check_sometimes(struct ttm_device *bdev,
			    struct ttm_resource_manager *man)
{
	unsigned long nodes;
	unsigned int i;

	if (++man->lru_ops < man->lru_check_at)
		return;

	nodes = check_list(bdev, &bdev->unevictable);
	for (i = 0; i < TTM_MAX_BO_PRIORITY; i++)
		nodes += check_list(bdev, &man->lru[i]);
	man->lru_check_at = man->lru_ops + nodes / 8;
}

/* Remember where @res is, before a list operation on it. */
struct ttm_lru_debug_spot ttm_lru_debug_spot(struct ttm_device *bdev,
					     struct ttm_resource *res)
{
	return (struct ttm_lru_debug_spot) {
		.list = ttm_resource_list(bdev, res),
		.prev = res->lru.link.prev,
	};
}

/* @res was moved, or deleted: check where it was and where it is. */
void ttm_lru_debug_moved(struct ttm_device *bdev, struct ttm_resource *res,
			 struct ttm_lru_debug_spot old)
{
	struct list_head *list = ttm_resource_list(bdev, res);

	lockdep_assert_held(&bdev->lru_lock);

	if (old.list)
		check_around(bdev, old.list, old.prev);
	if (list) {
		check_around(bdev, list, res->lru.link.prev);
		check_around(bdev, list, &res->lru.link);
	}
	check_sometimes(bdev, ttm_manager_type(bdev, res->mem_type));
}

/*
 * @cursor steps to @at, another node or its own hitch. While it is not at its
 * hitch, the holder must not change the lists or drop the lock; lockdep notices
 * the latter by the pin.
 */
void ttm_lru_debug_cursor(struct ttm_resource_cursor *cursor,
			  struct list_head *at)
{
	struct ttm_resource_manager *man = ttm_resource_cursor_man(cursor);
	bool was_paused = cursor->at == &cursor->hitch.link;
	bool is_paused = at == &cursor->hitch.link;

	if (!was_paused)
		WARN(cursor->lru_ops != man->lru_ops,
		     "TTM LRU changed under a cursor that is not paused\n");
	cursor->lru_ops = man->lru_ops;

	if (was_paused && !is_paused)
		cursor->cookie = lockdep_pin_lock(&man->bdev->lru_lock);
	else if (is_paused && !was_paused)
		lockdep_unpin_lock(&man->bdev->lru_lock, cursor->cookie);
}

/* Print the counts of walks, as part of the manager's state in debugfs. */
void ttm_lru_debug_print(struct ttm_resource_manager *man,
			 struct drm_printer *p)
{
	struct ttm_lru_stats stats;

	scoped_guard(spinlock, &man->bdev->lru_lock)
		stats = man->lru_stats;
	drm_printf(p, "  walks: %llu resources, %llu holds of the lock\n",
		   stats.examined, stats.holds);
	drm_printf(p, "  longest hold: %llu resources\n", stats.longest);
	drm_printf(p, "  reservations tried: %llu, hitches parked: %llu\n",
		   stats.trylocks, stats.parked);
}
