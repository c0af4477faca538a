/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Small worlds of real buffers on a mock device, and operations on them. A
 * world is made from a picture of its lists, see ttm_lru_notation.h, in the
 * order of the picture's letters.
 *
 * Cases never hold a lock over an assertion. Everything that a case makes
 * belongs to its world, which the suite's exit function frees: a case that
 * fails half-way leaves nothing behind.
 *
 * With CONFIG_DRM_TTM_LRU_PRISTINE the suites are built for Linux's own core,
 * to show what it gets wrong, without cases for functions that it lacks.
 */
#ifndef _TTM_LRU_FIXTURE_H_
#define _TTM_LRU_FIXTURE_H_

#include <linux/dma-resv.h>

#include <drm/ttm/ttm_resource.h>

#include "../../ttm_bo_internal.h"
#include "../ttm_kunit_helpers.h"
#include "ttm_lru_notation.h"

#define LRU_BUFFERS	26
/* A list with more nodes than this has no end. */
#define LRU_MAX_NODES	100

struct lru_link;

struct lru_world {
	struct kunit *test;
	/* The world made before this one in the same case. */
	struct lru_world *before;
	struct ttm_test_devices devs;
	struct ttm_device *bdev;
	struct ttm_device_funcs funcs;
	/* The memory type of pictures and operations. */
	u32 mem_type;
	/* The reservation that buffers share, such as members of a bulk. */
	struct dma_resv resv;
	struct dma_fence *fence;
	struct ttm_lru_bulk_move bulk[LRU_BULKS];
	struct ttm_resource_cursor walk[LRU_WALKS];
	struct ttm_buffer_object *bo[LRU_BUFFERS];
	/* Resources that buffers will move to. */
	struct ttm_resource *next[LRU_BUFFERS];

	/*
	 * Resources of one buffer, and cursors, that are too many to be drawn.
	 */
	struct ttm_buffer_object *flock_bo;
	struct ttm_resource **flock;
	unsigned int nr_flock;
	struct ttm_resource_cursor *crowd;
	unsigned int nr_crowd;

	/* The list links as they were at lru_remember(). */
	struct lru_link *links;
	unsigned int nr_links;

	const char *broken;
	bool draw_hitches;
	char name[4];
	char steps[2 * LRU_MAX_NODES + 1];
	char picture[4 * LRU_MAX_NODES];
};

/* The data of a case: mock devices, and worlds on them. */
struct lru_case {
	struct ttm_test_devices *devs;
	struct lru_world *worlds;
};

int lru_case_init(struct kunit *test);
void lru_case_exit(struct kunit *test);

struct lru_world *lru_world(struct kunit *test, const char *picture);
struct lru_world *lru_world_system(struct kunit *test, const char *picture);
void lru_make(struct lru_world *w, char letter, unsigned int priority,
	      struct ttm_lru_bulk_move *bulk, bool pinned);
void lru_make_alone(struct lru_world *w, char letter, unsigned int priority);
void lru_make_picture(struct lru_world *w, const char *picture);

struct ttm_resource_manager *lru_man(struct lru_world *w);

/* Walks, which drop the lock after each step. */
void lru_walk_init(struct lru_world *w, enum lru_walk walk);
const char *lru_first(struct lru_world *w, enum lru_walk walk);
const char *lru_next(struct lru_world *w, enum lru_walk walk);
const char *lru_rest(struct lru_world *w, enum lru_walk walk);
void lru_fini(struct lru_world *w, enum lru_walk walk);
void lru_renew(struct lru_world *w, enum lru_walk walk);

#define EXPECT_FIRST(w, walk, expected) \
	KUNIT_EXPECT_STREQ(test, lru_first(w, walk), expected)

#define EXPECT_NEXT(w, walk, expected) \
	KUNIT_EXPECT_STREQ(test, lru_next(w, walk), expected)

#define EXPECT_REST(w, walk, expected) \
	KUNIT_EXPECT_STREQ(test, lru_rest(w, walk), expected)

/* Operations of other threads, done as drivers do them. */
struct ttm_buffer_object *lru_bo(struct lru_world *w, char letter);
struct ttm_buffer_object *lru_reserve(struct lru_world *w, char letter);
void lru_unreserve(struct ttm_buffer_object *bo);
int lru_try_alloc(struct lru_world *w, char letter);
void lru_alloc(struct lru_world *w, char letter);
void lru_free(struct lru_world *w, char letter);
void lru_tail(struct lru_world *w, char letter);
void lru_join(struct lru_world *w, char letter, enum lru_bulk bulk);
void lru_leave(struct lru_world *w, char letter);
void lru_bulk_tail(struct lru_world *w, enum lru_bulk bulk);
void lru_pin(struct lru_world *w, char letter);
void lru_unpin(struct lru_world *w, char letter);
void lru_set_priority(struct lru_world *w, char letter, unsigned int priority);
int lru_populate(struct lru_world *w, char letter);
s64 lru_swapout(struct lru_world *w);
struct ttm_tt *lru_shrinkable_create(struct ttm_buffer_object *bo,
				     u32 page_flags);

/* Moves, and a copy engine that is busy until lru_idle(). */
void lru_alloc_next(struct lru_world *w, char letter);
void lru_move(struct lru_world *w, char letter);
void lru_move_busy(struct lru_world *w, char letter);
void lru_purge_busy(struct lru_world *w, char letter);
struct dma_fence *lru_busy(struct lru_world *w);
void lru_idle(struct lru_world *w);

#endif
