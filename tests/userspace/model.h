/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The contract as plain bookkeeping: who is where, in what order, and what each
 * walk owes. It is told of every operation, not of its result; it knows neither
 * list nodes nor hitches, and never looks at the code under test.
 */
#ifndef _MODEL_H_
#define _MODEL_H_

#include "limits.h"
#include "stubs/types.h"

enum promise {
	P1_COMPLETE,
	P2_NO_REPEATS,
	P3_UNSEEN,
	P4_RANGES,
	P5_IN_PLACE,
	P6_FUSED,
	P7_BOUNDED,
	/* Not a promise to walkers, but nothing that may happen: */
	NO_WARNING,
	NO_CRASH,
	PROMISES
};

/* Where a resource is. In the order of enum ttm_lru_place. */
enum place { OFF, UNEVICTABLE, LOOSE, RANGE };

/* What a buffer says when a list operation looks at it. */
struct wish {
	bool evictable;
	u8 prio;
	u8 bulk;	/* NONE without one */
};

struct model_res {
	u8 place;
	u8 type;
	u8 prio;	/* of the list it is on, if it is evictable */
	u8 bulk;	/* whose range it is in, or NONE */
};

struct model_list {
	u8 n;
	u8 id[MAX_RES];
};

struct model_walk {
	bool on;
	bool bounded;
	u8 type;
	/*
	 * Have been there from the start and are not yet returned. To a bounded
	 * walk only who was not moved is owed, and it returns no others.
	 */
	u32 owed;
	u32 barred;	/* returned, and still since then */
};

struct model {
	struct model_res res[MAX_RES];
	struct model_list list[MAX_TYPES][MAX_PRIOS];
	struct model_list unevictable;
	struct model_walk walk[MAX_WALKS];
	/* Who was put behind the last member of a range just now, or NONE. */
	u8 tailed;
};

/* The verdict: which promises were broken, and by what. */
struct verdict {
	u32 broken;
	const char *why[PROMISES];
};

extern struct verdict verdict;

void judge(enum promise promise, const char *why);

void model_init(struct model *m);

/* The list operations. */
void model_enter(struct model *m, unsigned int r, unsigned int type,
		 struct wish wish);
void model_leave(struct model *m, unsigned int r);
void model_settle(struct model *m, unsigned int r, struct wish wish);
void model_tail(struct model *m, unsigned int r, struct wish wish);
void model_bulk_tail(struct model *m, unsigned int bulk);
unsigned int model_bulk_end(struct model *m, unsigned int bulk);

/* The walks. */
void model_walk_begin(struct model *m, unsigned int w, unsigned int type,
		      bool bounded);
void model_walk_returned(struct model *m, unsigned int w, unsigned int r);
void model_walk_ended(struct model *m, unsigned int w);
void model_walk_stop(struct model *m, unsigned int w);
void model_walk_skip(struct model *m, unsigned int w, unsigned int prio,
		     unsigned int bulk);

/* The end of a range: a member, or NONE. */
unsigned int model_range_first(const struct model *m, unsigned int type,
			       unsigned int prio, unsigned int bulk);
unsigned int model_range_last(const struct model *m, unsigned int type,
			      unsigned int prio, unsigned int bulk);

#endif
