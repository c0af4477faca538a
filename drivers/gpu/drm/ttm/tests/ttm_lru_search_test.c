// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for E1, no false ENOSPC, and E3, ww rules, in how a search for
 * room goes on: how often it looks, where it waits, when it ends, and what the
 * searches for places of its victims report.
 *
 * x looks for a place in TT. ttm_evict.c explains looks, which may be soft,
 * and rounds, which wait.
 */

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>

#include <drm/ttm/ttm_placement.h>

#include "lib/ttm_lru_room.h"
#include "ttm_mock_manager.h"

/*
 * How long a search goes on
 */

/* What to do when the driver is asked about a buffer for the n-th time. */
static struct {
	char letter;
	unsigned int times;
	void (*then)(struct lru_world *w);
} search_turn;

static void search_at_turn(struct lru_world *w, char letter)
{
	if (letter == search_turn.letter && !--search_turn.times)
		search_turn.then(w);
}

static void search_when(char letter, unsigned int times,
			void (*then)(struct lru_world *w))
{
	search_turn.letter = letter;
	search_turn.times = times;
	search_turn.then = then;
	lru_mock.at = search_at_turn;
}

/* Finish the release of a buffer, as another thread. */
static void search_release(struct lru_world *w, char letter)
{
	struct ttm_buffer_object *bo = lru_bo(w, letter);

	ttm_resource_free(bo, &bo->resource);
	lru_undrop_last(w, letter);
}

static void search_release_b(struct lru_world *w)
{
	search_release(w, 'b');
}

static void search_release_p(struct lru_world *w)
{
	search_release(w, 'p');
}

static void search_undrop_p(struct lru_world *w)
{
	lru_undrop_last(w, 'p');
}

static void search_unlock_b(struct lru_world *w)
{
	dma_resv_unlock(lru_bo(w, 'b')->base.resv);
}

static void search_unlock_p(struct lru_world *w)
{
	dma_resv_unlock(lru_bo(w, 'p')->base.resv);
}

static void search_value_a(struct lru_world *w)
{
	lru_mock.worthless = "p";
}

static const struct ttm_place search_places[] = {
	{ .mem_type = TTM_PL_TT }, { .mem_type = TTM_PL_PRIV },
};

static const struct ttm_placement search_both = {
	.num_placement = 2, .placement = search_places,
};

static const struct ttm_placement search_priv = {
	.num_placement = 1, .placement = search_places + 1,
};

/* Place x in TT, or else in PRIV. */
static int search_place_in_both(struct lru_world *w, struct ttm_operation_ctx *ctx,
				struct ww_acquire_ctx *ticket)
{
	struct ttm_placement placement = search_both;

	return lru_place_at(w, 'x', &placement, ctx, ticket);
}

static void search_place_in_priv(struct lru_world *w, char letter)
{
	struct ttm_placement placement = search_priv;
	struct ttm_operation_ctx ctx = {};

	KUNIT_EXPECT_EQ(w->test, lru_place_at(w, letter, &placement, &ctx, NULL), 0);
}

/* TT is as in @picture, and the buffers @letters fill PRIV. */
static struct lru_world *search_full(struct kunit *test, const char *picture,
				     const char *letters)
{
	struct lru_world *w = lru_full(test, picture);

	KUNIT_ASSERT_EQ(test, ttm_mock_manager_init(w->bdev, TTM_PL_PRIV,
						    strlen(letters) * PAGE_SIZE), 0);
	for (const char *c = letters; *c; c++) {
		lru_make_homeless(w, *c);
		search_place_in_priv(w, *c);
	}
	lru_mock.moved = (struct lru_letters) {};
	return w;
}

static void search_empty(struct lru_world *w)
{
	for (char c = 'a'; c <= 'z'; c++) {
		struct ttm_buffer_object *bo = w->bo[c - 'a'];

		if (bo && bo->resource && bo->resource->mem_type == TTM_PL_PRIV)
			lru_free(w, c);
	}
	ttm_mock_manager_fini(w->bdev, TTM_PL_PRIV);
}

/*
 * a can move to the place of p, whose release ends when the driver is asked
 * about a for the fourth time.
 */
static void search_until_released(struct kunit *test, struct ttm_operation_ctx *ctx,
				  const char *asked)
{
	struct lru_world *w = search_full(test, "a", "pq");
	int ret;

	lru_mock.evict_to = TTM_PL_PRIV;
	lru_mock.worthless = "q";
	lru_drop_last(w, 'p');
	search_when('a', 4, search_release_p);
	ret = lru_place_waiting(w, "", ctx);
	lru_undrop_last(w, 'p');
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_LETTERS(lru_mock.asked, asked);
	search_empty(w);
}

/* Without waiting, look again while a victim's place is being released. */
static void ttm_lru_search_victims_place_is_released(struct kunit *test)
{
	struct ttm_operation_ctx ctx = { .no_wait_gpu = true };

	search_until_released(test, &ctx, "aqaqaqa");
}

/* A caller that must not wait does not look again after a release has ended. */
static void ttm_lru_search_victims_place_is_not_released(struct kunit *test)
{
	struct lru_world *w = search_full(test, "a", "pq");
	struct ttm_operation_ctx ctx = { .no_wait_gpu = true };

	lru_mock.evict_to = TTM_PL_PRIV;
	lru_mock.worthless = "pq";
	lru_drop_last(w, 'p');
	search_when('a', 2, search_undrop_p);
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), -ENOSPC);
	lru_undrop_last(w, 'p');
	EXPECT_LETTERS(lru_mock.asked, "aqapqapq");
	search_empty(w);
}

/* The same in the first place. */
static void ttm_lru_search_first_place_is_released(struct kunit *test)
{
	struct lru_world *w = search_full(test, "b", "p");
	struct ttm_operation_ctx ctx = { .no_wait_gpu = true };

	lru_mock.worthless = "p";
	lru_drop_last(w, 'b');
	search_when('p', 3, search_release_b);
	KUNIT_EXPECT_EQ(test, search_place_in_both(w, &ctx, NULL), 0);
	lru_undrop_last(w, 'b');
	EXPECT_LETTERS(lru_mock.asked, "ppp");
	search_empty(w);
}

/* A reservation may be held for long, so don't look again at once. */
static void ttm_lru_search_does_not_look_on_at_what_is_reserved(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a b");
	struct ttm_operation_ctx ctx = { .no_wait_gpu = true };

	lru_mock.worthless = "a";
	KUNIT_ASSERT_TRUE(test, dma_resv_trylock(lru_bo(w, 'b')->base.resv));
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), -ENOSPC);
	search_unlock_b(w);
	EXPECT_LETTERS(lru_mock.asked, "aa");
}

/* A second look is enough if it has seen the victim's place, too. */
static void ttm_lru_search_concludes_of_victims_places(struct kunit *test)
{
	struct lru_world *w = search_full(test, "a", "p");
	struct ttm_operation_ctx ctx = {};

	lru_mock.evict_to = TTM_PL_PRIV;
	lru_mock.worthless = "p";
	KUNIT_ASSERT_TRUE(test, dma_resv_trylock(lru_bo(w, 'p')->base.resv));
	search_when('a', 2, search_unlock_p);
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), -ENOSPC);
	EXPECT_LETTERS(lru_mock.asked, "aap");
	search_empty(w);
}

/* What a's search left out counts, though b's search left out nothing. */
static unsigned int search_times_asked, search_times_full;

static void search_hold_p_for_a(struct lru_world *w, char letter)
{
	if (letter == 'a' && ++search_times_asked <= 2)
		WARN_ON(!dma_resv_trylock(lru_bo(w, 'p')->base.resv));
	else if (letter == 'a')
		lru_mock.worthless = NULL;
	else if (letter == 'b' && search_times_asked <= 2)
		search_unlock_p(w);
}

static void ttm_lru_search_two_victims_places(struct kunit *test)
{
	struct lru_world *w = search_full(test, "a b", "p");
	struct ttm_operation_ctx ctx = {};

	search_times_asked = 0;
	lru_mock.evict_to = TTM_PL_PRIV;
	lru_mock.worthless = "p";
	lru_mock.drop = "p";
	lru_mock.at = search_hold_p_for_a;
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), 0);
	EXPECT_LETTERS(lru_mock.asked, "abpabpap");
	search_empty(w);
}

/*
 * a finds a place to fall back to, but fails to move there. That its search
 * left out p is no reason to look again.
 */
static void search_evict_with_fallback(struct ttm_buffer_object *bo,
				       struct ttm_placement *placement)
{
	static const struct ttm_place places[] = {
		{ .mem_type = TTM_PL_PRIV },
		{ .mem_type = TTM_PL_SYSTEM, .flags = TTM_PL_FLAG_FALLBACK },
	};

	*placement = (struct ttm_placement) {
		.num_placement = ARRAY_SIZE(places), .placement = places,
	};
}

static void ttm_lru_search_concludes_though_victims_found_places(struct kunit *test)
{
	struct lru_world *w = search_full(test, "a", "p");
	struct ttm_operation_ctx ctx = {};

	w->funcs.evict_flags = search_evict_with_fallback;
	lru_mock.fail = "a";
	lru_mock.error = -EBUSY;
	KUNIT_ASSERT_TRUE(test, dma_resv_trylock(lru_bo(w, 'p')->base.resv));
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), -ENOSPC);
	search_unlock_p(w);
	EXPECT_LETTERS(lru_mock.asked, "aa");
	EXPECT_LETTERS(lru_mock.moved, "aa");
	search_empty(w);
}

/* A victim's search does not pause: the outer search does. */
static void ttm_lru_search_victims_are_impatient(struct kunit *test)
{
	struct ttm_operation_ctx ctx = {};

	search_until_released(test, &ctx, "aqaqaqqqa");
}

/* Only the outer search takes a last look, which waits for p's owner. */
static void ttm_lru_search_victims_take_no_last_look(struct kunit *test)
{
	struct lru_world *w = search_full(test, "a", "pq");
	struct lru_holder older = { .ticket = true };
	struct ttm_operation_ctx ctx = {};
	int ret;

	lru_mock.evict_to = TTM_PL_PRIV;
	lru_mock.worthless = "q";
	lru_hold(&older, w, 'p');
	ret = lru_place_waiting(w, "", &ctx);
	lru_let_go(&older);
	KUNIT_EXPECT_EQ(test, ret, -ENOSPC);
	EXPECT_LETTERS(lru_mock.asked, "aqaqaqaq");
	search_empty(w);
}

/*
 * While the driver is asked about p, b enters TT, which the look has already
 * left.
 */
static void search_enter(struct lru_world *w, char letter, bool stay)
{
	struct ttm_buffer_object *bo = lru_bo(w, letter);

	if (WARN_ON(!dma_resv_trylock(bo->base.resv)))
		return;
	ttm_bo_unpin(bo);
	if (!stay)
		ttm_bo_pin(bo);
	dma_resv_unlock(bo->base.resv);
}

static void search_let_b_enter(struct lru_world *w)
{
	search_enter(w, 'b', true);
}

static void ttm_lru_search_enters_behind_a_look(struct kunit *test)
{
	struct lru_world *w = search_full(test, "b", "p");
	struct ttm_operation_ctx ctx = {};

	lru_pin(w, 'b');
	lru_mock.worthless = "p";
	search_when('p', 2, search_let_b_enter);
	KUNIT_EXPECT_EQ(test, search_place_in_both(w, &ctx, NULL), 0);
	EXPECT_LETTERS(lru_mock.asked, "ppb");
	search_empty(w);
}

/* One entry costs one more look: the next looks do not count it again. */
static void ttm_lru_search_one_enters_once(struct kunit *test)
{
	struct lru_world *w = search_full(test, "b", "p");
	struct ttm_operation_ctx ctx = {};

	lru_pin(w, 'b');
	lru_mock.worthless = "bp";
	search_when('p', 1, search_let_b_enter);
	KUNIT_EXPECT_EQ(test, search_place_in_both(w, &ctx, NULL), -ENOSPC);
	EXPECT_LETTERS(lru_mock.asked, "pbpbp");
	search_empty(w);
}

/* b enters TT between the walks of the last look: after that in TT, before that in PRIV. */
static void search_let_b_enter_between_walks(struct lru_world *w)
{
	if (++search_times_full == 5)
		search_enter(w, 'b', true);
	else
		lru_mock.when_full = search_let_b_enter_between_walks;
}

static void ttm_lru_search_enters_between_walks(struct kunit *test)
{
	struct lru_world *w = search_full(test, "b", "p");
	struct ttm_operation_ctx ctx = {};

	lru_pin(w, 'b');
	lru_mock.worthless = "p";
	/* The first half tries TT once, each look tries it before and after its walk. */
	search_times_full = 0;
	lru_mock.when_full = search_let_b_enter_between_walks;
	KUNIT_EXPECT_EQ(test, search_place_in_both(w, &ctx, NULL), 0);
	EXPECT_LETTERS(lru_mock.asked, "ppb");
	search_empty(w);
}

/* A caller that must not wait looks again while buffers enter. */
static void search_let_c_and_b_enter(struct lru_world *w, char letter)
{
	if (letter != 'p')
		return;
	if (++search_times_asked == 3)
		search_enter(w, 'b', true);
	else
		search_enter(w, 'c', false);
}

static void ttm_lru_search_enters_behind_several_looks(struct kunit *test)
{
	struct lru_world *w = search_full(test, "b c", "p");
	struct ttm_operation_ctx ctx = { .no_wait_gpu = true };

	lru_pin(w, 'b');
	lru_pin(w, 'c');
	search_times_asked = 0;
	lru_mock.worthless = "p";
	lru_mock.at = search_let_c_and_b_enter;
	KUNIT_EXPECT_EQ(test, search_place_in_both(w, &ctx, NULL), 0);
	EXPECT_LETTERS(lru_mock.asked, "pppb");
	lru_unpin(w, 'c');
	search_empty(w);
}

/* A page of TT becomes free, and another search takes it for y. */
static void search_place_y(struct lru_world *w)
{
	struct ttm_operation_ctx ctx = {};

	lru_mock.space += PAGE_SIZE;
	KUNIT_EXPECT_EQ(w->test, lru_place(w, 'y', &ctx, NULL), 0);
}

/*
 * y has entered, too: the second look would be the last, but a third one evicts
 * y.
 */
static void ttm_lru_search_another_search_enters(struct kunit *test)
{
	struct lru_world *w = search_full(test, "a", "p");
	struct ttm_operation_ctx ctx = {};

	lru_make_homeless(w, 'y');
	lru_mock.worthless = "ap";
	search_when('p', 2, search_place_y);
	KUNIT_EXPECT_EQ(test, search_place_in_both(w, &ctx, NULL), 0);
	EXPECT_LETTERS(lru_mock.asked, "apapay");
	EXPECT_LETTERS(lru_mock.moved, "yyx");
	search_empty(w);
}

/* Others hold a and p. The first round waits for both, and begins with a. */
static void ttm_lru_search_waits_in_the_first_place(struct kunit *test)
{
	struct lru_world *w = search_full(test, "a", "p");
	struct lru_holder older = { .ticket = true };
	struct lru_holder younger = { .ticket = true, .when_waited = true };
	struct ttm_operation_ctx ctx = {};
	struct ww_acquire_ctx ticket;
	int ret;

	lru_hold(&older, w, 'p');
	lru_ticket_init(&ticket);
	lru_hold(&younger, w, 'a');
	ret = search_place_in_both(w, &ctx, &ticket);
	ww_acquire_fini(&ticket);
	lru_let_go(&younger);
	lru_let_go(&older);
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_LETTERS(lru_mock.moved, "ax");
	search_empty(w);
}

/*
 * The first waiting round leaves out TT, where all was seen. The second does
 * not, and a is valuable by then.
 */
static void ttm_lru_search_waits_where_something_was_left_out(struct kunit *test)
{
	struct lru_world *w = search_full(test, "a", "p");
	struct lru_holder younger = { .ticket = true, .when_waited = true };
	struct ttm_operation_ctx ctx = {};
	struct ww_acquire_ctx ticket;
	int ret;

	lru_mock.worthless = "ap";
	search_when('p', 1, search_value_a);
	lru_ticket_init(&ticket);
	lru_hold(&younger, w, 'p');
	ret = search_place_in_both(w, &ctx, &ticket);
	ww_acquire_fini(&ticket);
	lru_let_go(&younger);
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_LETTERS(lru_mock.asked, "apa");
	search_empty(w);
}

/*
 * Signals
 */

static int search_place_with_signal(struct lru_world *w, struct ttm_operation_ctx *ctx)
{
	int ret;

	set_tsk_thread_flag(current, TIF_SIGPENDING);
	ret = lru_place(w, 'x', ctx, NULL);
	clear_tsk_thread_flag(current, TIF_SIGPENDING);
	return ret;
}

/* A signal ends a pause. */
static void ttm_lru_search_signal_ends_a_pause(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a b");
	struct ttm_operation_ctx ctx = { .interruptible = true };

	lru_mock.worthless = "a";
	KUNIT_ASSERT_TRUE(test, dma_resv_trylock(lru_bo(w, 'b')->base.resv));
	KUNIT_EXPECT_EQ(test, search_place_with_signal(w, &ctx), -ERESTARTSYS);
	search_unlock_b(w);
	EXPECT_LETTERS(lru_mock.asked, "aa");
}

/* A caller that must not wait does not pause, so a signal has no effect. */
static void ttm_lru_search_signal_without_a_pause(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a b");
	struct ttm_operation_ctx ctx = { .interruptible = true, .no_wait_gpu = true };

	lru_mock.worthless = "a";
	lru_drop_last(w, 'b');
	search_when('a', 2, search_release_b);
	KUNIT_EXPECT_EQ(test, search_place_with_signal(w, &ctx), 0);
	lru_undrop_last(w, 'b');
	EXPECT_LETTERS(lru_mock.asked, "aa");
}

/*
 * E7: emptying a manager
 */

static struct lru_world *search_world;
static int (*search_move)(struct ttm_buffer_object *bo, bool evict,
			  struct ttm_operation_ctx *ctx,
			  struct ttm_resource *new_mem, struct ttm_place *hop);

static int search_move_at_turn(struct ttm_buffer_object *bo, bool evict,
			       struct ttm_operation_ctx *ctx,
			       struct ttm_resource *new_mem, struct ttm_place *hop)
{
	if (!--search_turn.times)
		search_turn.then(search_world);
	return search_move(bo, evict, ctx, new_mem, hop);
}

/* What to do at the n-th move. */
static void search_when_moved(struct lru_world *w, unsigned int times,
			      void (*then)(struct lru_world *w))
{
	search_world = w;
	search_move = w->funcs.move;
	w->funcs.move = search_move_at_turn;
	search_turn.times = times;
	search_turn.then = then;
}

static int search_evict_all(struct lru_world *w)
{
	return ttm_resource_manager_evict_all(w->bdev, lru_man(w));
}

/* Emptying ends with an error such as -EIO. */
static void ttm_lru_search_emptying_ends_with_eio(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "b a c");

	lru_mock.fail = "a";
	lru_mock.error = -EIO;
	KUNIT_EXPECT_EQ(test, search_evict_all(w), -EIO);
	lru_mock.fail = NULL;
	EXPECT_LETTERS(lru_mock.moved, "ba");
	EXPECT_SOUND(w, "a c");
}

/* Emptying ends if all buffers fail and none was left out. */
static void ttm_lru_search_emptying_ends_if_all_fail(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");

	lru_mock.fail = "ab";
	lru_mock.error = -ENOSPC;
	KUNIT_EXPECT_EQ(test, search_evict_all(w), -ENOSPC);
	lru_mock.fail = NULL;
	EXPECT_LETTERS(lru_mock.moved, "ab");
}

/* Emptying ends at last if all buffers move within the same memory. */
static void search_stay_no_more(struct lru_world *w)
{
	lru_mock.stay = false;
}

static void ttm_lru_search_emptying_ends_if_all_stay(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");

	lru_mock.stay = true;
	search_when_moved(w, 5000, search_stay_no_more);
	KUNIT_EXPECT_EQ(test, search_evict_all(w), -EBUSY);
	search_stay_no_more(w);
	EXPECT_SOUND(w, "a b");
}

/* While a buffer is being released, others that failed are tried again. */
static void ttm_lru_search_emptying_tries_again(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");

	lru_mock.fail = "a";
	lru_mock.failures = 1;
	lru_mock.error = -ENOSPC;
	lru_drop_last(w, 'b');
	search_when_moved(w, 2, search_release_b);
	KUNIT_EXPECT_EQ(test, search_evict_all(w), 0);
	lru_undrop_last(w, 'b');
	EXPECT_LETTERS(lru_mock.moved, "aa");
}

/* Emptying pauses itself: searches for victims' places don't. */
static void ttm_lru_search_emptying_with_impatient_victims(struct kunit *test)
{
	struct lru_world *w = search_full(test, "a", "pq");

	lru_mock.evict_to = TTM_PL_PRIV;
	lru_mock.worthless = "q";
	KUNIT_ASSERT_TRUE(test, dma_resv_trylock(lru_bo(w, 'p')->base.resv));
	KUNIT_EXPECT_EQ(test, search_evict_all(w), -ENOSPC);
	search_unlock_p(w);
	EXPECT_LETTERS(lru_mock.asked, "qq");
	search_empty(w);
}

#ifdef CONFIG_DRM_TTM_LRU_DEBUG
/*
 * Once walks have held the lru_lock this often, release b, and let nothing
 * fail.
 */
static unsigned long search_holds;
static struct completion search_begun;

static unsigned long search_count_holds(struct lru_world *w)
{
	/* Walks count their holds plainly, under the lru_lock. */
	return data_race(READ_ONCE(lru_man(w)->lru_stats.holds));
}

static int search_release_b_at_last(void *arg)
{
	struct lru_world *w = arg;

	complete(&search_begun);
	while (!kthread_should_stop() && search_count_holds(w) < search_holds)
		usleep_range(50, 100);
	lru_mock.fail = NULL;
	search_release(w, 'b');
	return lru_until_stopped();
}

static void search_empty_while_released(struct lru_world *w, unsigned long holds,
					int expected)
{
	struct kunit *test = w->test;
	struct task_struct *other;

	lru_mock.fail = "a";
	lru_mock.error = -ENOSPC;
	lru_drop_last(w, 'b');
	search_holds = lru_man(w)->lru_stats.holds + holds;
	init_completion(&search_begun);
	other = kthread_run(search_release_b_at_last, w, "ttm-lru-release");
	KUNIT_ASSERT_FALSE(test, IS_ERR(other));
	wait_for_completion(&search_begun);
	KUNIT_EXPECT_EQ(test, search_evict_all(w), expected);
	KUNIT_EXPECT_EQ(test, !lru_bo(w, 'b')->resource, !expected);
	kthread_stop(other);
}

/* Emptying waits for a release however long it takes, if a failed only once. */
static void ttm_lru_search_emptying_is_patient(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");

	lru_mock.failures = 1;
	search_empty_while_released(w, 1200, 0);
	EXPECT_SOUND(w, "");
}

/* Emptying does not wait as long if a fails each time. */
static void ttm_lru_search_emptying_is_not_too_patient(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");

	search_empty_while_released(w, 6000, -ENOSPC);
	EXPECT_SOUND(w, "a");
}
#endif

static struct kunit_case ttm_lru_search_cases[] = {
	KUNIT_CASE(ttm_lru_search_victims_place_is_released),
	KUNIT_CASE(ttm_lru_search_victims_place_is_not_released),
	KUNIT_CASE(ttm_lru_search_first_place_is_released),
	KUNIT_CASE(ttm_lru_search_does_not_look_on_at_what_is_reserved),
	KUNIT_CASE(ttm_lru_search_concludes_of_victims_places),
	KUNIT_CASE(ttm_lru_search_two_victims_places),
	KUNIT_CASE(ttm_lru_search_concludes_though_victims_found_places),
	KUNIT_CASE(ttm_lru_search_victims_are_impatient),
	KUNIT_CASE(ttm_lru_search_victims_take_no_last_look),
	KUNIT_CASE(ttm_lru_search_enters_behind_a_look),
	KUNIT_CASE(ttm_lru_search_one_enters_once),
	KUNIT_CASE(ttm_lru_search_enters_between_walks),
	KUNIT_CASE(ttm_lru_search_enters_behind_several_looks),
	KUNIT_CASE(ttm_lru_search_another_search_enters),
	KUNIT_CASE(ttm_lru_search_waits_in_the_first_place),
	KUNIT_CASE(ttm_lru_search_waits_where_something_was_left_out),
	KUNIT_CASE(ttm_lru_search_signal_ends_a_pause),
	KUNIT_CASE(ttm_lru_search_signal_without_a_pause),
	KUNIT_CASE(ttm_lru_search_emptying_ends_with_eio),
	KUNIT_CASE(ttm_lru_search_emptying_ends_if_all_fail),
	KUNIT_CASE(ttm_lru_search_emptying_ends_if_all_stay),
	KUNIT_CASE(ttm_lru_search_emptying_tries_again),
	KUNIT_CASE(ttm_lru_search_emptying_with_impatient_victims),
#ifdef CONFIG_DRM_TTM_LRU_DEBUG
	KUNIT_CASE(ttm_lru_search_emptying_is_patient),
	KUNIT_CASE(ttm_lru_search_emptying_is_not_too_patient),
#endif
	{}
};

static struct kunit_suite ttm_lru_search_suite = {
	.name = "ttm_lru_search",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_search_cases,
};

kunit_test_suites(&ttm_lru_search_suite);

MODULE_DESCRIPTION("KUnit tests for how a search for room goes on");
MODULE_LICENSE("Dual MIT/GPL");
