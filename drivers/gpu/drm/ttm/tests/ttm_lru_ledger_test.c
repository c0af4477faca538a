// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite of random histories against a ledger that knows only P1 and P2,
 * and of one history with and without walks for P3. It also runs on Linux's own
 * core; ttm_lru_random_test.c checks more promises, but needs ours.
 */

#include <linux/module.h>
#include <linux/prandom.h>

#include "lib/ttm_lru_fixture.h"

/*
 * Random operations on a few buffers, between the steps of three walks. The
 * ledger records which buffers a walk still owes (P1), and which it returned
 * that have not moved since (P2). It knows nothing of lists.
 */
#define LRU_RANDOM_BUFFERS	8
#define LRU_RANDOM_OPS		30000

struct lru_ledger {
	struct lru_world *w;
	struct rnd_state rnd;
	u32 on_lru;
	u32 owed[LRU_WALKS];
	u32 returned[LRU_WALKS];
	bool under_way[LRU_WALKS];
	struct lru_log log;
};

static void lru_random_fail(struct lru_ledger *l, const char *why)
{
	KUNIT_FAIL_AND_ABORT(l->w->test, "%s after%s: %s", why,
			     lru_log_text(&l->log), lru_draw(l->w, true));
}

static void lru_moved(struct lru_ledger *l, u32 buffers)
{
	for (int i = 0; i < LRU_WALKS; i++)
		l->returned[i] &= ~buffers;
}

/* These buffers left or entered: no walk in progress owes them. */
static void lru_entered(struct lru_ledger *l, u32 buffers)
{
	lru_moved(l, buffers);
	for (int i = 0; i < LRU_WALKS; i++)
		l->owed[i] &= ~buffers;
}

static void lru_random_step(struct lru_ledger *l, enum lru_walk walk)
{
	struct lru_world *w = l->w;
	const char *name;
	u32 buffer;

	if (!l->under_way[walk]) {
		lru_log(&l->log, "%cF", 'H' + walk);
		l->under_way[walk] = true;
		l->owed[walk] = l->on_lru;
		l->returned[walk] = 0;
		name = lru_first(w, walk);
	} else if (prandom_u32_state(&l->rnd) % 64) {
		lru_log(&l->log, "%cn", 'H' + walk);
		name = lru_next(w, walk);
	} else {
		/* Leave the walk early. */
		lru_log(&l->log, "%cf", 'H' + walk);
		l->owed[walk] = 0;
		name = "";
	}

	if (!*name) {
		if (l->owed[walk])
			lru_random_fail(l, "a walk missed a resource");
		l->under_way[walk] = false;
		lru_renew(w, walk);
		return;
	}
	buffer = BIT(name[0] - 'a');
	if (!(l->on_lru & buffer))
		lru_random_fail(l, "a walk returned a resource off the LRU");
	if (l->returned[walk] & buffer)
		lru_random_fail(l, "a walk repeated a resource");
	l->returned[walk] |= buffer;
	l->owed[walk] &= ~buffer;
}

/* The members of a bulk that are on the LRU. */
static u32 lru_members(struct lru_ledger *l, enum lru_bulk bulk)
{
	u32 members = 0;

	for (int i = 0; i < LRU_RANDOM_BUFFERS; i++)
		if (l->w->bo[i]->bulk_move == &l->w->bulk[bulk])
			members |= BIT(i);
	return members & l->on_lru;
}

/* Is a buffer an end of its range, or with @last its last member? */
static bool lru_at_end(struct lru_world *w, struct ttm_buffer_object *bo,
		       bool last)
{
	struct ttm_lru_bulk_move_pos *pos;

	pos = &bo->bulk_move->pos[w->mem_type][bo->priority];
	return pos->last == bo->resource ||
	       (!last && pos->first == bo->resource);
}

static void lru_random_op(struct lru_ledger *l, bool pins)
{
	u32 which = prandom_u32_state(&l->rnd) % LRU_RANDOM_BUFFERS;
	u32 dice = prandom_u32_state(&l->rnd) % 100;
	struct lru_world *w = l->w;
	struct ttm_buffer_object *bo = w->bo[which];
	u32 buffer = BIT(which);
	char op[5] = { 0, 'a' + which };

	if (!bo->resource) {
		op[0] = 'c';
		if (!bo->pin_count) {
			l->on_lru |= buffer;
			lru_entered(l, buffer);
		}
	} else if (bo->pin_count) {
		op[0] = dice < 90 ? 'u' : 't';
		if (dice < 90) {
			l->on_lru |= buffer;
			lru_entered(l, buffer);
		}
	} else if (dice < 25) {
		op[0] = 't';
		if (!bo->bulk_move || !lru_at_end(w, bo, true))
			lru_moved(l, buffer);
	} else if (dice < 45) {
		op[0] = 'B';
		op[1] = dice < 35 ? '*' : '+';
		lru_moved(l, lru_members(l, dice < 35 ? STAR : PLUS));
	} else if (dice < 60) {
		op[0] = 'd';
		l->on_lru &= ~buffer;
		lru_entered(l, buffer);
	} else if (dice < 70) {
		op[0] = 'l';
		if (bo->bulk_move && !lru_at_end(w, bo, false))
			lru_moved(l, buffer);
	} else if (dice < 85) {
		enum lru_bulk bulk = dice < 80 ? STAR : PLUS;

		op[0] = 'j';
		op[2] = "*+"[bulk];
		if (bo->bulk_move != &w->bulk[bulk])
			lru_entered(l, buffer);
	} else if (dice < 92 && pins) {
		op[0] = 'k';
		l->on_lru &= ~buffer;
		lru_entered(l, buffer);
	} else if (!bo->bulk_move) {
		op[0] = 'o';
		op[2] = '0' + dice % 2;
		if (bo->priority != dice % 2)
			lru_entered(l, buffer);
		else
			lru_moved(l, buffer);
	}
	if (!op[0])
		return;
	lru_log(&l->log, "%s", op);
	lru_op(w, op);
	if (op[0] != 'o')
		return;

	/* The list follows at its next operation. */
	op[0] = 't';
	op[2] = '\0';
	lru_log(&l->log, "%s", op);
	lru_op(w, op);
}

static void lru_random(struct kunit *test, bool pins, u64 seed)
{
	struct lru_ledger *l = kunit_kzalloc(test, sizeof(*l), GFP_KERNEL);
	struct lru_world *w = lru_world(test, "a* b* c* d+ e+ f | g* h");

	KUNIT_ASSERT_NOT_NULL(test, l);
	l->w = w;
	l->on_lru = BIT(LRU_RANDOM_BUFFERS) - 1;
	prandom_seed_state(&l->rnd, seed);
	for (int i = 0; i < LRU_RANDOM_OPS; i++) {
		u32 dice = prandom_u32_state(&l->rnd) % 8;

		if (dice < J + 1)
			lru_random_step(l, dice);
		else
			lru_random_op(l, pins);
		lru_draw(w, LRU_STRICT);
		if (LRU_STRICT && w->broken)
			lru_random_fail(l, "a list is broken");
	}
}

static void ttm_lru_p1_p2_at_random(struct kunit *test)
{
	lru_random(test, false, 1);
}

static void ttm_lru_p1_p2_at_random_with_pins(struct kunit *test)
{
	lru_random(test, true, 2);
}

/* The same history in two worlds, one of them without walks. */
static void ttm_lru_p3_at_random(struct kunit *test)
{
	struct lru_ledger *l = kunit_kzalloc(test, sizeof(*l), GFP_KERNEL);
	static const char picture[] = "a* b* c* d+ e+ f | g* h";
	struct lru_world *walked = lru_world(test, picture);
	struct lru_world *plain = lru_world(test, picture);

	KUNIT_ASSERT_NOT_NULL(test, l);
	l->w = walked;
	l->on_lru = BIT(LRU_RANDOM_BUFFERS) - 1;
	prandom_seed_state(&l->rnd, 3);
	for (int i = 0; i < LRU_RANDOM_OPS; i++) {
		u32 dice = prandom_u32_state(&l->rnd) % 8;
		unsigned long ops = l->log.ops;

		if (dice < J + 1) {
			lru_random_step(l, dice);
			continue;
		}
		lru_random_op(l, true);
		for (; ops < l->log.ops; ops++)
			lru_op(plain, l->log.op[ops % LRU_LOG]);
		if (strcmp(lru_draw_seen(walked), lru_draw_seen(plain)))
			lru_random_fail(l, "walks are seen");
	}
}

static struct kunit_case ttm_lru_ledger_cases[] = {
	KUNIT_CASE_SLOW(ttm_lru_p1_p2_at_random),
	KUNIT_CASE_SLOW(ttm_lru_p1_p2_at_random_with_pins),
	KUNIT_CASE_SLOW(ttm_lru_p3_at_random),
	{}
};

static struct kunit_suite ttm_lru_ledger_suite = {
	.name = "ttm_lru_ledger",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_ledger_cases,
};

kunit_test_suites(&ttm_lru_ledger_suite);

MODULE_DESCRIPTION("KUnit tests of TTM's LRU lists at random");
MODULE_LICENSE("Dual MIT/GPL");
