// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Which operations are possible in a world. */

#include "ops.h"
#include "op_internal.h"
#include "private.h"

unsigned int rules;
unsigned int max_pins = 1;

static bool callers_only(void)
{
	return rules & RULES_CALLERS;
}

static bool is_on_lru(unsigned int r)
{
	return place_of(r) == LOOSE || place_of(r) == RANGE;
}

/* A thread that transfers a buffer holds the reservation of this bulk. */
static bool bulk_reserved(unsigned int bulk)
{
	for (unsigned int r = 0; bulk != NONE && r < shape.res; r++)
		if (slot_is_ghost(slot(r)) &&
		    bulk_of(slot(r)->bo.bulk_move) == bulk)
			return true;
	return false;
}

/* The buffer is swapped out, and its caller must tell the list before anything else. */
static bool is_swapping_out(unsigned int r)
{
	return callers_only() && is_on_lru(r) && slot_unevictable(slot(r));
}

/* Can a thread reserve the buffer, to operate on it? */
static bool can_reserve(unsigned int r)
{
	return !slot_is_ghost(slot(r)) && !is_swapping_out(r) &&
	       !bulk_reserved(bulk_of(slot(r)->bo.bulk_move));
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

	if (*hold_words[op->b] == 'b' && !can_bound(op->a))
		return false;
	if (!(rules & RULES_ONE_WALK))
		return true;
	switch (*hold_words[op->b]) {
	case 'n':
		return on;
	case 'F':
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
