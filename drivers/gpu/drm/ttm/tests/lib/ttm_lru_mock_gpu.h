/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * A mock GPU and its driver, for tests that need buffers with content: VRAM,
 * mapped pages, and an engine that copies and fills asynchronously. TTM can
 * swap out its buffers, or a shrinker can shrink them, as with Xe.
 *
 * The content of a buffer's pages follows from its number and generation. The
 * fields of a buffer are protected by its reservation.
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
#define MOCK_GPU_PAGES	24

/* Counts */
enum mock_gpu_stat {
	MOCK_GPU_EVICTIONS,
	MOCK_GPU_COPIES,
	MOCK_GPU_CPU_COPIES,
	MOCK_GPU_FILLS,
	MOCK_GPU_SWAPOUTS,
	MOCK_GPU_BACKED_UP,
	MOCK_GPU_PURGED,
	MOCK_GPU_RESTORED,
	MOCK_GPU_VERIFIED,
	MOCK_GPU_STATS
};

struct mock_gpu {
	struct ttm_device bdev;
	struct drm_device *drm;
	/* The memory of VRAM. */
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
	atomic_t stat[MOCK_GPU_STATS];
	/* The first fault, or NULL. */
	const char *broken;
};

struct mock_gpu_bo {
	struct ttm_buffer_object ttm;
	/* The owner's pointer to it, NULL after the owner dropped it. */
	void *owner;
	/* Shrunk by a shrinker, not swapped out by TTM. */
	bool shrinkable;
	/* The content may be lost. */
	bool purgeable;
	/* The content of its pages; generation 0 is none. */
	u32 id;
	u32 generation;
	/* The clock after the last move of its resource. */
	u64 since;
};

static inline struct mock_gpu *to_mock_gpu(struct ttm_device *bdev)
{
	return container_of(bdev, struct mock_gpu, bdev);
}

int mock_gpu_init(struct mock_gpu *gpu, struct drm_device *drm,
		  unsigned long vram, unsigned long tt);
void mock_gpu_idle(struct mock_gpu *gpu);
void mock_gpu_fini(struct mock_gpu *gpu);
void mock_gpu_broken(struct mock_gpu *gpu, const char *why);
const char *mock_gpu_stat_name(enum mock_gpu_stat stat);

/* Buffers. They are freed with drm_gem_object_put(). */
struct mock_gpu_bo *to_mock_gpu_bo(struct ttm_buffer_object *bo);
struct mock_gpu_bo *mock_gpu_bo(struct mock_gpu *gpu, struct dma_resv *resv,
				unsigned int pages, bool shrinkable,
				struct ttm_placement *placement,
				struct ttm_operation_ctx *ctx);
u64 mock_gpu_tick(struct mock_gpu *gpu);
void mock_gpu_moved(struct mock_gpu_bo *b);

/* Contents. The CPU must wait for the engine first, and for pages. */
void mock_gpu_fill(struct mock_gpu_bo *b);
int mock_gpu_fill_later(struct mock_gpu_bo *b, enum dma_resv_usage usage);
void mock_gpu_verify(struct mock_gpu_bo *b);

/* Shrinking */
bool mock_gpu_purgeable(struct ttm_buffer_object *bo);
void mock_gpu_set_purgeable(struct mock_gpu_bo *b, bool purgeable);
void mock_gpu_shrunk(struct ttm_buffer_object *bo, bool purged);

#endif
