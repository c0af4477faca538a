// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for details of P10 (honest), of waiting and of swap-out that no
 * other suite would miss: each case fails with some small change of the code.
 */

#include <linux/module.h>

#include "lib/ttm_lru_mock_driver.h"

/*
 * Walk to the end. Returns letters, then '.' for the end or '!' for an error.
 */
static const char *policy_met(struct ttm_bo_lru_cursor *curs, struct lru_world *w)
{
	static struct lru_letters met;
	struct ttm_buffer_object *bo;

	met = (struct lru_letters) {};
	for (bo = ttm_bo_lru_cursor_first(curs); !IS_ERR_OR_NULL(bo);
	     bo = ttm_bo_lru_cursor_next(curs))
		lru_note(&met, lru_letter(w, bo));
	lru_note(&met, bo ? '!' : '.');
	return met.text;
}

/* Walk as @arg says, while another thread holds b until it is waited for. */
static const char *policy_walk(struct lru_world *w, struct ttm_lru_walk_arg *arg)
{
	struct lru_holder holder = { .when_waited = true };
	struct ttm_bo_lru_cursor curs;
	const char *met;

	lru_hold(&holder, w, 'b');
	ttm_bo_lru_cursor_init(&curs, lru_man(w), arg);
	met = policy_met(&curs, w);
	ttm_bo_lru_cursor_fini(&curs);
	lru_let_go(&holder);
	return met;
}

/*
 * Waiting
 */

/*
 * With no_wait_gpu a walk waits for no reservation, as its owner may wait for a
 * GPU.
 */
static void ttm_lru_policy_waits_for_nothing(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");
	struct ttm_operation_ctx ctx = { .no_wait_gpu = true };
	struct ttm_lru_walk_arg arg = { .ctx = &ctx, .sleeping_lock = true };

	KUNIT_EXPECT_STREQ(test, policy_walk(w, &arg), "ac.");
}

/* Without a ticket, a walk waits only with sleeping_lock. */
static void ttm_lru_policy_waits_if_asked_to(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");
	struct ttm_operation_ctx ctx = {};
	struct ttm_lru_walk_arg arg = { .ctx = &ctx };

	KUNIT_EXPECT_STREQ(test, policy_walk(w, &arg), "ac.");
	arg.sleeping_lock = true;
	KUNIT_EXPECT_STREQ(test, policy_walk(w, &arg), "abc.");
}

/* A transaction that holds c meets b, which an older one holds. */
static const char *policy_walk_and_die(struct lru_world *w,
				       struct ttm_bo_lru_cursor *curs,
				       struct ttm_lru_walk_arg *arg)
{
	struct dma_resv *own = lru_bo(w, 'c')->base.resv;
	const char *met = "";

	lru_ticket_init(arg->ticket);
	if (!dma_resv_lock(own, arg->ticket)) {
		ttm_bo_lru_cursor_init(curs, lru_man(w), arg);
		met = policy_met(curs, w);
		ttm_bo_lru_cursor_fini(curs);
		dma_resv_unlock(own);
	}
	ww_acquire_fini(arg->ticket);
	return met;
}

/* @contended is the first buffer that could not be locked, with a reference. */
static void ttm_lru_policy_tells_of_the_first(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");
	struct ttm_buffer_object *contended = NULL;
	struct ttm_operation_ctx ctx = { .contended = &contended };
	struct ww_acquire_ctx ticket;
	struct ttm_lru_walk_arg arg = { .ctx = &ctx, .ticket = &ticket };
	struct lru_holder older = { .ticket = true };
	struct ttm_bo_lru_cursor curs;

	lru_hold(&older, w, 'b');
	KUNIT_EXPECT_STREQ(test, policy_walk_and_die(w, &curs, &arg), "a!");
	KUNIT_EXPECT_EQ(test, curs.left_out.replaced, 0);
	KUNIT_EXPECT_PTR_EQ(test, contended, lru_bo(w, 'b'));
	KUNIT_EXPECT_EQ(test, kref_read(&lru_bo(w, 'b')->kref), 2);
	if (contended)
		ttm_bo_fini(contended);

	contended = lru_bo(w, 'a');
	KUNIT_EXPECT_STREQ(test, policy_walk_and_die(w, &curs, &arg), "a!");
	lru_let_go(&older);
	KUNIT_EXPECT_PTR_EQ(test, contended, lru_bo(w, 'a'));
	KUNIT_EXPECT_EQ(test, kref_read(&lru_bo(w, 'b')->kref), 1);
}

/*
 * What a walk leaves out
 */

static void ttm_lru_policy_sees_what_enters(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");
	struct ttm_operation_ctx ctx = {};
	struct ttm_lru_walk_arg arg = {
		.ctx = &ctx, .trylock_only = true, .unbounded = true,
	};
	struct ttm_bo_lru_cursor curs;
	struct ttm_buffer_object *bo;

	lru_pin(w, 'b');
	ttm_bo_lru_cursor_init(&curs, lru_man(w), &arg);
	bo = ttm_bo_lru_cursor_first(&curs);
	KUNIT_EXPECT_PTR_EQ(test, bo, lru_bo(w, 'a'));
	KUNIT_EXPECT_EQ(test, curs.left_out.moved, 0);
	ttm_bo_lru_cursor_release(&curs);
	lru_unpin(w, 'b');
	bo = ttm_bo_lru_cursor_next(&curs);
	KUNIT_EXPECT_PTR_EQ(test, bo, lru_bo(w, 'b'));
	KUNIT_EXPECT_EQ(test, curs.left_out.moved, 0);
	KUNIT_EXPECT_NULL(test, ttm_bo_lru_cursor_next(&curs));
	KUNIT_EXPECT_EQ(test, curs.left_out.moved, 1);

	/* A buffer that entered before the walk began is not counted. */
	KUNIT_EXPECT_STREQ(test, policy_met(&curs, w), "ab.");
	KUNIT_EXPECT_EQ(test, curs.left_out.moved, 0);
	ttm_bo_lru_cursor_fini(&curs);
}

/*
 * With max_moved, the walk ends at the second moved buffer, and reports that it
 * left it out.
 */
static void ttm_lru_policy_ends_at_the_second_that_moved(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c d");
	struct ttm_operation_ctx ctx = {};
	struct ttm_lru_walk_arg arg = {
		.ctx = &ctx, .trylock_only = true, .unbounded = true,
		.max_moved = 1,
	};
	struct lru_letters met = {};
	struct ttm_bo_lru_cursor curs;
	struct ttm_buffer_object *bo;

	KUNIT_EXPECT_STREQ(test, policy_met(ttm_bo_lru_cursor_init(&curs, lru_man(w),
								   &arg), w),
			   "abcd.");
	KUNIT_EXPECT_EQ(test, curs.left_out.moved, 0);

	bo = ttm_bo_lru_cursor_first(&curs);
	for (; bo; bo = ttm_bo_lru_cursor_next(&curs)) {
		char letter = lru_letter(w, bo);

		lru_note(&met, letter);
		ttm_bo_lru_cursor_release(&curs);
		if (letter == 'b') {
			lru_tail(w, 'a');
			lru_tail(w, 'b');
		}
	}
	KUNIT_EXPECT_NULL(test, ttm_bo_lru_cursor_next(&curs));
	EXPECT_LETTERS(met, "abcda");
	KUNIT_EXPECT_EQ(test, curs.left_out.moved, 1);
	ttm_bo_lru_cursor_fini(&curs);
}

/*
 * Swap-out
 */

static s64 policy_swapout(struct lru_world *w, char letter)
{
	struct ttm_buffer_object *bo = lru_reserve(w, letter);
	struct ttm_operation_ctx ctx = {};
	s64 ret = ttm_bo_swapout_reserved(bo, &ctx, GFP_KERNEL);

	lru_unreserve(bo);
	return ret;
}

/* A pinned buffer stays, and so does one without a resource. */
static void ttm_lru_policy_swapout_of_one(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");

	lru_fill(w, "abc");
	lru_pin(w, 'b');
	lru_free(w, 'c');
	KUNIT_EXPECT_EQ(test, policy_swapout(w, 'a'), 1);
	KUNIT_EXPECT_EQ(test, policy_swapout(w, 'b'), -EBUSY);
	KUNIT_EXPECT_EQ(test, policy_swapout(w, 'c'), -EBUSY);
	EXPECT_LETTERS(lru_mock.swapped, "a");
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "ab"), "");
}

/* The swap-out of a device passes over buffers that never had pages. */
static void ttm_lru_policy_swapout_of_a_device(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");
	struct ttm_operation_ctx ctx = {};

	lru_fill(w, "b");
	KUNIT_EXPECT_EQ(test, ttm_device_swapout_all(w->bdev, &ctx, GFP_KERNEL), 0);
	EXPECT_LETTERS(lru_mock.swapped, "b");
	EXPECT_SOUND(w, "a / b");
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "b"), "");
}

static struct kunit_case ttm_lru_policy_walk_cases[] = {
	KUNIT_CASE(ttm_lru_policy_waits_for_nothing),
	KUNIT_CASE(ttm_lru_policy_waits_if_asked_to),
	KUNIT_CASE(ttm_lru_policy_tells_of_the_first),
	KUNIT_CASE(ttm_lru_policy_sees_what_enters),
	KUNIT_CASE(ttm_lru_policy_ends_at_the_second_that_moved),
	KUNIT_CASE(ttm_lru_policy_swapout_of_one),
	KUNIT_CASE(ttm_lru_policy_swapout_of_a_device),
	{}
};

static struct kunit_suite ttm_lru_policy_walk_suite = {
	.name = "ttm_lru_policy_walk",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_policy_walk_cases,
};

kunit_test_suites(&ttm_lru_policy_walk_suite);

MODULE_DESCRIPTION("KUnit tests for details of walks over TTM's buffers");
MODULE_LICENSE("Dual MIT/GPL");
