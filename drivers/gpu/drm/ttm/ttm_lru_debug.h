/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Checks of the LRU lists, which do nothing without CONFIG_DRM_TTM_LRU_DEBUG.
 */
#ifndef _TTM_LRU_DEBUG_H_
#define _TTM_LRU_DEBUG_H_

#include <drm/ttm/ttm_resource.h>

/* Where a resource stood before a list operation. */
struct ttm_lru_debug_spot {
#ifdef CONFIG_DRM_TTM_LRU_DEBUG
	struct list_head *list;
	struct list_head *prev;
#endif
};

#ifdef CONFIG_DRM_TTM_LRU_DEBUG

struct ttm_lru_debug_spot ttm_lru_debug_spot(struct ttm_device *bdev,
					     struct ttm_resource *res);
void ttm_lru_debug_moved(struct ttm_device *bdev, struct ttm_resource *res,
			 struct ttm_lru_debug_spot old);
void ttm_lru_debug_cursor(struct ttm_resource_cursor *cursor,
			  struct list_head *at);

void ttm_lru_debug_print(struct ttm_resource_manager *man,
			 struct drm_printer *p);

/* Count a hold of the lru_lock, in which @examined resources were looked at. */
static inline void ttm_lru_debug_hold(struct ttm_resource_manager *man,
				      unsigned long examined)
{
	struct ttm_lru_stats *stats = &man->lru_stats;

	stats->holds++;
	stats->examined += examined;
	if (examined > stats->longest)
		stats->longest = examined;
}

static inline void ttm_lru_debug_trylock(struct ttm_resource_manager *man)
{
	man->lru_stats.trylocks++;
}

static inline void ttm_lru_debug_parked(struct ttm_resource_manager *man)
{
	man->lru_stats.parked++;
}

#else

static inline struct ttm_lru_debug_spot
ttm_lru_debug_spot(struct ttm_device *bdev, struct ttm_resource *res)
{
	return (struct ttm_lru_debug_spot) {};
}

static inline void ttm_lru_debug_moved(struct ttm_device *bdev,
				       struct ttm_resource *res,
				       struct ttm_lru_debug_spot old)
{
}

static inline void ttm_lru_debug_cursor(struct ttm_resource_cursor *cursor,
					struct list_head *at)
{
}

static inline void ttm_lru_debug_print(struct ttm_resource_manager *man,
				       struct drm_printer *p)
{
}

static inline void ttm_lru_debug_hold(struct ttm_resource_manager *man,
				      unsigned long examined)
{
}

static inline void ttm_lru_debug_trylock(struct ttm_resource_manager *man)
{
}

static inline void ttm_lru_debug_parked(struct ttm_resource_manager *man)
{
}

#endif

#endif
