// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for P8, cheap: a step costs O(1) plus the hitches that it passes,
 * a bulk move O(ranges and cursors inside). The cases count the list nodes that
 * an operation writes to.
 */

#include <linux/module.h>
#include <linux/slab.h>

#include "lib/ttm_lru_fixture.h"
#include "lib/ttm_lru_links.h"

static void ttm_lru_p8_bulk_move_writes_to_its_ends(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "x");
	struct ttm_lru_bulk_move_pos *pos;

	lru_make_flock(w, 10000);
	lru_make(w, 'y', 0, NULL, false);
	pos = &w->bulk[STAR].pos[w->mem_type][0];
	KUNIT_EXPECT_PTR_EQ(test, pos->first, w->flock[0]);
	KUNIT_EXPECT_PTR_EQ(test, pos->last, w->flock[9999]);
	lru_remember(w);
	lru_bulk_tail(w, STAR);
	/* Both ends, their neighbours x and y, and the list's head. */
	KUNIT_EXPECT_EQ(test, lru_changed(w), 5);
	KUNIT_EXPECT_PTR_EQ(test, w->flock[0]->lru.link.prev,
			    &lru_bo(w, 'y')->resource->lru.link);
}

static void ttm_lru_p8_bulk_move_looks_at_its_ends(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "x");
	const char *last;

	lru_make_flock(w, 10000);
	lru_make(w, 'y', 0, NULL, false);
	EXPECT_FIRST(w, H, "x");
	lru_next(w, H);
	EXPECT_REGISTERED(w, H, "*");
	lru_poison_inside(w);
	lru_bulk_tail(w, STAR);
	last = lru_next(w, H);
	lru_heal_inside(w);
	KUNIT_EXPECT_STREQ(test, last, "y");
}

static void ttm_lru_p8_bulk_move_with_cursors_inside(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "x");

	lru_make_flock(w, 10000);
	lru_make(w, 'y', 0, NULL, false);
	lru_remember(w);
	for (int i = 0; i < LRU_WALKS; i++) {
		EXPECT_FIRST(w, i, "x");
		for (int step = 0; step < 1000 * (i + 1); step++)
			lru_next(w, i);
	}
	/* Each hitch and its neighbours, and the bulk's list of cursors. */
	KUNIT_EXPECT_EQ(test, lru_changed(w), 3 * LRU_WALKS + 1);
	lru_bulk_tail(w, STAR);
	/* The hitches' neighbours are linked to each other again. */
	KUNIT_EXPECT_EQ(test, lru_changed(w), 5 + LRU_WALKS);
	for (int i = 0; i < LRU_WALKS; i++) {
		EXPECT_UNREGISTERED(w, i);
		EXPECT_NEXT(w, i, "y");
	}
}

static void ttm_lru_p8_member_operations_write_to_neighbours(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "x");
	struct ttm_resource *res;

	lru_make_flock(w, 10000);
	lru_make(w, 'y', 0, NULL, false);
	lru_make(w, 'z', 0, NULL, false);
	res = w->flock[5000];
	w->flock_bo->resource = res;

	lru_remember(w);
	dma_resv_lock(&w->resv, NULL);
	scoped_guard(spinlock, &w->bdev->lru_lock)
		ttm_bo_move_to_lru_tail(w->flock_bo);
	dma_resv_unlock(&w->resv);
	w->flock_bo->resource = NULL;
	KUNIT_EXPECT_PTR_EQ(test, w->bulk[STAR].pos[w->mem_type][0].last, res);
	/* The member, its old neighbours and its new ones. */
	KUNIT_EXPECT_EQ(test, lru_changed(w), 5);

	lru_remember(w);
	lru_join(w, 'z', STAR);
	/* z, its neighbours y and the list's head, and the last member. */
	KUNIT_EXPECT_EQ(test, lru_changed(w), 4);
}

static void ttm_lru_p8_step_over_hitches(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b c");

	lru_links_init(w);
	w->crowd = kunit_kcalloc(test, 64, sizeof(*w->crowd), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, w->crowd);
	scoped_guard(spinlock, &w->bdev->lru_lock)
		for (; w->nr_crowd < 64; w->nr_crowd++) {
			ttm_resource_cursor_init(&w->crowd[w->nr_crowd],
						 lru_man(w));
			ttm_resource_manager_first(&w->crowd[w->nr_crowd]);
		}
	EXPECT_FIRST(w, H, "a");
	lru_remember(w);
	EXPECT_NEXT(w, H, "b");
	/* The hitch, its old neighbours and its new ones. */
	KUNIT_EXPECT_EQ(test, lru_changed(w), 5);
	lru_remember(w);
	EXPECT_NEXT(w, H, "c");
	KUNIT_EXPECT_EQ(test, lru_changed(w), 4);
}

static struct kunit_case ttm_lru_p8_cases[] = {
	KUNIT_CASE(ttm_lru_p8_bulk_move_writes_to_its_ends),
	KUNIT_CASE(ttm_lru_p8_bulk_move_looks_at_its_ends),
	KUNIT_CASE(ttm_lru_p8_bulk_move_with_cursors_inside),
	KUNIT_CASE(ttm_lru_p8_member_operations_write_to_neighbours),
	KUNIT_CASE(ttm_lru_p8_step_over_hitches),
	{}
};

static struct kunit_suite ttm_lru_p8_suite = {
	.name = "ttm_lru_p8",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_p8_cases,
};

kunit_test_suites(&ttm_lru_p8_suite);

MODULE_DESCRIPTION("KUnit tests for P8, the cost of operations on TTM's LRU lists");
MODULE_LICENSE("Dual MIT/GPL");
