/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Worlds of ttm_lru_mock_driver.h with backups and a shrinker.
 */
#ifndef _TTM_LRU_RECLAIM_H_
#define _TTM_LRU_RECLAIM_H_

#include "ttm_lru_mock_driver.h"

struct ttm_shrinker;
struct ttm_shrinker_funcs;

/*
 * What the driver was told, and what it does then. One case at a time uses it.
 */
struct lru_reclaim {
	struct lru_world *w;
	struct ttm_shrinker *shrinker;
	struct lru_letters backed_up;
	struct lru_letters purged;
	/* Called when the shrinker has taken a buffer's pages. */
	void (*at)(struct lru_world *w, char letter);
	/* The result of that call. */
	unsigned long result;
	/* The number of pages that the last scan said it had looked at. */
	unsigned long scanned;
};

extern struct lru_reclaim reclaim;

struct lru_world *reclaim_world(struct kunit *test, u32 mem_type,
				const char *picture, const char *filled);

/* The shrinker, and calls to it as from the system. */
void reclaim_start(struct kunit *test);
void reclaim_start_with(struct kunit *test,
			const struct ttm_shrinker_funcs *funcs);
void reclaim_stop(void);
unsigned long reclaim_count(gfp_t gfp);
unsigned long reclaim_scan(gfp_t gfp, unsigned long pages);
unsigned long reclaim_scan_kswapd(unsigned long pages);

void reclaim_set_purgeable(struct lru_world *w, char letter, bool purgeable);

/* Use of a buffer by the GPU, and the number of waits for it. */
extern atomic_t reclaim_waits;
void reclaim_use(struct lru_world *w, char letter);

#endif
