// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for CONFIG_DRM_TTM_LRU_DEBUG: it warns of a broken list (P4 and
 * P5), and of a cursor that is not paused when the lock is dropped.
 */

#include <linux/module.h>

#include "lib/ttm_lru_fixture.h"
#include "lib/ttm_lru_steps.h"

static void lru_needs_debug(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_DRM_TTM_LRU_DEBUG))
		kunit_skip(test, "needs CONFIG_DRM_TTM_LRU_DEBUG");
}

static void ttm_lru_debug_unlock_when_advanced(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b");

	lru_needs_debug(test);
	if (!IS_ENABLED(CONFIG_PROVE_LOCKING))
		kunit_skip(test, "needs CONFIG_PROVE_LOCKING");

	kunit_warning_suppress(test) {
		lru_steps(w, H, "rap");
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 0);
		lru_steps(w, H, "a");
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
		/* Lockdep also warns that the lock is no longer pinned. */
		lru_fini(w, H);
	}
	EXPECT_LRU(w, "a b");
}

/* Move @letter to the tail between two steps of the lock's holder. */
static void lru_tail_in_between(struct lru_world *w, char letter,
				void (*then)(struct ttm_resource_cursor *))
{
	struct ttm_buffer_object *bo = lru_reserve(w, letter);

	scoped_guard(spinlock, &w->bdev->lru_lock) {
		ttm_resource_cursor_advance(&w->walk[H]);
		ttm_bo_move_to_lru_tail(bo);
		then(&w->walk[H]);
	}
	lru_unreserve(bo);
}

static void lru_advance_and_pause(struct ttm_resource_cursor *cursor)
{
	ttm_resource_cursor_advance(cursor);
	ttm_resource_cursor_pause(cursor);
}

static void ttm_lru_debug_operation_before_pause(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b c");

	lru_needs_debug(test);
	EXPECT_FIRST(w, H, "a");
	kunit_warning_suppress(test) {
		lru_tail_in_between(w, 'c', ttm_resource_cursor_pause);
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
	}
	EXPECT_LRU(w, "a b H c");
}

static void ttm_lru_debug_operation_before_advance(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b c");

	lru_needs_debug(test);
	EXPECT_FIRST(w, H, "a");
	kunit_warning_suppress(test) {
		lru_tail_in_between(w, 'a', lru_advance_and_pause);
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 1);
	}
	EXPECT_LRU(w, "b c H a");
}

static void ttm_lru_debug_proper_use_is_silent(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b* c* d");

	kunit_warning_suppress(test) {
		lru_steps(w, H, "raap");
		lru_tail(w, 'a');
		lru_steps(w, H, "s ap F p n rp");
		lru_bulk_tail(w, STAR);
		lru_steps(w, H, "aas aaaa a f");
		lru_steps(w, H, "ra s f");
		KUNIT_EXPECT_SUPPRESSED_WARNING_COUNT(test, 0);
	}
	EXPECT_LRU(w, "d a b* c*");
}

/*
 * Move @letter while the latched place of @wrong is spoilt. Returns the number
 * of warnings.
 */
static int lru_warnings_of_wrong_place(struct lru_world *w, char wrong,
				       char letter, unsigned int times)
{
	struct ttm_lru_item *item = &lru_bo(w, wrong)->resource->lru;
	u64 state = item->state;
	int warnings = 0;

	item->state &= ~TTM_LRU_PLACE;
	item->state |= FIELD_PREP(TTM_LRU_PLACE, TTM_LRU_UNEVICTABLE);
	kunit_warning_suppress(w->test) {
		while (times-- && !warnings) {
			lru_tail(w, letter);
			warnings = KUNIT_SUPPRESSED_WARNING_COUNT();
		}
	}
	item->state = state;
	return warnings;
}

static void ttm_lru_debug_neighbour_in_a_wrong_place(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b c d");

	lru_needs_debug(test);
	/* b is a neighbour of a's old place, and d of its new one. */
	KUNIT_EXPECT_GE(test, lru_warnings_of_wrong_place(w, 'b', 'a', 1), 1);
	EXPECT_LRU(w, "b c d a");
	KUNIT_EXPECT_GE(test, lru_warnings_of_wrong_place(w, 'a', 'c', 1), 1);
	EXPECT_LRU(w, "b d a c");
}

static void ttm_lru_debug_whole_list_in_time(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b c d e f g h i j");

	lru_needs_debug(test);
	KUNIT_EXPECT_GE(test, lru_warnings_of_wrong_place(w, 'c', 'j', 20), 1);
	EXPECT_LRU(w, "a b c d e f g h i j");
}

static void ttm_lru_debug_wrong_registration(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c");

	lru_needs_debug(test);
	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	lru_set_registered(w, H, STAR);
	kunit_warning_suppress(test) {
		lru_tail(w, 'c');
		KUNIT_EXPECT_GE(test, KUNIT_SUPPRESSED_WARNING_COUNT(), 1);
	}
	lru_set_registered(w, H, -1);
	EXPECT_LRU(w, "a* b* H c");
}

static void ttm_lru_debug_wrong_range_end(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c");
	struct ttm_lru_bulk_move_pos *pos;

	lru_needs_debug(test);
	pos = &w->bulk[STAR].pos[w->mem_type][0];
	pos->last = lru_bo(w, 'a')->resource;
	kunit_warning_suppress(test) {
		lru_tail(w, 'c');
		KUNIT_EXPECT_GE(test, KUNIT_SUPPRESSED_WARNING_COUNT(), 1);
	}
	pos->last = lru_bo(w, 'b')->resource;
	EXPECT_LRU(w, "a* b* c");
}

static struct kunit_case ttm_lru_debug_cases[] = {
	KUNIT_CASE(ttm_lru_debug_unlock_when_advanced),
	KUNIT_CASE(ttm_lru_debug_operation_before_pause),
	KUNIT_CASE(ttm_lru_debug_operation_before_advance),
	KUNIT_CASE(ttm_lru_debug_proper_use_is_silent),
	KUNIT_CASE(ttm_lru_debug_neighbour_in_a_wrong_place),
	KUNIT_CASE(ttm_lru_debug_whole_list_in_time),
	KUNIT_CASE(ttm_lru_debug_wrong_registration),
	KUNIT_CASE(ttm_lru_debug_wrong_range_end),
	{}
};

static struct kunit_suite ttm_lru_debug_suite = {
	.name = "ttm_lru_debug",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_debug_cases,
};

kunit_test_suites(&ttm_lru_debug_suite);

MODULE_DESCRIPTION("KUnit tests for the checks of TTM's LRU lists");
MODULE_LICENSE("Dual MIT/GPL");
