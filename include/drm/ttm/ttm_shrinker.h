/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * A shrinker for drivers: it frees buffers' pages when memory is short.
 */
#ifndef _TTM_SHRINKER_H_
#define _TTM_SHRINKER_H_

#include <linux/compiler_attributes.h>
#include <linux/types.h>

struct shrinker;
struct ttm_buffer_object;
struct ttm_device;
struct ttm_shrinker;
struct ttm_tt;

/**
 * struct ttm_shrinker_funcs - callbacks of a driver for its shrinker
 *
 * All are optional. They are called with the buffer reserved, in memory reclaim:
 * they must neither allocate nor take a lock that is held while allocating. They
 * are never called for zombies and ghosts.
 */
struct ttm_shrinker_funcs {
	/**
	 * @shrunk: @bo has lost its pages. If @purged, it has lost its content as
	 * well, and is no longer purgeable.
	 */
	void (*shrunk)(struct ttm_buffer_object *bo, bool purged);
};

struct ttm_shrinker * __must_check
ttm_shrinker_create(struct ttm_device *bdev,
		    const struct ttm_shrinker_funcs *funcs, const char *name);
void ttm_shrinker_destroy(struct ttm_shrinker *shrinker);

void ttm_bo_set_purgeable(struct ttm_buffer_object *bo, bool purgeable);

void ttm_shrinker_account(struct ttm_device *bdev, const struct ttm_tt *tt,
			  long pages);

#if IS_ENABLED(CONFIG_KUNIT)
struct shrinker *ttm_shrinker_core(struct ttm_shrinker *shrinker);
#endif

#endif
