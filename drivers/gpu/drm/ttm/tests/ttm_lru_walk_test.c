// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for walks over reserved buffers: which they return, what ends
 * them, and P10, honest: they count the buffers that they leave out.
 *
 * With CONFIG_DRM_TTM_LRU_PRISTINE the suite is built for Linux's own walkers,
 * without cases for functions that these lack.
 */

#include <linux/module.h>

#include "lib/ttm_lru_meeting.h"

/*
 * Buffers that a walk returns
 */

static void ttm_lru_walk_hands_out_all(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b* c* d | e");
	struct lru_meeting m;

	lru_meeting_init(&m, w);
	KUNIT_EXPECT_EQ(test, lru_go(&m), 5);
	EXPECT_LETTERS(m.met, "abcde");
	EXPECT_SOUND(w, "a b* c* d | e");
}

static void ttm_lru_walk_of_nothing(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "");
	struct lru_meeting m;

	lru_meeting_init(&m, w);
	KUNIT_EXPECT_EQ(test, lru_go(&m), 0);
	EXPECT_LETTERS(m.met, "");
}

static bool lru_all_held;

static void lru_see_locks(struct lru_world *w, char letter)
{
	struct ttm_buffer_object *bo = lru_bo(w, letter);

	/* This is a bug with the lru_lock held. */
	might_sleep();
	lru_all_held &= dma_resv_is_locked(bo->base.resv) &&
			kref_read(&bo->kref) == 2;
}

static void ttm_lru_walk_hands_out_reserved(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b* c* d");
	struct lru_meeting m;

	lru_meeting_init(&m, w);
	m.at = lru_see_locks;
	lru_all_held = true;
	KUNIT_EXPECT_EQ(test, lru_go(&m), 4);
	KUNIT_EXPECT_TRUE(test, lru_all_held);
	for (char c = 'a'; c <= 'd'; c++) {
		KUNIT_EXPECT_FALSE(test,
				   dma_resv_is_locked(lru_bo(w, c)->base.resv));
		KUNIT_EXPECT_EQ(test, kref_read(&lru_bo(w, c)->kref), 1);
	}
}

static void ttm_lru_walk_passes_by_busy_ones(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c d");
	struct lru_meeting m;

	lru_meeting_init(&m, w);
	KUNIT_EXPECT_EQ(test, lru_go_while_busy(&m, "bc"), 2);
	EXPECT_LETTERS(m.met, "ad");
	EXPECT_SOUND(w, "a b c d");
}

static void ttm_lru_walk_ends_at_its_target(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c d");
	struct lru_meeting m;

	lru_meeting_init(&m, w);
	KUNIT_EXPECT_EQ(test, ttm_lru_walk_for_evict(&m.walk, w->bdev,
						     lru_man(w), 2), 2);
	EXPECT_LETTERS(m.met, "ab");
	EXPECT_SOUND(w, "a b c d");
}

/* A buffer that failed is not returned again unless it moves. */
static void ttm_lru_walk_failing_once_is_enough(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c | d");
	struct lru_meeting m;

	lru_meeting_init(&m, w);
	m.fail = "abcd";
	m.error = -EBUSY;
	KUNIT_EXPECT_EQ(test, lru_go(&m), 0);
	EXPECT_LETTERS(m.met, "abcd");
}

/*
 * A buffer that the failed attempt itself moves is not returned again. In
 * Linux, such a walk never ends.
 */
static void ttm_lru_walk_ends_though_attempts_move(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");
	struct lru_meeting m;

	lru_meeting_init(&m, w);
	m.fail = "abc";
	m.error = -EBUSY;
	m.at = lru_to_tail;
	KUNIT_EXPECT_EQ(test, lru_go(&m), 0);
	EXPECT_LETTERS(m.met, "abc");
	EXPECT_SOUND(w, "a b c");
}

static void lru_bulk_to_tail(struct lru_world *w, char letter)
{
	if (!lru_bo(w, letter)->bulk_move)
		return;
	scoped_guard(spinlock, &w->bdev->lru_lock)
		ttm_lru_bulk_move_tail(&w->bulk[STAR]);
}

static void ttm_lru_walk_ends_though_bulks_move(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a* b* c* d");
	struct lru_meeting m;

	lru_meeting_init(&m, w);
	m.at = lru_bulk_to_tail;
	KUNIT_EXPECT_EQ(test, lru_go(&m), 2);
	EXPECT_LETTERS(m.met, "ad");
	EXPECT_SOUND(w, "d a* b* c*");
}

static void lru_free_next(struct lru_world *w, char letter)
{
	struct ttm_buffer_object *next = lru_bo(w, letter + 1);

	if (letter == 'b' && dma_resv_trylock(next->base.resv)) {
		ttm_resource_free(next, &next->resource);
		dma_resv_unlock(next->base.resv);
	}
}

static void ttm_lru_walk_goes_on_where_it_was(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c d e");
	struct lru_meeting m;

	lru_meeting_init(&m, w);
	m.at = lru_free_next;
	KUNIT_EXPECT_EQ(test, lru_go(&m), 4);
	EXPECT_LETTERS(m.met, "abde");
	EXPECT_SOUND(w, "a b d e");
}

/*
 * Errors
 */

static void ttm_lru_walk_goes_on_after(struct kunit *test, int error)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");
	struct lru_meeting m;

	lru_meeting_init(&m, w);
	m.fail = "ab";
	m.error = error;
	KUNIT_EXPECT_EQ(test, lru_go(&m), 1);
	EXPECT_LETTERS(m.met, "abc");
}

static void ttm_lru_walk_goes_on_after_ebusy(struct kunit *test)
{
	ttm_lru_walk_goes_on_after(test, -EBUSY);
}

static void ttm_lru_walk_goes_on_after_ealready(struct kunit *test)
{
	ttm_lru_walk_goes_on_after(test, -EALREADY);
}

static void ttm_lru_walk_goes_on_after_enomem(struct kunit *test)
{
	ttm_lru_walk_goes_on_after(test, -ENOMEM);
}

static void ttm_lru_walk_goes_on_after_enospc(struct kunit *test)
{
	ttm_lru_walk_goes_on_after(test, -ENOSPC);
}

static void ttm_lru_walk_ends_with_other_errors(struct kunit *test)
{
	static const int errors[] = { -EINTR, -ERESTARTSYS, -EIO, -EINVAL };
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");
	struct lru_meeting m;

	for (int i = 0; i < ARRAY_SIZE(errors); i++) {
		lru_meeting_init(&m, w);
		m.fail = "b";
		m.error = errors[i];
		KUNIT_EXPECT_EQ(test, lru_go(&m), errors[i]);
		EXPECT_LETTERS(m.met, "ab");
		EXPECT_SOUND(w, "a b c");
	}
}

/*
 * Cursors
 */

/* After the end a walk stays ended. In Linux the next step starts over. */
static void ttm_lru_walk_end_is_an_end(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");
	struct ttm_operation_ctx ctx = {};
	struct ttm_lru_walk_arg arg = { .ctx = &ctx, .trylock_only = true };
	struct ttm_bo_lru_cursor curs;
	struct lru_letters met = {};

	ttm_bo_lru_cursor_init(&curs, lru_man(w), &arg);
	lru_note(&met, lru_step(&curs, w, true));
	for (int i = 0; i < 4; i++)
		lru_note(&met, lru_step(&curs, w, false));
	lru_note(&met, lru_step(&curs, w, true));
	lru_note(&met, lru_step(&curs, w, false));
	ttm_bo_lru_cursor_fini(&curs);
	EXPECT_LETTERS(met, "ab...ab");
	EXPECT_SOUND(w, "a b");
}

static void ttm_lru_walk_left_early_leaves_nothing(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a* b* c");
	struct ttm_operation_ctx ctx = {};
	struct ttm_lru_walk_arg arg = { .ctx = &ctx, .trylock_only = true };
	struct ttm_bo_lru_cursor curs;
	struct ttm_buffer_object *bo;
	char at = 0;

	ttm_bo_lru_for_each_reserved_guarded(&curs, lru_man(w), &arg, bo) {
		at = lru_letter(w, bo);
		break;
	}
	KUNIT_EXPECT_EQ(test, at, 'a');
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(&w->resv));
	KUNIT_EXPECT_EQ(test, kref_read(&lru_bo(w, 'a')->kref), 1);
	EXPECT_SOUND(w, "a* b* c");
}

/*
 * Buffers being released, and ghosts
 */

static void ttm_lru_walk_passes_by_dying_ones(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");
	struct lru_meeting m;
	s64 ret;

	lru_meeting_init(&m, w);
	lru_drop_last(w, 'b');
	ret = lru_go(&m);
	lru_undrop_last(w, 'b');
	KUNIT_EXPECT_EQ(test, ret, 2);
	EXPECT_LETTERS(m.met, "ac");
	KUNIT_EXPECT_FALSE(test,
			   dma_resv_is_locked(lru_bo(w, 'b')->base.resv));
}

static void ttm_lru_walk_meets_ghosts(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");
	struct lru_meeting m;

	lru_alloc_next(w, 'a');
	lru_move_busy(w, 'a');
	EXPECT_LRU(w, "b a ~");
	lru_meeting_init(&m, w);
	KUNIT_EXPECT_EQ(test, lru_go(&m), 3);
	EXPECT_LETTERS(m.met, "ba~");
	lru_idle(w);
	EXPECT_LRU(w, "b a");
}

#ifndef CONFIG_DRM_TTM_LRU_PRISTINE
static void ttm_lru_walk_counts_what_it_skips(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c d");
	struct lru_meeting m;

	lru_meeting_init(&m, w);
	lru_go_while_busy(&m, "bc");
	KUNIT_EXPECT_EQ(test, m.walk.left_out.busy, 2);
	KUNIT_EXPECT_EQ(test, m.walk.left_out.zombies, 0);
	lru_go(&m);
	KUNIT_EXPECT_EQ(test, m.walk.left_out.busy, 0);

	lru_drop_last(w, 'b');
	lru_go(&m);
	lru_undrop_last(w, 'b');
	KUNIT_EXPECT_EQ(test, m.walk.left_out.busy, 0);
	KUNIT_EXPECT_EQ(test, m.walk.left_out.zombies, 1);
	lru_go(&m);
	KUNIT_EXPECT_EQ(test, m.walk.left_out.zombies, 0);
}

static void ttm_lru_walk_keeps_its_progress(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c d");
	struct lru_meeting m;

	lru_meeting_init(&m, w);
	m.fail = "c";
	m.error = -EIO;
	KUNIT_EXPECT_EQ(test, lru_go(&m), -EIO);
	KUNIT_EXPECT_EQ(test, m.walk.progress, 2);
}

static void lru_a_to_tail_once(struct lru_world *w, char letter)
{
	struct dma_resv *resv = lru_bo(w, 'a')->base.resv;

	if (letter == 'b' && dma_resv_trylock(resv)) {
		lru_to_tail(w, 'a');
		dma_resv_unlock(resv);
	}
}

static void ttm_lru_walk_unbounded_follows(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");
	struct lru_meeting m;

	lru_meeting_init(&m, w);
	m.at = lru_a_to_tail_once;
	KUNIT_EXPECT_EQ(test, lru_go(&m), 3);
	EXPECT_LETTERS(m.met, "abc");

	lru_tail(w, 'b');
	lru_tail(w, 'c');
	EXPECT_SOUND(w, "a b c");
	lru_meeting_init(&m, w);
	m.at = lru_a_to_tail_once;
	m.walk.arg.unbounded = true;
	KUNIT_EXPECT_EQ(test, lru_go(&m), 4);
	EXPECT_LETTERS(m.met, "abca");
}

static void ttm_lru_walk_released_keeps_its_place(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");
	struct ttm_operation_ctx ctx = {};
	struct ttm_lru_walk_arg arg = { .ctx = &ctx, .trylock_only = true };
	struct ttm_bo_lru_cursor curs;
	struct lru_letters met = {};
	bool locked;

	ttm_bo_lru_cursor_init(&curs, lru_man(w), &arg);
	lru_note(&met, lru_step(&curs, w, true));
	ttm_bo_lru_cursor_release(&curs);
	ttm_bo_lru_cursor_release(&curs);
	locked = dma_resv_is_locked(lru_bo(w, 'a')->base.resv);
	lru_free(w, 'b');
	lru_note(&met, lru_step(&curs, w, false));
	ttm_bo_lru_cursor_fini(&curs);
	KUNIT_EXPECT_FALSE(test, locked);
	EXPECT_LETTERS(met, "ac");
	EXPECT_SOUND(w, "a c");
}
#endif

static struct kunit_case ttm_lru_walk_cases[] = {
	KUNIT_CASE(ttm_lru_walk_hands_out_all),
	KUNIT_CASE(ttm_lru_walk_of_nothing),
	KUNIT_CASE(ttm_lru_walk_hands_out_reserved),
	KUNIT_CASE(ttm_lru_walk_passes_by_busy_ones),
	KUNIT_CASE(ttm_lru_walk_ends_at_its_target),
	KUNIT_CASE(ttm_lru_walk_failing_once_is_enough),
	KUNIT_CASE(ttm_lru_walk_ends_though_attempts_move),
	KUNIT_CASE(ttm_lru_walk_ends_though_bulks_move),
	KUNIT_CASE(ttm_lru_walk_goes_on_where_it_was),
	KUNIT_CASE(ttm_lru_walk_goes_on_after_ebusy),
	KUNIT_CASE(ttm_lru_walk_goes_on_after_ealready),
	KUNIT_CASE(ttm_lru_walk_goes_on_after_enomem),
	KUNIT_CASE(ttm_lru_walk_goes_on_after_enospc),
	KUNIT_CASE(ttm_lru_walk_ends_with_other_errors),
	KUNIT_CASE(ttm_lru_walk_end_is_an_end),
	KUNIT_CASE(ttm_lru_walk_left_early_leaves_nothing),
	KUNIT_CASE(ttm_lru_walk_passes_by_dying_ones),
	KUNIT_CASE(ttm_lru_walk_meets_ghosts),
#ifndef CONFIG_DRM_TTM_LRU_PRISTINE
	KUNIT_CASE(ttm_lru_walk_counts_what_it_skips),
	KUNIT_CASE(ttm_lru_walk_keeps_its_progress),
	KUNIT_CASE(ttm_lru_walk_unbounded_follows),
	KUNIT_CASE(ttm_lru_walk_released_keeps_its_place),
#endif
	{}
};

static struct kunit_suite ttm_lru_walk_suite = {
	.name = "ttm_lru_walk",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_walk_cases,
};

kunit_test_suites(&ttm_lru_walk_suite);

MODULE_DESCRIPTION("KUnit tests for walks over TTM's reserved buffers");
MODULE_LICENSE("Dual MIT/GPL");
