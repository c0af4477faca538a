/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Accessors for what the core under test and Linux's own keep in different places. */
#ifndef _PRIVATE_H_
#define _PRIVATE_H_

#include "world.h"

#ifdef PRISTINE
#define IS_PRISTINE	true

static inline unsigned int cursor_prio(const struct ttm_resource_cursor *cursor)
{
	return cursor->priority;
}

static inline struct ttm_resource_manager *
cursor_man(const struct ttm_resource_cursor *cursor)
{
	return cursor->man;
}

/* The range that it is registered with, or NULL. */
static inline struct ttm_lru_bulk_move_pos *
cursor_range(const struct ttm_resource_cursor *cursor)
{
	if (!cursor->bulk)
		return NULL;
	return &cursor->bulk->pos[cursor->mem_type][cursor->priority];
}

#else
#include "ttm_lru_internal.h"

#define IS_PRISTINE	false

static inline unsigned int cursor_prio(const struct ttm_resource_cursor *cursor)
{
	return ttm_resource_cursor_priority(cursor);
}

static inline struct ttm_resource_manager *
cursor_man(const struct ttm_resource_cursor *cursor)
{
	return ttm_resource_cursor_man(cursor);
}

/* The range that it is registered with, or NULL. */
static inline struct ttm_lru_bulk_move_pos *
cursor_range(const struct ttm_resource_cursor *cursor)
{
	return cursor->range;
}

/* For state_codec.c: make resources and cursors of an unpacked state. */
static inline void set_res(struct ttm_resource *res, u64 place, u64 prio,
			   u64 stamp)
{
	res->lru.state = ttm_lru_res_state(place, prio) | stamp;
}

static inline void set_cursor_list(struct ttm_resource_cursor *cursor, u64 prio)
{
	struct ttm_resource_manager *man = ttm_resource_cursor_man(cursor);

	cursor->list = man->lru + prio;
	cursor->hitch.state &= ~TTM_LRU_HITCH_PRIORITY;
	cursor->hitch.state |= FIELD_PREP(TTM_LRU_HITCH_PRIORITY, prio);
}

#endif

#endif
