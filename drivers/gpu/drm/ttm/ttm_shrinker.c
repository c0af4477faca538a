// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A shrinker for drivers: frees buffers' pages when the system is short of memory.
 */

#include <kunit/visibility.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/minmax.h>
#include <linux/sched/mm.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include <drm/ttm/ttm_backup.h>
#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_device.h>
#include <drm/ttm/ttm_placement.h>
#include <drm/ttm/ttm_resource.h>
#include <drm/ttm/ttm_shrinker.h>
#include <drm/ttm/ttm_tt.h>

#include "ttm_reclaim.h"

/**
 * DOC: Shrinking
 *
 * A driver whose ``ttm_device_funcs.ttm_tt_create`` calls ttm_tt_setup_backup() can
 * use ttm_shrinker_create(). Under memory pressure the shrinker frees buffers' pages:
 *
 * - First it drops content that nobody needs: that of zombies and ghosts, and of
 *   buffers for which the driver called ttm_bo_set_purgeable(). The device has a
 *   list of these.
 * - If that is not enough, it backs up the content of other buffers, if there is
 *   swap space and the allocation that lacks memory allows file systems to be
 *   entered (``__GFP_FS``).
 *
 * **Promises** (E6). The shrinker reports the pages that it could free: the
 * purgeable ones, and those that it could back up now. A scan looks at no more
 * buffers than it is asked for pages, whether or not it frees any. It returns
 * ``SHRINK_STOP`` only if it has seen all buffers and could free nothing, so not
 * if it left out a VM whose reservation another scan holds.
 *
 * **No waiting.** A scan runs in a thread that allocates memory, or in kswapd, on
 * which all allocations depend. So it leaves out buffers that a GPU uses, or whose
 * reservation is taken. It leaves a last reference to the device's workqueue. It
 * calls the driver in the allocation scope of the thread that lacks memory
 * (memalloc_nofs_save(), memalloc_noio_save()).
 *
 * **One lap.** The system asks for memory in many small portions, and in many
 * threads at a time. So all scans share one walk, the *lap*: a buffer that could not
 * be shrunk is not tried again before all others were. Each scan takes the next
 * buffer of the lap, and works on it alone. The lap's lock is held for one step.
 *
 * **Writing back.** Backed-up pages go to shmem, and the system writes them to swap
 * space later. Only kswapd writes them at once, and only after a whole lap has tried
 * to back up buffers and failed with all of them.
 */

struct ttm_shrinker {
	struct ttm_device *bdev;
	const struct ttm_shrinker_funcs *funcs;
	struct shrinker *shrinker;

	/* Protects the lap. Held for one step. */
	spinlock_t lock;
	/* The lap: the memory type, whether its walk has begun, and the walk. */
	u32 mem_type;
	bool walking;
	struct ttm_bo_lru_cursor cursor;
	struct ttm_lru_walk_arg arg;
	struct ttm_operation_ctx ctx;
	/* How many laps have ended. Scans also read this without the lock. */
	unsigned long laps;
	/*
	 * This lap has tried, and managed, to back up a buffer; the last one failed. Scans
	 * also read and set these without the lock.
	 */
	bool tried;
	bool backed_up;
	bool in_vain;
};

/* One scan. */
struct ttm_shrinker_scan {
	struct ttm_operation_ctx ctx;
	bool may_back_up;
	bool may_write;
	/* In pages; a buffer that was looked at and not tried counts as one. */
	unsigned long to_scan;
	unsigned long scanned;
	unsigned long freed;
	/* Some buffers were left out: other threads had reserved or moved them. */
	bool passed;
};

/* A ghost is not a GEM object, and a zombie has no GEM references any more. */
static bool ttm_bo_is_alive(struct ttm_buffer_object *bo)
{
	return !bo->deleted && bo->base.dev && kref_read(&bo->base.refcount);
}

/* Can the pages of @bo be freed? A purgeable buffer may be in any memory type. */
static bool ttm_shrinker_suits(struct ttm_buffer_object *bo,
			       struct ttm_shrinker_scan *scan)
{
	struct ttm_device *bdev = bo->bdev;

	return bo->resource &&
	       ttm_manager_type(bdev, bo->resource->mem_type)->use_tt &&
	       ttm_bo_shrink_suitable(bo, &scan->ctx) &&
	       !IS_ERR_OR_NULL(bo->ttm->backup);
}

/* Shrink @bo, which is suitable and reserved. Return true if that succeeded. */
static bool ttm_shrinker_bo(struct ttm_shrinker *shrinker,
			    struct ttm_buffer_object *bo,
			    struct ttm_shrinker_scan *scan,
			    struct ttm_bo_shrink_flags flags)
{
	bool alive = ttm_bo_is_alive(bo);
	long pages;

	scan->scanned += bo->ttm->num_pages;
	flags.allow_move = alive;
	pages = ttm_bo_shrink(&scan->ctx, bo, flags);
	if (pages <= 0)
		return false;

	scan->freed += pages;
	if (flags.purge)
		ttm_bo_set_purgeable(bo, false);
	if (alive && shrinker->funcs && shrinker->funcs->shrunk)
		shrinker->funcs->shrunk(bo, flags.purge);
	return true;
}

static void ttm_shrinker_put(struct ttm_buffer_object *bo)
{
	dma_resv_unlock(bo->base.resv);
	ttm_bo_put_in_reclaim(bo);
}

/* Purge buffers. Return true if it has tried all purgeable buffers. */
static bool ttm_shrinker_purge(struct ttm_shrinker *shrinker,
			       struct ttm_shrinker_scan *scan)
{
	unsigned long left = READ_ONCE(shrinker->bdev->nr_purgeable);
	struct ttm_buffer_object *bo;

	for (; left && scan->scanned < scan->to_scan; left--) {
		bo = ttm_purgeable_take(shrinker->bdev);
		if (bo && ttm_shrinker_suits(bo, scan))
			ttm_shrinker_bo(shrinker, bo, scan,
					(struct ttm_bo_shrink_flags) { .purge = true });
		else
			scan->scanned++;
		if (bo)
			ttm_shrinker_put(bo);
		else
			scan->passed = true;
	}
	return !left;
}

/* How many times the lap's walk has left out buffers so far. */
static unsigned long ttm_shrinker_passed(const struct ttm_shrinker *shrinker)
{
	const struct ttm_lru_left_out *left_out = &shrinker->cursor.left_out;

	return left_out->busy + left_out->moved + left_out->zombies +
	       left_out->replaced;
}

/* Take the first or the next step of the lap in the lists of @man. */
static struct ttm_buffer_object *
ttm_shrinker_step(struct ttm_shrinker *shrinker,
		  struct ttm_resource_manager *man,
		  struct ttm_shrinker_scan *scan)
{
	struct ttm_bo_lru_cursor *cursor = &shrinker->cursor;
	struct ttm_buffer_object *bo;
	unsigned long passed, before = 0;

	if (shrinker->walking) {
		before = ttm_shrinker_passed(shrinker);
		bo = ttm_bo_lru_cursor_next(cursor);
	} else {
		ttm_bo_lru_cursor_init(cursor, man, &shrinker->arg);
		bo = ttm_bo_lru_cursor_first(cursor);
	}
	passed = ttm_shrinker_passed(shrinker) - before;
	scan->passed |= passed;
	if (bo)
		scan->scanned += passed;
	/* The only error is -EAGAIN, after which the walk continues. */
	shrinker->walking = bo;
	/* The caller releases the buffer. */
	cursor->bo = NULL;
	return bo;
}

static void ttm_shrinker_end_lap(struct ttm_shrinker *shrinker)
{
	bool tried = READ_ONCE(shrinker->tried);
	bool backed_up = READ_ONCE(shrinker->backed_up);

	shrinker->mem_type = TTM_PL_SYSTEM;
	WRITE_ONCE(shrinker->in_vain, tried && !backed_up);
	WRITE_ONCE(shrinker->tried, false);
	WRITE_ONCE(shrinker->backed_up, false);
	WRITE_ONCE(shrinker->laps, shrinker->laps + 1);
}

/*
 * Return the next buffer of the lap through all managers whose buffers have a ttm_tt,
 * referenced and reserved. Return NULL at the end of the lap; the next call starts
 * another lap. Return -EAGAIN if one hold of the lru_lock found no buffer.
 */
static struct ttm_buffer_object *ttm_shrinker_next(struct ttm_shrinker *shrinker,
						   struct ttm_shrinker_scan *scan)
{
	struct ttm_resource_manager *man;
	struct ttm_buffer_object *bo;

	guard(spinlock)(&shrinker->lock);
	for (; shrinker->mem_type < TTM_NUM_MEM_TYPES; shrinker->mem_type++) {
		/* The driver may be adding its managers right now. */
		man = READ_ONCE(shrinker->bdev->man_drv[shrinker->mem_type]);
		if (!man || !man->use_tt)
			continue;
		bo = ttm_shrinker_step(shrinker, man, scan);
		if (bo)
			return bo;
	}
	ttm_shrinker_end_lap(shrinker);
	return NULL;
}

/* Return the value of laps at which a lap that begins from now on has ended. */
static unsigned long ttm_shrinker_whole_lap(struct ttm_shrinker *shrinker)
{
	guard(spinlock)(&shrinker->lock);
	return shrinker->laps + 1 +
	       (shrinker->walking || shrinker->mem_type != TTM_PL_SYSTEM);
}

static void ttm_shrinker_back_up(struct ttm_shrinker *shrinker,
				 struct ttm_buffer_object *bo,
				 struct ttm_shrinker_scan *scan)
{
	struct ttm_bo_shrink_flags flags = {
		.purge = !ttm_bo_is_alive(bo) || bo->purgeable,
		.writeback = scan->may_write && READ_ONCE(shrinker->in_vain),
	};

	if (!ttm_shrinker_suits(bo, scan)) {
		scan->scanned++;
		return;
	}
	WRITE_ONCE(shrinker->tried, true);
	if (ttm_shrinker_bo(shrinker, bo, scan, flags))
		WRITE_ONCE(shrinker->backed_up, true);
}

/* Continue the lap. Return true if all buffers were seen. */
static bool ttm_shrinker_lap(struct ttm_shrinker *shrinker,
			     struct ttm_shrinker_scan *scan)
{
	unsigned long end = ttm_shrinker_whole_lap(shrinker);
	struct ttm_buffer_object *bo;

	while (scan->scanned < scan->to_scan) {
		bo = ttm_shrinker_next(shrinker, scan);
		if (!IS_ERR_OR_NULL(bo)) {
			ttm_shrinker_back_up(shrinker, bo, scan);
			ttm_shrinker_put(bo);
		}
		/* Other scans may have ended the lap. */
		if ((long)(READ_ONCE(shrinker->laps) - end) >= 0)
			return true;
		cond_resched();
	}
	return false;
}

/* Return true if the scan has tried all buffers that it may free. */
static bool ttm_shrinker_do_scan(struct ttm_shrinker *shrinker,
				 struct ttm_shrinker_scan *scan)
{
	bool all = ttm_shrinker_purge(shrinker, scan);

	if (scan->may_back_up)
		all = ttm_shrinker_lap(shrinker, scan) && all;
	return all;
}

/* The PF_MEMALLOC flag that restricts allocations in the scan as @gfp does. */
static unsigned int ttm_shrinker_scope(gfp_t gfp)
{
	if (!(gfp & __GFP_IO))
		return PF_MEMALLOC_NOIO;
	return gfp & __GFP_FS ? 0 : PF_MEMALLOC_NOFS;
}

static unsigned long ttm_shrinker_scan(struct shrinker *core,
				       struct shrink_control *sc)
{
	struct ttm_shrinker *shrinker = core->private_data;
	struct ttm_shrinker_scan scan = {
		.ctx = { .no_wait_gpu = true },
		.may_back_up = sc->gfp_mask & __GFP_FS && ttm_backup_bytes_avail(),
		.may_write = !ttm_bo_shrink_avoid_wait(),
		.to_scan = sc->nr_to_scan,
	};
	unsigned int flags;
	bool all;

	flags = memalloc_flags_save(ttm_shrinker_scope(sc->gfp_mask));
	all = ttm_shrinker_do_scan(shrinker, &scan);
	memalloc_flags_restore(flags);

	if (all && !scan.freed && !scan.passed)
		return SHRINK_STOP;
	/* Buffers that were left out may be free at a later scan, not sooner. */
	sc->nr_scanned = max(scan.scanned, scan.to_scan);
	return scan.freed;
}

/* How many pages an allocation with @gfp could have backed up now. */
static unsigned long ttm_shrinker_backable(struct ttm_device *bdev, gfp_t gfp)
{
	long pages = atomic_long_read(&bdev->shrinkable_pages) -
		     atomic_long_read(&bdev->purgeable_pages);

	if (!(gfp & __GFP_FS))
		return 0;
	return min_t(u64, max(pages, 0), ttm_backup_bytes_avail() >> PAGE_SHIFT);
}

static unsigned long ttm_shrinker_count(struct shrinker *core,
					struct shrink_control *sc)
{
	struct ttm_shrinker *shrinker = core->private_data;
	struct ttm_device *bdev = shrinker->bdev;
	unsigned long pages;

	pages = max(atomic_long_read(&bdev->purgeable_pages), 0) +
		ttm_shrinker_backable(bdev, sc->gfp_mask);
	return pages ?: SHRINK_EMPTY;
}

#if IS_ENABLED(CONFIG_KUNIT)
/* Lets tests call the shrinker's functions. */
struct shrinker *ttm_shrinker_core(struct ttm_shrinker *shrinker)
{
	return shrinker->shrinker;
}
EXPORT_SYMBOL_IF_KUNIT(ttm_shrinker_core);
#endif

/**
 * ttm_shrinker_create() - let the system take pages from a device's buffers
 * @bdev: The device.
 * @funcs: The driver's callbacks; may be %NULL.
 * @name: The name of the device, for debugging.
 *
 * Context: May sleep.
 *
 * Return: The shrinker, or an error pointer: -ENOMEM.
 */
struct ttm_shrinker *
ttm_shrinker_create(struct ttm_device *bdev,
		    const struct ttm_shrinker_funcs *funcs, const char *name)
{
	struct ttm_shrinker *shrinker = kzalloc_obj(*shrinker);

	if (!shrinker)
		return ERR_PTR(-ENOMEM);

	shrinker->shrinker = shrinker_alloc(0, "drm-ttm:%s", name);
	if (!shrinker->shrinker) {
		kfree(shrinker);
		return ERR_PTR(-ENOMEM);
	}

	spin_lock_init(&shrinker->lock);
	shrinker->bdev = bdev;
	shrinker->funcs = funcs;
	shrinker->mem_type = TTM_PL_SYSTEM;
	shrinker->arg.ctx = &shrinker->ctx;
	shrinker->arg.trylock_only = true;
	shrinker->arg.reclaim = true;
	shrinker->shrinker->count_objects = ttm_shrinker_count;
	shrinker->shrinker->scan_objects = ttm_shrinker_scan;
	shrinker->shrinker->private_data = shrinker;
	shrinker_register(shrinker->shrinker);
	return shrinker;
}
EXPORT_SYMBOL(ttm_shrinker_create);

/**
 * ttm_shrinker_destroy() - end a shrinker
 * @shrinker: The shrinker. End it before the device's managers.
 *
 * Context: May sleep, to wait for running scans.
 */
void ttm_shrinker_destroy(struct ttm_shrinker *shrinker)
{
	shrinker_free(shrinker->shrinker);
	if (shrinker->walking)
		ttm_bo_lru_cursor_fini(&shrinker->cursor);
	kfree(shrinker);
}
EXPORT_SYMBOL(ttm_shrinker_destroy);
