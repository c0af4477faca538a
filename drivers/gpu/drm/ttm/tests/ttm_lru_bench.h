/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Workloads for the cost of TTM's LRU lists, for Linux's own core and for ours,
 * in a kernel and in a user program. The caller brings buffers and a clock.
 */
#ifndef _TTM_LRU_BENCH_H_
#define _TTM_LRU_BENCH_H_

#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_resource.h>

#define LRU_BENCH_BULKS		1000
#define LRU_BENCH_CURSORS	64
#define LRU_BENCH_SPARES	64

/* The bulks that buffers are in: 1, 10 or 1000 with as many members each. */
enum lru_bench_shape {
	LRU_BENCH_LOOSE,
	LRU_BENCH_1_BULK,
	LRU_BENCH_10_BULKS,
	LRU_BENCH_1000_BULKS
};

/*
 * The buffers to work on. All are on the list of priority 0 of @man, in the
 * order of @bo, with nothing else; none is reserved. The buffers of a bulk
 * share a reservation, and are contiguous.
 */
struct lru_bench {
	struct ttm_resource_manager *man;
	struct ttm_buffer_object **bo;
	unsigned int n;
	enum lru_bench_shape shape;
	struct ttm_lru_bulk_move *bulk;

	/* Private to the workloads. */
	struct ttm_resource_cursor cursor[LRU_BENCH_CURSORS];
	struct ttm_resource spare[LRU_BENCH_SPARES];
	unsigned int cursors;
};

/* A row of the table: an operation, and its list. */
struct lru_bench_row {
	const char *name;
	enum lru_bench_shape shape;
	unsigned int n;		/* buffers */
	unsigned int cursors;	/* other cursors, parked */
	const char *place;	/* their places */
};

/*
 * Functions of the caller
 */

/* Count what happens in between. */
void lru_bench_begin(void);
/* Take note that this was @row, with @ops of its operations. */
void lru_bench_end(const struct lru_bench_row *row, unsigned long ops);

/*
 * The workloads
 */

/* Run all workloads for @b's shape and size. Returns false after a failure. */
bool lru_bench_run(struct lru_bench *b);

/* The number of members of each of @b's bulks, 0 without bulks. */
unsigned int lru_bench_members(const struct lru_bench *b);

#endif
