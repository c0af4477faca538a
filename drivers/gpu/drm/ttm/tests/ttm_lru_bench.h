/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What TTM's LRU lists cost: workloads for Linux's own core and for ours, in a
 * kernel and as a user program. Who runs them brings buffers and a clock.
 */
#ifndef _TTM_LRU_BENCH_H_
#define _TTM_LRU_BENCH_H_

#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_resource.h>

#define LRU_BENCH_BULKS		1000
#define LRU_BENCH_CURSORS	64
#define LRU_BENCH_SPARES	64

/* Which bulks the buffers are in; of 1, 10 and 1000 each has as many. */
enum lru_bench_shape {
	LRU_BENCH_LOOSE,
	LRU_BENCH_1_BULK,
	LRU_BENCH_10_BULKS,
	LRU_BENCH_1000_BULKS
};

/*
 * The buffers that are worked on: all are on the list of priority 0 of @man, in
 * the order of @bo, none is reserved, and nothing else is on the list. Those of a
 * bulk share a reservation, and follow each other.
 */
struct lru_bench {
	struct ttm_resource_manager *man;
	struct ttm_buffer_object **bo;
	unsigned int n;
	enum lru_bench_shape shape;
	struct ttm_lru_bulk_move *bulk;

	/* The workloads' own. */
	struct ttm_resource_cursor cursor[LRU_BENCH_CURSORS];
	struct ttm_resource spare[LRU_BENCH_SPARES];
	unsigned int cursors;
};

/* A row of the table: what was done to which list. */
struct lru_bench_row {
	const char *name;
	enum lru_bench_shape shape;
	unsigned int n;		/* buffers */
	unsigned int cursors;	/* parked, of other walks */
	const char *place;	/* where these are */
};

/*
 * Brought by who runs the workloads
 */

/* What happens in between is counted. */
void lru_bench_begin(void);
/* That was @row, and @ops of what it names were done. */
void lru_bench_end(const struct lru_bench_row *row, unsigned long ops);

/*
 * The workloads
 */

/* All that are for @b's shape and number. False if one did not do its work. */
bool lru_bench_run(struct lru_bench *b);

/* How many members @b's bulks have, 0 if it has none. */
unsigned int lru_bench_members(const struct lru_bench *b);

#endif
