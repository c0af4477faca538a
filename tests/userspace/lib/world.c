// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A small world of real TTM structures, and the model of it beside. */

#include <drm/ttm/ttm_placement.h>

#include "world.h"

struct world world;
struct shape shape;

/* What ttm_buffer_object_transfer() makes: a buffer and a bit. */
static struct {
	struct ttm_buffer_object base;
	struct ttm_buffer_object *bo;
} ghost;

void *stub_alloc(size_t size)
{
	WARN_ON(size != sizeof(ghost));
	return &ghost;
}

static int world_alloc(struct ttm_resource_manager *man,
		       struct ttm_buffer_object *bo,
		       const struct ttm_place *place, struct ttm_resource **res)
{
	*res = &container_of(bo, struct slot, bo)->res;
	world_unpoison(*res, sizeof(**res));
#ifdef PRISTINE
	/* Linux's own core takes the node's type from memory that was zeroed. */
	memset(*res, 0, sizeof(**res));
#endif
	ttm_resource_init(bo, place, *res);
	return 0;
}

static void world_free(struct ttm_resource_manager *man,
		       struct ttm_resource *res)
{
	ttm_resource_fini(man, res);
#ifndef PRISTINE
	WARN_ON(ttm_lru_item_place(&res->lru) != TTM_LRU_OFF);
#endif
}

static const struct ttm_resource_manager_func world_man_func = {
	.alloc = world_alloc,
	.free = world_free,
};

static void slot_init(struct slot *s)
{
	memset(s, 0, sizeof(*s));
	s->bo.bdev = &world.bdev;
	s->bo.base.resv = &s->bo.base._resv;
	s->bo.base.size = 1;
	s->bo.ttm = &s->tt;
	kref_init(&s->bo.kref);
	ttm_lru_item_init(&s->res.lru, TTM_LRU_RESOURCE);
}

void world_init(void)
{
	world_unpoison(&world, sizeof(world));
	memset(&world, 0, sizeof(world));
	INIT_LIST_HEAD(&world.bdev.unevictable);
	/* What lies behind a list's head is no resource's type, as in a kernel. */
	world.bdev.dev_mapping = (void *)&world;
	for (unsigned int t = 0; t < MAX_TYPES; t++) {
		ttm_resource_manager_init(&world.man[t], &world.bdev, 0);
		world.man[t].func = &world_man_func;
		ttm_set_driver_manager(&world.bdev, t, &world.man[t]);
	}
	for (unsigned int b = 0; b < MAX_BULKS; b++)
		ttm_lru_bulk_move_init(&world.bulk[b]);
	for (unsigned int w = 0; w < MAX_WALKS; w++)
		ttm_resource_cursor_init(&world.cursor[w],
					 &world.man[w % shape.types]);
	for (unsigned int r = 0; r < MAX_RES; r++)
		slot_init(&world.slot[r]);
	lru_model_init(&world.model);
}

struct lru_wish wish_of(unsigned int r)
{
	const struct slot *s = slot(r);

	return (struct lru_wish) {
		.evictable = !slot_unevictable(s),
		.prio = s->bo.priority,
		.bulk = bulk_of(s->bo.bulk_move),
	};
}

/* The buffer may be a transferred one that the slot hasn't got yet. */
static struct lru_wish wish_for(const struct ttm_resource *res,
				const struct ttm_buffer_object *bo)
{
	bool swapped = bo->ttm && bo->resource == res &&
		       ttm_tt_is_swapped(bo->ttm);

	return (struct lru_wish) {
		.evictable = !bo->pin_count && !swapped,
		.prio = bo->priority,
		.bulk = bulk_of(bo->bulk_move),
	};
}

void watched_add(struct ttm_resource *res, struct ttm_buffer_object *bo)
{
	ttm_resource_add_bulk_move(res, bo);
	lru_model_settle(&world.model, slot_of(res), wish_for(res, bo));
}

static void model_del(struct ttm_resource *res, struct ttm_buffer_object *bo)
{
	struct lru_wish wish = wish_for(res, bo);

	wish.bulk = NONE;
	lru_model_settle(&world.model, slot_of(res), wish);
}

void watched_del(struct ttm_resource *res, struct ttm_buffer_object *bo)
{
	ttm_resource_del_bulk_move(res, bo);
	model_del(res, bo);
}

#ifdef PRISTINE
void watched_del_unevictable(struct ttm_resource *res,
			     struct ttm_buffer_object *bo)
{
	ttm_resource_del_bulk_move_unevictable(res, bo);
	model_del(res, bo);
}
#endif

void watched_tail(struct ttm_resource *res)
{
	ttm_resource_move_to_lru_tail(res);
	lru_model_tail(&world.model, slot_of(res), wish_for(res, res->bo));
}

void world_adopt_ghost(unsigned int r)
{
	struct slot *s = slot(r);

	if (s->res.bo != &ghost.base)
		lru_judge(P5_IN_PLACE, "a given resource keeps its old buffer");
	s->bo = ghost.base;
	s->bo.base.resv = &s->bo.base._resv;
	s->res.bo = &s->bo;
}
