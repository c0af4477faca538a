/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The stress suite's buffers, its submitters, and what its threads share. */
#ifndef _TTM_LRU_STRESS_H_
#define _TTM_LRU_STRESS_H_

#include <linux/completion.h>
#include <linux/dma-resv.h>
#include <linux/prandom.h>
#include <linux/ww_mutex.h>

#include "lib/ttm_lru_fixture.h"
#include "lib/ttm_lru_mock_gpu.h"

/* In pages. All buffers together need about twice as much. */
#define STRESS_VRAM_PAGES	48
#define STRESS_TT_PAGES	48
#define STRESS_BUFFER_PAGES	8

#define STRESS_VMS		4
#define STRESS_VM_BUFFERS	10
/* Buffers with reservations of their own, which all VMs use. */
#define STRESS_SHARED		8
/* At most this many are used in one submission. */
#define STRESS_USED		4
#define STRESS_USED_SHARED	2
/* A submitter gives up after this many tries. */
#define STRESS_TRIES		20

#define STRESS_WORKERS		10

/* A place for a buffer, protected by the reservation. */
struct stress_slot {
	struct dma_resv own;
	struct dma_resv *resv;
	struct mock_gpu_bo *b;
	/* The last pass of each worker that met the buffer. */
	unsigned long met[STRESS_WORKERS];
};

struct stress_vm {
	struct dma_resv resv;
	struct ttm_lru_bulk_move bulk;
	struct stress_slot slot[STRESS_VM_BUFFERS];
};

struct stress_worker {
	struct stress *s;
	const struct work_kind *kind;
	unsigned int i;
	struct rnd_state rnd;
	struct task_struct *task;
	struct completion finished;

	/* Submitters */
	struct stress_vm *vm;
	unsigned long retries;
	unsigned long gave_up;
	/* Walks of all buffers */
	unsigned long passes;
	unsigned long complete;
};

struct stress {
	struct kunit *test;
	struct mock_gpu gpu;
	struct ttm_shrinker *shrinker;
	struct stress_vm vm[STRESS_VMS];
	struct stress_slot shared[STRESS_SHARED];
	/* The evictor's buffer, for which it needs room. */
	struct stress_slot large;
	struct stress_worker worker[STRESS_WORKERS];
	atomic_long_t submissions;
	int buffers_before;
	long pages_before;
};

struct stress_submission {
	struct ww_acquire_ctx ticket;
	unsigned int slots;
	struct stress_slot *slot[STRESS_USED + STRESS_USED_SHARED];
	/* The VM's comes first; @held of them are locked. */
	unsigned int resvs;
	unsigned int held;
	struct dma_resv *resv[1 + STRESS_USED_SHARED];
};

extern struct ttm_placement stress_in_vram, stress_in_tt, stress_in_system;

unsigned int stress_dice(struct stress_worker *w, unsigned int sides);
bool stress_is_broken(struct stress *s);

/* Buffers, with their reservation held. */
int stress_make(struct stress_worker *w, struct stress_slot *slot,
		unsigned int pages, struct ttm_placement *placement);
void stress_free(struct stress_slot *slot);
int stress_verify(struct stress_slot *slot);
int stress_use_content(struct stress_worker *w, struct stress_slot *slot);
bool stress_is_evictable(const struct ttm_buffer_object *bo);

/* Submissions */
void stress_lock(struct stress_submission *sub);
void stress_unlock(struct stress_submission *sub);
bool stress_may_retry(int err);
void stress_submit(struct stress_worker *w);

#endif
