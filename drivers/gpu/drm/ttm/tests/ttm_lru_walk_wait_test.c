// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for walks over reserved buffers that wait for reservations, with
 * a ticket (E3, ww rules) and without.
 */

#include <linux/module.h>
#include <linux/sched/signal.h>

#include "lib/ttm_lru_meeting.h"

static void ttm_lru_walk_sleeping_waits(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");
	struct lru_holder holder = { .when_waited = true };
	struct lru_meeting m;

	lru_meeting_init(&m, w);
	KUNIT_EXPECT_EQ(test, lru_go_waiting(&m, &holder, 'b'), 3);
	EXPECT_LETTERS(m.met, "abc");
	EXPECT_SOUND(w, "a b c");
}

/* trylock_only and no_wait_gpu override sleeping_lock. */
static void ttm_lru_walk_only_tries(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");
	struct lru_meeting m;

	lru_meeting_init(&m, w);
	m.walk.arg.sleeping_lock = true;
	KUNIT_EXPECT_EQ(test, lru_go_while_busy(&m, "b"), 2);
	EXPECT_LETTERS(m.met, "ac");

	lru_meeting_init(&m, w);
	m.walk.arg.trylock_only = false;
	m.walk.arg.sleeping_lock = true;
	m.ctx.no_wait_gpu = true;
	KUNIT_EXPECT_EQ(test, lru_go_while_busy(&m, "b"), 2);
	EXPECT_LETTERS(m.met, "ac");
}

/* Walk over a, b and c while another thread holds b and takes it elsewhere. */
static void lru_wait_in_vain(struct kunit *test,
			     void (*before)(struct lru_world *w, char letter))
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");
	struct lru_holder holder = { .when_waited = true, .before = before };
	struct lru_meeting m;

	lru_meeting_init(&m, w);
	KUNIT_EXPECT_EQ(test, lru_go_waiting(&m, &holder, 'b'), 2);
	EXPECT_LETTERS(m.met, "ac");
	EXPECT_SOUND(w, "a c");
}

static void lru_free_it(struct lru_world *w, char letter)
{
	struct ttm_buffer_object *bo = lru_bo(w, letter);

	ttm_resource_free(bo, &bo->resource);
}

static void ttm_lru_walk_waited_in_vain(struct kunit *test)
{
	lru_wait_in_vain(test, lru_free_it);
}

/* A buffer may be in another manager when the wait ends. */
static void ttm_lru_walk_waited_for_one_that_moves(struct kunit *test)
{
	lru_wait_in_vain(test, lru_move_to_system);
}

/*
 * Walk in a transaction in which @own is reserved, while others hold @first and
 * @second: the first until it is waited for, the second as well if @both. With
 * @older, their transactions are older.
 */
static s64 lru_go_with_ticket(struct lru_meeting *m, char own, char first,
			      char second, bool both, bool older)
{
	struct lru_holder one = { .when_waited = true, .ticket = older };
	struct lru_holder two = { .when_waited = both, .ticket = older };
	struct ww_acquire_ctx ticket;
	s64 ret;

	if (older) {
		lru_hold(&one, m->w, first);
		lru_hold(&two, m->w, second);
	}
	lru_ticket_init(&ticket);
	ret = dma_resv_lock(lru_bo(m->w, own)->base.resv, &ticket);
	if (!older) {
		lru_hold(&one, m->w, first);
		lru_hold(&two, m->w, second);
	}

	m->walk.arg.trylock_only = false;
	m->walk.arg.ticket = &ticket;
	if (!ret) {
		ret = lru_go(m);
		dma_resv_unlock(lru_bo(m->w, own)->base.resv);
	}
	ww_acquire_fini(&ticket);
	lru_let_go(&one);
	lru_let_go(&two);
	return ret;
}

static void ttm_lru_walk_ticket_waits_once(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c d e");
	struct lru_meeting m;

	lru_meeting_init(&m, w);
	KUNIT_EXPECT_EQ(test, lru_go_with_ticket(&m, 'a', 'b', 'd', false,
						 false), 3);
	EXPECT_LETTERS(m.met, "bce");
}

/*
 * The error that ends a walk whose caller must back off. Linux converts it at
 * once.
 */
#ifdef CONFIG_DRM_TTM_LRU_PRISTINE
#define LRU_BACK_OFF	(-ENOSPC)
#else
#define LRU_BACK_OFF	(-EDEADLK)
#endif

/* A transaction that could deadlock must back off. */
static void ttm_lru_walk_ticket_may_die(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c d e");
	struct lru_meeting m;

	lru_meeting_init(&m, w);
	KUNIT_EXPECT_EQ(test, lru_go_with_ticket(&m, 'b', 'c', 'e', false,
						 true), LRU_BACK_OFF);
	EXPECT_LETTERS(m.met, "a");
	EXPECT_SOUND(w, "a b c d e");
}

/* A signal that is already pending ends a wait before it begins. */
static void ttm_lru_walk_interrupted(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");
	struct lru_holder holder = {};
	struct lru_meeting m;
	s64 ret;

	lru_meeting_init(&m, w);
	m.walk.arg.trylock_only = false;
	m.walk.arg.sleeping_lock = true;
	m.ctx.interruptible = true;
	lru_hold(&holder, w, 'b');
	allow_signal(SIGINT);
	send_sig(SIGINT, current, 1);
	ret = lru_go(&m);
	flush_signals(current);
	disallow_signal(SIGINT);
	lru_let_go(&holder);
	KUNIT_EXPECT_EQ(test, ret, -EINTR);
	EXPECT_LETTERS(m.met, "a");
	EXPECT_SOUND(w, "a b c");
}

static s64 lru_go_with_lent(struct lru_meeting *m, struct dma_resv *lent)
{
	s64 ret;

	m->ctx.resv = lent;
	dma_resv_lock(lent, NULL);
	ret = lru_go(m);
	if (!dma_resv_is_locked(lent))
		return -EPERM;
	dma_resv_unlock(lent);
	return ret;
}

/* A lent reservation is used, and not given away. */
static void ttm_lru_walk_uses_what_is_lent(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a* b* c d");
	struct lru_meeting m;

	lru_meeting_init(&m, w);
	m.ctx.allow_res_evict = true;
	KUNIT_EXPECT_EQ(test, lru_go_with_lent(&m, &w->resv), 4);
	EXPECT_LETTERS(m.met, "abcd");

	lru_meeting_init(&m, w);
	KUNIT_EXPECT_EQ(test, lru_go_with_lent(&m, &w->resv), 2);
	EXPECT_LETTERS(m.met, "cd");
}

#ifndef CONFIG_DRM_TTM_LRU_PRISTINE
static void ttm_lru_walk_end_after_an_error(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");
	struct ttm_operation_ctx ctx = { .interruptible = true };
	struct ttm_lru_walk_arg arg = { .ctx = &ctx, .sleeping_lock = true };
	struct lru_holder holder = {};
	struct ttm_bo_lru_cursor curs;
	struct lru_letters met = {};

	ttm_bo_lru_cursor_init(&curs, lru_man(w), &arg);
	lru_hold(&holder, w, 'b');
	allow_signal(SIGINT);
	send_sig(SIGINT, current, 1);
	lru_note(&met, lru_step(&curs, w, true));
	lru_note(&met, lru_step(&curs, w, false));
	flush_signals(current);
	disallow_signal(SIGINT);
	lru_note(&met, lru_step(&curs, w, false));
	lru_let_go(&holder);
	lru_note(&met, lru_step(&curs, w, true));
	ttm_bo_lru_cursor_fini(&curs);
	ttm_bo_lru_cursor_fini(&curs);
	EXPECT_LETTERS(met, "a!.a");
	EXPECT_SOUND(w, "a b c");
}

static void ttm_lru_walk_ticket_waits_for_all(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c d e");
	struct lru_meeting m;

	lru_meeting_init(&m, w);
	m.walk.arg.keep_ticket = true;
	KUNIT_EXPECT_EQ(test, lru_go_with_ticket(&m, 'a', 'b', 'd', true,
						 false), 4);
	EXPECT_LETTERS(m.met, "bcde");
	/*
	 * Buffers that the transaction holds itself do not count as left out.
	 */
	KUNIT_EXPECT_EQ(test, m.walk.left_out.busy, 0);
}
#endif

static struct kunit_case ttm_lru_walk_wait_cases[] = {
	KUNIT_CASE(ttm_lru_walk_sleeping_waits),
	KUNIT_CASE(ttm_lru_walk_only_tries),
	KUNIT_CASE(ttm_lru_walk_waited_in_vain),
	KUNIT_CASE(ttm_lru_walk_waited_for_one_that_moves),
	KUNIT_CASE(ttm_lru_walk_ticket_waits_once),
	KUNIT_CASE(ttm_lru_walk_ticket_may_die),
	KUNIT_CASE(ttm_lru_walk_interrupted),
	KUNIT_CASE(ttm_lru_walk_uses_what_is_lent),
#ifndef CONFIG_DRM_TTM_LRU_PRISTINE
	KUNIT_CASE(ttm_lru_walk_end_after_an_error),
	KUNIT_CASE(ttm_lru_walk_ticket_waits_for_all),
#endif
	{}
};

static struct kunit_suite ttm_lru_walk_wait_suite = {
	.name = "ttm_lru_walk_wait",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_walk_wait_cases,
};

kunit_test_suites(&ttm_lru_walk_wait_suite);

MODULE_DESCRIPTION("KUnit tests for walks that wait for TTM's buffers");
MODULE_LICENSE("Dual MIT/GPL");
