/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * A world and its model: whatever is done in the one is told to the other, and
 * then the lists are compared. The verdict is lru_verdict; only the one who asks
 * for it asserts.
 */
#ifndef _TTM_LRU_MODEL_CHECK_H_
#define _TTM_LRU_MODEL_CHECK_H_

#include "../ttm_lru_model.h"
#include "ttm_lru_fixture.h"

/* The model has two numbers for each of them: it may be about to move. */
#define LRU_CHECKED_BUFFERS	(MAX_RES / 2)

/* The memory types of the model. */
enum lru_type { LRU_TT, LRU_SYSTEM, LRU_TYPES };

struct lru_checked {
	struct lru_world *w;
	struct lru_model model;
	/* The resources, by their numbers in the model. */
	struct ttm_resource *res[MAX_RES];
	/* The number of the one that a ghost has, or NONE. */
	unsigned int ghost;
	/* There are resources that the model isn't told of. */
	bool strangers;
	struct lru_log log;
};

/* Tell of the first @n buffers of @w, which were made in their order. */
void lru_checked_init(struct lru_checked *c, struct lru_world *w, unsigned int n);

/* Let the case fail if anything is wrong; with the log and the pictures. */
void lru_checked_verdict(struct lru_checked *c);

/* P4 as far as pictures show it. Slow. */
void lru_checked_look(struct lru_checked *c);

/* These are one with what the model is told, for others that have the lock. */
void lru_checked_tail(struct lru_checked *c, char letter);
void lru_checked_bulk_tail(struct lru_checked *c, enum lru_bulk bulk);

/* One lock hold of a walk. Returns how many resources it met. */
unsigned int lru_checked_walk(struct lru_checked *c, enum lru_walk walk,
			      const char *steps);
unsigned int lru_checked_walk_locked(struct lru_checked *c, enum lru_walk walk,
				     const char *steps);

/* For one thread at a time. */
void lru_checked_alloc(struct lru_checked *c, char letter, enum lru_type type);
void lru_checked_free(struct lru_checked *c, char letter);
void lru_checked_join(struct lru_checked *c, char letter, enum lru_bulk bulk);
void lru_checked_leave(struct lru_checked *c, char letter);
void lru_checked_pin(struct lru_checked *c, char letter);
void lru_checked_unpin(struct lru_checked *c, char letter);
void lru_checked_set_priority(struct lru_checked *c, char letter,
			      unsigned int priority);

/* Moves: to what was allocated, or not after all. */
bool lru_checked_can_move(struct lru_checked *c, char letter);
void lru_checked_alloc_next(struct lru_checked *c, char letter, enum lru_type type);
void lru_checked_free_next(struct lru_checked *c, char letter);
void lru_checked_move(struct lru_checked *c, char letter);
void lru_checked_move_busy(struct lru_checked *c, char letter);
void lru_checked_idle(struct lru_checked *c);

/* Pages */
void lru_checked_populate(struct lru_checked *c, char letter);
void lru_checked_shrink(struct lru_checked *c, char letter);
void lru_checked_swapout(struct lru_checked *c, unsigned int pages);

#endif
