// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for ghosts: buffer objects that keep a buffer's old resource
 * until the copy engine has finished. A ghost is in no bulk, and its resource
 * moves to the tail.
 */

#include <linux/module.h>

#include "lib/ttm_lru_fixture.h"

static void ttm_lru_ghost_of_first(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	EXPECT_FIRST(w, H, "a");
	lru_alloc_next(w, 'a');
	EXPECT_SOUND(w, "a* H b* c* a'* d");
	lru_move_busy(w, 'a');
	EXPECT_SOUND(w, "H b* c* a* d ~");
	EXPECT_NEXT(w, H, "b");
	lru_idle(w);
	EXPECT_SOUND(w, "b* H c* a* d");
	EXPECT_REST(w, H, "c a d");
}

static void ttm_lru_ghost_of_middle(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	lru_alloc_next(w, 'b');
	lru_move_busy(w, 'b');
	EXPECT_SOUND(w, "a* H c* b* d ~");
	EXPECT_REST(w, H, "c b d ~");
	lru_idle(w);
	EXPECT_SOUND(w, "a* c* b* d");
}

static void ttm_lru_ghost_of_last(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	w->mem_type = TTM_PL_SYSTEM;
	lru_alloc_next(w, 'c');
	EXPECT_SOUND(w, "c'*");
	lru_move_busy(w, 'c');
	EXPECT_SOUND(w, "c*");

	w->mem_type = TTM_PL_TT;
	EXPECT_SOUND(w, "a* b* H d ~");
	EXPECT_UNREGISTERED(w, H);
	EXPECT_REST(w, H, "d ~");
}

static void ttm_lru_ghost_of_only(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b");

	EXPECT_FIRST(w, H, "a");
	w->mem_type = TTM_PL_SYSTEM;
	lru_alloc_next(w, 'a');
	lru_move_busy(w, 'a');
	EXPECT_SOUND(w, "a*");

	w->mem_type = TTM_PL_TT;
	EXPECT_SOUND(w, "H b ~");
	lru_bulk_tail(w, STAR);
	EXPECT_REST(w, H, "b ~");
}

static void ttm_lru_ghost_of_loose(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b");

	EXPECT_FIRST(w, H, "a");
	lru_alloc_next(w, 'a');
	lru_move_busy(w, 'a');
	EXPECT_SOUND(w, "H b a ~");
	lru_bulk_tail(w, STAR);
	lru_idle(w);
	EXPECT_SOUND(w, "H b a");
}

static void ttm_lru_ghost_of_purged(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	lru_purge_busy(w, 'b');
	EXPECT_SOUND(w, "a* H c* d ~");
	lru_idle(w);
	EXPECT_SOUND(w, "a* H c* d");
	EXPECT_REST(w, H, "c d");
}

static void ttm_lru_move_without_ghost(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	EXPECT_FIRST(w, H, "a");
	lru_alloc_next(w, 'a');
	EXPECT_SOUND(w, "a* H b* c* a'* d");
	lru_move(w, 'a');
	EXPECT_SOUND(w, "H b* c* a* d");
	EXPECT_REST(w, H, "b c a d");
}

static struct kunit_case ttm_lru_ghost_cases[] = {
	KUNIT_CASE(ttm_lru_ghost_of_first),
	KUNIT_CASE(ttm_lru_ghost_of_middle),
	KUNIT_CASE(ttm_lru_ghost_of_last),
	KUNIT_CASE(ttm_lru_ghost_of_only),
	KUNIT_CASE(ttm_lru_ghost_of_loose),
	KUNIT_CASE(ttm_lru_ghost_of_purged),
	KUNIT_CASE(ttm_lru_move_without_ghost),
	{}
};

static struct kunit_suite ttm_lru_ghost_suite = {
	.name = "ttm_lru_ghost",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_ghost_cases,
};

kunit_test_suites(&ttm_lru_ghost_suite);

MODULE_DESCRIPTION("KUnit tests for ghosts on TTM's LRU lists");
MODULE_LICENSE("Dual MIT/GPL");
