// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for P9, short holds: a walk looks at a constant number of
 * resources in one hold of the lru_lock, and skips the range of a busy bulk in
 * one step.
 */

#include <linux/module.h>

#include "lib/ttm_lru_mass.h"
#include "lib/ttm_lru_meeting.h"

/*
 * Busy bulks
 */

static struct ttm_lru_stats *lru_stats(struct lru_world *w)
{
#ifdef CONFIG_DRM_TTM_LRU_DEBUG
	struct ttm_lru_stats *stats = &lru_man(w)->lru_stats;
#else
	static struct ttm_lru_stats nothing, *stats = &nothing;
#endif

	*stats = (struct ttm_lru_stats) {};
	return stats;
}

#define EXPECT_COUNTED(count, expected)					\
	KUNIT_EXPECT_EQ(test, count,					\
			IS_ENABLED(CONFIG_DRM_TTM_LRU_DEBUG) ? (expected) : 0)

static void ttm_lru_walk_skips_a_busy_bulk(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a* b* c* d");
	struct ttm_lru_stats *stats = lru_stats(w);
	struct lru_meeting m;

	lru_meeting_init(&m, w);
	KUNIT_EXPECT_EQ(test, lru_go_while_busy(&m, "a"), 1);
	EXPECT_LETTERS(m.met, "d");
	KUNIT_EXPECT_EQ(test, m.walk.left_out.busy, 1);
	EXPECT_COUNTED(stats->trylocks, 2);
	EXPECT_COUNTED(stats->examined, 2);
	EXPECT_SOUND(w, "a* b* c* d");
}

static void ttm_lru_walk_skips_the_rest_of_a_bulk(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a* b* c* d");
	struct ttm_operation_ctx ctx = {};
	struct ttm_lru_walk_arg arg = { .ctx = &ctx, .trylock_only = true };
	struct lru_holder holder = {};
	struct ttm_bo_lru_cursor curs;
	struct lru_letters met = {};

	ttm_bo_lru_cursor_init(&curs, lru_man(w), &arg);
	lru_note(&met, lru_step(&curs, w, true));
	ttm_bo_lru_cursor_release(&curs);
	lru_hold(&holder, w, 'b');
	lru_note(&met, lru_step(&curs, w, false));
	lru_note(&met, lru_step(&curs, w, false));
	lru_let_go(&holder);
	ttm_bo_lru_cursor_fini(&curs);
	EXPECT_LETTERS(met, "ad.");
	KUNIT_EXPECT_EQ(test, curs.left_out.busy, 1);
}

/* A range is not skipped if one of its ends has a lock of its own. */
static void ttm_lru_walk_tries_members_where_ends_differ(struct kunit *test)
{
	static const char *const alone[] = { "a", "d" };
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a* b* c* d*");

	for (int i = 0; i < ARRAY_SIZE(alone); i++) {
		struct ttm_buffer_object *bo = lru_bo(w, alone[i][0]);
		struct lru_meeting m;

		lru_meeting_init(&m, w);
		bo->base.resv = &bo->base._resv;
		KUNIT_EXPECT_EQ(test, lru_go_while_busy(&m, "b"), 1);
		bo->base.resv = &w->resv;
		EXPECT_LETTERS(m.met, alone[i]);
		KUNIT_EXPECT_EQ(test, m.walk.left_out.busy, 3);
	}
}

/* A busy member with a lock of its own does not make the others busy. */
static void ttm_lru_walk_a_busy_loner_is_no_bulk(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a* b* c* d*");
	struct ttm_buffer_object *bo = lru_bo(w, 'b');
	struct lru_meeting m;

	lru_meeting_init(&m, w);
	bo->base.resv = &bo->base._resv;
	KUNIT_EXPECT_EQ(test, lru_go_while_busy(&m, "b"), 3);
	bo->base.resv = &w->resv;
	EXPECT_LETTERS(m.met, "acd");
	KUNIT_EXPECT_EQ(test, m.walk.left_out.busy, 1);
}

static void ttm_lru_walk_waits_for_a_bulk(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a* b* c* d");
	struct lru_holder holder = { .when_waited = true };
	struct lru_meeting m;

	lru_meeting_init(&m, w);
	KUNIT_EXPECT_EQ(test, lru_go_waiting(&m, &holder, 'a'), 4);
	EXPECT_LETTERS(m.met, "abcd");
	KUNIT_EXPECT_EQ(test, m.walk.left_out.busy, 0);
}

/* Skip the transaction's own bulk at once, and never wait for it. */
static void ttm_lru_walk_own_bulk_is_passed(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a* b* c* d");
	struct ttm_lru_stats *stats = lru_stats(w);
	struct ww_acquire_ctx ticket;
	struct lru_meeting m;
	s64 ret;

	lru_meeting_init(&m, w);
	m.walk.arg.trylock_only = false;
	m.walk.arg.keep_ticket = true;
	m.walk.arg.ticket = &ticket;
	lru_ticket_init(&ticket);
	ret = dma_resv_lock(&w->resv, &ticket);
	if (!ret) {
		ret = lru_go(&m);
		dma_resv_unlock(&w->resv);
	}
	ww_acquire_fini(&ticket);
	KUNIT_EXPECT_EQ(test, ret, 1);
	EXPECT_LETTERS(m.met, "d");
	KUNIT_EXPECT_EQ(test, m.walk.left_out.busy, 0);
	EXPECT_COUNTED(stats->trylocks, 2);
}

/* The walk continues behind a skipped bulk, though its members move. */
static void ttm_lru_walk_skipped_and_then(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a* b* c* d e");
	struct ttm_operation_ctx ctx = {};
	struct ttm_lru_walk_arg arg = {
		.ctx = &ctx, .trylock_only = true, .unbounded = true,
	};
	struct lru_holder holder = {};
	struct ttm_bo_lru_cursor curs;
	struct lru_letters met = {};

	ttm_bo_lru_cursor_init(&curs, lru_man(w), &arg);
	lru_hold(&holder, w, 'a');
	lru_note(&met, lru_step(&curs, w, true));
	lru_let_go(&holder);
	ttm_bo_lru_cursor_release(&curs);

	/* b leaves, c is pinned, f is made, and the rest moves to the tail. */
	lru_leave(w, 'b');
	lru_pin(w, 'c');
	lru_make(w, 'f', 0, &w->bulk[STAR], false);
	lru_bulk_tail(w, STAR);
	for (int i = 0; i < 4; i++)
		lru_note(&met, lru_step(&curs, w, false));
	ttm_bo_lru_cursor_fini(&curs);
	EXPECT_LETTERS(met, "deaf.");
	EXPECT_SOUND(w, "b d e a* f* / c");
}

/* A busy bulk is skipped on each of its lists. */
static void ttm_lru_walk_skips_twice(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a* b* | c* d* e");
	struct lru_meeting m;

	lru_meeting_init(&m, w);
	KUNIT_EXPECT_EQ(test, lru_go_while_busy(&m, "a"), 1);
	EXPECT_LETTERS(m.met, "e");
	KUNIT_EXPECT_EQ(test, m.walk.left_out.busy, 2);
}

/*
 * Short holds
 */

#define LRU_HOLD	32

static void lru_mass_lock(struct lru_mass *mass, bool lock)
{
	for (unsigned int i = 0; i < max(mass->bulks, 1); i++) {
		if (lock)
			lru_make_busy(&mass->resv[i]);
		else
			dma_resv_unlock(&mass->resv[i]);
	}
}

/* Walk over @n busy buffers, loose or in @bulks bulks. */
static struct ttm_lru_stats *lru_go_over_busy(struct kunit *test,
					      unsigned int n,
					      unsigned int bulks)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "");
	struct ttm_lru_stats *stats;
	struct lru_meeting m;
	struct lru_mass mass;
	s64 ret;

	lru_mass_init(&mass, w, n, bulks);
	lru_meeting_init(&m, w);
	stats = lru_stats(w);
	lru_mass_lock(&mass, true);
	ret = lru_go(&m);
	lru_mass_lock(&mass, false);
	lru_mass_fini(&mass, w);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, m.walk.left_out.busy, bulks ?: n);
	return stats;
}

static void ttm_lru_walk_short_holds_of_loose_ones(struct kunit *test)
{
	struct ttm_lru_stats *stats = lru_go_over_busy(test, 320, 0);

	EXPECT_COUNTED(stats->longest, LRU_HOLD);
	EXPECT_COUNTED(stats->trylocks, 320);
	/* The last hold finds the end. */
	EXPECT_COUNTED(stats->holds, 320 / LRU_HOLD + 1);
	/* Parked once in each hold, and once at the start. */
	EXPECT_COUNTED(stats->parked, 320 / LRU_HOLD + 1);
}

static void ttm_lru_walk_ten_thousand_in_ten_bulks(struct kunit *test)
{
	struct ttm_lru_stats *stats = lru_go_over_busy(test, 10000, 10);

	EXPECT_COUNTED(stats->trylocks, 10);
	EXPECT_COUNTED(stats->examined, 10);
	EXPECT_COUNTED(stats->holds, 1);
	EXPECT_COUNTED(stats->parked, 1);
}

/*
 * Resources that left the middle of a range are ignored by a bounded walk, but
 * count in its hold.
 */
static void ttm_lru_walk_short_holds_of_ignored_ones(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "");
	struct ttm_operation_ctx ctx = {};
	struct ttm_lru_walk_arg arg = { .ctx = &ctx, .trylock_only = true };
	struct ttm_bo_lru_cursor curs;
	struct ttm_buffer_object *bo;
	struct ttm_lru_stats *stats;
	struct lru_mass mass;
	unsigned int met = 0;

	lru_mass_init(&mass, w, 200, 1);
	stats = lru_stats(w);
	ttm_bo_lru_cursor_init(&curs, lru_man(w), &arg);
	met += ttm_bo_lru_cursor_first(&curs) == &mass.bo[0];
	ttm_bo_lru_cursor_release(&curs);
	for (unsigned int i = 1; i < 199; i++) {
		dma_resv_lock(&mass.resv[0], NULL);
		ttm_bo_set_bulk_move(&mass.bo[i], NULL);
		dma_resv_unlock(&mass.resv[0]);
	}
	while ((bo = ttm_bo_lru_cursor_next(&curs)))
		met += bo == &mass.bo[199] ? 1 : 100;
	ttm_bo_lru_cursor_fini(&curs);
	lru_mass_fini(&mass, w);
	KUNIT_EXPECT_EQ(test, met, 2);
	EXPECT_COUNTED(stats->longest, LRU_HOLD);
	EXPECT_COUNTED(stats->examined, 200);
}

static struct kunit_case ttm_lru_p9_cases[] = {
	KUNIT_CASE(ttm_lru_walk_skips_a_busy_bulk),
	KUNIT_CASE(ttm_lru_walk_skips_the_rest_of_a_bulk),
	KUNIT_CASE(ttm_lru_walk_tries_members_where_ends_differ),
	KUNIT_CASE(ttm_lru_walk_a_busy_loner_is_no_bulk),
	KUNIT_CASE(ttm_lru_walk_waits_for_a_bulk),
	KUNIT_CASE(ttm_lru_walk_own_bulk_is_passed),
	KUNIT_CASE(ttm_lru_walk_skipped_and_then),
	KUNIT_CASE(ttm_lru_walk_skips_twice),
	KUNIT_CASE(ttm_lru_walk_short_holds_of_loose_ones),
	KUNIT_CASE(ttm_lru_walk_ten_thousand_in_ten_bulks),
	KUNIT_CASE(ttm_lru_walk_short_holds_of_ignored_ones),
	{}
};

static struct kunit_suite ttm_lru_p9_suite = {
	.name = "ttm_lru_p9",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_p9_cases,
};

kunit_test_suites(&ttm_lru_p9_suite);

MODULE_DESCRIPTION("KUnit tests for P9, short holds of TTM's lru_lock");
MODULE_LICENSE("Dual MIT/GPL");
