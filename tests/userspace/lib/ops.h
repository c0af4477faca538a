/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The operations in a world. */
#ifndef _OPS_H_
#define _OPS_H_

#include "world.h"

enum op_kind {
	OP_ALLOC,	/* a: slot, b: type, and the buffer's flags in c */
	OP_FREE,
	OP_ASSIGN,	/* the buffer takes what was allocated for it */
	OP_TAIL,
	OP_SET_BULK,	/* b: bulk or NONE */
	OP_PIN,
	OP_UNPIN,
	OP_FLAG,	/* swap out or in, and don't tell the list yet */
	OP_SHRINK,	/* the list is told: swapped out */
	OP_POPULATE,	/* the list is told: swapped in */
	OP_ADD,
	OP_DEL,
	OP_TRANSFER,	/* to a ghost, and don't tell the list yet */
	OP_PRIO,	/* b: priority */
	OP_BULK_TAIL,	/* a: bulk */
	OP_BULK_FINI,	/* and init */
	OP_UNEVICTABLE,	/* a: steps, or 0 for all, b: slot moved, or NONE */
	OP_WALK,	/* a: walk, b: what is done in one lock hold */
	OP_KINDS
};

struct op {
	u8 kind, a, b, c;
};

/* @c of OP_ALLOC where buffers without a resource have no flags. */
#define ALLOC_FLAGS(bulk, unevictable, prio)				\
	(((bulk) & 7) | (unevictable) << 3 | (prio) << 4)
#define ALLOC_BULK(c)		(((c) & 7) == 7 ? NONE : (c) & 7)
#define ALLOC_UNEVICTABLE(c)	((c) >> 3 & 1)
#define ALLOC_PRIO(c)		((c) >> 4)

enum rules {
	/*
	 * A buffer is pinned, swapped out, or has the resource that was
	 * allocated for it: each is a flag of its own, with or without resource.
	 * Otherwise a buffer has one flag, unevictable, and only with a resource:
	 * list operations look at no more, so this loses nothing but states.
	 */
	RULES_ALL_FLAGS = 1,
	/*
	 * Only what callers in 7.3 do: a caller that swaps a buffer out tells
	 * the list next, and a bulk ends empty. Otherwise all operations are
	 * possible at any time.
	 */
	RULES_CALLERS = 2,
	/* Lock holds of every shape, not only short ones. */
	RULES_LONG_HOLDS = 4,
	/* Walks as callers in 7.3 do them: init, first, next to NULL, fini. */
	RULES_ONE_WALK = 8,
	/* One walk at a time is bounded, not any number of them. */
	RULES_ONE_BOUNDED = 16,
};

extern unsigned int rules;
extern unsigned int max_pins;

/*
 * A lock hold of a walk is a word: R restart, B begin a bounded walk instead,
 * A advance, W advance within a budget of one resource, S skip bulk, P pause,
 * F fini, which makes it plain again; f is first() and n is next().
 */
extern const char *hold_words[];
unsigned int nr_hold_words(void);

struct op_table {
	unsigned int n;
	struct op op[1024];
};

void op_table_init(struct op_table *table);

bool op_possible(const struct op *op);
void op_do(const struct op *op);

/* A step within a budget came to nothing, and the walk goes on. */
#define AGAIN	0xfe

/* What the last operation's steps returned, in order; NONE for the end. */
struct op_returned {
	unsigned int n;
	u8 slot[16];
};

extern struct op_returned op_returned;

#endif
