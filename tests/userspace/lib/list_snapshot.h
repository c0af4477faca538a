/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The real lists, read once, as a row of tokens. */
#ifndef _LIST_SNAPSHOT_H_
#define _LIST_SNAPSHOT_H_

#include "world.h"

/* A token: a slot's number, or one of these with a number. */
#define VIEW_HITCH	0x40
#define VIEW_END	0x80	/* of a list */

#define VIEW_LISTS	(MAX_TYPES * MAX_PRIOS + 1)

struct view {
	u8 n;
	u8 token[MAX_RES + MAX_WALKS + VIEW_LISTS];
};

/*
 * Linux's own core leaves a hitch on the highest priority's list, whether or
 * not a resource ever has that priority.
 */
static inline unsigned int view_prios(void)
{
#ifdef PRISTINE
	return TTM_MAX_BO_PRIORITY;
#else
	return shape.prios;
#endif
}

/* The lists in the order of a view: by type, by priority, unevictable. */
static inline unsigned int view_lists(void)
{
	return shape.types * view_prios() + 1;
}

static inline struct list_head *view_list(unsigned int i)
{
	if (i == view_lists() - 1)
		return &world.bdev.unevictable;
	return &world.man[i / view_prios()].lru[i % view_prios()];
}

/* Return false, and judge NO_CRASH, if the lists are corrupt. */
bool view_read(struct view *view);

/* Compare with the model: P3, P4, P5, and P6 as far as a state shows it. */
void view_check(const struct view *view);

/* Functions that only read the lists must see the same. */
void view_check_readers(const struct view *view);

/*
 * Linux's own core misplaces resources also without cursors. To find what cursors change,
 * compare with the same operations without cursors.
 */
void view_check_unseen(const struct view *with, const struct view *without);

/* Make the model agree with a wrong state, to continue behind a violation. */
void view_resync(const struct view *view);

#endif
