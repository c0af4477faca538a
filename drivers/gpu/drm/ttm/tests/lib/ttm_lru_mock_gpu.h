/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * A small GPU and its driver, for tests that need buffers with content: VRAM
 * that is copied from and to, space to which pages are mapped, and an engine
 * that copies and fills in its own time. Buffers can be swapped out by TTM, or
 * else be shrunk, as Xe's can.
 *
 * What a buffer's pages should hold is known by its number and generation. What
 * is said of a buffer here is protected by its reservation.
 */
#ifndef _TTM_LRU_MOCK_GPU_H_
#define _TTM_LRU_MOCK_GPU_H_

#include <linux/atomic.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_device.h>
#include <drm/ttm/ttm_placement.h>

struct workqueue_struct;

/* Pages of the largest buffer. */
#define LRU_GPU_PAGES	24

/* What it counts. */
enum lru_gpu_stat {
	LRU_GPU_EVICTIONS,
	LRU_GPU_COPIES,
	LRU_GPU_CPU_COPIES,
	LRU_GPU_FILLS,
	LRU_GPU_SWAPOUTS,
	LRU_GPU_BACKED_UP,
	LRU_GPU_PURGED,
	LRU_GPU_RESTORED,
	LRU_GPU_VERIFIED,
	LRU_GPU_STATS
};

struct lru_gpu {
	struct ttm_device bdev;
	struct drm_device *drm;
	/* What VRAM is made of. */
	void *vram;

	struct workqueue_struct *engine;
	/* Fences are signalled in the order in which they were made. */
	spinlock_t lock;
	u64 context;
	u64 seqno;
	atomic_t jobs;

	/* Ticks whenever a buffer may have moved. */
	atomic64_t clock;
	atomic_t buffers;
	atomic_t stat[LRU_GPU_STATS];
	/* What was found to be wrong first, or NULL. */
	const char *broken;
};

struct lru_gpu_bo {
	struct ttm_buffer_object ttm;
	/* Where its owner has it, NULL once he has let go of it. */
	void *owner;
	/* Shrunk by the driver, not swapped out by TTM. */
	bool shrinkable;
	/* Nobody minds if it is lost. */
	bool purgeable;
	/* What its pages hold; generation 0 is nothing. */
	u32 id;
	u32 generation;
	/* The clock, after its resource was last moved. */
	u64 since;
};

static inline struct lru_gpu *to_lru_gpu(struct ttm_device *bdev)
{
	return container_of(bdev, struct lru_gpu, bdev);
}

int lru_gpu_init(struct lru_gpu *gpu, struct drm_device *drm,
		 unsigned long vram, unsigned long tt);
void lru_gpu_idle(struct lru_gpu *gpu);
void lru_gpu_fini(struct lru_gpu *gpu);
void lru_gpu_broken(struct lru_gpu *gpu, const char *why);
const char *lru_gpu_stat_name(enum lru_gpu_stat stat);

/* Buffers. They are freed with drm_gem_object_put(). */
struct lru_gpu_bo *to_lru_gpu_bo(struct ttm_buffer_object *bo);
struct lru_gpu_bo *lru_gpu_bo(struct lru_gpu *gpu, struct dma_resv *resv,
			      unsigned int pages, bool shrinkable,
			      struct ttm_placement *placement,
			      struct ttm_operation_ctx *ctx);
u64 lru_gpu_tick(struct lru_gpu *gpu);
void lru_gpu_moved(struct lru_gpu_bo *b);

/* Content. The CPU has to wait for the engine, and the pages to be there. */
void lru_gpu_fill(struct lru_gpu_bo *b);
int lru_gpu_fill_later(struct lru_gpu_bo *b, enum dma_resv_usage usage);
void lru_gpu_verify(struct lru_gpu_bo *b);

/* Shrinking */
bool lru_gpu_purgeable(struct ttm_buffer_object *bo);
void lru_gpu_set_purgeable(struct lru_gpu_bo *b, bool purgeable);
void lru_gpu_shrunk(struct ttm_buffer_object *bo, bool purged);

#endif
