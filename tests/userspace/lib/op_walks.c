// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Operations on walks, on both the code under test and the model. */

#include "ops.h"
#include "op_internal.h"
#include "private.h"

struct op_returned op_returned;

static void walk_begin(unsigned int w)
{
	const struct ttm_resource_cursor *cursor = &world.cursor[w];

	lru_model_walk_begin(&world.model, w, cursor_man(cursor) - world.man,
			     world.bounded[w]);
}

static void walk_returned(unsigned int w, struct ttm_resource *res)
{
	unsigned int r = res ? slot_of(res) : NONE;

	op_returned.slot[op_returned.n++] = r;
	if (!res)
		lru_model_walk_ended(&world.model, w);
	else if (r >= shape.res)
		lru_judge(P6_FUSED, "a walk returned what is no resource");
	else
		lru_model_walk_returned(&world.model, w, r);
}

#ifndef PRISTINE

static bool is_member(const struct list_head *node, unsigned int *r)
{
	struct ttm_lru_item *item = list_entry(node, struct ttm_lru_item, link);

	*r = slot_of(ttm_lru_item_to_res(item));
	return place_of(*r) == RANGE;
}

static bool is_hitch(const struct list_head *node)
{
	return !ttm_lru_item_is_res(list_entry(node, struct ttm_lru_item, link));
}

/* The member behind a parked hitch that is strictly inside a range, or NONE. */
static unsigned int member_behind(const struct ttm_resource_cursor *cursor)
{
	const struct list_head *prev = &cursor->hitch.link, *next = prev, *head;
	unsigned int a, b;

	if (list_empty(prev))
		return NONE;
	head = cursor->list;
	do {
		prev = prev->prev;
	} while (prev != head && is_hitch(prev));
	do {
		next = next->next;
	} while (next != head && is_hitch(next));
	if (prev == head || next == head || !is_member(prev, &a) ||
	    !is_member(next, &b))
		return NONE;
	return world.model.res[a].bulk == world.model.res[b].bulk ? a : NONE;
}

/*
 * Where a walk is in its hold: behind a slot, before the first one, or where
 * the hitch was parked.
 */
#define AT_START	0xfe
#define AT_HITCH	0xfd

static void do_skip(unsigned int w, unsigned int at)
{
	const struct lru_model_res *res;

	if (at == AT_HITCH)
		at = member_behind(&world.cursor[w]);
	ttm_resource_cursor_skip_bulk(&world.cursor[w]);
	if (at >= shape.res || place_of(at) != RANGE)
		return;
	res = &world.model.res[at];
	lru_model_walk_skip(&world.model, w, res->prio, res->bulk);
}

static unsigned int do_advance(unsigned int w)
{
	struct ttm_resource *res;

	res = ttm_resource_cursor_advance(&world.cursor[w]);
	walk_returned(w, res);
	return res ? slot_of(res) : NONE;
}

/* The first resource ahead of a walk, whether or not it ignores it, or NONE. */
static unsigned int slot_ahead(const struct ttm_resource_cursor *cursor)
{
	const struct list_head *node = cursor->at;

	for (unsigned int p = cursor_prio(cursor); p < shape.prios; p++) {
		const struct list_head *list = &cursor_man(cursor)->lru[p];
		struct ttm_lru_item *item;

		do {
			node = node->next;
		} while (node != list && is_hitch(node));
		if (node != list) {
			item = list_entry(node, struct ttm_lru_item, link);
			return slot_of(ttm_lru_item_to_res(item));
		}
		node++;
	}
	return NONE;
}

/*
 * One resource may be looked at. If the walk ignores that, none is returned,
 * and the walk stands behind it.
 */
static unsigned int do_advance_within(unsigned int w)
{
	struct ttm_resource_cursor *cursor = &world.cursor[w];
	unsigned int ahead = slot_ahead(cursor);
	unsigned long budget = 1;
	struct ttm_resource *res;

	res = ttm_resource_cursor_advance_within(cursor, &budget);
	if (budget != (ahead == NONE ? 1 : 0))
		lru_judge(P7_BOUNDED, "a step's budget is miscounted");
	if (PTR_ERR(res) != -EAGAIN) {
		if ((res ? slot_of(res) : NONE) != ahead)
			lru_judge(P7_BOUNDED, "a step exceeds its budget");
		walk_returned(w, res);
		return ahead;
	}

	op_returned.slot[op_returned.n++] = AGAIN;
	if (ahead == NONE || cursor->at != &slot(ahead)->res.lru.link)
		lru_judge(P7_BOUNDED, "a step ends where it should not");
	else if (!world.model.walk[w].bounded ||
		 world.model.walk[w].owed & BIT(ahead))
		lru_judge(P1_COMPLETE, "a step passes a resource that is owed");
	return ahead;
}

static void do_hold_step(unsigned int w, char step, unsigned int *at)
{
	struct ttm_resource_cursor *cursor = &world.cursor[w];

	switch (step) {
	case 'r':
		walk_begin(w);
		ttm_resource_cursor_restart(cursor);
		*at = AT_START;
		break;
	case 'b':
		ttm_resource_cursor_fini(cursor);
		ttm_resource_cursor_init_bounded(cursor, cursor_man(cursor));
		world.bounded[w] = true;
		break;
	case 'a':
		*at = do_advance(w);
		break;
	case 'w':
		*at = do_advance_within(w);
		break;
	case 's':
		do_skip(w, *at);
		break;
	case 'p':
		ttm_resource_cursor_pause(cursor);
		*at = AT_HITCH;
		break;
	}
}

/*
 * A walk over the unevictable list, to its end or left after some steps. After the first
 * step, another thread may move a resource.
 */
void op_do_unevictable(const struct op *op)
{
	const struct lru_model_list *list = &world.model.unevictable;
	u32 owed = 0, returned = 0;
	u64 since[TTM_NUM_MEM_TYPES];
	struct ttm_resource *res;
	unsigned int steps = 0;

	for (unsigned int i = 0; i < list->n; i++)
		owed |= BIT(list->id[i]);
	scoped_guard(spinlock, &world.bdev.lru_lock)
		ttm_unevictable_walk_start(&world.bdev, since);
	for (;;) {
		unsigned int r;

		scoped_guard(spinlock, &world.bdev.lru_lock)
			res = ttm_unevictable_walk_next(&world.bdev, since);
		if (!res)
			break;
		r = slot_of(res);
		if (r >= shape.res || place_of(r) != UNEVICTABLE) {
			lru_judge(P5_IN_PLACE,
				  "returned what is not unevictable");
			return;
		}
		if (returned & BIT(r)) {
			lru_judge(P2_NO_REPEATS,
				  "an unevictable one is returned again");
			return;
		}
		lru_model_unevictable_returned(&world.model, r);
		returned |= BIT(r);
		if (++steps == op->a)
			return;
		if (steps > 1 || op->b == NONE)
			continue;
		op_do_tail(op->b);
		returned &= ~BIT(op->b);
		if (place_of(op->b) != UNEVICTABLE)
			owed &= ~BIT(op->b);
	}
	if (owed & ~returned)
		lru_judge(P1_COMPLETE, "an unevictable one is missed");
}

#else

#define AT_HITCH	0xfd

static void do_hold_step(unsigned int w, char step, unsigned int *at)
{
}

void op_do_unevictable(const struct op *op)
{
}

#endif

void op_do_walk(unsigned int w, const char *word)
{
	struct ttm_resource_cursor *cursor = &world.cursor[w];
	unsigned int at = AT_HITCH;

	for (; *word; word++) {
		switch (*word) {
		case 'F':
			walk_begin(w);
			walk_returned(w, ttm_resource_manager_first(cursor));
			break;
		case 'n':
			walk_returned(w, ttm_resource_manager_next(cursor));
			break;
		case 'f':
			ttm_resource_cursor_fini(cursor);
			if (rules & RULES_ONE_WALK || world.bounded[w])
				ttm_resource_cursor_init(cursor, cursor_man(cursor));
			world.bounded[w] = false;
			lru_model_walk_stop(&world.model, w);
			break;
		default:
			do_hold_step(w, *word, &at);
		}
	}
}
