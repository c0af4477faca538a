// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for E2, soft before hard, in details of places that no other
 * suite would miss: which places are tried, in what order, and what error the
 * caller gets without a place.
 */

#include <linux/module.h>

#include <drm/ttm/ttm_placement.h>

#include "lib/ttm_lru_mock_driver.h"
#include "ttm_mock_manager.h"

/*
 * Place x in @first, or else in @second. Returns its memory type, or an error.
 */
static int policy_place(struct lru_world *w, struct ttm_place first,
			struct ttm_place second)
{
	struct ttm_place places[] = { first, second };
	struct ttm_placement placement = {
		.num_placement = 2, .placement = places,
	};
	struct ttm_operation_ctx ctx = {};
	int ret = lru_place_at(w, 'x', &placement, &ctx, NULL);

	return ret ?: lru_bo(w, 'x')->resource->mem_type;
}

/* An error that no eviction helps against ends the search. */
static void ttm_lru_policy_gives_up_on_other_errors(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a b");
	struct ttm_operation_ctx ctx = {};

	lru_mock.place_error = -EIO;
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), -EIO);
	EXPECT_LETTERS(lru_mock.moved, "a");
}

/*
 * The caller gets -ENOMEM only after the other places and the fallbacks were
 * tried.
 */
static void ttm_lru_policy_lacks_memory_for_one_place(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a");
	struct ttm_place tt = { .mem_type = TTM_PL_TT };
	struct ttm_place system = { .mem_type = TTM_PL_SYSTEM };

	lru_mock.space += PAGE_SIZE;
	lru_mock.place_error = -ENOMEM;
	KUNIT_EXPECT_EQ(test, policy_place(w, tt, tt), -ENOMEM);
	KUNIT_EXPECT_EQ(test, policy_place(w, tt, system), TTM_PL_SYSTEM);
	lru_free(w, 'x');
	system.flags = TTM_PL_FLAG_FALLBACK;
	KUNIT_EXPECT_EQ(test, policy_place(w, tt, system), TTM_PL_SYSTEM);
	EXPECT_SOUND(w, "a");
}

/* A manager that is not in use has no room. */
static void ttm_lru_policy_unused_memory_is_no_place(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a");
	struct ttm_place priv = { .mem_type = TTM_PL_PRIV };
	struct ttm_place tt = { .mem_type = TTM_PL_TT };

	KUNIT_ASSERT_EQ(test, ttm_mock_manager_init(w->bdev, TTM_PL_PRIV, PAGE_SIZE), 0);
	ttm_resource_manager_set_used(ttm_manager_type(w->bdev, TTM_PL_PRIV), false);
	KUNIT_EXPECT_EQ(test, policy_place(w, priv, tt), TTM_PL_TT);
	ttm_resource_manager_set_used(ttm_manager_type(w->bdev, TTM_PL_PRIV), true);
	ttm_mock_manager_fini(w->bdev, TTM_PL_PRIV);
}

/* A fallback is used only without room elsewhere: a is evicted first. */
static void ttm_lru_policy_fallbacks_come_last(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a");
	struct ttm_place tt = { .mem_type = TTM_PL_TT };
	struct ttm_place system = {
		.mem_type = TTM_PL_SYSTEM, .flags = TTM_PL_FLAG_FALLBACK,
	};

	KUNIT_EXPECT_EQ(test, policy_place(w, tt, system), TTM_PL_TT);
	EXPECT_LETTERS(lru_mock.moved, "ax");
}

/* Nothing is evicted from a place that is merely desired. */
static void ttm_lru_policy_desires_nothing_of_others(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a");
	struct ttm_place priv = { .mem_type = TTM_PL_PRIV };
	struct ttm_place tt = {
		.mem_type = TTM_PL_TT, .flags = TTM_PL_FLAG_DESIRED,
	};

	KUNIT_ASSERT_EQ(test, ttm_mock_manager_init(w->bdev, TTM_PL_PRIV,
						    PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, policy_place(w, priv, priv), TTM_PL_PRIV);
	lru_make_homeless(w, 'y');
	swap(w->bo['x' - 'a'], w->bo['y' - 'a']);
	KUNIT_EXPECT_EQ(test, policy_place(w, tt, priv), TTM_PL_PRIV);
	EXPECT_SOUND(w, "a");
	lru_free(w, 'x');
	lru_free(w, 'y');
	ttm_mock_manager_fini(w->bdev, TTM_PL_PRIV);
}

/*
 * a can only go to the place of p, which shares its reservation: evict p first.
 */
static void ttm_lru_policy_victims_of_one_vm(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a*");
	struct ttm_place priv = { .mem_type = TTM_PL_PRIV };
	struct ttm_placement placement = {
		.num_placement = 1, .placement = &priv,
	};
	struct ttm_operation_ctx ctx = {};

	KUNIT_ASSERT_EQ(test, ttm_mock_manager_init(w->bdev, TTM_PL_PRIV,
						    PAGE_SIZE), 0);
	lru_make_homeless(w, 'p');
	KUNIT_ASSERT_EQ(test, lru_place_at(w, 'p', &placement, &ctx, NULL), 0);
	lru_bo(w, 'p')->base.resv = lru_bo(w, 'a')->base.resv;
	lru_mock.evict_to = TTM_PL_PRIV;
	lru_mock.drop = "p";
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), 0);
	EXPECT_LETTERS(lru_mock.moved, "pax");
	lru_bo(w, 'p')->base.resv = &lru_bo(w, 'p')->base._resv;
	lru_free(w, 'a');
	ttm_mock_manager_fini(w->bdev, TTM_PL_PRIV);
}

static struct kunit_case ttm_lru_policy_place_cases[] = {
	KUNIT_CASE(ttm_lru_policy_gives_up_on_other_errors),
	KUNIT_CASE(ttm_lru_policy_lacks_memory_for_one_place),
	KUNIT_CASE(ttm_lru_policy_unused_memory_is_no_place),
	KUNIT_CASE(ttm_lru_policy_fallbacks_come_last),
	KUNIT_CASE(ttm_lru_policy_desires_nothing_of_others),
	KUNIT_CASE(ttm_lru_policy_victims_of_one_vm),
	{}
};

static struct kunit_suite ttm_lru_policy_place_suite = {
	.name = "ttm_lru_policy_place",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_policy_place_cases,
};

kunit_test_suites(&ttm_lru_policy_place_suite);

MODULE_DESCRIPTION("KUnit tests for details of places in TTM");
MODULE_LICENSE("Dual MIT/GPL");
