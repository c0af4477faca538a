// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for what a walk over buffers says of those that it did not return (P10), and
 * for its end (P6): searches and others conclude from it that nothing is left.
 *
 * Worlds and pictures are those of ttm_lru_test.c.
 */

#include <linux/module.h>
#include <linux/tracepoint.h>

#include <trace/events/lock.h>

#include "lib/ttm_lru_mock_driver.h"

/* Modules don't get this tracepoint. */
#if defined(CONFIG_LOCKDEP) && defined(CONFIG_TRACEPOINTS) && \
	IS_BUILTIN(CONFIG_DRM_TTM_LRU_KUNIT_TEST)
#define LEFT_OUT_TRACES_LOCKS
#endif

/* The letters that a walk meets from its beginning to its end. */
static const char *left_out_walk(struct ttm_bo_lru_cursor *curs, struct lru_world *w,
				 struct ttm_lru_walk_arg *arg)
{
	static struct lru_letters met;
	struct ttm_buffer_object *bo;

	met = (struct lru_letters) {};
	ttm_bo_lru_cursor_init(curs, lru_man(w), arg);
	bo = ttm_bo_lru_cursor_first(curs);
	for (; !IS_ERR_OR_NULL(bo); bo = ttm_bo_lru_cursor_next(curs))
		lru_note(&met, lru_letter(w, bo));
	ttm_bo_lru_cursor_fini(curs);
	return met.text;
}

#define EXPECT_MET(curs, w, arg, expected) \
	KUNIT_EXPECT_STREQ(test, left_out_walk(curs, w, arg), expected)

static void left_out_to_tail(struct lru_world *w, const char *letters)
{
	for (; *letters; letters++)
		lru_tail(w, *letters);
}

/* A walk ends when it has met as many as it may that moved, and stays at its end. */
static void ttm_lru_left_out_the_end_is_an_end(struct kunit *test)
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

	ttm_bo_lru_cursor_init(&curs, lru_man(w), &arg);
	bo = ttm_bo_lru_cursor_first(&curs);
	for (; bo; bo = ttm_bo_lru_cursor_next(&curs)) {
		char letter = lru_letter(w, bo);

		lru_note(&met, letter);
		ttm_bo_lru_cursor_release(&curs);
		if (letter == 'd')
			left_out_to_tail(w, "abc");
	}
	EXPECT_LETTERS(met, "abcda");
	KUNIT_EXPECT_NULL(test, ttm_bo_lru_cursor_next(&curs));
	KUNIT_EXPECT_NULL(test, ttm_bo_lru_cursor_next(&curs));
	KUNIT_EXPECT_EQ(test, curs.left_out.moved, 1);
	ttm_bo_lru_cursor_fini(&curs);
}

/*
 * A buffer is returned only if it is where the walk looks: a is nowhere yet, though a
 * resource in TT is to become its own. Nothing was left out then.
 */
static void ttm_lru_left_out_one_is_not_there_yet(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");
	struct ttm_operation_ctx ctx = {};
	struct ttm_lru_walk_arg arg = { .ctx = &ctx, .trylock_only = true };
	struct ttm_bo_lru_cursor curs;

	lru_alloc_next(w, 'a');
	lru_free(w, 'a');
	EXPECT_MET(&curs, w, &arg, "b");
	KUNIT_EXPECT_FALSE(test, ttm_lru_left_out_any(&curs.left_out));
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(lru_bo(w, 'a')->base.resv));
	EXPECT_LRU(w, "b a'");
}

/* A walk to b, which begins while an attempt to place x is under way. */
static struct ttm_bo_lru_cursor left_out_curs;

static void left_out_begin(struct lru_world *w)
{
	KUNIT_EXPECT_PTR_EQ(w->test, ttm_bo_lru_cursor_first(&left_out_curs),
			    lru_bo(w, 'a'));
	KUNIT_EXPECT_PTR_EQ(w->test, ttm_bo_lru_cursor_next(&left_out_curs),
			    lru_bo(w, 'b'));
	ttm_bo_lru_cursor_release(&left_out_curs);
}

/* The attempt fails, and c enters behind the walk. That x left does not hide c. */
static void ttm_lru_left_out_one_enters_and_another_fails(struct kunit *test)
{
	struct ttm_operation_ctx ctx = { .no_wait_gpu = true };
	struct ttm_lru_walk_arg arg = { .ctx = &ctx, .trylock_only = true };
	struct lru_world *w = lru_full(test, "a | b");

	ttm_bo_lru_cursor_init(&left_out_curs, lru_man(w), &arg);
	lru_mock.worthless = "ab";
	lru_mock.when_full = left_out_begin;
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), -ENOSPC);
	lru_mock.space += PAGE_SIZE;
	lru_make_alone(w, 'c', 0);
	KUNIT_EXPECT_NULL(test, ttm_bo_lru_cursor_next(&left_out_curs));
	KUNIT_EXPECT_EQ(test, left_out_curs.left_out.moved, 1);
	ttm_bo_lru_cursor_fini(&left_out_curs);
	EXPECT_LRU(w, "a c | b");
}

/* While a fails to leave, b is used. To empty TT is to try both again. */
static struct lru_world *left_out_world;
static int (*left_out_move)(struct ttm_buffer_object *bo, bool evict,
			    struct ttm_operation_ctx *ctx,
			    struct ttm_resource *new_mem, struct ttm_place *hop);

static int left_out_move_and_use_b(struct ttm_buffer_object *bo, bool evict,
				   struct ttm_operation_ctx *ctx,
				   struct ttm_resource *new_mem,
				   struct ttm_place *hop)
{
	struct ttm_buffer_object *b = lru_bo(left_out_world, 'b');

	if (bo != b && dma_resv_trylock(b->base.resv)) {
		ttm_bo_move_to_lru_tail_unlocked(b);
		dma_resv_unlock(b->base.resv);
	}
	return left_out_move(bo, evict, ctx, new_mem, hop);
}

static void ttm_lru_left_out_one_is_used(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");

	left_out_world = w;
	left_out_move = w->funcs.move;
	w->funcs.move = left_out_move_and_use_b;
	lru_mock.fail = "a";
	lru_mock.failures = 1;
	lru_mock.error = -ENOSPC;
	KUNIT_EXPECT_EQ(test, ttm_resource_manager_evict_all(w->bdev, lru_man(w)), 0);
	EXPECT_LETTERS(lru_mock.moved, "aab");
	EXPECT_SOUND(w, "");
}

/* A search for x: c joins a bulk that the second look has seen, and is valuable by then. */
static unsigned int left_out_times_asked;

static void left_out_join_c(struct lru_world *w, char letter)
{
	if (letter != 'b' || ++left_out_times_asked != 2)
		return;
	if (WARN_ON(!dma_resv_trylock(&w->resv)))
		return;
	ttm_bo_set_bulk_move(lru_bo(w, 'c'), &w->bulk[STAR]);
	dma_resv_unlock(&w->resv);
	lru_mock.worthless = "ab";
}

static void ttm_lru_left_out_one_joins(struct kunit *test)
{
	struct lru_world *w = lru_full(test, "a* b");
	struct ttm_operation_ctx ctx = {};

	lru_mock.space += PAGE_SIZE;
	lru_make(w, 'c', 0, NULL, false);
	lru_mock.worthless = "abc";
	lru_mock.at = left_out_join_c;
	left_out_times_asked = 0;
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), 0);
	EXPECT_LETTERS(lru_mock.asked, "abcabac");
	EXPECT_LETTERS(lru_mock.moved, "cx");
	EXPECT_SOUND(w, "a* b x");
}

/* While b is waited for, its holder frees it: the walk does not return b, and says so. */
static void left_out_give_up_place(struct lru_world *w, char letter)
{
	struct ttm_buffer_object *bo = lru_bo(w, letter);

	ttm_resource_free(bo, &bo->resource);
}

static void ttm_lru_left_out_one_is_freed(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");
	struct lru_holder holder = {
		.when_waited = true, .before = left_out_give_up_place,
	};
	struct ttm_operation_ctx ctx = {};
	struct ttm_lru_walk_arg arg = { .ctx = &ctx, .sleeping_lock = true };
	struct ttm_bo_lru_cursor curs;

	lru_hold(&holder, w, 'b');
	EXPECT_MET(&curs, w, &arg, "a");
	lru_let_go(&holder);
	KUNIT_EXPECT_TRUE(test, ttm_lru_left_out_any(&curs.left_out));
	EXPECT_SOUND(w, "a");
}

#ifdef LEFT_OUT_TRACES_LOCKS
/* Somebody drops the last reference to a when the walk has just reserved it. */
static void left_out_drop_a(void *data, struct lockdep_map *lock, unsigned int subclass,
			    int trylock, int read, int check,
			    struct lockdep_map *next_lock, unsigned long ip)
{
	struct lru_world *w = data;

	if (lock == &lru_bo(w, 'a')->base.resv->lock.base.dep_map)
		lru_drop_last(w, 'a');
}

/* The walk gives back the reservation of such a buffer, and says that it left it out. */
static void ttm_lru_left_out_one_is_dropped(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");
	struct ttm_operation_ctx ctx = {};
	struct ttm_lru_walk_arg arg = { .ctx = &ctx, .trylock_only = true };
	struct ttm_bo_lru_cursor curs;

	KUNIT_ASSERT_EQ(test, register_trace_lock_acquire(left_out_drop_a, w), 0);
	EXPECT_MET(&curs, w, &arg, "b");
	unregister_trace_lock_acquire(left_out_drop_a, w);
	tracepoint_synchronize_unregister();
	KUNIT_EXPECT_EQ(test, kref_read(&lru_bo(w, 'a')->kref), 0);
	lru_undrop_last(w, 'a');
	KUNIT_EXPECT_TRUE(test, ttm_lru_left_out_any(&curs.left_out));
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(lru_bo(w, 'a')->base.resv));
}
#endif

static struct kunit_case ttm_lru_left_out_cases[] = {
	KUNIT_CASE(ttm_lru_left_out_the_end_is_an_end),
	KUNIT_CASE(ttm_lru_left_out_one_is_not_there_yet),
	KUNIT_CASE(ttm_lru_left_out_one_enters_and_another_fails),
	KUNIT_CASE(ttm_lru_left_out_one_is_used),
	KUNIT_CASE(ttm_lru_left_out_one_joins),
	KUNIT_CASE(ttm_lru_left_out_one_is_freed),
#ifdef LEFT_OUT_TRACES_LOCKS
	KUNIT_CASE(ttm_lru_left_out_one_is_dropped),
#endif
	{}
};

static struct kunit_suite ttm_lru_left_out_suite = {
	.name = "ttm_lru_left_out",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_left_out_cases,
};

kunit_test_suites(&ttm_lru_left_out_suite);

MODULE_DESCRIPTION("KUnit tests for what walks over buffers leave out");
MODULE_LICENSE("Dual MIT/GPL");
