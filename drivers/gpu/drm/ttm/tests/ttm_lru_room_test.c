// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for E1, no false ENOSPC; E2, soft before hard; E3, ww rules; and
 * E4, fair: a caller asks for room while others use, move, free or replace
 * buffers.
 *
 * In each case there is room, and the caller must get it: x looks for a place
 * in TT. For E5, never worse than Linux, "make compare" runs the suite on
 * Linux's eviction, too.
 */

#include <linux/debug_locks.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>

#include <drm/ttm/ttm_placement.h>

#include "lib/ttm_lru_room.h"
#include "ttm_mock_manager.h"

/*
 * Buffers that are used
 */

static void lru_use_b_always(struct lru_world *w, char letter)
{
	if (letter == 'a')
		lru_try_do(w, 'b', lru_bo_to_tail);
}

static void ttm_lru_room_one_is_used(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a b");
	struct ttm_operation_ctx ctx = {};

	lru_mock.worthless = "a";
	lru_mock.at = lru_use_b;
	lru_used_once = false;
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), 0);
	EXPECT_SOUND(w, "a x");
}

static void ttm_lru_room_one_is_used_all_the_time(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a b");
	struct ttm_operation_ctx ctx = {};

	lru_mock.worthless = "a";
	lru_mock.at = lru_use_b_always;
	KUNIT_EXPECT_EQ(test, lru_place_waiting(w, "", &ctx), 0);
	EXPECT_SOUND(w, "a x");
}

static void lru_use_bulk(struct lru_world *w, char letter)
{
	if (letter != 'a' || lru_used_once || !dma_resv_trylock(&w->resv))
		return;
	lru_used_once = true;
	scoped_guard(spinlock, &w->bdev->lru_lock)
		ttm_lru_bulk_move_tail(&w->bulk[STAR]);
	dma_resv_unlock(&w->resv);
}

static void ttm_lru_room_a_bulk_is_used(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a b* c*");
	struct ttm_operation_ctx ctx = {};

	lru_mock.worthless = "a";
	lru_mock.at = lru_use_bulk;
	lru_used_once = false;
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), 0);
	EXPECT_SOUND(w, "a c* x");
}

/*
 * While the driver is asked about b, c is unpinned, and joins a list that the
 * walk has already passed.
 */
static void lru_unpin_c(struct lru_world *w, char letter)
{
	if (letter == 'b' && lru_bo(w, 'c')->pin_count)
		lru_try_do(w, 'c', ttm_bo_unpin);
}

static void ttm_lru_room_one_is_unpinned_behind(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "c a | b");
	struct ttm_operation_ctx ctx = {};

	lru_pin(w, 'c');
	lru_mock.worthless = "ab";
	lru_mock.at = lru_unpin_c;
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), 0);
	EXPECT_SOUND(w, "a x | b");
}

static void ttm_lru_room_what_becomes_valuable(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a b c");
	struct ttm_operation_ctx ctx = {};

	lru_bo(w, 'x')->base.size = 3 * PAGE_SIZE;
	lru_mock.at = lru_in_turn;
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), 0);
	EXPECT_LETTERS(lru_mock.moved, "cbax");
	lru_bo(w, 'x')->base.size = PAGE_SIZE;
	lru_free(w, 'x');
}

/*
 * Buffers that are replaced, freed or released
 */

static void lru_take_place(struct ttm_buffer_object *bo)
{
	struct ttm_place place = { .mem_type = TTM_PL_TT };
	struct ttm_resource *res;

	if (!WARN_ON(ttm_resource_alloc(bo, &place, &res, NULL)))
		ttm_bo_assign_mem(bo, res);
}

/* The holder of b frees it, and y takes the place. */
static void lru_replace_b(struct lru_world *w, char letter)
{
	lru_give_up_place(lru_bo(w, 'b'));
	lru_try_do(w, 'y', lru_take_place);
}

static void ttm_lru_room_one_is_replaced(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "b");
	struct lru_holder holder = {
		.when_waited = true,
		.before = lru_replace_b,
	};
	struct ttm_operation_ctx ctx = {};
	struct ww_acquire_ctx ticket;
	int ret;

	lru_make_homeless(w, 'y');
	lru_ticket_init(&ticket);
	lru_hold(&holder, w, 'b');
	ret = lru_place(w, 'x', &ctx, &ticket);
	ww_acquire_fini(&ticket);
	lru_let_go(&holder);
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_SOUND(w, "x");
}

static void lru_free_b(struct lru_world *w, char letter)
{
	if (letter == 'a' && lru_bo(w, 'b')->resource)
		lru_try_do(w, 'b', lru_give_up_place);
}

/* Linux does not look again for free space. */
static void ttm_lru_room_one_is_freed(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a b");
	struct ttm_operation_ctx ctx = {};

	lru_mock.worthless = "a";
	lru_mock.at = lru_free_b;
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), 0);
	EXPECT_SOUND(w, "a x");
}

/* Release b slowly: its last reference is already dropped. */
static int lru_release_b(void *arg)
{
	struct lru_world *w = arg;

	msleep(50);
	lru_give_up_place(lru_bo(w, 'b'));
	lru_undrop_last(w, 'b');
	return lru_until_stopped();
}

static void lru_place_while_released(struct kunit *test, bool in_transaction)
{
	struct lru_world *w = lru_full(test, "b");
	struct ttm_operation_ctx ctx = {};
	struct task_struct *other;
	int ret;

	lru_drop_last(w, 'b');
	other = kthread_run(lru_release_b, w, "ttm-lru-release");
	KUNIT_ASSERT_FALSE(test, IS_ERR(other));
	ret = in_transaction ? lru_place_waiting(w, "", &ctx) :
			       lru_place(w, 'x', &ctx, NULL);
	kthread_stop(other);
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_SOUND(w, "x");
}

static void ttm_lru_room_one_is_released(struct kunit *test)
{
	lru_place_while_released(test, false);
}

static void ttm_lru_room_one_is_released_in_a_transaction(struct kunit *test)
{
	lru_place_while_released(test, true);
}

/* Move an evicted buffer back to TT if there is room. */
static void lru_come_back(struct ttm_buffer_object *bo)
{
	static const struct ttm_place place = { .mem_type = TTM_PL_TT };
	struct ttm_placement placement = { .num_placement = 1, .placement = &place };
	struct ttm_operation_ctx ctx = { .no_wait_gpu = true };

	if (bo->resource->mem_type != TTM_PL_TT)
		ttm_bo_validate(bo, &placement, &ctx);
}

static void lru_all_come_back(struct lru_world *w, char letter)
{
	for (char c = 'a'; c <= 'c'; c++)
		lru_try_do(w, c, lru_come_back);
}

static void ttm_lru_room_evicted_ones_come_back(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a b c");
	struct ttm_operation_ctx ctx = {};

	lru_bo(w, 'x')->base.size = 3 * PAGE_SIZE;
	lru_mock.at = lru_all_come_back;
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), 0);
	EXPECT_LETTERS(lru_mock.moved, "abcx");
	lru_bo(w, 'x')->base.size = PAGE_SIZE;
	lru_free(w, 'x');
}

/*
 * E2, soft before hard
 */

/* Place x in TT, or fall back to system memory. */
static int lru_place_or_fall_back(struct lru_world *w,
				  struct ttm_operation_ctx *ctx,
				  struct ww_acquire_ctx *ticket)
{
	static const struct ttm_place places[] = {
		{ .mem_type = TTM_PL_TT },
		{ .mem_type = TTM_PL_SYSTEM, .flags = TTM_PL_FLAG_FALLBACK },
	};
	struct ttm_placement placement = {
		.num_placement = ARRAY_SIZE(places),
		.placement = places,
	};

	return lru_place_at(w, 'x', &placement, ctx, ticket);
}

static void ttm_lru_room_fallback_before_backing_off(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a b");
	struct lru_holder younger = { .ticket = true, .when_waited = true };
	struct lru_holder older = { .ticket = true };
	struct ttm_operation_ctx ctx = {};
	struct ww_acquire_ctx ticket;
	int ret;

	lru_mock.worthless = "ab";
	lru_hold(&older, w, 'b');
	lru_ticket_init(&ticket);
	lru_hold(&younger, w, 'a');
	ret = lru_place_or_fall_back(w, &ctx, &ticket);
	ww_acquire_fini(&ticket);
	lru_let_go(&younger);
	lru_let_go(&older);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_ASSERT_NOT_NULL(test, lru_bo(w, 'x')->resource);
	KUNIT_EXPECT_EQ(test, lru_bo(w, 'x')->resource->mem_type, TTM_PL_SYSTEM);
	EXPECT_SOUND(w, "a b");
}

/*
 * a can only move to PRIV, where an older transaction holds p. After that
 * -EDEADLK, nothing may be locked with the ticket (E3), not even b, which an
 * older one holds as well.
 */
static int lru_place_where_victims_wait(struct lru_world *w, bool has_b,
					struct ttm_operation_ctx *ctx)
{
	struct ttm_place priv = { .mem_type = TTM_PL_PRIV };
	struct ttm_placement placement = {
		.num_placement = 1,
		.placement = &priv,
	};
	struct lru_holder older[2] = { { .ticket = true }, { .ticket = true } };
	struct lru_holder younger = { .ticket = true, .when_waited = true };
	struct ww_acquire_ctx ticket;
	int ret;

	lru_make_homeless(w, 'p');
	ret = lru_place_at(w, 'p', &placement, ctx, NULL);
	KUNIT_ASSERT_EQ(w->test, ret, 0);
	lru_mock.evict_to = TTM_PL_PRIV;
	lru_hold(&older[0], w, 'p');
	if (has_b)
		lru_hold(&older[1], w, 'b');
	lru_ticket_init(&ticket);
	lru_hold(&younger, w, 'a');
	ret = lru_place(w, 'x', ctx, &ticket);
	ww_acquire_fini(&ticket);
	lru_let_go(&younger);
	lru_let_go(&older[0]);
	if (has_b)
		lru_let_go(&older[1]);
	return ret;
}

static void ttm_lru_room_victims_that_back_off(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a b");
	struct ttm_operation_ctx ctx = {};

	KUNIT_ASSERT_EQ(test, ttm_mock_manager_init(w->bdev, TTM_PL_PRIV,
						    PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, lru_place_where_victims_wait(w, true, &ctx),
			-ENOSPC);
	KUNIT_EXPECT_TRUE(test, debug_locks);
	EXPECT_SOUND(w, "a b");
	lru_free(w, 'p');
	ttm_mock_manager_fini(w->bdev, TTM_PL_PRIV);
}

/*
 * Without a ticket
 */

/* A VM's reservation is free only for a short moment. */
static unsigned int lru_looks;

static void lru_free_at_times(struct lru_world *w, char letter)
{
	if (letter != 'z')
		return;
	lru_looks++;
	if (lru_looks == 12)
		dma_resv_unlock(&w->resv);
	else if (lru_looks == 13)
		WARN_ON(!dma_resv_trylock(&w->resv));
}

static void ttm_lru_room_a_vm_is_busy_but_for_a_moment(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "z a* b*");
	struct ttm_operation_ctx ctx = {};
	int ret;

	lru_mock.worthless = "z";
	lru_mock.at = lru_free_at_times;
	lru_looks = 0;
	WARN_ON(!dma_resv_trylock(&w->resv));
	ret = lru_place(w, 'x', &ctx, NULL);
	if (lru_looks != 12)
		dma_resv_unlock(&w->resv);
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_SOUND(w, "z b* x");
}

#ifndef CONFIG_DRM_TTM_LRU_PRISTINE
/* @contended tells callers that can back off which buffer to wait for. */
static void ttm_lru_room_tells_what_to_wait_for(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a");
	struct ttm_buffer_object *contended = NULL;
	struct ttm_operation_ctx ctx = { .contended = &contended };

	KUNIT_ASSERT_EQ(test, ttm_mock_manager_init(w->bdev, TTM_PL_PRIV,
						    PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, lru_place_where_victims_wait(w, false, &ctx),
			-EDEADLK);
	KUNIT_EXPECT_PTR_EQ(test, contended, lru_bo(w, 'p'));
	if (contended)
		ttm_bo_fini(contended);
	EXPECT_SOUND(w, "a");
	lru_free(w, 'p');
	ttm_mock_manager_fini(w->bdev, TTM_PL_PRIV);
}
#endif

/* A buffer evicted for x can't come back before x has its place (E4). */
static const char *lru_kept;

static void lru_see_what_is_kept(struct lru_world *w, char letter)
{
	lru_kept = NULL;
	if (letter == 'c')
		lru_kept = dma_resv_is_locked(lru_bo(w, 'a')->base.resv) &&
			   dma_resv_is_locked(lru_bo(w, 'b')->base.resv) ?
			   "both" : "not both";
}

static void ttm_lru_room_keeps_what_it_evicts(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a b c");
	struct ttm_operation_ctx ctx = {};

	lru_bo(w, 'x')->base.size = 3 * PAGE_SIZE;
	lru_mock.at = lru_see_what_is_kept;
	lru_kept = NULL;
	KUNIT_EXPECT_EQ(test, lru_place_waiting(w, "abc", &ctx), 0);
	KUNIT_EXPECT_STREQ(test, lru_kept, "both");
	for (char c = 'a'; c <= 'c'; c++) {
		KUNIT_EXPECT_FALSE(test,
				   dma_resv_is_locked(lru_bo(w, c)->base.resv));
		KUNIT_EXPECT_EQ(test, kref_read(&lru_bo(w, c)->kref), 1);
	}
	lru_bo(w, 'x')->base.size = PAGE_SIZE;
	lru_free(w, 'x');
}

/* The reservation of a VM is kept, and all its members are evicted. */
static void ttm_lru_room_takes_all_of_a_vm(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a* b* c*");
	struct ttm_operation_ctx ctx = {};

	lru_bo(w, 'x')->base.size = 3 * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, lru_place_waiting(w, "a", &ctx), 0);
	EXPECT_LETTERS(lru_mock.moved, "abcx");
	lru_bo(w, 'x')->base.size = PAGE_SIZE;
	lru_free(w, 'x');
}

/*
 * The driver evicts a and b, whose reservation is lent, within TT, where x
 * never fits. The search must end: walks don't return buffers again that they
 * moved themselves.
 */
static unsigned int lru_times_asked;

static void lru_count_asked(struct lru_world *w, char letter)
{
	if (++lru_times_asked == 1000)
		lru_mock.worthless = "ab";
}

static void ttm_lru_room_lent_ones_that_stay(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a* b*");
	struct ttm_operation_ctx ctx = {
		.resv = &w->resv,
		.allow_res_evict = true,
	};
	struct ww_acquire_ctx ticket;
	int ret;

	lru_mock.stay = true;
	lru_mock.space += PAGE_SIZE;
	lru_mock.at = lru_count_asked;
	lru_times_asked = 0;
	lru_bo(w, 'x')->base.size = 4 * PAGE_SIZE;
	lru_ticket_init(&ticket);
	KUNIT_ASSERT_EQ(test, dma_resv_lock(&w->resv, &ticket), 0);
	ret = lru_place(w, 'x', &ctx, &ticket);
	dma_resv_unlock(&w->resv);
	ww_acquire_fini(&ticket);
	lru_bo(w, 'x')->base.size = PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, ret, -ENOSPC);
	KUNIT_EXPECT_LT(test, lru_times_asked, 1000);
}

static struct kunit_case ttm_lru_room_cases[] = {
	KUNIT_CASE(ttm_lru_room_one_is_used),
	KUNIT_CASE(ttm_lru_room_one_is_used_all_the_time),
	KUNIT_CASE(ttm_lru_room_a_bulk_is_used),
	KUNIT_CASE(ttm_lru_room_one_is_unpinned_behind),
	KUNIT_CASE(ttm_lru_room_what_becomes_valuable),
	KUNIT_CASE(ttm_lru_room_one_is_replaced),
	KUNIT_CASE(ttm_lru_room_one_is_freed),
	KUNIT_CASE(ttm_lru_room_one_is_released),
	KUNIT_CASE(ttm_lru_room_one_is_released_in_a_transaction),
	KUNIT_CASE(ttm_lru_room_evicted_ones_come_back),
	KUNIT_CASE(ttm_lru_room_fallback_before_backing_off),
	KUNIT_CASE(ttm_lru_room_victims_that_back_off),
	KUNIT_CASE(ttm_lru_room_a_vm_is_busy_but_for_a_moment),
#ifndef CONFIG_DRM_TTM_LRU_PRISTINE
	KUNIT_CASE(ttm_lru_room_tells_what_to_wait_for),
#endif
	KUNIT_CASE(ttm_lru_room_keeps_what_it_evicts),
	KUNIT_CASE(ttm_lru_room_takes_all_of_a_vm),
	KUNIT_CASE(ttm_lru_room_lent_ones_that_stay),
	{}
};

static struct kunit_suite ttm_lru_room_suite = {
	.name = "ttm_lru_room",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_room_cases,
};

kunit_test_suites(&ttm_lru_room_suite);

MODULE_DESCRIPTION("KUnit tests for callers that need room");
MODULE_LICENSE("Dual MIT/GPL");
