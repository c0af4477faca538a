// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite of random histories of TTM's LRU lists, against the model that
 * user space has its verdicts from as well. Here the real locks, pins,
 * swap-outs and frees are in play, and other threads.
 */

#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/sched.h>

#include <drm/ttm/ttm_tt.h>

#include "ttm_lru_told.h"

static unsigned long ops = 1000000;
module_param(ops, ulong, 0444);
MODULE_PARM_DESC(ops, "Operations of the random histories");

static unsigned long seed = 1;
module_param(seed, ulong, 0444);
MODULE_PARM_DESC(seed, "What the random histories begin with");

/* Swapping costs more, and so does a race for locks. */
#define SWAPOUT_SHARE	10
#define THREADS_SHARE	10

/* After so many operations the numbers of all are other ones. */
#define ROUND		4096
/* And after so many, the lists are looked at in the slow way. */
#define LOOK		256

/*
 * Dice
 */


static unsigned int dice(struct rnd_state *rnd, unsigned int sides)
{
	return prandom_u32_state(rnd) % sides;
}

/* A few steps of one lock hold, from @s on. */
static void dice_steps(struct rnd_state *rnd, char *s)
{
	for (int i = dice(rnd, 5); i >= 0; i--)
		*s++ = dice(rnd, 6) ? 'a' : 's';
	strcpy(s, "p");
}

/* What a walk does in one lock hold, see lru_told_walk(). */
static void dice_hold(struct rnd_state *rnd, bool on, char *s)
{
	unsigned int n = dice(rnd, 32);

	if (on && n < 18) {
		strcpy(s, "n");
	} else if (on && n < 29) {
		dice_steps(rnd, s);
	} else if (on && n < 31) {
		strcpy(s, n == 29 ? "f" : "F");
	} else if (n < 2) {
		/* It has ended, and that's that. */
		strcpy(s, n ? "aap" : "n");
	} else {
		*s++ = dice(rnd, 2) ? 'i' : 'b';
		if (dice(rnd, 2)) {
			strcpy(s, "F");
		} else {
			*s++ = 'r';
			dice_steps(rnd, s);
		}
	}
}

/*
 * Histories
 */

struct history {
	struct lru_told told;
	struct rnd_state rnd;
	/* How many of each there are in this round. */
	unsigned int buffers;
	unsigned int bulks;
	unsigned int prios;
	/* What may happen to buffers besides, returns false if that can't. */
	bool (*more)(struct history *h, char letter, unsigned int n);
};

static enum lru_type dice_type(struct history *h)
{
	/* Few are in system memory: a move there is something rare. */
	return dice(&h->rnd, 4) ? LRU_TT : LRU_SYSTEM;
}

static void history_walk(struct history *h)
{
	enum lru_walk walk = dice(&h->rnd, LRU_WALKS);
	char steps[10];

	dice_hold(&h->rnd, h->told.model.walk[walk].on, steps);
	lru_told_walk(&h->told, walk, steps);
}

/* A buffer with a place to move to is reserved until it has moved. */
static void history_moving(struct history *h, char letter)
{
	struct lru_told *t = &h->told;
	unsigned int n = dice(&h->rnd, 4);

	if (!n)
		lru_told_free_next(t, letter);
	else if (n == 1 && lru_bo(t->w, letter)->resource && !t->w->fence)
		lru_told_move_busy(t, letter);
	else if (n == 1 && t->w->fence)
		lru_told_idle(t);
	else
		lru_told_move(t, letter);
}

static void history_bulk(struct history *h, char letter)
{
	unsigned int n = dice(&h->rnd, 8);

	if (n < 2)
		lru_told_leave(&h->told, letter);
	else if (n < 5)
		lru_told_join(&h->told, letter, dice(&h->rnd, h->bulks));
	else
		lru_told_bulk_tail(&h->told, dice(&h->rnd, h->bulks));
}

/* A priority must not change inside a bulk. */
static bool history_priority(struct history *h, char letter)
{
	struct ttm_buffer_object *bo = lru_bo(h->told.w, letter);

	if (bo->bulk_move)
		return false;
	lru_told_set_priority(&h->told, letter, dice(&h->rnd, h->prios));
	return true;
}

static bool history_moves(struct history *h, char letter, unsigned int n)
{
	struct ttm_buffer_object *bo = lru_bo(h->told.w, letter);

	if (n || bo->pin_count || !lru_told_can_move(&h->told, letter))
		return false;
	lru_told_alloc_next(&h->told, letter, dice_type(h));
	return true;
}

static void history_buffer(struct history *h)
{
	char letter = 'a' + dice(&h->rnd, h->buffers);
	struct ttm_buffer_object *bo = lru_bo(h->told.w, letter);
	struct lru_told *t = &h->told;
	unsigned int n = dice(&h->rnd, 32);

	if (t->w->next[letter - 'a'])
		history_moving(h, letter);
	else if (n < 2 && h->more(h, letter, n))
		;
	else if (n < 4 && history_priority(h, letter))
		;
	else if (!bo->resource && n < 24 && lru_told_can_move(t, letter))
		lru_told_alloc(t, letter, dice_type(h));
	else if (bo->resource && n < 7)
		lru_told_free(t, letter);
	else if (n < 12 ? bo->pin_count : bo->pin_count > 1)
		lru_told_unpin(t, letter);
	else if (n < 14)
		lru_told_pin(t, letter);
	else if (n < 24)
		history_bulk(h, letter);
	else
		lru_told_tail(t, letter);
}

/* In a crowd not much happens in one place: now and then it is small. */
static void history_round(struct history *h)
{
	struct lru_told *t = &h->told;

	h->buffers = dice(&h->rnd, 2) ? LRU_TOLD_BUFFERS :
				       4 + dice(&h->rnd, 5);
	h->bulks = 1 + dice(&h->rnd, LRU_BULKS);
	h->prios = 2 + dice(&h->rnd, TTM_MAX_BO_PRIORITY - 1);
	for (char letter = 'a' + h->buffers;
	     letter < 'a' + LRU_TOLD_BUFFERS; letter++) {
		if (t->w->next[letter - 'a'])
			lru_told_free_next(t, letter);
		if (lru_bo(t->w, letter)->resource)
			lru_told_free(t, letter);
	}
}

static void history_run(struct history *h, unsigned long n)
{
	for (unsigned long i = 0; i < n; i++) {
		if (i % ROUND == 0)
			history_round(h);
		if (dice(&h->rnd, 2))
			history_walk(h);
		else
			history_buffer(h);
		if (i % LOOK == 0)
			lru_told_look(&h->told);
		lru_told_verdict(&h->told);
		cond_resched();
	}
}

static struct history *history_of(struct kunit *test, struct lru_world *w)
{
	struct history *h = kunit_kzalloc(test, sizeof(*h), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, h);
	kunit_info(test, "seed %lu\n", seed);
	prandom_seed_state(&h->rnd, seed);
	h->more = history_moves;
	lru_told_init(&h->told, w, LRU_TOLD_BUFFERS);
	return h;
}

static void ttm_lru_random_histories(struct kunit *test)
{
	struct lru_world *w =
		lru_world(test, "a* b* c* d+ e+ f g h | i# j# k l | m% n / o p");
	struct history *h = history_of(test, w);

	for (enum lru_walk walk = L; walk < LRU_WALKS; walk++)
		ttm_resource_cursor_init(&w->walk[walk], &w->bdev->sysman);
	history_run(h, ops);
}

static struct kunit_case ttm_lru_random_cases[] = {
	KUNIT_CASE_SLOW(ttm_lru_random_histories),
	{}
};

static struct kunit_suite ttm_lru_random_suite = {
	.name = "ttm_lru_random",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_random_cases,
};

kunit_test_suites(&ttm_lru_random_suite);
