/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * A world checked against its model: each operation is done in the world and
 * told to the model, and then the lists are compared. The result is in
 * lru_verdict; lru_checked_verdict() asserts that there is no fault.
 */
#ifndef _TTM_LRU_MODEL_CHECK_H_
#define _TTM_LRU_MODEL_CHECK_H_

#include "ttm_lru_model.h"
#include "ttm_lru_fixture.h"

/* A buffer has two numbers in the model, as it may be about to move. */
#define LRU_CHECKED_BUFFERS	(MAX_RES / 2)

/* The memory types of the model. */
enum lru_type { LRU_TT, LRU_SYSTEM, LRU_TYPES };

struct lru_checked {
	struct lru_world *w;
	struct lru_model model;
	/* The resources by their numbers in the model. */
	struct ttm_resource *res[MAX_RES];
	/* The number of the ghost's resource, or NONE. */
	unsigned int ghost;
	/* There are resources that the model does not know. */
	bool strangers;
	struct lru_log log;
};

/* Tell the model of the first @n buffers of @w, which were made in order. */
void lru_checked_init(struct lru_checked *c, struct lru_world *w, unsigned int n);

/* Let the case fail after a fault, with the log and the pictures. */
void lru_checked_verdict(struct lru_checked *c);

/* Check P4 as far as pictures show it. Slow. */
void lru_checked_look(struct lru_checked *c);

/*
 * For several threads: the lru_lock is held over the operation and the model's.
 */
void lru_checked_tail(struct lru_checked *c, char letter);
void lru_checked_bulk_tail(struct lru_checked *c, enum lru_bulk bulk);

/*
 * Take steps in one hold of the lock. Returns how many resources the walk met.
 */
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

/* Moves to an allocated resource, which may also be given up. */
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
