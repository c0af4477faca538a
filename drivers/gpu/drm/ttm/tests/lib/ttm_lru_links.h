/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Count the list nodes that an operation writes to, and make bulks with many
 * members.
 */
#ifndef _TTM_LRU_LINKS_H_
#define _TTM_LRU_LINKS_H_

#include <linux/list.h>

#include "ttm_lru_fixture.h"

struct lru_link {
	struct list_head *node;
	struct list_head was;
};

void lru_links_init(struct lru_world *w);
void lru_remember(struct lru_world *w);
void lru_remember_locked(struct lru_world *w);
unsigned int lru_changed(struct lru_world *w);

void lru_make_flock(struct lru_world *w, unsigned int n);
void lru_poison_inside(struct lru_world *w);
void lru_heal_inside(struct lru_world *w);

#endif
