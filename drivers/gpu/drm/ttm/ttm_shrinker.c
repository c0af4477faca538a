// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A shrinker for drivers: gives back buffers' pages when the system is short of
 * memory.
 */

#include <kunit/visibility.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <linux/shrinker.h>
#include <linux/slab.h>

#include <drm/ttm/ttm_backup.h>
#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_device.h>
#include <drm/ttm/ttm_placement.h>
#include <drm/ttm/ttm_resource.h>
#include <drm/ttm/ttm_shrinker.h>
#include <drm/ttm/ttm_tt.h>

/**
 * DOC: Shrinking
 *
 * A driver whose &ttm_device_funcs.ttm_tt_create calls ttm_tt_setup_backup() can
 * let a &struct ttm_shrinker do the rest. Under memory pressure it walks the
 * buffers in system memory, and in whatever else is made of pages, and gives
 * their pages back:
 *
 * - Content that nobody needs is dropped: that of zombies and ghosts, and of
 *   what the driver says is purgeable.
 * - The rest is backed up, if there is swap space for it and the allocation that
 *   lacks memory allows for file systems to be entered (``__GFP_FS``). Pages are
 *   written out at once for kswapd, and for nobody else.
 * - kswapd waits for a GPU that uses a buffer if there is nothing idle. Others,
 *   in whose allocations it happens, don't.
 *
 * Memory is asked for in many small portions. So the shrinker keeps its walk from
 * one to the next: what could not be shrunk is not tried again before all others
 * were.
 */

struct ttm_shrinker {
	struct ttm_device *bdev;
	const struct ttm_shrinker_funcs *funcs;
	struct shrinker *shrinker;

	/* Taken by the one who scans, protects all below. */
	struct mutex lock;
	/* The lap: whose buffers are walked, or next to be, and how far. */
	u32 mem_type;
	bool walking;
	struct ttm_bo_lru_cursor cursor;
	struct ttm_lru_walk_arg arg;
	struct ttm_operation_ctx ctx;
};

/* What one scan may do, and what it has done, in pages. */
struct ttm_shrinker_scan {
	bool may_back_up;
	bool writeback;
	unsigned long to_scan;
	unsigned long scanned;
	unsigned long freed;
};

/**
 * ttm_shrinker_account() - count pages that a shrinker could get
 * @bdev: The device.
 * @tt: What has got them, or loses them.
 * @pages: How many more there are; negative for less.
 *
 * Called by TTM as buffers get their pages and lose them.
 *
 * Context: Any.
 */
void ttm_shrinker_account(struct ttm_device *bdev, const struct ttm_tt *tt,
			  long pages)
{
	if (!IS_ERR_OR_NULL(tt->backup))
		atomic_long_add(pages, &bdev->shrinkable_pages);
}

/* Ghosts are no GEM objects, and zombies are none any more. */
static bool ttm_bo_is_alive(struct ttm_buffer_object *bo)
{
	return !bo->deleted && bo->base.dev && kref_read(&bo->base.refcount);
}

static bool ttm_shrinker_can_purge(struct ttm_shrinker *shrinker,
				   struct ttm_buffer_object *bo)
{
	const struct ttm_shrinker_funcs *funcs = shrinker->funcs;

	return !ttm_bo_is_alive(bo) ||
	       (funcs && funcs->purgeable && funcs->purgeable(bo));
}

/* Shrink one buffer, which is reserved. */
static void ttm_shrinker_bo(struct ttm_shrinker *shrinker,
			    struct ttm_buffer_object *bo,
			    struct ttm_shrinker_scan *scan)
{
	bool alive = ttm_bo_is_alive(bo);
	struct ttm_bo_shrink_flags flags = {
		.purge = ttm_shrinker_can_purge(shrinker, bo),
		.writeback = scan->writeback,
		.allow_move = alive,
	};
	long pages;

	if (IS_ERR_OR_NULL(bo->ttm->backup) ||
	    (!flags.purge && !scan->may_back_up))
		return;

	scan->scanned += bo->ttm->num_pages;
	pages = ttm_bo_shrink(&shrinker->ctx, bo, flags);
	if (pages <= 0)
		return;

	scan->freed += pages;
	if (alive && shrinker->funcs && shrinker->funcs->shrunk)
		shrinker->funcs->shrunk(bo, flags.purge);
}

/*
 * The next buffer of a lap through all managers whose buffers are made of pages,
 * or NULL at its end. The next lap then starts from the beginning.
 */
static struct ttm_buffer_object *ttm_shrinker_next(struct ttm_shrinker *shrinker)
{
	struct ttm_bo_lru_cursor *cursor = &shrinker->cursor;
	struct ttm_resource_manager *man;
	struct ttm_buffer_object *bo;

	for (; shrinker->mem_type < TTM_NUM_MEM_TYPES; shrinker->mem_type++) {
		man = ttm_manager_type(shrinker->bdev, shrinker->mem_type);
		if (!man || !man->use_tt)
			continue;

		if (shrinker->walking) {
			bo = ttm_bo_lru_cursor_next(cursor);
		} else {
			ttm_bo_lru_cursor_init(cursor, man, &shrinker->arg);
			bo = ttm_bo_lru_cursor_first(cursor);
		}
		/* A reservation that is only tried is no reason for an error. */
		shrinker->walking = !IS_ERR_OR_NULL(bo);
		if (shrinker->walking)
			return bo;
	}
	shrinker->mem_type = TTM_PL_SYSTEM;
	return NULL;
}

/* Go on with the lap. Returns true if no more is needed. */
static bool ttm_shrinker_lap(struct ttm_shrinker *shrinker,
			     struct ttm_shrinker_scan *scan)
{
	struct ttm_buffer_object *bo;

	while ((bo = ttm_shrinker_next(shrinker))) {
		if (ttm_bo_shrink_suitable(bo, &shrinker->ctx))
			ttm_shrinker_bo(shrinker, bo, scan);
		if (scan->scanned >= scan->to_scan)
			return true;
	}
	return false;
}

static void ttm_shrinker_do_scan(struct ttm_shrinker *shrinker,
				 struct ttm_shrinker_scan *scan, bool may_wait)
{
	bool goes_on = shrinker->walking;

	shrinker->ctx.no_wait_gpu = true;
	if (ttm_shrinker_lap(shrinker, scan))
		return;
	if (goes_on && ttm_shrinker_lap(shrinker, scan))
		return;
	if (may_wait && !scan->freed) {
		shrinker->ctx.no_wait_gpu = false;
		ttm_shrinker_lap(shrinker, scan);
	}
}

static unsigned long ttm_shrinker_scan(struct shrinker *shrinker,
				       struct shrink_control *sc)
{
	struct ttm_shrinker *ttm = shrinker->private_data;
	bool may_wait = !ttm_bo_shrink_avoid_wait();
	struct ttm_shrinker_scan scan = {
		.may_back_up = sc->gfp_mask & __GFP_FS && ttm_backup_bytes_avail(),
		.writeback = may_wait && sc->gfp_mask & __GFP_IO,
		.to_scan = sc->nr_to_scan,
	};

	/* Who finds another at work has his memory from elsewhere. */
	if (!mutex_trylock(&ttm->lock))
		return SHRINK_STOP;
	ttm_shrinker_do_scan(ttm, &scan, may_wait);
	ttm_bo_lru_cursor_release(&ttm->cursor);
	mutex_unlock(&ttm->lock);

	sc->nr_scanned = scan.scanned;
	return scan.scanned ? scan.freed : SHRINK_STOP;
}

static unsigned long ttm_shrinker_count(struct shrinker *shrinker,
					struct shrink_control *sc)
{
	struct ttm_shrinker *ttm = shrinker->private_data;
	unsigned long pages;
	u64 space;

	/* It is up to the driver how many are purgeable: all of them, at most. */
	pages = atomic_long_read(&ttm->bdev->shrinkable_pages);
	if (!ttm->funcs || !ttm->funcs->purgeable) {
		space = sc->gfp_mask & __GFP_FS ? ttm_backup_bytes_avail() : 0;
		pages = min_t(u64, pages, space >> PAGE_SHIFT);
	}
	return pages ?: SHRINK_EMPTY;
}

#if IS_ENABLED(CONFIG_KUNIT)
/* For tests, to be called with what they like. */
struct shrinker *ttm_shrinker_core(struct ttm_shrinker *shrinker)
{
	return shrinker->shrinker;
}
EXPORT_SYMBOL_IF_KUNIT(ttm_shrinker_core);
#endif

/**
 * ttm_shrinker_create() - let the system take pages from a device's buffers
 * @bdev: The device.
 * @funcs: What the driver has to say; may be %NULL.
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

	mutex_init(&shrinker->lock);
	shrinker->bdev = bdev;
	shrinker->funcs = funcs;
	shrinker->mem_type = TTM_PL_SYSTEM;
	shrinker->arg.ctx = &shrinker->ctx;
	shrinker->arg.trylock_only = true;
	shrinker->shrinker->count_objects = ttm_shrinker_count;
	shrinker->shrinker->scan_objects = ttm_shrinker_scan;
	shrinker->shrinker->private_data = shrinker;
	shrinker_register(shrinker->shrinker);
	return shrinker;
}
EXPORT_SYMBOL(ttm_shrinker_create);

/**
 * ttm_shrinker_destroy() - end a shrinker
 * @shrinker: The shrinker. Must go before the device's managers do.
 *
 * Context: May sleep: waits for those who are shrinking.
 */
void ttm_shrinker_destroy(struct ttm_shrinker *shrinker)
{
	shrinker_free(shrinker->shrinker);
	if (shrinker->walking)
		ttm_bo_lru_cursor_fini(&shrinker->cursor);
	mutex_destroy(&shrinker->lock);
	kfree(shrinker);
}
EXPORT_SYMBOL(ttm_shrinker_destroy);
