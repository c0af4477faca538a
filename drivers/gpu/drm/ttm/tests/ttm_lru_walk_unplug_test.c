// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for teardown, which gives back the pages of all buffers.
 */

#include <linux/kthread.h>
#include <linux/module.h>

#include "lib/ttm_lru_mock_driver.h"

static const char *lru_populated(struct lru_world *w)
{
	static struct lru_letters letters;

	letters = (struct lru_letters) {};
	for (int i = 0; i < LRU_BUFFERS; i++)
		if (w->bo[i] && w->bo[i]->ttm &&
		    ttm_tt_is_populated(w->bo[i]->ttm))
			lru_note(&letters, 'a' + i);
	return letters.text;
}

static void ttm_lru_walk_teardown(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b | c d");

	lru_fill(w, "abcd");
	lru_pin(w, 'b');
	lru_reserve(w, 'd');
	lru_move_to_system(w, 'd');
	lru_unreserve(lru_bo(w, 'd'));
	ttm_device_clear_dma_mappings(w->bdev);
	KUNIT_EXPECT_STREQ(test, lru_populated(w), "");
}

/* Linux takes members off their lists, and leaves them in their ranges. */
static void ttm_lru_walk_defect8_ranges(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a* b* c* d");

	lru_fill(w, "abcd");
	ttm_device_clear_dma_mappings(w->bdev);
	KUNIT_EXPECT_STREQ(test, lru_populated(w), "");
	EXPECT_SOUND(w, "a* b* c* d");
	lru_bulk_tail(w, STAR);
	EXPECT_SOUND(w, "d a* b* c*");
}

/* a has two resources: Linux unlinks the wrong one again and again. */
static void ttm_lru_walk_defect8_resource_not_in_hand(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");

	lru_fill(w, "ab");
	lru_alloc_next(w, 'a');
	ttm_device_clear_dma_mappings(w->bdev);
	KUNIT_EXPECT_STREQ(test, lru_populated(w), "");
	EXPECT_SOUND(w, "a b a'");
}

/* a has only a resource that is not yet its own: Linux dereferences NULL. */
static void ttm_lru_walk_defect8_no_resource(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");

	lru_fill(w, "b");
	lru_free(w, 'a');
	lru_alloc_next(w, 'a');
	ttm_device_clear_dma_mappings(w->bdev);
	KUNIT_EXPECT_STREQ(test, lru_populated(w), "");
	EXPECT_SOUND(w, "b a'");
}

/* Tear down while another thread drops the last reference to a. */
static void lru_teardown_while_released(struct lru_world *w)
{
	struct kunit *test = w->test;
	struct task_struct *other;
	struct lru_dying dying;

	other = lru_let_die(&dying, w, 'a');
	ttm_device_clear_dma_mappings(w->bdev);
	kthread_stop(other);
	KUNIT_EXPECT_STREQ(test, lru_populated(w), "");
}

/* Linux spins with the lock that the other thread needs. */
static void ttm_lru_walk_defect8_last_reference(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");

	lru_fill(w, "abc");
	lru_pin(w, 'c');
	lru_teardown_while_released(w);
	EXPECT_SOUND(w, "a b / c");
}

static void ttm_lru_walk_defect8_last_reference_pinned(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");

	lru_fill(w, "abc");
	lru_pin(w, 'a');
	lru_pin(w, 'b');
	lru_teardown_while_released(w);
	/* The order on the unevictable list means nothing. */
	lru_unpin(w, 'a');
	lru_unpin(w, 'b');
	EXPECT_SOUND(w, "c a b");
}

static struct kunit_case ttm_lru_walk_unplug_cases[] = {
	KUNIT_CASE(ttm_lru_walk_teardown),
	KUNIT_CASE(ttm_lru_walk_defect8_ranges),
	KUNIT_CASE(ttm_lru_walk_defect8_resource_not_in_hand),
	KUNIT_CASE(ttm_lru_walk_defect8_no_resource),
	KUNIT_CASE(ttm_lru_walk_defect8_last_reference),
	KUNIT_CASE(ttm_lru_walk_defect8_last_reference_pinned),
	{}
};

static struct kunit_suite ttm_lru_walk_unplug_suite = {
	.name = "ttm_lru_walk_unplug",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_walk_unplug_cases,
};

kunit_test_suites(&ttm_lru_walk_unplug_suite);

MODULE_DESCRIPTION("KUnit tests for TTM's teardown");
MODULE_LICENSE("Dual MIT/GPL");
