// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for details of E1 (no false ENOSPC) and E4 (fair) that no other
 * suite would miss: each case fails with some small change of the code. x looks
 * for a place in TT.
 */

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>

#include <drm/ttm/ttm_placement.h>
#include <drm/ttm/ttm_range_manager.h>

#include "lib/ttm_lru_room.h"
#include "ttm_mock_manager.h"

#define MANY		"a b c d e f g h i j k l m n o p q r s t u"
#define ALL_BUT_U	"abcdefghijklmnopqrst"

/* A look that left out nothing is repeated only once. */
static void ttm_lru_policy_concludes_at_once(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a");
	struct ttm_operation_ctx ctx = {};
	struct ww_acquire_ctx ticket;

	lru_mock.worthless = "a";
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), -ENOSPC);
	EXPECT_LETTERS(lru_mock.asked, "aa");

	lru_mock.asked = (struct lru_letters) {};
	lru_ticket_init(&ticket);
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, &ticket), -ENOSPC);
	ww_acquire_fini(&ticket);
	EXPECT_LETTERS(lru_mock.asked, "aa");
}

/*
 * TTM's range manager puts a resource on the LRU before it looks for space. The
 * search must not take its own failed attempt for another thread's buffer.
 */
static void ttm_lru_policy_own_attempts_are_nothing_new(struct kunit *test)
{
	struct ttm_place place = { .mem_type = TTM_PL_PRIV };
	struct ttm_placement priv = { .num_placement = 1, .placement = &place };
	struct lru_world *w = lru_full(test, "a");
	struct ttm_operation_ctx ctx = {};

	KUNIT_ASSERT_EQ(test, ttm_range_man_init(w->bdev, TTM_PL_PRIV, false, 1), 0);
	lru_make_homeless(w, 'p');
	KUNIT_ASSERT_EQ(test, lru_place_at(w, 'p', &priv, &ctx, NULL), 0);
	lru_mock.worthless = "p";
	KUNIT_EXPECT_EQ(test, lru_place_at(w, 'x', &priv, &ctx, NULL), -ENOSPC);
	EXPECT_LETTERS(lru_mock.asked, "pp");
	lru_mock.worthless = NULL;
	lru_free(w, 'p');
	KUNIT_EXPECT_EQ(test, ttm_range_man_fini(w->bdev, TTM_PL_PRIV), 0);
}

/* Soft walks are bounded in moved buffers, but not in others. */
static void ttm_lru_policy_looks_at_many(struct kunit *test)
{
	struct lru_world *w = lru_full(test, MANY);
	struct ttm_operation_ctx ctx = {};

	lru_mock.worthless = ALL_BUT_U;
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), 0);
	EXPECT_LETTERS(lru_mock.asked, ALL_BUT_U "u");
	EXPECT_LETTERS(lru_mock.moved, "ux");
}

/*
 * A search with a ticket may keep any number of reservations, and unlocks all.
 */
static void ttm_lru_policy_keeps_many(struct kunit *test)
{
	struct lru_world *w = lru_full(test, MANY);
	struct lru_holder younger = { .ticket = true, .when_waited = true };
	struct ttm_operation_ctx ctx = {};
	struct ww_acquire_ctx ticket;
	int ret;

	lru_mock.worthless = ALL_BUT_U;
	lru_ticket_init(&ticket);
	lru_hold(&younger, w, 'u');
	ret = lru_place(w, 'x', &ctx, &ticket);
	ww_acquire_fini(&ticket);
	lru_let_go(&younger);
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_LETTERS(lru_mock.moved, "ux");
	for (char c = 'a'; c <= 'u'; c++) {
		KUNIT_EXPECT_FALSE(test,
				   dma_resv_is_locked(lru_bo(w, c)->base.resv));
		KUNIT_EXPECT_EQ(test, kref_read(&lru_bo(w, c)->kref), 1);
	}
}

/* Place an x of @pages pages, without a ticket. */
static int policy_place_large(struct lru_world *w, unsigned int pages,
			      struct ttm_operation_ctx *ctx)
{
	int ret;

	lru_bo(w, 'x')->base.size = pages * PAGE_SIZE;
	ret = lru_place(w, 'x', ctx, NULL);
	lru_bo(w, 'x')->base.size = PAGE_SIZE;
	if (!ret)
		lru_free(w, 'x');
	return ret;
}

/* One look evicts all buffers of a VM. */
static void ttm_lru_policy_one_look_at_a_vm(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a* b* c*");
	struct ttm_operation_ctx ctx = { .no_wait_gpu = true };

	KUNIT_EXPECT_EQ(test, policy_place_large(w, 3, &ctx), 0);
	EXPECT_LETTERS(lru_mock.moved, "abcx");
}

/* The same in the second place: p shares a's reservation. */
static void ttm_lru_policy_one_look_at_a_vm_elsewhere(struct kunit *test)
{
	struct ttm_place places[] = {
		{ .mem_type = TTM_PL_TT }, { .mem_type = TTM_PL_PRIV },
	};
	struct ttm_placement priv = { .num_placement = 1, .placement = places + 1 };
	struct ttm_placement both = { .num_placement = 2, .placement = places };
	struct lru_world *w = lru_full(test, "a* c");
	struct ttm_operation_ctx ctx = { .no_wait_gpu = true };

	KUNIT_ASSERT_EQ(test, ttm_mock_manager_init(w->bdev, TTM_PL_PRIV,
						    2 * PAGE_SIZE), 0);
	lru_make_homeless(w, 'p');
	lru_bo(w, 'p')->base.size = 2 * PAGE_SIZE;
	lru_bo(w, 'x')->base.size = 2 * PAGE_SIZE;
	KUNIT_ASSERT_EQ(test, lru_place_at(w, 'p', &priv, &ctx, NULL), 0);
	lru_bo(w, 'p')->base.resv = lru_bo(w, 'a')->base.resv;
	lru_mock.worthless = "c";
	lru_mock.drop = "p";
	KUNIT_EXPECT_EQ(test, lru_place_at(w, 'x', &both, &ctx, NULL), 0);
	KUNIT_EXPECT_EQ(test, lru_bo(w, 'x')->resource->mem_type, TTM_PL_PRIV);
	lru_bo(w, 'p')->base.resv = &lru_bo(w, 'p')->base._resv;
	lru_bo(w, 'p')->base.size = PAGE_SIZE;
	lru_bo(w, 'x')->base.size = PAGE_SIZE;
	lru_free(w, 'x');
	ttm_mock_manager_fini(w->bdev, TTM_PL_PRIV);
}

/*
 * Without a ticket a look keeps 8 reservations: lockdep has room for 48 locks.
 */
static unsigned int policy_kept;

static void policy_count_kept(struct lru_world *w, char letter)
{
	policy_kept = 0;
	for (char c = 'a'; c < letter; c++)
		policy_kept += dma_resv_is_locked(lru_bo(w, c)->base.resv);
}

static void ttm_lru_policy_keeps_few(struct kunit *test)
{
	struct lru_world *w = lru_full(test, MANY);
	struct ttm_operation_ctx ctx = {};

	lru_mock.at = policy_count_kept;
	KUNIT_EXPECT_EQ(test, policy_place_large(w, 21, &ctx), 0);
	EXPECT_LETTERS(lru_mock.moved, ALL_BUT_U "ux");
	KUNIT_EXPECT_EQ(test, policy_kept, 8);
}

/*
 * a shares x's reservation, which the caller holds: don't pause to wait for it.
 */
static void ttm_lru_policy_does_not_wait_for_itself(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a b");
	struct ttm_operation_ctx ctx = {};

	lru_bo(w, 'a')->base.resv = lru_bo(w, 'x')->base.resv;
	lru_mock.worthless = "b";
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), -ENOSPC);
	EXPECT_LETTERS(lru_mock.asked, "bb");
	lru_bo(w, 'a')->base.resv = &lru_bo(w, 'a')->base._resv;
}

/* A soft look unlocks a buffer that is not valuable. */
static const char *policy_worthless;

static void policy_see_a(struct lru_world *w, char letter)
{
	if (letter == 'b')
		policy_worthless = dma_resv_is_locked(lru_bo(w, 'a')->base.resv) ?
				   "reserved" : "free";
}

static void ttm_lru_policy_gives_back_the_worthless(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a b");
	struct ttm_operation_ctx ctx = {};

	policy_worthless = NULL;
	lru_mock.worthless = "a";
	lru_mock.at = policy_see_a;
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), 0);
	KUNIT_EXPECT_STREQ(test, policy_worthless, "free");
}

/* Another thread, which waits until the driver is asked about a. */
static struct completion policy_begun, policy_asked;

static void policy_tell_of_a(struct lru_world *w, char letter)
{
	if (letter == 'a')
		complete_all(&policy_asked);
}

static struct task_struct *policy_beside(struct lru_world *w,
					 int (*other)(void *arg))
{
	struct task_struct *task;

	init_completion(&policy_begun);
	init_completion(&policy_asked);
	lru_mock.at = policy_tell_of_a;
	task = kthread_run(other, w, "ttm-lru-other");
	KUNIT_ASSERT_FALSE(w->test, IS_ERR(task));
	wait_for_completion(&policy_begun);
	return task;
}

/* Hold c in a transaction that then locks a. */
static int policy_need_a(void *arg)
{
	struct lru_world *w = arg;
	struct dma_resv *held = lru_bo(w, 'c')->base.resv;
	struct dma_resv *needed = lru_bo(w, 'a')->base.resv;
	struct ww_acquire_ctx ticket;

	lru_ticket_init(&ticket);
	KUNIT_EXPECT_EQ(w->test, dma_resv_lock(held, &ticket), 0);
	complete(&policy_begun);
	wait_for_completion(&policy_asked);
	KUNIT_EXPECT_EQ(w->test, dma_resv_lock(needed, &ticket), 0);
	dma_resv_unlock(needed);
	dma_resv_unlock(held);
	ww_acquire_fini(&ticket);
	return lru_until_stopped();
}

/*
 * A search without a ticket unlocks its victims before it pauses, as c's owner
 * needs a.
 */
static void ttm_lru_policy_is_patient_with_nothing_kept(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a c");
	struct task_struct *other = policy_beside(w, policy_need_a);
	struct ttm_operation_ctx ctx = {};

	KUNIT_EXPECT_EQ(test, policy_place_large(w, 2, &ctx), 0);
	kthread_stop(other);
}

/* Try to move a back to TT; then finish the release of b. */
static int policy_bring_back_a(void *arg)
{
	static const struct ttm_place tt = { .mem_type = TTM_PL_TT };
	struct ttm_placement placement = { .num_placement = 1, .placement = &tt };
	struct ttm_operation_ctx ctx = { .no_wait_gpu = true };
	struct lru_world *w = arg;
	struct ttm_buffer_object *a = lru_bo(w, 'a'), *b = lru_bo(w, 'b');

	complete(&policy_begun);
	wait_for_completion(&policy_asked);
	for (int i = 0; i < 100; i++) {
		if (dma_resv_trylock(a->base.resv)) {
			ttm_bo_validate(a, &placement, &ctx);
			dma_resv_unlock(a->base.resv);
		}
		usleep_range(100, 200);
	}
	ttm_resource_free(b, &b->resource);
	lru_undrop_last(w, 'b');
	return lru_until_stopped();
}

/* With a ticket it keeps them locked: a can't come back during a pause. */
static void ttm_lru_policy_is_patient_with_all_kept(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a b");
	struct ttm_operation_ctx ctx = {};
	struct ww_acquire_ctx ticket;
	struct task_struct *other;
	int ret;

	lru_drop_last(w, 'b');
	other = policy_beside(w, policy_bring_back_a);
	lru_ticket_init(&ticket);
	lru_bo(w, 'x')->base.size = 2 * PAGE_SIZE;
	ret = lru_place(w, 'x', &ctx, &ticket);
	ww_acquire_fini(&ticket);
	kthread_stop(other);
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_LETTERS(lru_mock.moved, "ax");
	lru_bo(w, 'x')->base.size = PAGE_SIZE;
	lru_free(w, 'x');
}

/* Move the other buffer to the tail: the search could look for ever. */
static void policy_use_other(struct lru_world *w, char letter)
{
	lru_try_do(w, letter == 'a' ? 'b' : 'a', lru_bo_to_tail);
}

static void ttm_lru_policy_gives_up_on_what_moves(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a b");
	struct ttm_operation_ctx ctx = { .no_wait_gpu = true };

	lru_mock.worthless = "ab";
	lru_mock.at = policy_use_other;
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), -ENOSPC);
	EXPECT_SOUND(w, "a b");
}

/* The search does not give up too early: a and b become valuable in the end. */
static unsigned int policy_uses;

static void policy_use_other_at_first(struct lru_world *w, char letter)
{
	policy_use_other(w, letter);
	if (++policy_uses == 3 * 17)
		lru_mock.worthless = NULL;
}

static void ttm_lru_policy_looks_on_at_what_moves(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a b");
	struct ttm_operation_ctx ctx = { .no_wait_gpu = true };

	policy_uses = 0;
	lru_mock.worthless = "ab";
	lru_mock.at = policy_use_other_at_first;
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), 0);
}

/* Another thread takes a after the driver was asked about it. */
static struct lru_holder policy_other;

static void policy_reserve_a(struct lru_world *w, char letter)
{
	if (letter == 'c' && !policy_other.task)
		lru_hold(&policy_other, w, 'a');
}

/*
 * Don't wait for a buffer that is not valuable: it could cost the transaction.
 */
static void ttm_lru_policy_spares_the_worthless(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a c b");
	struct lru_holder younger = { .ticket = true, .when_waited = true };
	struct ttm_operation_ctx ctx = {};
	struct ww_acquire_ctx ticket;
	int ret;

	policy_other = (struct lru_holder) { .when_waited = true };
	lru_mock.worthless = "ac";
	lru_mock.at = policy_reserve_a;
	lru_ticket_init(&ticket);
	lru_hold(&younger, w, 'b');
	ret = lru_place(w, 'x', &ctx, &ticket);
	if (policy_other.task)
		lru_let_go(&policy_other);
	ww_acquire_fini(&ticket);
	lru_let_go(&younger);
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_LETTERS(lru_mock.asked, "accb");
	EXPECT_LETTERS(lru_mock.moved, "bx");
}

/* In the end wait for such a buffer too, as it may be valuable by then. */
static void policy_reserve_and_value_a(struct lru_world *w, char letter)
{
	policy_reserve_a(w, letter);
	if (policy_other.task)
		lru_mock.worthless = "c";
}

static void ttm_lru_policy_spares_nothing_at_last(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a c");
	struct ttm_operation_ctx ctx = {};
	struct ww_acquire_ctx ticket;
	int ret;

	policy_other = (struct lru_holder) { .when_waited = true };
	lru_mock.worthless = "ac";
	lru_mock.at = policy_reserve_and_value_a;
	lru_ticket_init(&ticket);
	ret = lru_place(w, 'x', &ctx, &ticket);
	if (policy_other.task)
		lru_let_go(&policy_other);
	ww_acquire_fini(&ticket);
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_LETTERS(lru_mock.moved, "ax");
}

/*
 * One round waits for all busy buffers: first for one of them, then for the
 * rest.
 */
static void ttm_lru_policy_waits_for_one_then_for_all(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a b c d");
	struct lru_holder younger[4];
	struct ttm_operation_ctx ctx = {};
	struct ww_acquire_ctx ticket;
	int ret;

	lru_mock.worthless = "abc";
	lru_ticket_init(&ticket);
	for (int i = 0; i < 4; i++) {
		younger[i] = (struct lru_holder) { .ticket = true, .when_waited = true };
		lru_hold(&younger[i], w, 'a' + i);
	}
	ret = lru_place(w, 'x', &ctx, &ticket);
	ww_acquire_fini(&ticket);
	for (int i = 0; i < 4; i++)
		lru_let_go(&younger[i]);
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_LETTERS(lru_mock.asked, "aabcd");
	EXPECT_LETTERS(lru_mock.moved, "dx");
}

/*
 * a could move to PRIV, where an older ticket holds p. While there may be room
 * without that, don't wait for p: it would cost the transaction.
 */
static void ttm_lru_policy_first_waits_for_no_victims_place(struct kunit *test)
{
	struct ttm_place place = { .mem_type = TTM_PL_PRIV };
	struct ttm_placement priv = { .num_placement = 1, .placement = &place };
	struct lru_world *w = lru_full(test, "a b");
	struct lru_holder older = { .ticket = true };
	struct lru_holder younger = { .ticket = true, .when_waited = true };
	struct ttm_operation_ctx ctx = {};
	struct ww_acquire_ctx ticket;
	int ret;

	KUNIT_ASSERT_EQ(test, ttm_mock_manager_init(w->bdev, TTM_PL_PRIV, PAGE_SIZE), 0);
	lru_make_homeless(w, 'p');
	KUNIT_ASSERT_EQ(test, lru_place_at(w, 'p', &priv, &ctx, NULL), 0);
	lru_mock.moved = (struct lru_letters) {};
	lru_mock.evict_to = TTM_PL_PRIV;
	lru_mock.drop = "bp";

	lru_hold(&older, w, 'p');
	lru_ticket_init(&ticket);
	lru_hold(&younger, w, 'b');
	ret = lru_place(w, 'x', &ctx, &ticket);
	ww_acquire_fini(&ticket);
	lru_let_go(&younger);
	lru_let_go(&older);
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_LETTERS(lru_mock.moved, "x");
	lru_mock.drop = NULL;
	lru_free(w, 'p');
	ttm_mock_manager_fini(w->bdev, TTM_PL_PRIV);
}

/* A victim that failed to move is still valuable, and is waited for. */
static void ttm_lru_policy_waits_for_what_failed(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a c b");
	struct lru_holder older = { .ticket = true };
	struct ttm_operation_ctx ctx = {};
	struct ww_acquire_ctx ticket;
	int ret;

	policy_other = (struct lru_holder) { .when_waited = true };
	lru_mock.fail = "a";
	lru_mock.failures = 1;
	lru_mock.error = -EBUSY;
	lru_mock.worthless = "c";
	lru_mock.at = policy_reserve_a;
	lru_hold(&older, w, 'b');
	lru_ticket_init(&ticket);
	ret = lru_place(w, 'x', &ctx, &ticket);
	if (policy_other.task)
		lru_let_go(&policy_other);
	ww_acquire_fini(&ticket);
	lru_let_go(&older);
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_LETTERS(lru_mock.moved, "aax");
}

static struct kunit_case ttm_lru_policy_cases[] = {
	KUNIT_CASE(ttm_lru_policy_concludes_at_once),
	KUNIT_CASE(ttm_lru_policy_own_attempts_are_nothing_new),
	KUNIT_CASE(ttm_lru_policy_looks_at_many),
	KUNIT_CASE(ttm_lru_policy_keeps_many),
	KUNIT_CASE(ttm_lru_policy_one_look_at_a_vm),
	KUNIT_CASE(ttm_lru_policy_one_look_at_a_vm_elsewhere),
	KUNIT_CASE(ttm_lru_policy_keeps_few),
	KUNIT_CASE(ttm_lru_policy_does_not_wait_for_itself),
	KUNIT_CASE(ttm_lru_policy_gives_back_the_worthless),
	KUNIT_CASE(ttm_lru_policy_is_patient_with_nothing_kept),
	KUNIT_CASE(ttm_lru_policy_is_patient_with_all_kept),
	KUNIT_CASE(ttm_lru_policy_gives_up_on_what_moves),
	KUNIT_CASE(ttm_lru_policy_looks_on_at_what_moves),
	KUNIT_CASE(ttm_lru_policy_spares_the_worthless),
	KUNIT_CASE(ttm_lru_policy_spares_nothing_at_last),
	KUNIT_CASE(ttm_lru_policy_waits_for_one_then_for_all),
	KUNIT_CASE(ttm_lru_policy_first_waits_for_no_victims_place),
	KUNIT_CASE(ttm_lru_policy_waits_for_what_failed),
	{}
};

static struct kunit_suite ttm_lru_policy_suite = {
	.name = "ttm_lru_policy",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_policy_cases,
};

kunit_test_suites(&ttm_lru_policy_suite);

MODULE_DESCRIPTION("KUnit tests for details of making room");
MODULE_LICENSE("Dual MIT/GPL");
