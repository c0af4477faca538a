// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What can happen in a world. */

#include <drm/ttm/ttm_placement.h>

#include "callers.h"
#include "ops.h"
#include "private.h"

unsigned int rules;
unsigned int max_pins = 1;
struct op_returned op_returned;

/*
 * What is possible
 */

static bool all_flags(void)
{
	return rules & RULES_ALL_FLAGS;
}

static bool callers_only(void)
{
	return rules & RULES_CALLERS;
}

static unsigned int place_of(unsigned int r)
{
	return world.model.res[r].place;
}

static bool is_on_lru(unsigned int r)
{
	return place_of(r) == LOOSE || place_of(r) == RANGE;
}

/* Someone who transfers a buffer holds the reservation of this bulk. */
static bool bulk_reserved(unsigned int bulk)
{
	for (unsigned int r = 0; bulk != NONE && r < shape.res; r++)
		if (slot_is_ghost(slot(r)) &&
		    bulk_of(slot(r)->bo.bulk_move) == bulk)
			return true;
	return false;
}

/* The list hasn't been told that it was swapped out: that comes first. */
static bool is_swapping_out(unsigned int r)
{
	return callers_only() && is_on_lru(r) && slot_unevictable(slot(r));
}

/* Whether anybody may reserve the buffer, to do something with it. */
static bool can_reserve(unsigned int r)
{
	return !slot_is_ghost(slot(r)) && !is_swapping_out(r) &&
	       !bulk_reserved(bulk_of(slot(r)->bo.bulk_move));
}

static bool has_resource(unsigned int r)
{
	return slot(r)->bo.resource == &slot(r)->res;
}

static bool can_set_bulk(unsigned int r, unsigned int bulk)
{
	if (bulk == bulk_of(slot(r)->bo.bulk_move))
		return false;
	/* Nobody does that in the middle of a move to another resource. */
	if (!has_resource(r) && (!all_flags() || place_of(r) != OFF))
		return false;
	if (slot_is_ghost(slot(r)))
		return bulk == NONE;
	return can_reserve(r) && !bulk_reserved(bulk);
}

static bool can_flag(unsigned int r)
{
	if (!slot(r)->bo.ttm)
		return false;
	if (!all_flags() && place_of(r) == OFF)
		return false;
	if (callers_only() && slot_unevictable(slot(r)) == is_on_lru(r))
		return false;
	return can_reserve(r);
}

static bool can_shrink(unsigned int r)
{
	if (!has_resource(r) || slot_is_ghost(slot(r)) || !slot(r)->bo.ttm ||
	    bulk_reserved(bulk_of(slot(r)->bo.bulk_move)))
		return false;
	if (callers_only())
		return is_swapping_out(r);
	return !all_flags() || !slot(r)->bo.pin_count;
}

/* The list is told of what may have been swapped in a while ago. */
static bool can_populate(unsigned int r)
{
	if (!has_resource(r) || !can_reserve(r) || !slot(r)->bo.ttm)
		return false;
	if (all_flags())
		return ttm_tt_is_swapped(&slot(r)->tt);
	return slot_unevictable(slot(r)) || place_of(r) == UNEVICTABLE;
}

static bool can_transfer(unsigned int r)
{
	if (!has_resource(r) || !can_reserve(r))
		return false;
	return !callers_only() || is_on_lru(r);
}

/* A priority must not change inside a bulk. */
static bool can_set_prio(unsigned int r, unsigned int prio)
{
	if (slot(r)->bo.priority == prio || place_of(r) == RANGE ||
	    (!all_flags() && place_of(r) == OFF))
		return false;
	if (callers_only() && slot(r)->bo.bulk_move)
		return false;
	return can_reserve(r);
}

static bool bulk_has_buffers(unsigned int bulk)
{
	for (unsigned int r = 0; r < shape.res; r++)
		if (bulk_of(slot(r)->bo.bulk_move) == bulk)
			return true;
	return false;
}

static bool can_alloc(const struct op *op)
{
	unsigned int r = op->a;

	if (place_of(r) != OFF)
		return false;
	if (all_flags())
		return can_reserve(r) && !slot(r)->bo.resource;
	return !bulk_reserved(ALLOC_BULK(op->c));
}

static bool can_bound(unsigned int walk)
{
	for (unsigned int w = 0; w < shape.walks; w++)
		if (w != walk && world.model.walk[w].bounded)
			return !(rules & RULES_ONE_BOUNDED);
	return true;
}

static bool can_walk(const struct op *op)
{
	bool on = world.model.walk[op->a].on;

	if (*hold_words[op->b] == 'B' && !can_bound(op->a))
		return false;
	if (!(rules & RULES_ONE_WALK))
		return true;
	switch (*hold_words[op->b]) {
	case 'n':
		return on;
	case 'f':
		return list_empty(&world.cursor[op->a].hitch.link);
	default:
		return !list_empty(&world.cursor[op->a].hitch.link);
	}
}

bool op_possible(const struct op *op)
{
	unsigned int r = op->a;

	switch (op->kind) {
	case OP_ALLOC:
		return can_alloc(op);
	case OP_FREE:
		return place_of(r) != OFF && can_reserve(r);
	case OP_ASSIGN:
		return place_of(r) != OFF && !has_resource(r);
	case OP_TAIL:
		return has_resource(r) && can_reserve(r);
	case OP_SET_BULK:
		return can_set_bulk(r, op->b);
	case OP_PIN:
		if (all_flags())
			return slot(r)->bo.pin_count < max_pins && can_reserve(r);
		return has_resource(r) && !slot_unevictable(slot(r)) &&
		       can_reserve(r);
	case OP_UNPIN:
		return slot(r)->bo.pin_count && can_reserve(r);
	case OP_FLAG:
		return can_flag(r);
	case OP_SHRINK:
		return can_shrink(r);
	case OP_POPULATE:
		return can_populate(r);
	case OP_ADD:
	case OP_DEL:
		return has_resource(r) && can_reserve(r);
	case OP_TRANSFER:
		return can_transfer(r);
	case OP_PRIO:
		return can_set_prio(r, op->b);
	case OP_BULK_TAIL:
		return !bulk_reserved(op->a);
	case OP_BULK_FINI:
		return !callers_only() || !bulk_has_buffers(op->a);
	case OP_UNEVICTABLE:
		return op->b == NONE ||
		       (has_resource(op->b) && can_reserve(op->b));
	default:
		return can_walk(op);
	}
}

/*
 * What happens to a buffer
 */

static void do_alloc(const struct op *op)
{
	struct ttm_place place = { .mem_type = op->b };
	struct slot *s = slot(op->a);
	struct ttm_resource *res;

	if (!all_flags()) {
		unsigned int bulk = ALLOC_BULK(op->c);

		s->bo.bulk_move = bulk == NONE ? NULL : &world.bulk[bulk];
		s->bo.base.resv = bulk == NONE ? &s->bo.base._resv : &world.resv;
		s->bo.pin_count = ALLOC_UNEVICTABLE(op->c);
		s->bo.priority = ALLOC_PRIO(op->c);
	}
	dma_resv_lock(s->bo.base.resv, NULL);
	ttm_resource_alloc(&s->bo, &place, &res, NULL);
	lru_model_enter(&world.model, op->a, op->b, wish_of(op->a));
	if (!all_flags())
		ttm_bo_assign_mem(&s->bo, res);
	dma_resv_unlock(s->bo.base.resv);
}

/* Nothing but its flags is left of a buffer's slot when its resource goes. */
static void slot_clear(struct slot *s)
{
	memset(&s->res, 0x5a, sizeof(s->res));
	world_poison(&s->res, sizeof(s->res));
	if (all_flags())
		return;
	s->bo.bulk_move = NULL;
	s->bo.base.resv = &s->bo.base._resv;
	s->bo.pin_count = 0;
	s->bo.priority = 0;
	s->tt.page_flags = 0;
}

static void do_free(unsigned int r)
{
	struct ttm_resource *res = &slot(r)->res;
	struct dma_resv *resv = slot(r)->bo.base.resv;

	dma_resv_lock(resv, NULL);
	if (has_resource(r))
		ttm_resource_free(&slot(r)->bo, &slot(r)->bo.resource);
	else
		ttm_resource_free(&slot(r)->bo, &res);
	dma_resv_unlock(resv);
	lru_model_leave(&world.model, r);
	slot_clear(slot(r));
}

static void do_set_bulk(unsigned int r, unsigned int bulk)
{
	struct slot *s = slot(r);

	if (bulk != NONE)
		s->bo.base.resv = &world.resv;
	dma_resv_lock(s->bo.base.resv, NULL);
	ttm_bo_set_bulk_move(&s->bo, bulk == NONE ? NULL : &world.bulk[bulk]);
	dma_resv_unlock(s->bo.base.resv);
	if (bulk == NONE)
		s->bo.base.resv = &s->bo.base._resv;
}

/*
 * The one flag that a buffer may have is kept as a pin, but for those who look
 * at the ttm's.
 */
static void flag_as_swapped(struct slot *s, bool swapped)
{
	if (!all_flags())
		s->bo.pin_count = 0;
	s->tt.page_flags = swapped ? TTM_TT_FLAG_SWAPPED : 0;
}

static void do_flag(unsigned int r)
{
	struct slot *s = slot(r);

	if (all_flags())
		s->tt.page_flags ^= TTM_TT_FLAG_SWAPPED;
	else
		flag_as_swapped(s, !slot_unevictable(s));
}

static void do_shrink(struct slot *s)
{
	const struct ttm_bo_shrink_flags flags = {};
	struct ttm_operation_ctx ctx = {};

	flag_as_swapped(s, false);
	ttm_bo_shrink(&ctx, &s->bo, flags);
}

static void do_populate(struct slot *s)
{
	struct ttm_operation_ctx ctx = {};

	flag_as_swapped(s, true);
	ttm_bo_populate(&s->bo, &ctx);
}

/*
 * Up to its second lock hold, that is to where the list is first told. What
 * the rest of it does is operations of their own.
 */
static void do_transfer(unsigned int r)
{
	struct ttm_buffer_object *ghost;

	stub_stop.left = 2;
	if (!setjmp(stub_stop.to))
		caller_transfer(&slot(r)->bo, &ghost);
	stub_stop.left = 0;
	world_adopt_ghost(r);
}

static void do_tail(unsigned int r)
{
	struct dma_resv *resv = slot(r)->bo.base.resv;

	dma_resv_lock(resv, NULL);
	ttm_bo_move_to_lru_tail_unlocked(&slot(r)->bo);
	dma_resv_unlock(resv);
}

static void do_reserved(const struct op *op)
{
	struct slot *s = slot(op->a);

	switch (op->kind) {
	case OP_ASSIGN:
		ttm_bo_assign_mem(&s->bo, &s->res);
		break;
	case OP_PIN:
		ttm_bo_pin(&s->bo);
		break;
	case OP_UNPIN:
		ttm_bo_unpin(&s->bo);
		break;
	case OP_FLAG:
		do_flag(op->a);
		break;
	case OP_SHRINK:
		do_shrink(s);
		break;
	case OP_POPULATE:
		do_populate(s);
		break;
	case OP_ADD:
		scoped_guard(spinlock, &world.bdev.lru_lock)
			watched_add(&s->res, &s->bo);
		break;
	case OP_DEL:
		scoped_guard(spinlock, &world.bdev.lru_lock)
			watched_del(&s->res, &s->bo);
		break;
	case OP_PRIO:
		s->bo.priority = op->b;
		break;
	}
}

/*
 * What happens to a bulk
 */

static void do_bulk_tail(unsigned int bulk)
{
	dma_resv_lock(&world.resv, NULL);
	scoped_guard(spinlock, &world.bdev.lru_lock)
		ttm_lru_bulk_move_tail(&world.bulk[bulk]);
	dma_resv_unlock(&world.resv);
	lru_model_bulk_tail(&world.model, bulk);
}

/* The memory of a bulk that ended goes: no member's buffer may point to it. */
static void check_members_let_go(unsigned int b)
{
	for (unsigned int r = 0; r < shape.res; r++)
		if (place_of(r) == RANGE && world.model.res[r].bulk == b &&
		    slot(r)->bo.bulk_move)
			lru_judge(P4_RANGES,
				  "a buffer is in a bulk that ended");
}

static void do_bulk_fini(unsigned int b)
{
	struct ttm_lru_bulk_move *bulk = &world.bulk[b];
	unsigned int warnings = stub_warnings.count;

	ttm_lru_bulk_move_fini(&world.bdev, bulk);
	check_members_let_go(b);
	if (lru_model_bulk_end(&world.model, b)) {
		if (stub_warnings.count != warnings + 1)
			lru_judge(NO_WARNING,
				  "a bulk ended with members unnoticed");
		stub_warnings.count = warnings;
	}
	if (!list_empty(&bulk->cursor_list))
		lru_judge(P4_RANGES,
			  "a hitch is registered with a bulk that ended");
	memset(bulk, 0x5a, sizeof(*bulk));
	ttm_lru_bulk_move_init(bulk);

	for (unsigned int r = 0; r < shape.res; r++)
		if (!slot(r)->bo.bulk_move)
			slot(r)->bo.base.resv = &slot(r)->bo.base._resv;
}

/*
 * What happens to a walk
 */

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
		lru_judge(P1_COMPLETE, "a step passes who is owed");
	return ahead;
}

static void do_hold_step(unsigned int w, char step, unsigned int *at)
{
	struct ttm_resource_cursor *cursor = &world.cursor[w];

	switch (step) {
	case 'R':
		walk_begin(w);
		ttm_resource_cursor_restart(cursor);
		*at = AT_START;
		break;
	case 'B':
		ttm_resource_cursor_fini(cursor);
		ttm_resource_cursor_init_bounded(cursor, cursor_man(cursor));
		world.bounded[w] = true;
		walk_begin(w);
		ttm_resource_cursor_restart(cursor);
		*at = AT_START;
		break;
	case 'A':
		*at = do_advance(w);
		break;
	case 'W':
		*at = do_advance_within(w);
		break;
	case 'S':
		do_skip(w, *at);
		break;
	case 'P':
		ttm_resource_cursor_pause(cursor);
		*at = AT_HITCH;
		break;
	}
}

/*
 * A walk over the unevictable list, to its end or left after some steps. In
 * between, after the first, somebody may move a resource.
 */
static void do_unevictable(const struct op *op)
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
		do_tail(op->b);
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

static void do_unevictable(const struct op *op)
{
}

#endif

static void do_walk(unsigned int w, const char *word)
{
	struct ttm_resource_cursor *cursor = &world.cursor[w];
	unsigned int at = AT_HITCH;

	for (; *word; word++) {
		switch (*word) {
		case 'f':
			walk_begin(w);
			walk_returned(w, ttm_resource_manager_first(cursor));
			break;
		case 'n':
			walk_returned(w, ttm_resource_manager_next(cursor));
			break;
		case 'F':
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

static void do_kind(const struct op *op)
{
	struct dma_resv *resv;

	switch (op->kind) {
	case OP_ALLOC:
		do_alloc(op);
		return;
	case OP_FREE:
		do_free(op->a);
		return;
	case OP_SET_BULK:
		do_set_bulk(op->a, op->b);
		return;
	case OP_TAIL:
		do_tail(op->a);
		return;
	case OP_BULK_TAIL:
		do_bulk_tail(op->a);
		return;
	case OP_BULK_FINI:
		do_bulk_fini(op->a);
		return;
	case OP_UNEVICTABLE:
		do_unevictable(op);
		return;
	case OP_WALK:
		scoped_guard(spinlock, &world.bdev.lru_lock)
			do_walk(op->a, hold_words[op->b]);
		return;
	}

	resv = slot(op->a)->bo.base.resv;
	dma_resv_lock(resv, NULL);
	if (op->kind == OP_TRANSFER)
		do_transfer(op->a);
	else
		do_reserved(op);
	resv->held = false;
	slot(op->a)->bo.base.resv->held = false;
}

void op_do(const struct op *op)
{
	op_returned.n = 0;
	world.model.tailed = NONE;
	do_kind(op);
	if (stub_warnings.count) {
		lru_judge(NO_WARNING, stub_warnings.first);
		stub_warnings.count = 0;
	}
}
