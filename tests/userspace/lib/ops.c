// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Operations on buffers and bulks, on both the code under test and the model. */

#include <drm/ttm/ttm_placement.h>

#include "callers.h"
#include "ops.h"
#include "op_internal.h"
#include "private.h"

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
 * A buffer has one flag, which is kept as a pin. Set the flag of its ttm as well for
 * functions that read it.
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

void op_do_tail(unsigned int r)
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

/* The memory of a bulk that ended is freed: no member's buffer may point to it. */
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
		op_do_tail(op->a);
		return;
	case OP_BULK_TAIL:
		do_bulk_tail(op->a);
		return;
	case OP_BULK_FINI:
		do_bulk_fini(op->a);
		return;
	case OP_UNEVICTABLE:
		op_do_unevictable(op);
		return;
	case OP_WALK:
		scoped_guard(spinlock, &world.bdev.lru_lock)
			op_do_walk(op->a, hold_words[op->b]);
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
