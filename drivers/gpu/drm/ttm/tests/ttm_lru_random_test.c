// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite of random histories of TTM's LRU lists, compared with a model for
 * P1 to P7. User space compares with the same model; this suite adds the real
 * locks, pins, swap-outs and frees, and other threads.
 */

#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/sched.h>

#include <drm/ttm/ttm_tt.h>

#include "lib/ttm_lru_model_check.h"

static unsigned long ops = 1000000;
module_param(ops, ulong, 0444);
MODULE_PARM_DESC(ops, "Operations of the random histories");

static unsigned long seed = 1;
module_param(seed, ulong, 0444);
MODULE_PARM_DESC(seed, "Seed of the random histories");

/*
 * No more CPUs than the host has: a lock's holder must not have to wait for a
 * host CPU.
 */
static unsigned int cpus = 2;
module_param(cpus, uint, 0444);
MODULE_PARM_DESC(cpus, "CPUs that the threads run on");

/* Swap-outs and races for locks take longer. */
#define SWAPOUT_SHARE	10
#define THREADS_SHARE	50

/*
 * After this many operations, choose new numbers of buffers, bulks, priorities.
 */
#define ROUND		4096
/* After this many operations, check the lists in the slow way. */
#define LOOK		256

/*
 * Dice
 */

static unsigned int dice(struct rnd_state *rnd, unsigned int sides)
{
	return prandom_u32_state(rnd) % sides;
}

static const char *dice_of(struct rnd_state *rnd, const char * const *words,
			   unsigned int n)
{
	return words[dice(rnd, n)];
}

/* Steps in one hold of the lock, see ttm_lru_steps.h. */
static const char *dice_hold(struct rnd_state *rnd, bool on)
{
	static const char * const begin[] = {
		"iF", "bF", "irp", "brp", "irap", "brap", "iraaaap", "brasap",
	};
	static const char * const goes_on[] = {
		"n", "n", "n", "n", "ap", "aap", "aaap", "aaaaaap", "sp",
		"asp", "asap", "aasaap", "apap", "apsap",
	};
	/* Steps in the middle of a walk, or after its end. */
	static const char * const any[] = {
		"n", "aap", "sp", "p", "f", "F", "rp", "raap",
	};

	if (!dice(rnd, 16))
		return dice_of(rnd, any, ARRAY_SIZE(any));
	if (on)
		return dice_of(rnd, goes_on, ARRAY_SIZE(goes_on));
	return dice_of(rnd, begin, ARRAY_SIZE(begin));
}

/*
 * Histories
 */

struct history {
	struct lru_checked checked;
	struct rnd_state rnd;
	/* Numbers in this round */
	unsigned int buffers;
	unsigned int bulks;
	unsigned int prios;
	/*
	 * Do another operation on a buffer. Returns false if it is not
	 * possible.
	 */
	bool (*more)(struct history *h, char letter);
	/* All buffers are in system memory. */
	bool system;
};

static enum lru_type history_type(struct history *h)
{
	return h->system || !dice(&h->rnd, 4) ? LRU_SYSTEM : LRU_TT;
}

static void history_walk(struct history *h)
{
	enum lru_walk walk = dice(&h->rnd, LRU_WALKS);
	bool on = h->checked.model.walk[walk].on;

	lru_checked_walk(&h->checked, walk, dice_hold(&h->rnd, on));
}

/* A buffer that has a place to move to moves, or gives it up. */
static void history_moving(struct history *h, char letter)
{
	struct lru_checked *c = &h->checked;
	unsigned int n = dice(&h->rnd, 4);

	if (!n)
		lru_checked_free_next(c, letter);
	else if (n == 1 && lru_bo(c->w, letter)->resource && !c->w->fence)
		lru_checked_move_busy(c, letter);
	else if (n == 1 && c->w->fence)
		lru_checked_idle(c);
	else
		lru_checked_move(c, letter);
}

static void history_bulk(struct history *h, char letter)
{
	unsigned int n = dice(&h->rnd, 8);

	if (n < 2)
		lru_checked_leave(&h->checked, letter);
	else if (n < 5)
		lru_checked_join(&h->checked, letter, dice(&h->rnd, h->bulks));
	else
		lru_checked_bulk_tail(&h->checked, dice(&h->rnd, h->bulks));
}

/* A priority must not change inside a bulk. */
static bool history_priority(struct history *h, char letter)
{
	struct ttm_buffer_object *bo = lru_bo(h->checked.w, letter);

	if (bo->bulk_move)
		return false;
	lru_checked_set_priority(&h->checked, letter, dice(&h->rnd, h->prios));
	return true;
}

static bool history_move(struct history *h, char letter)
{
	struct ttm_buffer_object *bo = lru_bo(h->checked.w, letter);

	if (bo->pin_count || !lru_checked_can_move(&h->checked, letter))
		return false;
	lru_checked_alloc_next(&h->checked, letter, history_type(h));
	return true;
}

static bool can_shrink(const struct ttm_buffer_object *bo)
{
	return bo->resource && !bo->pin_count && bo->ttm && bo->ttm->backup &&
	       ttm_tt_is_populated(bo->ttm);
}

/* Every other buffer is shrunk by its driver. */
static bool history_pages(struct history *h, char letter)
{
	struct ttm_buffer_object *bo = lru_bo(h->checked.w, letter);
	struct lru_checked *c = &h->checked;
	unsigned int n = dice(&h->rnd, 4);

	if (!n) {
		lru_checked_swapout(c, 1 + dice(&h->rnd, 3));
	} else if (n == 1 && can_shrink(bo)) {
		lru_checked_shrink(c, letter);
	} else {
		c->w->funcs.ttm_tt_create = letter % 2 ?
			lru_shrinkable_create : ttm_dev_funcs.ttm_tt_create;
		lru_checked_populate(c, letter);
	}
	return true;
}

static void history_buffer(struct history *h)
{
	char letter = 'a' + dice(&h->rnd, h->buffers);
	struct ttm_buffer_object *bo = lru_bo(h->checked.w, letter);
	struct lru_checked *c = &h->checked;
	unsigned int n = dice(&h->rnd, 32);

	if (c->w->next[letter - 'a'])
		history_moving(h, letter);
	else if (n < 2 && h->more(h, letter))
		return;
	else if (n < 4 && history_priority(h, letter))
		return;
	else if (!bo->resource && n < 24 && lru_checked_can_move(c, letter))
		lru_checked_alloc(c, letter, history_type(h));
	else if (bo->resource && n < 7)
		lru_checked_free(c, letter);
	else if (n < 12 ? bo->pin_count : bo->pin_count > 1)
		lru_checked_unpin(c, letter);
	else if (n < 14)
		lru_checked_pin(c, letter);
	else if (n < 24)
		history_bulk(h, letter);
	else
		lru_checked_tail(c, letter);
}

/* Among many buffers little happens in one place: use few now and then. */
static void history_round(struct history *h)
{
	struct lru_checked *c = &h->checked;

	h->buffers = dice(&h->rnd, 2) ? LRU_CHECKED_BUFFERS :
				       4 + dice(&h->rnd, 5);
	h->bulks = 1 + dice(&h->rnd, LRU_BULKS);
	h->prios = 2 + dice(&h->rnd, TTM_MAX_BO_PRIORITY - 1);
	for (char letter = 'a' + h->buffers;
	     letter < 'a' + LRU_CHECKED_BUFFERS; letter++) {
		if (c->w->next[letter - 'a'])
			lru_checked_free_next(c, letter);
		if (lru_bo(c->w, letter)->resource)
			lru_checked_free(c, letter);
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
			lru_checked_look(&h->checked);
		lru_checked_verdict(&h->checked);
		cond_resched();
	}
}

/* A history of a world with as many buffers as the model has room for. */
static struct history *history_of(struct kunit *test, struct lru_world *w)
{
	struct history *h = kunit_kzalloc(test, sizeof(*h), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, h);
	kunit_info(test, "ops=%lu seed=%lu\n", ops, seed);
	prandom_seed_state(&h->rnd, seed);
	lru_checked_init(&h->checked, w, LRU_CHECKED_BUFFERS);
	return h;
}

static void ttm_lru_random_histories(struct kunit *test)
{
	struct lru_world *w =
		lru_world(test, "a* b* c* d+ e+ f g h | i# j# k l | m% n / o p");
	struct history *h = history_of(test, w);

	for (enum lru_walk walk = L; walk < LRU_WALKS; walk++)
		ttm_resource_cursor_init(&w->walk[walk], &w->bdev->sysman);
	h->more = history_move;
	history_run(h, ops);
}

/* As Xe does with purged pages. */
static int populate_purged(struct ttm_device *bdev, struct ttm_tt *tt,
			   struct ttm_operation_ctx *ctx)
{
	ttm_tt_clear_backed_up(tt);
	return ttm_pool_alloc(&bdev->pool, tt, ctx);
}

static void ttm_lru_random_swapout(struct kunit *test)
{
	struct lru_world *w =
		lru_world_system(test, "a* b* c* d+ e+ f g h i j | k# l# m n o p");
	struct history *h = history_of(test, w);

	w->funcs.ttm_tt_populate = populate_purged;
	h->more = history_pages;
	h->system = true;
	history_run(h, ops / SWAPOUT_SHARE);
}

/*
 * Two walkers and two movers run at the same time. The model is told of each
 * operation on buffers a to j in the hold of the lru_lock that does it, and judges
 * them. Of the other buffers only their state in that hold is checked.
 *
 *	a b f		no operations
 *	c* d* e* g* h*	to the tail, as a bulk
 *	i j		to the tail
 *	k to p		all operations, with the reservation that bulks share
 *	q to v		all but bulks, each with a reservation of its own
 */
#define RACE_KNOWN	10
#define RACE_WALKERS	2

struct race {
	struct lru_checked checked;
	struct racer {
		struct race *race;
		struct task_struct *task;
		struct completion finished;
		struct rnd_state rnd;

		/*
		 * A walker: its cursor, whether it is bounded, and its
		 * progress.
		 */
		enum lru_walk walk;
		bool bounded;
		unsigned int left;
		unsigned long walks;
		unsigned long steps;

		/* A mover: its first buffer, and whether it uses bulks. */
		char letters;
		bool bulks;
	} racer[RACE_WALKERS + 2];
};

/* A verdict was found: stop. */
static bool race_lost(void)
{
	/* Programs in user space share its writer, which is plain. */
	return data_race(READ_ONCE(lru_verdict.broken));
}

static void race_judge(struct racer *r, enum lru_promise promise,
		       const char *why)
{
	guard(spinlock)(&r->race->checked.w->bdev->lru_lock);
	lru_judge(promise, why);
}

static void count_resource(const struct ttm_lru_item *item, void *arg)
{
	unsigned int *n = arg;

	*n += ttm_lru_item_is_res(item);
}

/* Take a few steps in one hold of the lock. Is the walk still in progress? */
static bool race_hold(struct racer *r)
{
	static const char * const goes_on[] = { "n", "n", "ap", "aap" };
	struct lru_checked *c = &r->race->checked;
	const char *steps;
	unsigned int met;

	steps = dice_of(&r->rnd, goes_on, ARRAY_SIZE(goes_on));
	guard(spinlock)(&c->w->bdev->lru_lock);
	if (!c->model.walk[r->walk].on) {
		steps = r->bounded ? "bF" : "iF";
		r->walks++;
		r->left = 0;
		ttm_resource_manager_visit_lru(lru_man(c->w), count_resource,
					       &r->left);
	}
	met = lru_checked_walk_locked(c, r->walk, steps);
	if (r->bounded && met > r->left)
		lru_judge(P7_BOUNDED, "more steps than there were resources");
	r->left -= met;
	r->steps += met;
	return c->model.walk[r->walk].on;
}

/* Walk again and again. The last walk runs alone, and so must end. */
static int race_walk(void *data)
{
	struct racer *r = data;
	unsigned int last = 0;
	bool on;

	do {
		on = race_hold(r);
		if (kthread_should_stop() && ++last > 2 * LRU_MAX_NODES)
			race_judge(r, P6_FUSED, "a walk without an end");
		cond_resched();
	} while (!race_lost() && (on || !kthread_should_stop()));
	return 0;
}

static void race_known(struct racer *r)
{
	struct lru_checked *c = &r->race->checked;

	if (r->bulks)
		lru_checked_bulk_tail(c, STAR);
	else
		lru_checked_tail(c, 'i' + dice(&r->rnd, 2));
}

static void race_bulk(struct racer *r, char letter, unsigned int n)
{
	struct lru_world *w = r->race->checked.w;

	if (n < 3)
		lru_join(w, letter, PLUS);
	else if (n < 5)
		lru_leave(w, letter);
	else
		lru_bulk_tail(w, PLUS);
}

static void race_buffer(struct racer *r)
{
	char letter = r->letters + dice(&r->rnd, 6);
	struct lru_world *w = r->race->checked.w;
	struct ttm_buffer_object *bo = lru_bo(w, letter);
	unsigned int n = dice(&r->rnd, 16);

	if (!bo->resource && lru_try_alloc(w, letter))
		race_judge(r, NO_CRASH, "there is no space");
	else if (n < 6 && r->bulks)
		race_bulk(r, letter, n);
	else if (n < 8)
		lru_free(w, letter);
	else if (n < 10 && !bo->bulk_move)
		lru_set_priority(w, letter, dice(&r->rnd, 2));
	else if (n < 14 && bo->pin_count)
		lru_unpin(w, letter);
	else if (n < 11)
		lru_pin(w, letter);
	else
		lru_tail(w, letter);
}

static int race_churn(void *data)
{
	struct racer *r = data;

	for (unsigned long i = 0; i < ops / THREADS_SHARE && !race_lost(); i++) {
		if (dice(&r->rnd, 4))
			race_buffer(r);
		else
			race_known(r);
		cond_resched();
	}
	complete(&r->finished);
	return 0;
}

static void race_make(struct lru_world *w)
{
	for (char letter = 'i'; letter <= 'j'; letter++)
		lru_make_alone(w, letter, 0);
	for (char letter = 'k'; letter <= 'p'; letter++)
		lru_make(w, letter, letter % 2, NULL, false);
	for (char letter = 'q'; letter <= 'v'; letter++)
		lru_make_alone(w, letter, letter % 2);
}

static int race_start(struct race *race, unsigned int i)
{
	struct racer *r = &race->racer[i];

	r->race = race;
	init_completion(&r->finished);
	prandom_seed_state(&r->rnd, seed + i);
	r->walk = i;
	r->bounded = i % 2;
	r->bulks = i == RACE_WALKERS;
	r->letters = r->bulks ? 'k' : 'q';
	r->task = kthread_create(i < RACE_WALKERS ? race_walk : race_churn, r,
				 "ttm-lru/%u", i);
	if (IS_ERR(r->task))
		return PTR_ERR(r->task);
	kthread_bind(r->task,
		     cpumask_nth(i % clamp(cpus, 1U, num_online_cpus()),
				 cpu_online_mask));
	get_task_struct(r->task);
	wake_up_process(r->task);
	return 0;
}

/* Nothing is asserted while a thread runs. */
static int race_run(struct race *race)
{
	unsigned int n = 0;
	int ret = 0;

	while (n < ARRAY_SIZE(race->racer) && !ret)
		ret = race_start(race, n++);
	if (ret)
		n--;
	for (unsigned int i = RACE_WALKERS; i < n; i++)
		wait_for_completion(&race->racer[i].finished);
	while (n--)
		kthread_stop_put(race->racer[n].task);
	return ret;
}

static void ttm_lru_random_threads(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b c* d* e* | f g* h*");
	struct race *race = kunit_kzalloc(test, sizeof(*race), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, race);
	kunit_info(test, "ops=%lu seed=%lu\n", ops, seed);
	race_make(w);
	race->checked.strangers = true;
	lru_checked_init(&race->checked, w, RACE_KNOWN);
	KUNIT_ASSERT_EQ(test, race_run(race), 0);
	for (int i = 0; i < RACE_WALKERS; i++)
		kunit_info(test, "%lu %s walks of %lu steps\n",
			   race->racer[i].walks,
			   race->racer[i].bounded ? "bounded" : "plain",
			   race->racer[i].steps);
	lru_checked_look(&race->checked);
	lru_checked_verdict(&race->checked);
}

static struct kunit_case ttm_lru_random_cases[] = {
	KUNIT_CASE_SLOW(ttm_lru_random_histories),
	KUNIT_CASE_SLOW(ttm_lru_random_swapout),
	KUNIT_CASE_SLOW(ttm_lru_random_threads),
	{}
};

static struct kunit_suite ttm_lru_random_suite = {
	.name = "ttm_lru_random",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_random_cases,
};

kunit_test_suites(&ttm_lru_random_suite);
