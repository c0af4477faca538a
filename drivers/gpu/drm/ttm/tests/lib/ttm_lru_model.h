/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The contract as bookkeeping: the order of each list, and what each walk owes.
 * The model is told of every operation, but not of its result. It knows neither
 * list nodes nor hitches, and never looks at the code under test. All verdicts
 * of the suite ttm_lru_random and of the programs in tests/userspace come from
 * it.
 */
#ifndef _TTM_LRU_MODEL_H_
#define _TTM_LRU_MODEL_H_

#include <linux/bits.h>
#include <linux/types.h>

/* The size of the largest world; user space has worlds of other sizes. */
#ifndef MAX_RES
#define MAX_RES		32
#define MAX_BULKS	4
#define MAX_WALKS	6
#define MAX_PRIOS	4
#define MAX_TYPES	2
#define NONE		0xff
#endif

enum lru_promise {
	P1_COMPLETE,
	P2_NO_REPEATS,
	P3_UNSEEN,
	P4_RANGES,
	P5_IN_PLACE,
	P6_FUSED,
	P7_BOUNDED,
	/* Not promises to walkers, but faults all the same: */
	NO_WARNING,
	NO_CRASH,
	PROMISES
};

/* The place of a resource, as enum ttm_lru_place. */
enum lru_place { OFF = 0, RANGE = 1, LOOSE = 2, UNEVICTABLE = 4 };

/* The state of a buffer when a list operation looks at it. */
struct lru_wish {
	bool evictable;
	u8 prio;
	u8 bulk;	/* or NONE */
};

struct lru_model_res {
	u8 place;
	u8 type;
	u8 prio;	/* of its list, if it is evictable */
	u8 bulk;	/* whose range it is in, or NONE */
};

struct lru_model_list {
	u8 n;
	u8 id[MAX_RES];
};

struct lru_model_walk {
	bool on;
	bool bounded;
	u8 type;
	/*
	 * Resources that were there when the walk began and were not returned
	 * yet. A bounded walk owes only those that did not move, and returns no
	 * others.
	 */
	u32 owed;
	u32 barred;	/* returned, and not moved since */
};

struct lru_model {
	struct lru_model_res res[MAX_RES];
	struct lru_model_list list[MAX_TYPES][MAX_PRIOS];
	struct lru_model_list unevictable;
	struct lru_model_walk walk[MAX_WALKS];
	/*
	 * The resource that has just joined a range behind its last member, or
	 * NONE.
	 */
	u8 tailed;
};

/* The verdict: which promises were broken, and by what. */
struct lru_verdict {
	u32 broken;
	const char *why[PROMISES];
};

extern struct lru_verdict lru_verdict;

void lru_judge(enum lru_promise promise, const char *why);

void lru_model_init(struct lru_model *m);

/* List operations */
void lru_model_enter(struct lru_model *m, unsigned int r, unsigned int type,
		     struct lru_wish wish);
void lru_model_leave(struct lru_model *m, unsigned int r);
void lru_model_settle(struct lru_model *m, unsigned int r,
		      struct lru_wish wish);
void lru_model_tail(struct lru_model *m, unsigned int r, struct lru_wish wish);
void lru_model_bulk_tail(struct lru_model *m, unsigned int bulk);
unsigned int lru_model_bulk_end(struct lru_model *m, unsigned int bulk);
void lru_model_unevictable_returned(struct lru_model *m, unsigned int r);

/* Walks */
void lru_model_walk_begin(struct lru_model *m, unsigned int w,
			  unsigned int type, bool bounded);
void lru_model_walk_returned(struct lru_model *m, unsigned int w,
			     unsigned int r);
void lru_model_walk_ended(struct lru_model *m, unsigned int w);
void lru_model_walk_stop(struct lru_model *m, unsigned int w);
void lru_model_walk_skip(struct lru_model *m, unsigned int w, unsigned int prio,
			 unsigned int bulk);

/* An end of a range: a member, or NONE. */
unsigned int lru_model_range_first(const struct lru_model *m, unsigned int type,
				   unsigned int prio, unsigned int bulk);
unsigned int lru_model_range_last(const struct lru_model *m, unsigned int type,
				  unsigned int prio, unsigned int bulk);

#endif
