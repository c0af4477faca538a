/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Worlds of ttm_lru_mock_driver.h on a device that can back up, with a shrinker.
 */
#ifndef _TTM_LRU_RECLAIM_H_
#define _TTM_LRU_RECLAIM_H_

#include "ttm_lru_mock_driver.h"

#define EXPECT_LETTERS(letters, expected) \
	KUNIT_EXPECT_STREQ(test, (letters).text, expected)

struct ttm_shrinker;

/* The driver: what it was told, and what it does then. One case has one. */
struct lru_reclaim {
	struct lru_world *w;
	struct ttm_shrinker *shrinker;
	struct lru_letters backed_up;
	struct lru_letters purged;
	/* Called when the shrinker has taken a buffer's pages. */
	void (*at)(struct lru_world *w, char letter);
	/* What came of what happened there. */
	unsigned long result;
	/* What the last scan told that it has looked at, in pages. */
	unsigned long scanned;
};

extern struct lru_reclaim reclaim;

struct lru_world *reclaim_world(struct kunit *test, u32 mem_type,
				const char *picture, const char *filled);

/* The shrinker, and what the system asks of it. */
void reclaim_start(struct kunit *test);
void reclaim_stop(void);
unsigned long reclaim_count(gfp_t gfp);
unsigned long reclaim_scan(gfp_t gfp, unsigned long pages);
unsigned long reclaim_scan_kswapd(unsigned long pages);

void reclaim_set_purgeable(struct lru_world *w, char letter, bool purgeable);

/* The GPU at work, and how often somebody waited for it. */
extern atomic_t reclaim_waits;
void reclaim_use(struct lru_world *w, char letter);

#endif
