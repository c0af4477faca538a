// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for walks over reserved buffers, and for eviction, swap-out and
 * teardown, which stand on them.
 *
 * Worlds, pictures and the rules for cases are those of ttm_lru_test.c; what a
 * walk met is told in letters. With CONFIG_DRM_TTM_LRU_PRISTINE the suite is
 * built for Linux's own walkers, without what these have no names for.
 */

#include <linux/cgroup_dmem.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/sched/signal.h>

#include <drm/ttm/ttm_placement.h>

#include "../ttm_module.h"
#include "lib/ttm_lru_mock_driver.h"

/*
 * Walks that note whom they meet
 */

struct lru_meeting {
	struct ttm_lru_walk walk;
	struct ttm_operation_ctx ctx;
	struct lru_world *w;
	struct lru_letters met;
	/* Who fails to be processed, and how. */
	const char *fail;
	s64 error;
	/* Called with the buffer reserved. */
	void (*at)(struct lru_world *w, char letter);
};

static s64 lru_meet(struct ttm_lru_walk *walk, struct ttm_buffer_object *bo)
{
	struct lru_meeting *m = container_of(walk, struct lru_meeting, walk);
	char letter = lru_letter(m->w, bo);

	lru_note(&m->met, letter);
	if (m->at)
		m->at(m->w, letter);
	if (m->fail && strchr(m->fail, letter))
		return m->error;
	return 1;
}

static const struct ttm_lru_walk_ops lru_meeting_ops = {
	.process_bo = lru_meet,
};

static void lru_meeting_init(struct lru_meeting *m, struct lru_world *w)
{
	*m = (struct lru_meeting) {
		.walk = {
			.ops = &lru_meeting_ops,
			.arg = { .ctx = &m->ctx, .trylock_only = true },
		},
		.w = w,
	};
}

static s64 lru_go(struct lru_meeting *m)
{
	return ttm_lru_walk_for_evict(&m->walk, m->w->bdev, lru_man(m->w),
				      S64_MAX);
}

static void lru_make_busy(struct dma_resv *resv)
{
	WARN_ON(!dma_resv_trylock(resv));
}

/* The reservations of @letters are held meanwhile. */
static s64 lru_go_while_busy(struct lru_meeting *m, const char *letters)
{
	const char *c;
	s64 ret;

	for (c = letters; *c; c++)
		lru_make_busy(lru_bo(m->w, *c)->base.resv);
	ret = lru_go(m);
	for (c = letters; *c; c++)
		dma_resv_unlock(lru_bo(m->w, *c)->base.resv);
	return ret;
}

static void lru_to_tail(struct lru_world *w, char letter)
{
	scoped_guard(spinlock, &w->bdev->lru_lock)
		ttm_bo_move_to_lru_tail(lru_bo(w, letter));
}

/*
 * Many buffers
 */

/*
 * @n buffers, in @bulks bulks, or loose if there are none. Each bulk has one
 * reservation, and those that are loose have another: lockdep can't count more.
 */
struct lru_mass {
	struct ttm_buffer_object *bo;
	struct ttm_lru_bulk_move *bulk;
	struct dma_resv *resv;
	unsigned int n, bulks;
};

static void lru_mass_init(struct lru_mass *mass, struct lru_world *w,
			  unsigned int n, unsigned int bulks)
{
	struct ttm_place place = { .mem_type = w->mem_type };
	struct kunit *test = w->test;

	*mass = (struct lru_mass) { .n = n, .bulks = bulks };
	mass->bo = kvcalloc(n, sizeof(*mass->bo), GFP_KERNEL);
	mass->bulk = kvcalloc(bulks + 1, sizeof(*mass->bulk), GFP_KERNEL);
	mass->resv = kvcalloc(bulks + 1, sizeof(*mass->resv), GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, mass->bo && mass->bulk && mass->resv);

	for (unsigned int i = 0; i <= bulks; i++) {
		dma_resv_init(&mass->resv[i]);
		ttm_lru_bulk_move_init(&mass->bulk[i]);
	}
	for (unsigned int i = 0; i < n; i++) {
		struct ttm_buffer_object *bo = &mass->bo[i];
		unsigned int bulk = bulks ? i / (n / bulks) : 0;

		bo->base.resv = &mass->resv[bulk];
		drm_gem_private_object_init(w->devs.drm, &bo->base, PAGE_SIZE);
		bo->bdev = w->bdev;
		bo->destroy = dummy_ttm_bo_destroy;
		kref_init(&bo->kref);
		dma_resv_lock(bo->base.resv, NULL);
		ttm_bo_set_bulk_move(bo, bulks ? &mass->bulk[bulk] : NULL);
		if (!ttm_resource_alloc(bo, &place, &bo->resource, NULL))
			mass->n = i + 1;
		dma_resv_unlock(bo->base.resv);
	}
	KUNIT_ASSERT_EQ(test, mass->n, n);
}

static void lru_mass_fini(struct lru_mass *mass, struct lru_world *w)
{
	for (unsigned int i = 0; i < mass->n; i++) {
		struct ttm_buffer_object *bo = &mass->bo[i];

		dma_resv_lock(bo->base.resv, NULL);
		ttm_bo_set_bulk_move(bo, NULL);
		ttm_resource_free(bo, &bo->resource);
		/* What the mock device leaves out when it frees it. */
		if (bo->ttm) {
			ttm_tt_unpopulate(w->bdev, bo->ttm);
			ttm_tt_fini(bo->ttm);
		}
		dma_resv_unlock(bo->base.resv);
		ttm_bo_fini(bo);
	}
	flush_workqueue(w->bdev->wq);
	for (unsigned int i = 0; i <= mass->bulks; i++) {
		ttm_lru_bulk_move_fini(w->bdev, &mass->bulk[i]);
		dma_resv_fini(&mass->resv[i]);
	}
	kvfree(mass->bo);
	kvfree(mass->bulk);
	kvfree(mass->resv);
}

/*
 * Whom a walk hands out, and how
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

	/* With the lru_lock, it would be a bug. */
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

/* One that failed is not met again, but for those who move it. */
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

/* Not even if the attempt itself moves it: Linux's own walk never ends. */
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

static char lru_step(struct ttm_bo_lru_cursor *curs, struct lru_world *w,
		     bool first)
{
	struct ttm_buffer_object *bo = first ? ttm_bo_lru_cursor_first(curs) :
					       ttm_bo_lru_cursor_next(curs);

	if (IS_ERR(bo))
		return '!';
	return bo ? lru_letter(w, bo) : '.';
}

/* The end is the end. In Linux's own the next step starts over. */
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
 * Waiting for reservations
 */

static void ttm_lru_walk_sleeping_waits(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");
	struct lru_holder holder = { .when_waited = true };
	struct lru_meeting m;
	s64 ret;

	lru_meeting_init(&m, w);
	m.walk.arg.trylock_only = false;
	m.walk.arg.sleeping_lock = true;
	lru_hold(&holder, w, 'b');
	ret = lru_go(&m);
	lru_let_go(&holder);
	KUNIT_EXPECT_EQ(test, ret, 3);
	EXPECT_LETTERS(m.met, "abc");
	EXPECT_SOUND(w, "a b c");
}

/* Whatever says that it may wait, that it must not wins. */
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

static void lru_free_it(struct lru_world *w, char letter)
{
	struct ttm_buffer_object *bo = lru_bo(w, letter);

	ttm_resource_free(bo, &bo->resource);
}

static void ttm_lru_walk_waited_in_vain(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");
	struct lru_holder holder = {
		.when_waited = true,
		.before = lru_free_it,
	};
	struct lru_meeting m;
	s64 ret;

	lru_meeting_init(&m, w);
	m.walk.arg.trylock_only = false;
	m.walk.arg.sleeping_lock = true;
	lru_hold(&holder, w, 'b');
	ret = lru_go(&m);
	lru_let_go(&holder);
	KUNIT_EXPECT_EQ(test, ret, 2);
	EXPECT_LETTERS(m.met, "ac");
	EXPECT_SOUND(w, "a c");
}

static void lru_move_to_system(struct lru_world *w, char letter)
{
	struct ttm_place place = { .mem_type = TTM_PL_SYSTEM };
	struct ttm_buffer_object *bo = lru_bo(w, letter);
	struct ttm_resource *res;

	if (!ttm_resource_alloc(bo, &place, &res, NULL))
		ttm_bo_move_null(bo, res);
}

/* What is waited for may be in another manager by then. */
static void ttm_lru_walk_waited_for_one_that_moves(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");
	struct lru_holder holder = {
		.when_waited = true,
		.before = lru_move_to_system,
	};
	struct lru_meeting m;
	s64 ret;

	lru_meeting_init(&m, w);
	m.walk.arg.trylock_only = false;
	m.walk.arg.sleeping_lock = true;
	lru_hold(&holder, w, 'b');
	ret = lru_go(&m);
	lru_let_go(&holder);
	KUNIT_EXPECT_EQ(test, ret, 2);
	EXPECT_LETTERS(m.met, "ac");
	EXPECT_SOUND(w, "a c");
}

/*
 * Walk in a transaction, in which @own is reserved. Buffers @first and @second are
 * held by others: until the first is waited for, and the second as well if
 * @both. The others' transactions are older if that is said.
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

/* What ends a walk whose caller must back off; Linux's own says it at once. */
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

/* With a signal that came already, waiting is over before it begins. */
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

/* What the caller lends is used, and not given away. */
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

/*
 * Buffers that are going away
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
	KUNIT_EXPECT_EQ(test, m.walk.left_out.dying, 0);
	lru_go(&m);
	KUNIT_EXPECT_EQ(test, m.walk.left_out.busy, 0);

	lru_drop_last(w, 'b');
	lru_go(&m);
	lru_undrop_last(w, 'b');
	KUNIT_EXPECT_EQ(test, m.walk.left_out.busy, 0);
	KUNIT_EXPECT_EQ(test, m.walk.left_out.dying, 1);
	lru_go(&m);
	KUNIT_EXPECT_EQ(test, m.walk.left_out.dying, 0);
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

static void ttm_lru_walk_ticket_waits_for_all(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c d e");
	struct lru_meeting m;

	lru_meeting_init(&m, w);
	m.walk.arg.keep_ticket = true;
	KUNIT_EXPECT_EQ(test, lru_go_with_ticket(&m, 'a', 'b', 'd', true,
						 false), 4);
	EXPECT_LETTERS(m.met, "bcde");
	/* What the transaction itself holds is not to be had: no skip. */
	KUNIT_EXPECT_EQ(test, m.walk.left_out.busy, 0);
}

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

/* A lock that a member has for itself says nothing of the others. */
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

/* A busy member with a lock of its own doesn't stand for the rest either. */
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
	s64 ret;

	lru_meeting_init(&m, w);
	m.walk.arg.trylock_only = false;
	m.walk.arg.sleeping_lock = true;
	lru_hold(&holder, w, 'a');
	ret = lru_go(&m);
	lru_let_go(&holder);
	KUNIT_EXPECT_EQ(test, ret, 4);
	EXPECT_LETTERS(m.met, "abcd");
	KUNIT_EXPECT_EQ(test, m.walk.left_out.busy, 0);
}

/* The transaction's own bulk is no one's to wait for, and skipped at once. */
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

/* Where a bulk was skipped, others come and go. */
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

	/* One leaves, one is pinned, one comes later, and the rest moves. */
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

/* Who begins where a bulk was skipped goes on behind it, whatever moves. */
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

static void ttm_lru_walk_short_holds_of_loose_ones(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "");
	struct ttm_lru_stats *stats;
	struct lru_meeting m;
	struct lru_mass mass;
	s64 ret;

	lru_mass_init(&mass, w, 320, 0);
	lru_meeting_init(&m, w);
	stats = lru_stats(w);
	lru_mass_lock(&mass, true);
	ret = lru_go(&m);
	lru_mass_lock(&mass, false);
	lru_mass_fini(&mass, w);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, m.walk.left_out.busy, 320);
	EXPECT_COUNTED(stats->longest, LRU_HOLD);
	EXPECT_COUNTED(stats->trylocks, 320);
	/* The last hold finds the end. */
	EXPECT_COUNTED(stats->holds, 320 / LRU_HOLD + 1);
	/* One a hold, and one at the start. */
	EXPECT_COUNTED(stats->parked, 320 / LRU_HOLD + 1);
}

static void ttm_lru_walk_ten_thousand_in_ten_bulks(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "");
	struct ttm_lru_stats *stats;
	struct lru_meeting m;
	struct lru_mass mass;
	s64 ret;

	lru_mass_init(&mass, w, 10000, 10);
	lru_meeting_init(&m, w);
	stats = lru_stats(w);
	lru_mass_lock(&mass, true);
	ret = lru_go(&m);
	lru_mass_lock(&mass, false);
	lru_mass_fini(&mass, w);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, m.walk.left_out.busy, 10);
	EXPECT_COUNTED(stats->trylocks, 10);
	EXPECT_COUNTED(stats->examined, 10);
	EXPECT_COUNTED(stats->holds, 1);
	EXPECT_COUNTED(stats->parked, 1);
}

/* A bounded walk ignores who left the middle of a range: that counts as well. */
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

#endif /* !CONFIG_DRM_TTM_LRU_PRISTINE */

/*
 * Eviction: one page is allotted to each buffer in TT
 */

static void ttm_lru_walk_evicts_the_oldest(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b | c");
	struct ttm_operation_ctx ctx = {};

	lru_fill(w, "abc");
	lru_make_homeless(w, 'x');
	lru_mock.space = 3 * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), 0);
	EXPECT_LETTERS(lru_mock.moved, "ax");
	EXPECT_SOUND(w, "b x | c");
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "abc"), "");
}

static void ttm_lru_walk_evicts_what_is_worth_it(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");
	struct ttm_operation_ctx ctx = {};

	lru_make_homeless(w, 'x');
	lru_mock.space = 3 * PAGE_SIZE;
	lru_mock.worthless = "ab";
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), 0);
	EXPECT_LETTERS(lru_mock.asked, "abc");
	EXPECT_SOUND(w, "a b x");
}

/* Buffers whose content is dropped go nowhere. */
static void ttm_lru_walk_evicts_to_nowhere(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");
	struct ttm_operation_ctx ctx = {};

	lru_make_homeless(w, 'x');
	lru_mock.space = 2 * PAGE_SIZE;
	lru_mock.drop = "a";
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), 0);
	KUNIT_EXPECT_NULL(test, lru_bo(w, 'a')->resource);
	EXPECT_SOUND(w, "b x");
}

static void ttm_lru_walk_evict_nothing_to_get(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");
	struct ttm_operation_ctx ctx = {};

	lru_make_homeless(w, 'x');
	lru_mock.space = 2 * PAGE_SIZE;
	lru_mock.worthless = "ab";
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), -ENOSPC);
	EXPECT_SOUND(w, "a b");
}

static void ttm_lru_walk_evict_fails_with(struct kunit *test, int error)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");
	struct ttm_operation_ctx ctx = {};

	lru_fill(w, "abc");
	lru_make_homeless(w, 'x');
	lru_mock.space = 3 * PAGE_SIZE;
	lru_mock.fail = "ab";
	lru_mock.error = error;
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), 0);
	EXPECT_LETTERS(lru_mock.moved, "abcx");
	EXPECT_SOUND(w, "a b x");
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "abc"), "");
}

static void ttm_lru_walk_evict_goes_on_after_enospc(struct kunit *test)
{
	ttm_lru_walk_evict_fails_with(test, -ENOSPC);
}

static void ttm_lru_walk_evict_goes_on_after_ebusy(struct kunit *test)
{
	ttm_lru_walk_evict_fails_with(test, -EBUSY);
}

static void ttm_lru_walk_evict_goes_on_after_enomem(struct kunit *test)
{
	ttm_lru_walk_evict_fails_with(test, -ENOMEM);
}

/* If there is nothing else, callers are told what they are told today. */
static void ttm_lru_walk_evict_reports_enomem(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");
	struct ttm_operation_ctx ctx = {};

	lru_make_homeless(w, 'x');
	lru_mock.space = 2 * PAGE_SIZE;
	lru_mock.fail = "a";
	lru_mock.worthless = "b";
	lru_mock.error = -ENOMEM;
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), -ENOMEM);
	EXPECT_SOUND(w, "a b");
}

static void ttm_lru_walk_evict_ends_with_eio(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");
	struct ttm_operation_ctx ctx = {};

	lru_make_homeless(w, 'x');
	lru_mock.space = 2 * PAGE_SIZE;
	lru_mock.fail = "a";
	lru_mock.error = -EIO;
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), -EIO);
	EXPECT_LETTERS(lru_mock.moved, "a");
	EXPECT_SOUND(w, "a b");
}

static void ttm_lru_walk_evict_lent_ones(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a* b* c*");
	struct ttm_operation_ctx ctx = {
		.allow_res_evict = true,
		.resv = &w->resv,
	};

	lru_make(w, 'x', 0, NULL, false);
	lru_free(w, 'x');
	lru_mock.space = 3 * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), 0);
	EXPECT_SOUND(w, "b* c* x");
}

/* Place x in a transaction, while others hold buffers until waited for. */
static int lru_place_while_held(struct lru_world *w, const char *held,
				bool older)
{
	struct lru_holder holder[3] = {};
	struct ttm_operation_ctx ctx = {};
	struct ww_acquire_ctx ticket;
	int n = strlen(held), ret;

	if (!older)
		lru_ticket_init(&ticket);
	for (int i = 0; i < n; i++) {
		holder[i].when_waited = !older;
		holder[i].ticket = older;
		lru_hold(&holder[i], w, held[i]);
	}
	if (older)
		lru_ticket_init(&ticket);
	ret = lru_place(w, 'x', &ctx, &ticket);
	ww_acquire_fini(&ticket);
	for (int i = 0; i < n; i++)
		lru_let_go(&holder[i]);
	return ret;
}

static void ttm_lru_walk_evict_waits_with_a_ticket(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");

	lru_make_homeless(w, 'x');
	lru_mock.space = 3 * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, lru_place_while_held(w, "abc", false), 0);
	EXPECT_SOUND(w, "b c x");
}

/*
 * One is waited for, but isn't worth it; the one that is, is busy as well. It
 * takes a pass that waits for all.
 */
static void ttm_lru_walk_evict_waits_for_all(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");

	lru_make_homeless(w, 'x');
	lru_mock.space = 3 * PAGE_SIZE;
	lru_mock.worthless = "ac";
	KUNIT_EXPECT_EQ(test, lru_place_while_held(w, "ab", false), 0);
	EXPECT_SOUND(w, "a c x");
}

static void ttm_lru_walk_evict_waits_for_a_bulk(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a* b* c* d");

	lru_make_homeless(w, 'x');
	lru_mock.space = 4 * PAGE_SIZE;
	lru_mock.worthless = "abd";
	KUNIT_EXPECT_EQ(test, lru_place_while_held(w, "a", false), 0);
	EXPECT_SOUND(w, "a* b* d x");
}

static void ttm_lru_walk_evict_may_die(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");

	lru_make_homeless(w, 'x');
	lru_mock.space = 2 * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, lru_place_while_held(w, "ab", true), -ENOSPC);
	EXPECT_SOUND(w, "a b");
}

/* All that is evictable goes, a pass at a time, if that is what it takes. */
static void ttm_lru_walk_evict_everything(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a* b* c d | e f");

	lru_make_homeless(w, 'x');
	lru_mock.space = 1;	/* x never fits */
	KUNIT_EXPECT_EQ(test, lru_place_while_held(w, "adf", false), -ENOSPC);
	EXPECT_SOUND(w, "");
}

/* The only bulk is busy for a moment, at the first look. */
static void lru_end_moment(struct lru_world *w, char letter)
{
	if (letter == 'z' && dma_resv_is_locked(&w->resv))
		dma_resv_unlock(&w->resv);
}

static void ttm_lru_walk_evict_looks_twice(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a* b* z");
	struct ttm_operation_ctx ctx = {};
	int ret;

	lru_make_homeless(w, 'x');
	lru_mock.space = 3 * PAGE_SIZE;
	lru_mock.worthless = "z";
	lru_mock.at = lru_end_moment;
	lru_make_busy(&w->resv);
	ret = lru_place(w, 'x', &ctx, NULL);
	lru_end_moment(w, 'z');
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_SOUND(w, "b* z x");
}

/* What wasn't worth it before others were evicted may be so now. */
static void lru_all_are_worth_it(struct lru_world *w, char letter)
{
	if (letter == 'b')
		lru_mock.worthless = NULL;
}

static void ttm_lru_walk_evict_as_long_as_it_helps(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");
	struct ttm_operation_ctx ctx = {};

	lru_make_homeless(w, 'x');
	lru_mock.space = PAGE_SIZE;
	lru_mock.worthless = "a";
	lru_mock.at = lru_all_are_worth_it;
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, NULL), 0);
	EXPECT_LETTERS(lru_mock.asked, "aba");
	EXPECT_SOUND(w, "x");
}

static void ttm_lru_walk_evict_all(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a* b* c | d");

	lru_fill(w, "abcd");
	KUNIT_EXPECT_EQ(test, ttm_resource_manager_evict_all(w->bdev,
							     lru_man(w)), 0);
	EXPECT_SOUND(w, "");
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "abcd"), "");
}

/* Those that can't be evicted keep nobody else from it. */
static void ttm_lru_walk_evict_all_but_failing(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b* c* d | e");
	int ret;

	lru_mock.fail = "ab";
	lru_mock.error = -ENOSPC;
	ret = ttm_resource_manager_evict_all(w->bdev, lru_man(w));
	lru_mock.fail = NULL;
	KUNIT_EXPECT_EQ(test, ret, -ENOSPC);
	EXPECT_SOUND(w, "a b*");
}

/* As long as there is progress, another attempt may succeed. */
static void ttm_lru_walk_evict_all_tries_again(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");

	lru_mock.fail = "a";
	lru_mock.error = -ENOSPC;
	lru_mock.failures = 1;
	KUNIT_EXPECT_EQ(test, ttm_resource_manager_evict_all(w->bdev,
							     lru_man(w)), 0);
	EXPECT_LETTERS(lru_mock.moved, "abca");
	EXPECT_SOUND(w, "");
}

/* What has no user any more is freed, instead of being moved. */
static void ttm_lru_walk_evict_zombies(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");
	struct ttm_operation_ctx ctx = {};
	struct ttm_buffer_object *bo;
	int ret;

	lru_fill(w, "ab");
	lru_make_homeless(w, 'x');
	lru_mock.space = 2 * PAGE_SIZE;
	/* As if its delayed delete was still to come. */
	bo = lru_bo(w, 'a');
	bo->deleted = true;
	ret = lru_place(w, 'x', &ctx, NULL);
	bo->deleted = false;
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_LETTERS(lru_mock.moved, "x");
	KUNIT_EXPECT_NULL(test, bo->resource);
	KUNIT_EXPECT_NULL(test, bo->ttm);
	EXPECT_SOUND(w, "b x");
}

/* A driver that evicts to where the buffers are: Linux's own goes on for ever. */
static void ttm_lru_walk_evict_all_stay(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");
	int ret;

	lru_mock.stay = true;
	ret = ttm_resource_manager_evict_all(w->bdev, lru_man(w));
	lru_mock.stay = false;
	KUNIT_EXPECT_EQ(test, ret, -EBUSY);
	EXPECT_SOUND(w, "a b");
}

/* And so it does if they must make room for another, in a transaction. */
static void ttm_lru_walk_evict_but_stay(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");

	lru_make_homeless(w, 'x');
	lru_bo(w, 'x')->base.size = 4 * PAGE_SIZE;
	lru_mock.space = 4 * PAGE_SIZE;
	lru_mock.stay = true;
	KUNIT_EXPECT_EQ(test, lru_place_while_held(w, "", false), -ENOSPC);
	lru_bo(w, 'x')->base.size = PAGE_SIZE;
	lru_mock.stay = false;
	EXPECT_SOUND(w, "a b");
}

static void ttm_lru_walk_evict_all_waits(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b* c* d");
	struct lru_holder holder = { .when_waited = true };
	int ret;

	lru_hold(&holder, w, 'c');
	ret = ttm_resource_manager_evict_all(w->bdev, lru_man(w));
	lru_let_go(&holder);
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_SOUND(w, "");
}

/* What was pinned while the walk waited for it stays. Linux's own moves it. */
static void lru_pin_it(struct lru_world *w, char letter)
{
	ttm_bo_pin(lru_bo(w, letter));
}

static void ttm_lru_walk_evict_all_pinned_meanwhile(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");
	struct lru_holder holder = {
		.when_waited = true,
		.before = lru_pin_it,
	};
	int ret;

	lru_hold(&holder, w, 'a');
	ret = ttm_resource_manager_evict_all(w->bdev, lru_man(w));
	lru_let_go(&holder);
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_LETTERS(lru_mock.moved, "b");
	EXPECT_SOUND(w, "/ a");
}

/* A ghost keeps its place until the copy engine is done. */
static int lru_idle_later(void *arg)
{
	struct lru_world *w = arg;

	msleep(20);
	lru_idle(w);
	while (!kthread_should_stop())
		usleep_range(50, 100);
	return 0;
}

static void ttm_lru_walk_evict_all_ghosts(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");
	struct task_struct *engine;
	int ret;

	lru_alloc_next(w, 'a');
	lru_move_busy(w, 'a');
	EXPECT_LRU(w, "b a ~");
	engine = kthread_run(lru_idle_later, w, "ttm-lru-engine");
	KUNIT_ASSERT_FALSE(test, IS_ERR(engine));
	ret = ttm_resource_manager_evict_all(w->bdev, lru_man(w));
	kthread_stop(engine);
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_SOUND(w, "");
}

/* What was evicted in a pipeline is under way until its fence signals. */
static void ttm_lru_walk_evict_all_pipelined(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a");
	struct task_struct *engine;
	struct dma_fence *fence;
	bool arrived;
	int ret;

	fence = dma_fence_get(lru_busy(w));
	lru_man(w)->eviction_fences[0] = dma_fence_get_stub();
	lru_man(w)->eviction_fences[1] = dma_fence_get(fence);
	engine = kthread_run(lru_idle_later, w, "ttm-lru-engine");
	KUNIT_ASSERT_FALSE(test, IS_ERR(engine));
	ret = ttm_resource_manager_evict_all(w->bdev, lru_man(w));
	arrived = dma_fence_is_signaled(fence);
	ttm_resource_manager_cleanup(lru_man(w));
	dma_fence_put(fence);
	kthread_stop(engine);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_TRUE(test, arrived);
}

/* Somebody drops the last reference; he will be done, and needs the lock. */
struct lru_dying {
	struct lru_world *w;
	char letter;
};

static int lru_die_slowly(void *arg)
{
	struct lru_dying *dying = arg;

	msleep(20);
	scoped_guard(spinlock, &dying->w->bdev->lru_lock)
		lru_undrop_last(dying->w, dying->letter);
	while (!kthread_should_stop())
		usleep_range(50, 100);
	return 0;
}

static struct task_struct *lru_let_die(struct lru_dying *dying,
				       struct lru_world *w, char letter)
{
	struct task_struct *task;

	*dying = (struct lru_dying) { .w = w, .letter = letter };
	lru_drop_last(w, letter);
	task = kthread_run(lru_die_slowly, dying, "ttm-lru-dying");
	KUNIT_ASSERT_FALSE(w->test, IS_ERR(task));
	return task;
}

static void ttm_lru_walk_evict_all_dying(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");
	struct task_struct *other;
	struct lru_dying dying;
	int ret;

	other = lru_let_die(&dying, w, 'a');
	ret = ttm_resource_manager_evict_all(w->bdev, lru_man(w));
	kthread_stop(other);
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_SOUND(w, "");
}

#ifdef CONFIG_CGROUP_DMEM
static void ttm_lru_walk_evict_cgroup(struct kunit *test)
{
	const struct dmem_cgroup_init init = { .size = SZ_1M };
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c d");
	struct dmem_cgroup_pool_state *pool, *limit;
	struct lru_holder holder = { .when_waited = true };
	struct dmem_cgroup_region *region;
	struct ttm_operation_ctx ctx = {};
	s64 freed = -1;

	region = dmem_cgroup_register_region(&init, "ttm-lru-test");
	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(region));
	for (char c = 'b'; c <= 'd'; c++)
		if (!dmem_cgroup_try_charge(region, PAGE_SIZE, &pool, &limit))
			lru_bo(w, c)->resource->css = pool;
	lru_hold(&holder, w, 'b');
	if (lru_bo(w, 'd')->resource->css)
		freed = ttm_bo_evict_cgroup(w->bdev, lru_man(w),
					    lru_bo(w, 'd')->resource->css,
					    2 * PAGE_SIZE, &ctx);
	lru_let_go(&holder);
	KUNIT_EXPECT_EQ(test, freed, 2 * PAGE_SIZE);
	/* The busy one wasn't needed; a is charged to nobody. */
	EXPECT_SOUND(w, "a b");

	lru_free(w, 'b');
	dmem_cgroup_unregister_region(region);
}
#endif

/*
 * Swap-out
 */

static void ttm_lru_walk_swapout_goes_on(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c d");
	struct ttm_operation_ctx ctx = {};
	s64 pages;

	lru_fill(w, "abcd");
	lru_mock.fail = "ab";
	lru_mock.error = -ENOSPC;
	pages = ttm_bo_swapout(w->bdev, &ctx, lru_man(w), GFP_KERNEL, 2);
	lru_mock.fail = NULL;
	KUNIT_EXPECT_EQ(test, pages, 2);
	EXPECT_LETTERS(lru_mock.moved, "abcd");
	EXPECT_LETTERS(lru_mock.swapped, "cd");
	EXPECT_SOUND(w, "a b / c d");
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "abcd"), "");
}

/* What has no pages stays where it is. */
static void ttm_lru_walk_swapout_of_unpopulated(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");
	struct ttm_operation_ctx ctx = {};
	struct ttm_buffer_object *bo;

	lru_fill(w, "bc");
	bo = lru_reserve(w, 'b');
	ttm_tt_unpopulate(w->bdev, bo->ttm);
	lru_unreserve(bo);
	KUNIT_EXPECT_EQ(test, ttm_bo_swapout(w->bdev, &ctx, lru_man(w),
					     GFP_KERNEL, S64_MAX), 1);
	EXPECT_LETTERS(lru_mock.moved, "c");
	EXPECT_SOUND(w, "a b / c");
}

static void ttm_lru_walk_swapout_of_members(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_SYSTEM, "a* b* c* d");
	struct ttm_operation_ctx ctx = {};

	lru_fill(w, "bd");
	KUNIT_EXPECT_EQ(test, ttm_bo_swapout(w->bdev, &ctx, lru_man(w),
					     GFP_KERNEL, S64_MAX), 2);
	EXPECT_SOUND(w, "a* c* / b d");
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "bd"), "");
	EXPECT_SOUND(w, "a* c* b* d");
}

/*
 * The fourth patch of the original set: with buffers in front that can't be
 * swapped out, the next ones are, in one walk. In Linux's own each of the others
 * takes an attempt at all of them.
 */
static void ttm_lru_walk_hibernation_in_one_walk(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c d e f g h");
	int ret;

	lru_fill(w, "abcdefgh");
	lru_mock.fail = "abc";
	lru_mock.error = -ENOSPC;
	ret = ttm_device_prepare_hibernation(w->bdev);
	lru_mock.fail = NULL;
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_LETTERS(lru_mock.moved, "abcdefgh");
	EXPECT_LETTERS(lru_mock.swapped, "defgh");
	EXPECT_SOUND(w, "a b c / d e f g h");
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "abcdefgh"), "");
}

/*
 * The same with many, counted: K that fail in front of others. Each kind of buffer
 * is asked whether it is worth it, and moved to system memory first.
 */
#define LRU_SWAPPABLE	1000

static struct {
	const struct ttm_buffer_object *failing, *end;
	unsigned long steps, attempts, swapped;
} lru_counted;

static bool lru_count_step(struct ttm_buffer_object *bo,
			   const struct ttm_place *place)
{
	lru_counted.steps++;
	return true;
}

static int lru_count_attempt(struct ttm_buffer_object *bo, bool evict,
			     struct ttm_operation_ctx *ctx,
			     struct ttm_resource *new_mem,
			     struct ttm_place *hop)
{
	lru_counted.attempts++;
	if (bo >= lru_counted.failing && bo < lru_counted.end)
		return -ENOSPC;
	ttm_bo_move_null(bo, new_mem);
	return 0;
}

static void lru_count_swapped(struct ttm_buffer_object *bo)
{
	lru_counted.swapped++;
}

static void ttm_lru_walk_swapout_behind(struct kunit *test, unsigned int k)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "");
	struct ttm_operation_ctx ctx = {};
	unsigned int n = k + LRU_SWAPPABLE;
	struct lru_mass mass;
	int ret = 0;

	lru_mass_init(&mass, w, n, 0);
	for (unsigned int i = 0; i < n && !ret; i++) {
		struct ttm_buffer_object *bo = &mass.bo[i];

		dma_resv_lock(bo->base.resv, NULL);
		ret = ttm_tt_create(bo, false) ?: ttm_bo_populate(bo, &ctx);
		dma_resv_unlock(bo->base.resv);
	}
	memset(&lru_counted, 0, sizeof(lru_counted));
	lru_counted.failing = mass.bo;
	lru_counted.end = mass.bo + k;
	w->funcs.eviction_valuable = lru_count_step;
	w->funcs.move = lru_count_attempt;
	w->funcs.swap_notify = lru_count_swapped;
	if (!ret)
		ret = ttm_device_prepare_hibernation(w->bdev);
	lru_counted.end = mass.bo;
	lru_mass_fini(&mass, w);

	kunit_info(test, "counted: %u of %u fail: %lu attempts, %lu steps\n", k,
		   n, lru_counted.attempts, lru_counted.steps);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, lru_counted.swapped, LRU_SWAPPABLE);
	KUNIT_EXPECT_EQ(test, lru_counted.attempts, n);
	KUNIT_EXPECT_EQ(test, lru_counted.steps, n);
}

static void ttm_lru_walk_swapout_behind_1(struct kunit *test)
{
	ttm_lru_walk_swapout_behind(test, 1);
}

static void ttm_lru_walk_swapout_behind_100(struct kunit *test)
{
	ttm_lru_walk_swapout_behind(test, 100);
}

static void ttm_lru_walk_swapout_behind_1000(struct kunit *test)
{
	ttm_lru_walk_swapout_behind(test, 1000);
}

static void ttm_lru_walk_swapout_one_buffer(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");
	struct ttm_operation_ctx ctx = {};

	lru_fill(w, "ab");
	KUNIT_EXPECT_EQ(test, ttm_device_swapout(w->bdev, &ctx, GFP_KERNEL), 1);
	EXPECT_SOUND(w, "b / a");
	KUNIT_EXPECT_EQ(test, ttm_device_swapout(w->bdev, &ctx, GFP_KERNEL), 1);
	EXPECT_SOUND(w, "/ a b");
	KUNIT_EXPECT_EQ(test, ttm_device_swapout(w->bdev, &ctx, GFP_KERNEL), 0);
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "ab"), "");
}

/* Who has swapped out something is told so, whatever came then. */
static void ttm_lru_walk_swapout_keeps_its_progress(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c d");
	struct ttm_operation_ctx ctx = {};
	s64 pages;

	lru_fill(w, "abcd");
	lru_mock.fail = "c";
	lru_mock.error = -EIO;
	pages = ttm_bo_swapout(w->bdev, &ctx, lru_man(w), GFP_KERNEL, 4);
	KUNIT_EXPECT_EQ(test, pages, 2);
	pages = ttm_bo_swapout(w->bdev, &ctx, lru_man(w), GFP_KERNEL, 4);
	lru_mock.fail = NULL;
	KUNIT_EXPECT_EQ(test, pages, -EIO);
	EXPECT_SOUND(w, "c d / a b");
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "abcd"), "");
}

static void ttm_lru_walk_swapout_zombies(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_SYSTEM, "a b");
	struct ttm_operation_ctx ctx = {};
	struct ttm_buffer_object *bo;
	s64 pages;

	lru_fill(w, "ab");
	/* As if its delayed delete was still to come. */
	bo = lru_bo(w, 'a');
	bo->deleted = true;
	pages = ttm_bo_swapout(w->bdev, &ctx, lru_man(w), GFP_KERNEL, 1);
	bo->deleted = false;
	KUNIT_EXPECT_EQ(test, pages, 1);
	KUNIT_EXPECT_NULL(test, bo->resource);
	KUNIT_EXPECT_NULL(test, bo->ttm);
	EXPECT_SOUND(w, "b");
}

#ifndef CONFIG_DRM_TTM_LRU_PRISTINE

/* What is busy when the walk gets there is tried again. */
static void lru_end_moment_at_c(struct lru_world *w, char letter)
{
	if (letter == 'c' && dma_resv_is_locked(&w->resv))
		dma_resv_unlock(&w->resv);
}

static void ttm_lru_walk_swapout_looks_twice(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_SYSTEM, "a* b* c");
	struct ttm_operation_ctx ctx = {};
	int ret;

	lru_fill(w, "abc");
	lru_mock.at = lru_end_moment_at_c;
	lru_make_busy(&w->resv);
	ret = ttm_device_swapout_all(w->bdev, &ctx, GFP_KERNEL);
	lru_end_moment_at_c(w, 'c');
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_SOUND(w, "/ c a b");
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "abc"), "");
}

/* All managers of a device, whatever failed in the first. */
static void ttm_lru_walk_swapout_all_managers(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");
	struct ttm_operation_ctx ctx = {};
	int ret;

	lru_fill(w, "abc");
	lru_reserve(w, 'a');
	lru_move_to_system(w, 'a');
	lru_unreserve(lru_bo(w, 'a'));
	lru_mock.fail = "b";
	lru_mock.error = -ENOMEM;
	ret = ttm_device_swapout_all(w->bdev, &ctx, GFP_KERNEL);
	lru_mock.fail = NULL;
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_LETTERS(lru_mock.swapped, "ac");
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "abc"), "");
}

/* All devices; the one that gave something is the last to be asked again. */
static void ttm_lru_walk_swapout_all_devices(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_SYSTEM, "a b");
	struct ttm_operation_ctx ctx = {};
	struct lru_world *other;
	s64 pages[3];

	lru_fill(w, "ab");
	other = lru_mock_world(test, TTM_PL_SYSTEM, "c d");
	lru_fill(other, "cd");
	pages[0] = ttm_global_swapout_pages(&ctx, GFP_KERNEL, 1);
	EXPECT_SOUND(w, "b / a");
	EXPECT_SOUND(other, "c d");
	pages[1] = ttm_global_swapout_pages(&ctx, GFP_KERNEL, 1);
	EXPECT_SOUND(w, "b / a");
	EXPECT_SOUND(other, "d / c");
	pages[2] = ttm_global_swapout_pages(&ctx, GFP_KERNEL, 100);
	EXPECT_SOUND(w, "/ a b");
	EXPECT_SOUND(other, "/ c d");
	KUNIT_EXPECT_EQ(test, pages[0], 1);
	KUNIT_EXPECT_EQ(test, pages[1], 1);
	KUNIT_EXPECT_EQ(test, pages[2], 2);
	KUNIT_EXPECT_EQ(test,
			ttm_global_swapout_pages(&ctx, GFP_KERNEL, 1), 0);
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "ab"), "");
	KUNIT_EXPECT_STREQ(test, lru_verify(other, "cd"), "");
}

/*
 * Failing allocations: the n-th that is made fails, for each n until none does.
 */

#ifdef LRU_CAN_FAIL
static int lru_last_ret;

static void lru_swapout_all(struct lru_world *w)
{
	struct ttm_operation_ctx ctx = {};

	lru_last_ret = ttm_device_swapout_all(w->bdev, &ctx, GFP_KERNEL);
}

static void ttm_lru_walk_swapout_failing_allocations(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a* b* c");
	unsigned int n = 0, out;

	do {
		lru_mock.swapped = (struct lru_letters) {};
		for (char c = 'a'; c <= 'c'; c++) {
			KUNIT_ASSERT_EQ(test, lru_populate(w, c), 0);
			if (lru_bo(w, c)->resource->mem_type == TTM_PL_TT)
				continue;
			lru_alloc_next(w, c);
			lru_move(w, c);
		}
		lru_fill(w, "abc");
		n++;
		if (!lru_with_failure(n, lru_swapout_all, w))
			break;
		KUNIT_EXPECT_EQ_MSG(test, lru_last_ret, 0, "allocation %u", n);
		/* One may fail for it, no more. */
		out = 0;
		for (char c = 'a'; c <= 'c'; c++)
			out += ttm_tt_is_swapped(lru_bo(w, c)->ttm);
		KUNIT_EXPECT_GE_MSG(test, out, 2, "allocation %u", n);
		KUNIT_EXPECT_STREQ(test, lru_verify(w, "abc"), "");
	} while (n < 1000);
	kunit_info(test, "each of %u allocations failed\n", n - 1);
	KUNIT_EXPECT_GT(test, n, 10);
	KUNIT_EXPECT_LT(test, n, 1000);
}

static void lru_place_x(struct lru_world *w)
{
	struct ttm_operation_ctx ctx = {};

	lru_last_ret = lru_place(w, 'x', &ctx, NULL);
}

static void ttm_lru_walk_evict_failing_allocations(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");
	struct ttm_operation_ctx ctx = {};
	unsigned int n = 0;
	bool failed;

	lru_fill(w, "abc");
	lru_make_homeless(w, 'x');
	lru_mock.space = 3 * PAGE_SIZE;
	do {
		n++;
		failed = lru_with_failure(n, lru_place_x, w);
		if (lru_last_ret) {
			KUNIT_EXPECT_EQ_MSG(test, lru_last_ret, -ENOMEM,
					    "allocation %u", n);
			KUNIT_EXPECT_NULL(test, lru_bo(w, 'x')->resource);
		} else {
			lru_free(w, 'x');
		}
		/* Who had to go comes back. */
		for (char c = 'a'; c <= 'c'; c++)
			KUNIT_ASSERT_EQ(test, lru_place(w, c, &ctx, NULL), 0);
		KUNIT_EXPECT_EQ(test, lru_man(w)->usage, 3 * PAGE_SIZE);
		KUNIT_EXPECT_STREQ(test, lru_verify(w, "abc"), "");
	} while (failed && n < 1000);
	kunit_info(test, "each of %u allocations failed\n", n - 1);
	KUNIT_EXPECT_EQ(test, lru_last_ret, 0);
	KUNIT_EXPECT_GT(test, n, 2);
	KUNIT_EXPECT_LT(test, n, 1000);
}
#endif

#endif /* !CONFIG_DRM_TTM_LRU_PRISTINE */

/*
 * Teardown
 */

static const char *lru_populated(struct lru_world *w)
{
	static struct lru_letters letters;

	letters = (struct lru_letters) {};
	for (int i = 0; i < LRU_BUFFERS; i++)
		if (w->bo[i] && w->bo[i]->ttm &&
		    ttm_tt_is_populated(w->bo[i]->ttm))
			lru_note(&letters, 'a' + i);
	return letters.text;
}

static void ttm_lru_walk_teardown(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b | c d");

	lru_fill(w, "abcd");
	lru_pin(w, 'b');
	lru_reserve(w, 'd');
	lru_move_to_system(w, 'd');
	lru_unreserve(lru_bo(w, 'd'));
	ttm_device_clear_dma_mappings(w->bdev);
	KUNIT_EXPECT_STREQ(test, lru_populated(w), "");
}

/* Linux's own takes members from their lists, and leaves them in their ranges. */
static void ttm_lru_walk_defect8_ranges(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a* b* c* d");

	lru_fill(w, "abcd");
	ttm_device_clear_dma_mappings(w->bdev);
	KUNIT_EXPECT_STREQ(test, lru_populated(w), "");
	EXPECT_SOUND(w, "a* b* c* d");
	lru_bulk_tail(w, STAR);
	EXPECT_SOUND(w, "d a* b* c*");
}

/* One has two resources: it unlinks the wrong one, again and again. */
static void ttm_lru_walk_defect8_resource_not_in_hand(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");

	lru_fill(w, "ab");
	lru_alloc_next(w, 'a');
	ttm_device_clear_dma_mappings(w->bdev);
	KUNIT_EXPECT_STREQ(test, lru_populated(w), "");
	EXPECT_SOUND(w, "a b a'");
}

/* One has a resource that isn't the buffer's yet: a NULL dereference. */
static void ttm_lru_walk_defect8_no_resource(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");

	lru_fill(w, "b");
	lru_free(w, 'a');
	lru_alloc_next(w, 'a');
	ttm_device_clear_dma_mappings(w->bdev);
	KUNIT_EXPECT_STREQ(test, lru_populated(w), "");
	EXPECT_SOUND(w, "b a'");
}

/* It spins with the lock that the other needs to be done. */
static void ttm_lru_walk_defect8_last_reference(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");
	struct task_struct *other;
	struct lru_dying dying;

	lru_fill(w, "abc");
	lru_pin(w, 'c');
	other = lru_let_die(&dying, w, 'a');
	ttm_device_clear_dma_mappings(w->bdev);
	kthread_stop(other);
	KUNIT_EXPECT_STREQ(test, lru_populated(w), "");
	EXPECT_SOUND(w, "a b / c");
}

static void ttm_lru_walk_defect8_last_reference_pinned(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");
	struct task_struct *other;
	struct lru_dying dying;

	lru_fill(w, "abc");
	lru_pin(w, 'a');
	lru_pin(w, 'b');
	other = lru_let_die(&dying, w, 'a');
	ttm_device_clear_dma_mappings(w->bdev);
	kthread_stop(other);
	KUNIT_EXPECT_STREQ(test, lru_populated(w), "");
	/* The order there tells nothing. */
	lru_unpin(w, 'a');
	lru_unpin(w, 'b');
	EXPECT_SOUND(w, "c a b");
}

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
	KUNIT_CASE(ttm_lru_walk_sleeping_waits),
	KUNIT_CASE(ttm_lru_walk_only_tries),
	KUNIT_CASE(ttm_lru_walk_waited_in_vain),
	KUNIT_CASE(ttm_lru_walk_waited_for_one_that_moves),
	KUNIT_CASE(ttm_lru_walk_ticket_waits_once),
	KUNIT_CASE(ttm_lru_walk_ticket_may_die),
	KUNIT_CASE(ttm_lru_walk_interrupted),
	KUNIT_CASE(ttm_lru_walk_uses_what_is_lent),
	KUNIT_CASE(ttm_lru_walk_passes_by_dying_ones),
	KUNIT_CASE(ttm_lru_walk_meets_ghosts),
#ifndef CONFIG_DRM_TTM_LRU_PRISTINE
	KUNIT_CASE(ttm_lru_walk_counts_what_it_skips),
	KUNIT_CASE(ttm_lru_walk_keeps_its_progress),
	KUNIT_CASE(ttm_lru_walk_unbounded_follows),
	KUNIT_CASE(ttm_lru_walk_end_after_an_error),
	KUNIT_CASE(ttm_lru_walk_released_keeps_its_place),
	KUNIT_CASE(ttm_lru_walk_ticket_waits_for_all),
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
#endif
	KUNIT_CASE(ttm_lru_walk_evicts_the_oldest),
	KUNIT_CASE(ttm_lru_walk_evicts_what_is_worth_it),
	KUNIT_CASE(ttm_lru_walk_evicts_to_nowhere),
	KUNIT_CASE(ttm_lru_walk_evict_nothing_to_get),
	KUNIT_CASE(ttm_lru_walk_evict_goes_on_after_enospc),
	KUNIT_CASE(ttm_lru_walk_evict_goes_on_after_ebusy),
	KUNIT_CASE(ttm_lru_walk_evict_goes_on_after_enomem),
	KUNIT_CASE(ttm_lru_walk_evict_reports_enomem),
	KUNIT_CASE(ttm_lru_walk_evict_ends_with_eio),
	KUNIT_CASE(ttm_lru_walk_evict_lent_ones),
	KUNIT_CASE(ttm_lru_walk_evict_waits_with_a_ticket),
	KUNIT_CASE(ttm_lru_walk_evict_waits_for_all),
	KUNIT_CASE(ttm_lru_walk_evict_waits_for_a_bulk),
	KUNIT_CASE(ttm_lru_walk_evict_may_die),
	KUNIT_CASE(ttm_lru_walk_evict_everything),
	KUNIT_CASE(ttm_lru_walk_evict_looks_twice),
	KUNIT_CASE(ttm_lru_walk_evict_as_long_as_it_helps),
	KUNIT_CASE(ttm_lru_walk_evict_all),
	KUNIT_CASE(ttm_lru_walk_evict_all_but_failing),
	KUNIT_CASE(ttm_lru_walk_evict_all_tries_again),
	KUNIT_CASE(ttm_lru_walk_evict_zombies),
	KUNIT_CASE(ttm_lru_walk_evict_all_stay),
	KUNIT_CASE(ttm_lru_walk_evict_but_stay),
	KUNIT_CASE(ttm_lru_walk_evict_all_waits),
	KUNIT_CASE(ttm_lru_walk_evict_all_pinned_meanwhile),
	KUNIT_CASE(ttm_lru_walk_evict_all_ghosts),
	KUNIT_CASE(ttm_lru_walk_evict_all_pipelined),
	KUNIT_CASE(ttm_lru_walk_evict_all_dying),
#ifdef CONFIG_CGROUP_DMEM
	KUNIT_CASE(ttm_lru_walk_evict_cgroup),
#endif
	KUNIT_CASE(ttm_lru_walk_swapout_goes_on),
	KUNIT_CASE(ttm_lru_walk_swapout_of_unpopulated),
	KUNIT_CASE(ttm_lru_walk_swapout_of_members),
	KUNIT_CASE(ttm_lru_walk_hibernation_in_one_walk),
	KUNIT_CASE(ttm_lru_walk_swapout_behind_1),
	KUNIT_CASE(ttm_lru_walk_swapout_behind_100),
	KUNIT_CASE_SLOW(ttm_lru_walk_swapout_behind_1000),
	KUNIT_CASE(ttm_lru_walk_swapout_one_buffer),
	KUNIT_CASE(ttm_lru_walk_swapout_keeps_its_progress),
	KUNIT_CASE(ttm_lru_walk_swapout_zombies),
#ifndef CONFIG_DRM_TTM_LRU_PRISTINE
	KUNIT_CASE(ttm_lru_walk_swapout_looks_twice),
	KUNIT_CASE(ttm_lru_walk_swapout_all_managers),
	KUNIT_CASE(ttm_lru_walk_swapout_all_devices),
#ifdef LRU_CAN_FAIL
	KUNIT_CASE(ttm_lru_walk_swapout_failing_allocations),
	KUNIT_CASE(ttm_lru_walk_evict_failing_allocations),
#endif
#endif
	KUNIT_CASE(ttm_lru_walk_teardown),
	KUNIT_CASE(ttm_lru_walk_defect8_ranges),
	KUNIT_CASE(ttm_lru_walk_defect8_resource_not_in_hand),
	KUNIT_CASE(ttm_lru_walk_defect8_no_resource),
	KUNIT_CASE(ttm_lru_walk_defect8_last_reference),
	KUNIT_CASE(ttm_lru_walk_defect8_last_reference_pinned),
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
