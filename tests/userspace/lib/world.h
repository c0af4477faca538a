/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * A small world of real TTM structures, and the model of it beside. Slot r is a
 * buffer, its ttm and its resource.
 */
#ifndef _WORLD_H_
#define _WORLD_H_

#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_resource.h>
#include <drm/ttm/ttm_tt.h>

#include "limits.h"
#include "ttm_bo_internal.h"
#include "ttm_lru_model.h"

struct slot {
	struct ttm_resource res;
	struct ttm_buffer_object bo;
	struct ttm_tt tt;
};

/* All that operations change, in one piece: it is copied to go back. */
struct world {
	struct ttm_device bdev;
	struct ttm_resource_manager man[MAX_TYPES];
	struct ttm_lru_bulk_move bulk[MAX_BULKS];
	struct ttm_resource_cursor cursor[MAX_WALKS];
	bool bounded[MAX_WALKS];	/* how a cursor was initialized */
	struct slot slot[MAX_RES];
	struct dma_resv resv;
	struct lru_model model;
};

extern struct world world;
extern struct shape shape;

void world_init(void);

static inline struct slot *slot(unsigned int r)
{
	return &world.slot[r];
}

/* The slot of a resource; MAX_RES or more for what is none of ours. */
static inline unsigned int slot_of(const struct ttm_resource *res)
{
	size_t offset = (char *)res - (char *)world.slot;

	if (offset % sizeof(struct slot))
		return NONE;
	return offset / sizeof(struct slot);
}

/* The number of a buffer's bulk, or NONE. */
static inline unsigned int bulk_of(const struct ttm_lru_bulk_move *bulk)
{
	return bulk ? bulk - world.bulk : NONE;
}

static inline bool slot_unevictable(const struct slot *s)
{
	return s->bo.pin_count ||
	       (s->bo.resource == &s->res && ttm_tt_is_swapped(&s->tt));
}

/*
 * A buffer that was transferred but hasn't yet left the bulk. Meanwhile the thread that
 * transfers it holds the reservation of that bulk's members.
 */
static inline bool slot_is_ghost(const struct slot *s)
{
	return s->bo.bulk_move && s->bo.base.resv != &world.resv;
}

struct lru_wish wish_of(unsigned int r);

/* List operations on the code under test and on the model. */
void watched_add(struct ttm_resource *res, struct ttm_buffer_object *bo);
void watched_del(struct ttm_resource *res, struct ttm_buffer_object *bo);
void watched_del_unevictable(struct ttm_resource *res,
			     struct ttm_buffer_object *bo);
void watched_tail(struct ttm_resource *res);

/* Nobody has any business in what was freed; worlds are copied whole, though. */
#ifdef POISON
void __asan_poison_memory_region(const volatile void *addr, size_t size);
void __asan_unpoison_memory_region(const volatile void *addr, size_t size);
#define world_poison	__asan_poison_memory_region
#define world_unpoison	__asan_unpoison_memory_region
#else
static inline void world_poison(void *addr, size_t size)
{
}

static inline void world_unpoison(void *addr, size_t size)
{
}
#endif

/* Take over what ttm_buffer_object_transfer() made of slot @r's buffer. */
void world_adopt_ghost(unsigned int r);

#endif
