/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Judge eviction: a caller needs room while other threads run. A side is TTM, Linux's own
 * or ours, in one object that hides all its names except the side's.
 */
#ifndef _OUTCOME_H_
#define _OUTCOME_H_

#include "stubs/types.h"

/* Buffers a to e, and the caller's, x. */
#define BOS		6
#define CALLERS		5
#define NO_BO		0xff

/* TTM's memory types. */
enum pool { IN_SYSTEM, IN_TT, IN_VRAM, POOLS, NOWHERE = 0xff };

/* The holder of a reservation: others have an older or younger ticket, or none. */
enum holder { NOBODY, PLAIN, YOUNGER, OLDER, CALLER };

/* Where buffers in VRAM are evicted to; those in TT always go to SYSTEM. */
enum target { TO_SYSTEM, TO_TT, TO_TT_OR_SYSTEM, TO_TT_SYSTEM_FALLBACK, TO_NOWHERE,
	      TO_ITSELF };

/*
 * ttm_bo_validate(); ttm_bo_evict_cgroup(), for as many pages of VRAM as x has;
 * ttm_resource_manager_evict_all(), of VRAM.
 */
enum call { VALIDATE, DRAIN, EMPTY };

/*
 * @pool: Where it is, NOWHERE for a buffer that others may create.
 * @member: Shares the VM's reservation and bulk; what the first member's @held says
 * is for all.
 */
struct bo_setup {
	u8 size;
	u8 pool;
	u8 held;
	bool member;
	bool pinned;
	bool worthless;
	bool busy;
};

struct place_setup {
	u8 pool;
	bool desired;
	bool fallback;
};

#define PLACES		3

struct scenario {
	const char *name;
	u8 depth;		/* events in the full form */
	u8 call;
	u8 capacity[POOLS];	/* SYSTEM has no end */
	struct bo_setup bo[BOS];
	struct place_setup list[PLACES];
	u8 places;
	u8 target;
	bool ticket;
	bool contended;		/* ctx->contended is there, if there is such */
	bool told;		/* ... and tells of buffer a, from a call before */
	bool lends;		/* ctx->allow_res_evict, and the VM's reservation */
	bool no_wait;		/* ctx->no_wait_gpu */
	bool deaf;		/* no ctx->interruptible */
	bool hung;		/* what the GPU works on it always will */
	bool hops;		/* from VRAM to SYSTEM by TT only */
	bool poor;		/* no memory to remember anything */
	u8 memory;		/* pages for a buffer at most, 0 for no limit */
};

enum act {
	ACT_RESERVE,		/* b: enum holder */
	ACT_LET_GO,		/* unlock only */
	ACT_GIVE_BACK,		/* and to the tail */
	ACT_USE,		/* reserve, to the tail, give back */
	ACT_FREE,
	ACT_DROP,		/* the last reference is gone, the release begins */
	ACT_GONE,		/* ... and ends */
	ACT_CREATE,		/* b: where */
	ACT_MOVE,		/* b: where to */
	ACT_AWAY_AND_BACK,
	ACT_REPLACE,		/* b: by which buffer */
	ACT_PIN,
	ACT_UNPIN,
	ACT_WORTH,		/* becomes worthless, or worth evicting */
	ACT_IDLE,		/* the GPU has done with it */
	ACT_SIGNAL,		/* the caller gets one; of no buffer */
	ACTS
};

/*
 * Points where the caller can be interrupted have names that are the same on both
 * sides: what the caller is about to do, to which buffer or pool, for the how many-th
 * time, and how often the lru_lock was dropped since.
 */
enum point { AT_START, AT_RESCHED, AT_SLEEP, AT_LOCK, AT_WAIT, AT_IDLE, AT_VALUABLE,
	     AT_FLAGS, AT_MOVE, AT_ALLOC, AT_FREE, AT_POINTS };

#define LABEL(point, what, times)	((u32)(point) << 24 | (what) << 16 | (times) << 8)
#define LABEL_POINT(label)		((label) >> 24)
#define LABEL_WHAT(label)		((label) >> 16 & 0xff)
#define LABEL_TIMES(label)		((label) >> 8 & 0xff)
#define LABEL_DROPS(label)		((label) & 0xff)

struct event {
	u32 at;
	u8 act, a, b;
};

#define EVENTS		24

struct schedule {
	const struct scenario *scenario;
	unsigned int n;
	struct event event[EVENTS];
};

/* Bytes that say what is to happen, instead of a schedule: that is written. */
struct dice {
	const u8 *at, *end;
};

enum verdict {
	FALSE_REFUSAL,
	RULE_BROKEN,
	NO_END,
	CRASHED,
	HARD_FOR_SOFT,
	WORSE,
	VERDICTS
};

#define TRACE		512

/*
 * @happened: The events that were possible when their time came.
 * @when: Of each all points where it happened, and the states, in a number.
 * @fired: How long @trace was when its time came.
 * @told: The ticket was told -EDEADLK.
 * @room_at_end: There was room when the call had returned.
 */
struct outcome {
	int ret;
	u8 pool;
	bool told;
	bool room_at_end;
	u32 happened;
	u32 when[EVENTS];
	u16 fired[EVENTS];
	u32 bad;			/* verdicts */
	const char *why[VERDICTS];
	unsigned int points;
	unsigned int moves;
	unsigned int length;		/* of the trace */
	u32 trace[TRACE];
};

struct side {
	const char *name;
	void (*run)(struct schedule *schedule, struct dice *dice,
		    struct outcome *outcome, FILE *story);
};

extern const struct side outcome_ours, outcome_linux;
extern const struct scenario scenarios[];
extern const unsigned int nr_scenarios;

/* All that others can do to buffer @a, by number. */
#define CHOICES		24

struct event choice(unsigned int number, unsigned int a);
bool makes_sense(const struct scenario *scenario, const struct event *event);

void words_point(FILE *out, u32 label);
void words_event(FILE *out, const struct event *event);
const char *words_error(int ret);

#endif
