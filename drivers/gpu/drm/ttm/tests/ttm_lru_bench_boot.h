/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Real buffer objects for the cost of TTM's LRU lists, counted while a kernel
 * boots.
 */
#ifndef _TTM_LRU_BENCH_BOOT_H_
#define _TTM_LRU_BENCH_BOOT_H_

#include <linux/dma-resv.h>
#include <linux/types.h>

#include "ttm_lru_bench.h"

struct drm_device;

/* Buffers that share a reservation, and are a bulk. */
struct lru_bench_vm {
	struct dma_resv resv;
	struct ttm_lru_bulk_move bulk;
};

/* The list to work on, with @b.n buffers. */
struct lru_bench_list {
	struct lru_bench b;
	struct lru_bench_vm *vm;
	unsigned int vms;
	unsigned int members;	/* members of each VM */
};

/* Allocate the buffers of @l.vms VMs with @l.members each, or loose ones. */
int lru_bench_fill(struct lru_bench_list *l);
void lru_bench_empty(struct lru_bench_list *l);

/* Concurrent submitters and evictors, one on each CPU, with short turns. */
int lru_bench_crowd(struct lru_bench_list *l);

/* How far the clock went on while all CPUs slept. */
u64 lru_bench_idle(void);

/* Clients that need room, one on each CPU. */
int lru_bench_room(struct drm_device *drm);

#endif
