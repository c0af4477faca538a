/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What the core under test and Linux's own keep in different places. */
#ifndef _PRIVATE_H_
#define _PRIVATE_H_

#include "world.h"

#ifdef PRISTINE
#define IS_PRISTINE	true

static inline unsigned int cursor_prio(const struct ttm_resource_cursor *cursor)
{
	return cursor->priority;
}

static inline unsigned int cursor_type(const struct ttm_resource_cursor *cursor)
{
	return cursor->mem_type;
}

#else
#define IS_PRISTINE	false

static inline unsigned int cursor_prio(const struct ttm_resource_cursor *cursor)
{
	return cursor->hitch.priority;
}

static inline unsigned int cursor_type(const struct ttm_resource_cursor *cursor)
{
	return cursor->hitch.mem_type;
}

#endif

#endif
