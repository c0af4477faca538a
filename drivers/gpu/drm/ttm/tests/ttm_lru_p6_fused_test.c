// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for P6, fused: after a walk ended, next() keeps returning NULL;
 * first() starts over from any state, and fini() may be called at any time.
 */

#include <linux/module.h>

#include "lib/ttm_lru_fixture.h"

static void ttm_lru_p6_ended_stays_ended(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a");

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "");
	lru_make(w, 'b', 0, NULL, false);
	lru_make(w, 'c', 3, NULL, false);
	EXPECT_NEXT(w, H, "");
	EXPECT_NEXT(w, H, "");
	EXPECT_SOUND(w, "a b | | | c");
}

static void ttm_lru_p6_hitch_is_off_at_the_end(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b*");
	struct ttm_resource_cursor *cursor = &w->walk[H];

	EXPECT_FIRST(w, H, "a");
	KUNIT_EXPECT_FALSE(test, list_empty(&cursor->hitch.link));
	EXPECT_REST(w, H, "b");
	KUNIT_EXPECT_TRUE(test, list_empty(&cursor->hitch.link));
	EXPECT_UNREGISTERED(w, H);
}

static void ttm_lru_p6_next_in_no_walk(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b");

	EXPECT_NEXT(w, H, "");
	EXPECT_NEXT(w, H, "");
	EXPECT_FIRST(w, H, "a");
	lru_fini(w, H);
	EXPECT_NEXT(w, H, "");
	EXPECT_SOUND(w, "a b");
}

static void ttm_lru_p6_fini_in_every_state(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* | c");

	/* in no walk, */
	lru_fini(w, H);
	lru_fini(w, H);
	EXPECT_SOUND(w, "a* b* | c");
	/* inside a range, */
	EXPECT_FIRST(w, H, "a");
	lru_fini(w, H);
	EXPECT_SOUND(w, "a* b* | c");
	/* at the end of a range, */
	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	lru_fini(w, H);
	EXPECT_SOUND(w, "a* b* | c");
	/* on another list, */
	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	EXPECT_NEXT(w, H, "c");
	lru_fini(w, H);
	lru_fini(w, H);
	EXPECT_SOUND(w, "a* b* | c");
	/* and at the end */
	EXPECT_FIRST(w, H, "a");
	EXPECT_REST(w, H, "b c");
	lru_fini(w, H);
	EXPECT_SOUND(w, "a* b* | c");
	EXPECT_FIRST(w, H, "a");
}

static void ttm_lru_p6_first_in_every_state(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* | c d");

	/* in no walk, */
	EXPECT_FIRST(w, H, "a");
	/* inside a range, */
	EXPECT_FIRST(w, H, "a");
	EXPECT_SOUND(w, "a* H b* | c d");
	EXPECT_NEXT(w, H, "b");
	/* at the end of a range, */
	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	EXPECT_NEXT(w, H, "c");
	/* on another list, */
	EXPECT_FIRST(w, H, "a");
	EXPECT_SOUND(w, "a* H b* | c d");
	EXPECT_REST(w, H, "b c d");
	/* at the end, */
	EXPECT_FIRST(w, H, "a");
	lru_fini(w, H);
	/* and after fini() */
	EXPECT_FIRST(w, H, "a");
	EXPECT_REST(w, H, "b c d");
}

static void ttm_lru_p6_first_of_nothing(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a");

	EXPECT_FIRST(w, H, "a");
	lru_free(w, 'a');
	EXPECT_FIRST(w, H, "");
	EXPECT_SOUND(w, "");
	lru_alloc(w, 'a');
	EXPECT_NEXT(w, H, "");
	EXPECT_FIRST(w, H, "a");
}

static void ttm_lru_p6_init_defines_everything(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c");

	memset(&w->walk[H], 0x5a, sizeof(w->walk[H]));
	lru_walk_init(w, H);
	lru_fini(w, H);
	memset(&w->walk[H], 0xff, sizeof(w->walk[H]));
	lru_walk_init(w, H);
	EXPECT_UNREGISTERED(w, H);
	EXPECT_FIRST(w, H, "a");
	EXPECT_SOUND(w, "a* H b* c");
	EXPECT_REST(w, H, "b c");
}

static struct kunit_case ttm_lru_p6_cases[] = {
	KUNIT_CASE(ttm_lru_p6_ended_stays_ended),
	KUNIT_CASE(ttm_lru_p6_hitch_is_off_at_the_end),
	KUNIT_CASE(ttm_lru_p6_next_in_no_walk),
	KUNIT_CASE(ttm_lru_p6_fini_in_every_state),
	KUNIT_CASE(ttm_lru_p6_first_in_every_state),
	KUNIT_CASE(ttm_lru_p6_first_of_nothing),
	KUNIT_CASE(ttm_lru_p6_init_defines_everything),
	{}
};

static struct kunit_suite ttm_lru_p6_suite = {
	.name = "ttm_lru_p6",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_p6_cases,
};

kunit_test_suites(&ttm_lru_p6_suite);

MODULE_DESCRIPTION("KUnit tests for P6, the end of walks of TTM's LRU lists");
MODULE_LICENSE("Dual MIT/GPL");
