// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A mock GPU and its driver, see ttm_lru_mock_gpu.h.
 */

#include <linux/delay.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/ttm/ttm_allocation.h>
#include <drm/ttm/ttm_range_manager.h>
#include <drm/ttm/ttm_shrinker.h>
#include <drm/ttm/ttm_tt.h>

#include "ttm_lru_mock_gpu.h"

/* One job of this many is slow. */
#define MOCK_GPU_SLOW	32

/* The words of a page that are written and compared. */
#define MOCK_GPU_WORDS	8

static const char * const mock_gpu_stat_names[MOCK_GPU_STATS] = {
	[MOCK_GPU_EVICTIONS] = "evictions",
	[MOCK_GPU_COPIES] = "copies by the engine",
	[MOCK_GPU_CPU_COPIES] = "copies by the CPU",
	[MOCK_GPU_FILLS] = "fills by the engine",
	[MOCK_GPU_SWAPOUTS] = "swap-outs",
	[MOCK_GPU_BACKED_UP] = "buffers backed up",
	[MOCK_GPU_PURGED] = "buffers purged",
	[MOCK_GPU_RESTORED] = "pages restored",
	[MOCK_GPU_VERIFIED] = "pages verified",
};

const char *mock_gpu_stat_name(enum mock_gpu_stat stat)
{
	return mock_gpu_stat_names[stat];
}

static void mock_gpu_count(struct mock_gpu *gpu, enum mock_gpu_stat stat, int n)
{
	atomic_add(n, &gpu->stat[stat]);
}

/* Only the first fault is kept. */
void mock_gpu_broken(struct mock_gpu *gpu, const char *why)
{
	cmpxchg(&gpu->broken, NULL, why);
}

u64 mock_gpu_tick(struct mock_gpu *gpu)
{
	return atomic64_inc_return(&gpu->clock);
}

/* To be called after the list operation. */
void mock_gpu_moved(struct mock_gpu_bo *b)
{
	dma_resv_assert_held(b->ttm.base.resv);
	b->since = mock_gpu_tick(to_mock_gpu(b->ttm.bdev));
}

/*
 * Content
 */

static u64 mock_gpu_word(u32 id, u32 generation, unsigned int page,
			 unsigned int word)
{
	return hash_64((u64)id << 32 | generation, 64) ^
	       hash_64(page * MOCK_GPU_WORDS + word + 1, 64);
}

static u64 *mock_gpu_word_at(void *page, unsigned int word)
{
	return page + word * (PAGE_SIZE / MOCK_GPU_WORDS);
}

static void mock_gpu_fill_page(void *page, u32 id, u32 generation, unsigned int i)
{
	for (int word = 0; word < MOCK_GPU_WORDS; word++)
		*mock_gpu_word_at(page, word) =
			mock_gpu_word(id, generation, i, word);
}

static bool mock_gpu_page_is(void *page, u32 id, u32 generation, unsigned int i)
{
	for (int word = 0; word < MOCK_GPU_WORDS; word++)
		if (*mock_gpu_word_at(page, word) !=
		    mock_gpu_word(id, generation, i, word))
			return false;
	return true;
}

static unsigned int mock_gpu_pages(struct ttm_buffer_object *bo)
{
	return bo->base.size >> PAGE_SHIFT;
}

/* The address of page @i in @res, to which @bo may be about to move. */
static void *mock_gpu_page(struct ttm_buffer_object *bo,
			   struct ttm_resource *res, unsigned int i)
{
	if (res->mem_type == TTM_PL_VRAM)
		return to_mock_gpu(bo->bdev)->vram +
		       ((res->start + i) << PAGE_SHIFT);
	return page_address(bo->ttm->pages[i]);
}

void mock_gpu_fill(struct mock_gpu_bo *b)
{
	struct ttm_buffer_object *bo = &b->ttm;

	b->generation++;
	for (unsigned int i = 0; i < mock_gpu_pages(bo); i++)
		mock_gpu_fill_page(mock_gpu_page(bo, bo->resource, i), b->id,
				   b->generation, i);
}

void mock_gpu_verify(struct mock_gpu_bo *b)
{
	struct ttm_buffer_object *bo = &b->ttm;
	struct mock_gpu *gpu = to_mock_gpu(bo->bdev);

	if (!b->generation)
		return;

	for (unsigned int i = 0; i < mock_gpu_pages(bo); i++)
		if (!mock_gpu_page_is(mock_gpu_page(bo, bo->resource, i), b->id,
				      b->generation, i))
			mock_gpu_broken(gpu, "a buffer lost its content");
	mock_gpu_count(gpu, MOCK_GPU_VERIFIED, mock_gpu_pages(bo));
}

/*
 * The engine
 */

struct mock_gpu_job {
	/* The first member, as it is what is freed. */
	struct dma_fence fence;
	struct work_struct work;
	struct mock_gpu *gpu;
	unsigned int pages;
	/* False to fill the pages with the pattern of @id and @generation. */
	bool copies;
	u32 id;
	u32 generation;
	void *from[MOCK_GPU_PAGES];
	void *to[MOCK_GPU_PAGES];
};

static const char *mock_gpu_fence_name(struct dma_fence *fence)
{
	return "ttm-lru-gpu";
}

static const struct dma_fence_ops mock_gpu_fence_ops = {
	.get_driver_name = mock_gpu_fence_name,
	.get_timeline_name = mock_gpu_fence_name,
};

static void mock_gpu_work(struct work_struct *work)
{
	struct mock_gpu_job *job = container_of(work, struct mock_gpu_job, work);
	bool cookie = dma_fence_begin_signalling();

	/* Now and then be busy long enough for others to notice. */
	if (job->fence.seqno % MOCK_GPU_SLOW == 0)
		usleep_range(100, 1000);
	for (unsigned int i = 0; i < job->pages; i++)
		if (job->copies)
			memcpy(job->to[i], job->from[i], PAGE_SIZE);
		else
			mock_gpu_fill_page(job->to[i], job->id, job->generation, i);
	atomic_dec(&job->gpu->jobs);
	dma_fence_signal(&job->fence);
	dma_fence_end_signalling(cookie);
	dma_fence_put(&job->fence);
}

/* A job that writes @bo's content to @res. */
static struct mock_gpu_job *mock_gpu_job(struct ttm_buffer_object *bo,
					 struct ttm_resource *res)
{
	struct mock_gpu_job *job = kzalloc_obj(*job);

	if (!job)
		return NULL;

	job->gpu = to_mock_gpu(bo->bdev);
	job->pages = mock_gpu_pages(bo);
	for (unsigned int i = 0; i < job->pages; i++)
		job->to[i] = mock_gpu_page(bo, res, i);
	INIT_WORK(&job->work, mock_gpu_work);
	return job;
}

/* The engine runs jobs one by one, so they need not wait for each other. */
static struct dma_fence *mock_gpu_submit(struct mock_gpu_job *job)
{
	struct mock_gpu *gpu = job->gpu;

	guard(spinlock)(&gpu->lock);
	dma_fence_init(&job->fence, &mock_gpu_fence_ops, NULL, gpu->context,
		       ++gpu->seqno);
	dma_fence_get(&job->fence);
	atomic_inc(&gpu->jobs);
	queue_work(gpu->engine, &job->work);
	return &job->fence;
}

/* Returns 0 or -ENOMEM. */
int mock_gpu_fill_later(struct mock_gpu_bo *b, enum dma_resv_usage usage)
{
	struct ttm_buffer_object *bo = &b->ttm;
	struct dma_fence *fence;
	struct mock_gpu_job *job;
	int ret;

	ret = dma_resv_reserve_fences(bo->base.resv, 1);
	if (ret)
		return ret;
	job = mock_gpu_job(bo, bo->resource);
	if (!job)
		return -ENOMEM;

	job->id = b->id;
	job->generation = ++b->generation;
	fence = mock_gpu_submit(job);
	dma_resv_add_fence(bo->base.resv, fence, usage);
	dma_fence_put(fence);
	mock_gpu_count(to_mock_gpu(bo->bdev), MOCK_GPU_FILLS, 1);
	return 0;
}

/* The engine copies while the buffer continues its way. */
static int mock_gpu_copy_later(struct ttm_buffer_object *bo, bool evict,
			       struct ttm_resource *new)
{
	struct mock_gpu_job *job = mock_gpu_job(bo, new);
	struct dma_fence *fence;
	int ret;

	if (!job)
		return -ENOMEM;

	job->copies = true;
	for (unsigned int i = 0; i < job->pages; i++)
		job->from[i] = mock_gpu_page(bo, bo->resource, i);
	fence = mock_gpu_submit(job);
	ret = ttm_bo_move_accel_cleanup(bo, fence, evict, true, new);
	if (ret)
		dma_fence_wait(fence, false);
	dma_fence_put(fence);
	mock_gpu_count(to_mock_gpu(bo->bdev), MOCK_GPU_COPIES, 1);
	return ret;
}

/*
 * Pages
 */

struct mock_gpu_tt {
	struct ttm_tt tt;
	/* There is no content to restore. */
	bool purged;
};

static struct mock_gpu_tt *to_mock_gpu_tt(struct ttm_tt *tt)
{
	return container_of(tt, struct mock_gpu_tt, tt);
}

/* As Xe does: pages that are shrunk are external to TTM, but mappable. */
static struct ttm_tt *mock_gpu_tt_create(struct ttm_buffer_object *bo,
					 u32 page_flags)
{
	struct mock_gpu_bo *b = to_mock_gpu_bo(bo);
	bool shrinkable = b && b->shrinkable;
	struct mock_gpu_tt *t = kzalloc_obj(*t);

	if (!t)
		return NULL;
	if (shrinkable)
		page_flags |= TTM_TT_FLAG_EXTERNAL |
			      TTM_TT_FLAG_EXTERNAL_MAPPABLE;
	if (ttm_tt_init(&t->tt, bo, page_flags, ttm_cached, 0) ||
	    (shrinkable && ttm_tt_setup_backup(&t->tt))) {
		ttm_tt_fini(&t->tt);
		kfree(t);
		return NULL;
	}
	return &t->tt;
}

static void mock_gpu_tt_destroy(struct ttm_device *bdev, struct ttm_tt *tt)
{
	ttm_tt_fini(tt);
	kfree(to_mock_gpu_tt(tt));
}

static int mock_gpu_tt_populate(struct ttm_device *bdev, struct ttm_tt *tt,
				struct ttm_operation_ctx *ctx)
{
	struct mock_gpu_tt *t = to_mock_gpu_tt(tt);
	int ret;

	if (ttm_tt_is_swapped(tt) && !t->purged)
		mock_gpu_count(to_mock_gpu(bdev), MOCK_GPU_RESTORED, tt->num_pages);
	if (ttm_tt_is_backed_up(tt) && !t->purged) {
		ret = ttm_tt_restore(bdev, tt, ctx);
	} else {
		ttm_tt_clear_backed_up(tt);
		ret = ttm_pool_alloc(&bdev->pool, tt, ctx);
	}
	if (!ret)
		t->purged = false;
	return ret;
}

/*
 * Buffers
 */

static void mock_gpu_bo_destroy(struct ttm_buffer_object *bo)
{
	struct mock_gpu_bo *b = container_of(bo, struct mock_gpu_bo, ttm);

	drm_gem_object_release(&bo->base);
	kfree(b);
}

/* Returns NULL for ghosts, which the driver does not know. */
struct mock_gpu_bo *to_mock_gpu_bo(struct ttm_buffer_object *bo)
{
	return bo->destroy == mock_gpu_bo_destroy ?
	       container_of(bo, struct mock_gpu_bo, ttm) : NULL;
}

static void mock_gpu_gem_free(struct drm_gem_object *gem)
{
	ttm_bo_fini(container_of(gem, struct ttm_buffer_object, base));
}

static const struct drm_gem_object_funcs mock_gpu_gem_funcs = {
	.free = mock_gpu_gem_free,
};

/* Make a buffer with @resv, which is locked. */
struct mock_gpu_bo *mock_gpu_bo(struct mock_gpu *gpu, struct dma_resv *resv,
				unsigned int pages, bool shrinkable,
				struct ttm_placement *placement,
				struct ttm_operation_ctx *ctx)
{
	struct mock_gpu_bo *b = kzalloc_obj(*b);
	int ret;

	if (!b)
		return ERR_PTR(-ENOMEM);

	b->id = atomic_inc_return(&gpu->buffers);
	b->shrinkable = shrinkable;
	b->ttm.base.funcs = &mock_gpu_gem_funcs;
	drm_gem_private_object_init(gpu->drm, &b->ttm.base, pages << PAGE_SHIFT);
	ret = ttm_bo_init_reserved(&gpu->bdev, &b->ttm, ttm_bo_type_device,
				   placement, 0, ctx, NULL, resv,
				   mock_gpu_bo_destroy);
	if (ret)
		return ERR_PTR(ret);
	mock_gpu_moved(b);
	return b;
}

/*
 * Moves
 */

static bool mock_gpu_has_content(struct ttm_buffer_object *bo)
{
	if (!bo->resource)
		return false;
	return bo->resource->mem_type == TTM_PL_VRAM ||
	       (bo->ttm && (ttm_tt_is_populated(bo->ttm) ||
			    ttm_tt_is_swapped(bo->ttm)));
}

static int mock_gpu_copy(struct ttm_buffer_object *bo, bool evict,
			 struct ttm_operation_ctx *ctx, struct ttm_resource *new)
{
	int ret;

	ret = bo->ttm ? ttm_bo_populate(bo, ctx) : 0;
	if (ret)
		return ret;
	/*
	 * Copy with the engine and the CPU in turn, if the CPU may wait for the
	 * engine.
	 */
	if (ctx->no_wait_gpu || mock_gpu_tick(to_mock_gpu(bo->bdev)) % 2)
		return mock_gpu_copy_later(bo, evict, new);

	mock_gpu_count(to_mock_gpu(bo->bdev), MOCK_GPU_CPU_COPIES, 1);
	ret = ttm_bo_wait_ctx(bo, ctx);
	return ret ?: ttm_bo_move_memcpy(bo, ctx, new);
}

static int mock_gpu_do_move(struct ttm_buffer_object *bo, bool evict,
			    struct ttm_operation_ctx *ctx,
			    struct ttm_resource *new)
{
	struct ttm_resource *old = bo->resource;
	int ret = 0;

	if (mock_gpu_has_content(bo) && old->mem_type != new->mem_type &&
	    (old->mem_type == TTM_PL_VRAM || new->mem_type == TTM_PL_VRAM))
		return mock_gpu_copy(bo, evict, ctx, new);

	/* The GPU can't use pages in system memory. */
	if (old && new->mem_type == TTM_PL_SYSTEM)
		ret = ttm_bo_wait_ctx(bo, ctx);
	if (!ret)
		ttm_bo_move_null(bo, new);
	return ret;
}

static int mock_gpu_move(struct ttm_buffer_object *bo, bool evict,
			 struct ttm_operation_ctx *ctx, struct ttm_resource *new,
			 struct ttm_place *hop)
{
	struct mock_gpu_bo *b = to_mock_gpu_bo(bo);
	int ret;

	if (bo->pin_count)
		mock_gpu_broken(to_mock_gpu(bo->bdev), "a pinned buffer was moved");
	ret = mock_gpu_do_move(bo, evict, ctx, new);
	if (b)
		mock_gpu_moved(b);
	if (evict && !ret)
		mock_gpu_count(to_mock_gpu(bo->bdev), MOCK_GPU_EVICTIONS, 1);
	return ret;
}

static void mock_gpu_evict_flags(struct ttm_buffer_object *bo,
				 struct ttm_placement *placement)
{
	static const struct ttm_place places[] = {
		{ .mem_type = TTM_PL_TT }, { .mem_type = TTM_PL_SYSTEM },
	};
	bool in_vram = bo->resource->mem_type == TTM_PL_VRAM;

	/* The content of a ghost is not needed. */
	if (!to_mock_gpu_bo(bo))
		return;
	placement->placement = in_vram ? &places[0] : &places[1];
	placement->num_placement = in_vram ? 2 : 1;
}

static int mock_gpu_io_mem_reserve(struct ttm_device *bdev,
				   struct ttm_resource *res)
{
	if (res->mem_type != TTM_PL_VRAM)
		return 0;
	res->bus.addr = to_mock_gpu(bdev)->vram + (res->start << PAGE_SHIFT);
	res->bus.is_iomem = true;
	res->bus.caching = ttm_cached;
	return 0;
}

static void mock_gpu_swap_notify(struct ttm_buffer_object *bo)
{
	mock_gpu_count(to_mock_gpu(bo->bdev), MOCK_GPU_SWAPOUTS, 1);
}

bool mock_gpu_purgeable(struct ttm_buffer_object *bo)
{
	struct mock_gpu_bo *b = to_mock_gpu_bo(bo);

	return b && b->purgeable;
}

/* Mark a reserved buffer's content as purgeable, or as needed again. */
void mock_gpu_set_purgeable(struct mock_gpu_bo *b, bool purgeable)
{
	b->purgeable = purgeable;
	ttm_bo_set_purgeable(&b->ttm, purgeable);
}

void mock_gpu_shrunk(struct ttm_buffer_object *bo, bool purged)
{
	struct mock_gpu *gpu = to_mock_gpu(bo->bdev);
	struct mock_gpu_bo *b = to_mock_gpu_bo(bo);

	mock_gpu_count(gpu, purged ? MOCK_GPU_PURGED : MOCK_GPU_BACKED_UP, 1);
	if (purged && !b->purgeable)
		mock_gpu_broken(gpu, "purged, but not purgeable");
	if (purged)
		b->generation = 0;
	to_mock_gpu_tt(bo->ttm)->purged = purged;
}

static struct ttm_device_funcs mock_gpu_funcs = {
	.ttm_tt_create = mock_gpu_tt_create,
	.ttm_tt_populate = mock_gpu_tt_populate,
	.ttm_tt_destroy = mock_gpu_tt_destroy,
	.eviction_valuable = ttm_bo_eviction_valuable,
	.evict_flags = mock_gpu_evict_flags,
	.move = mock_gpu_move,
	.io_mem_reserve = mock_gpu_io_mem_reserve,
	.swap_notify = mock_gpu_swap_notify,
};

/*
 * The device
 */

static int mock_gpu_init_memory(struct mock_gpu *gpu, unsigned long vram,
				unsigned long tt)
{
	int ret;

	ret = ttm_range_man_init_nocheck(&gpu->bdev, TTM_PL_VRAM, false, vram);
	if (!ret)
		ret = ttm_range_man_init_nocheck(&gpu->bdev, TTM_PL_TT, true, tt);
	return ret;
}

/*
 * Make a GPU with @vram and @tt pages. After an error, mock_gpu_fini() cleans
 * up.
 */
int mock_gpu_init(struct mock_gpu *gpu, struct drm_device *drm,
		  unsigned long vram, unsigned long tt)
{
	int ret;

	gpu->drm = drm;
	spin_lock_init(&gpu->lock);
	gpu->context = dma_fence_context_alloc(1);
	gpu->vram = vmalloc(vram << PAGE_SHIFT);
	gpu->engine = alloc_ordered_workqueue("ttm-lru-gpu",
					      WQ_MEM_RECLAIM);
	if (!gpu->vram || !gpu->engine)
		return -ENOMEM;
	ret = ttm_device_init(&gpu->bdev, &mock_gpu_funcs, drm->dev,
			      drm->anon_inode->i_mapping, drm->vma_offset_manager,
			      TTM_ALLOCATION_PROPAGATE_ENOSPC);
	return ret ?: mock_gpu_init_memory(gpu, vram, tt);
}

/* Wait for all jobs, and for all work that waits for them. */
void mock_gpu_idle(struct mock_gpu *gpu)
{
	flush_workqueue(gpu->engine);
	drain_workqueue(gpu->bdev.wq);
}

void mock_gpu_fini(struct mock_gpu *gpu)
{
	if (gpu->bdev.funcs) {
		mock_gpu_idle(gpu);
		ttm_range_man_fini_nocheck(&gpu->bdev, TTM_PL_VRAM);
		ttm_range_man_fini_nocheck(&gpu->bdev, TTM_PL_TT);
		ttm_device_fini(&gpu->bdev);
	}
	if (gpu->engine)
		destroy_workqueue(gpu->engine);
	vfree(gpu->vram);
}
