// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for E1, no false ENOSPC, in ttm_bo_evict_cgroup(): it frees what
 * a cgroup holds, while others use, move, free or replace buffers.
 */

#include <linux/module.h>
#include <linux/sched/signal.h>

#include "lib/ttm_lru_room.h"

static void ttm_lru_room_drain_of_one_that_is_used(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a b");

	lru_mock.worthless = "a";
	lru_mock.at = lru_use_b;
	lru_used_once = false;
	KUNIT_EXPECT_EQ(test, lru_drain(w, "ab", PAGE_SIZE), PAGE_SIZE);
}

/* A buffer that moves within the same memory frees nothing. */
static void ttm_lru_room_drain_counts_what_left(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a b");

	lru_mock.stay = true;
	lru_mock.space += PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, lru_drain(w, "ab", PAGE_SIZE), 0);
}

static void ttm_lru_room_drain_of_what_becomes_valuable(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a b c");

	lru_mock.at = lru_in_turn;
	KUNIT_EXPECT_EQ(test, lru_drain(w, "abc", 3 * PAGE_SIZE), 3 * PAGE_SIZE);
}

static void ttm_lru_room_drain_lacks_memory(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a b");

	lru_mock.fail = "ab";
	lru_mock.error = -ENOMEM;
	KUNIT_EXPECT_EQ(test, lru_drain(w, "ab", PAGE_SIZE), -ENOMEM);
}

/* A drain that has seen everything looks only once more. */
static unsigned int lru_drain_asked;

static void lru_end_it(struct lru_world *w, char letter)
{
	if (++lru_drain_asked == 100)
		lru_mock.worthless = NULL;
}

static void ttm_lru_room_drain_concludes_at_once(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a b");

	lru_mock.worthless = "b";
	lru_mock.at = lru_end_it;
	lru_drain_asked = 0;
	KUNIT_EXPECT_EQ(test, lru_drain(w, "ab", 2 * PAGE_SIZE), PAGE_SIZE);
	EXPECT_LETTERS(lru_mock.asked, "abb");
}

/*
 * A drain that waited for a buffer left out before looks only once more, too.
 */
static void ttm_lru_room_drain_concludes_after_a_wait(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a b");
	struct lru_holder holder = { .when_waited = true };

	lru_mock.worthless = "ab";
	lru_hold(&holder, w, 'b');
	KUNIT_EXPECT_EQ(test, lru_drain(w, "ab", PAGE_SIZE), 0);
	lru_let_go(&holder);
	EXPECT_LETTERS(lru_mock.asked, "aab");
}

/* A drain does not evict more than asked for. */
static void lru_value_all_at_b(struct lru_world *w, char letter)
{
	if (letter == 'b')
		lru_mock.worthless = NULL;
}

static void ttm_lru_room_drain_takes_enough(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a b c");
	struct lru_holder holder = { .when_waited = true };

	lru_mock.worthless = "c";
	lru_mock.at = lru_value_all_at_b;
	lru_hold(&holder, w, 'b');
	KUNIT_EXPECT_EQ(test, lru_drain(w, "abc", 2 * PAGE_SIZE), 2 * PAGE_SIZE);
	lru_let_go(&holder);
	EXPECT_LETTERS(lru_mock.moved, "ab");
}

/* A drain does not wait if it can evict enough without. */
static void ttm_lru_room_drain_is_soft_first(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a b");
	struct lru_holder holder = { .when_waited = true };

	lru_hold(&holder, w, 'a');
	KUNIT_EXPECT_EQ(test, lru_drain(w, "ab", PAGE_SIZE), PAGE_SIZE);
	lru_let_go(&holder);
	EXPECT_LETTERS(lru_mock.moved, "b");
}

static void ttm_lru_room_drain_fails(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a b");

	lru_mock.fail = "b";
	lru_mock.error = -EIO;
	KUNIT_EXPECT_EQ(test, lru_drain(w, "ab", 2 * PAGE_SIZE), -EIO);
	EXPECT_LETTERS(lru_mock.moved, "ab");
}

/* While b is released, a drain pauses, but a signal ends the pause. */
static void ttm_lru_room_drain_is_interrupted(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a b");
	s64 freed;

	lru_mock.worthless = "a";
	lru_drop_last(w, 'b');
	set_tsk_thread_flag(current, TIF_SIGPENDING);
	freed = lru_drain(w, "ab", PAGE_SIZE);
	clear_tsk_thread_flag(current, TIF_SIGPENDING);
	lru_undrop_last(w, 'b');
	KUNIT_EXPECT_EQ(test, freed, -ERESTARTSYS);
	EXPECT_LETTERS(lru_mock.asked, "aa");
}

/* A buffer without content to keep is dropped, and counts as freed. */
static void ttm_lru_room_drain_counts_what_is_dropped(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a b");

	lru_mock.drop = "ab";
	KUNIT_EXPECT_EQ(test, lru_drain(w, "ab", PAGE_SIZE), PAGE_SIZE);
}

static struct kunit_case ttm_lru_room_drain_cases[] = {
	KUNIT_CASE(ttm_lru_room_drain_of_one_that_is_used),
	KUNIT_CASE(ttm_lru_room_drain_counts_what_left),
	KUNIT_CASE(ttm_lru_room_drain_counts_what_is_dropped),
	KUNIT_CASE(ttm_lru_room_drain_of_what_becomes_valuable),
	KUNIT_CASE(ttm_lru_room_drain_lacks_memory),
	KUNIT_CASE(ttm_lru_room_drain_concludes_at_once),
	KUNIT_CASE(ttm_lru_room_drain_concludes_after_a_wait),
	KUNIT_CASE(ttm_lru_room_drain_takes_enough),
	KUNIT_CASE(ttm_lru_room_drain_is_soft_first),
	KUNIT_CASE(ttm_lru_room_drain_fails),
	KUNIT_CASE(ttm_lru_room_drain_is_interrupted),
	{}
};

static struct kunit_suite ttm_lru_room_drain_suite = {
	.name = "ttm_lru_room_drain",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_room_drain_cases,
};

kunit_test_suites(&ttm_lru_room_drain_suite);

MODULE_DESCRIPTION("KUnit tests for draining a cgroup of TTM's buffers");
MODULE_LICENSE("Dual MIT/GPL");
