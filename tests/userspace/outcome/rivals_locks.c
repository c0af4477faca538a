// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The points where the caller waits or can be interrupted, and where others run. */

#include "rivals.h"

/* Far more points than our side needs: everything that it waits for happens earlier. */
#define MOST_POINTS	4000

static const enum holder holders[] = { PLAIN, YOUNGER, OLDER, CALLER };

static enum holder holder_of(const struct ww_mutex *lock)
{
	if (!lock->held)
		return NOBODY;
	if (lock->callers)
		return CALLER;
	for (unsigned int i = 0; i < ARRAY_SIZE(holders); i++)
		if (lock->ctx == &rivals.ticket[holders[i]])
			return holders[i];
	return PLAIN;
}

enum holder rival_holder(const struct dma_resv *resv)
{
	return holder_of(&resv->lock);
}

void rival_hold(struct dma_resv *resv, enum holder holder)
{
	WARN_ON(resv->lock.held);
	resv->lock = (struct ww_mutex) {
		.held = true,
		.callers = holder == CALLER,
		.ctx = holder == PLAIN || (holder == CALLER && !scenario()->ticket) ?
		       NULL : &rivals.ticket[holder],
		.since = rivals.moments,
	};
}

void rivals_broken(enum verdict verdict, const char *why)
{
	if (rivals.outcome->bad & BIT(verdict))
		return;
	rivals.outcome->bad |= BIT(verdict);
	rivals.outcome->why[verdict] = why;
	if (rivals.story)
		fprintf(rivals.story, "       ! %s\n", why);
}

void rivals_abandon(enum verdict verdict, const char *why)
{
	rivals_broken(verdict, why);
	longjmp(rivals.abandoned, 1);
}

/*
 * Points
 */

/* Later, only where something happens. */
#define POINTS_TOLD	40

static void draw_point(void)
{
	fputs("  ", rivals.story);
	words_point(rivals.story, rivals.label);
	rivals_picture(rivals.story);
}

static void tell_point(void)
{
	if (++rivals.told == POINTS_TOLD)
		fputs("  ...\n", rivals.story);
	if (rivals.told < POINTS_TOLD)
		draw_point();
}

static void tell_event(const struct event *event)
{
	if (rivals.told >= POINTS_TOLD) {
		fputs("  ", rivals.story);
		words_point(rivals.story, rivals.label);
		putc('\n', rivals.story);
	}
	fprintf(rivals.story, LABEL_DROPS(rivals.label) ? "   +%-2u > " : "       > ",
		LABEL_DROPS(rivals.label));
	words_event(rivals.story, event);
	rivals_picture(rivals.story);
}

static void happen(unsigned int i)
{
	const struct event *event = &rivals.schedule->event[i];
	bool possible;

	rivals.others = true;
	possible = rivals_act(event);
	rivals.others = false;
	rivals.outcome->fired[i] = rivals.outcome->length;
	if (!possible)
		return;
	rivals_moment();
	rivals.outcome->when[i] = rivals_state(rivals.outcome->when[i]);
	rivals.outcome->happened |= BIT(i);
	if (rivals.story)
		tell_event(event);
}

static bool is_each_time(const struct event *event)
{
	return !LABEL_TIMES(event->at);
}

static void happen_each_time(void)
{
	const struct schedule *s = rivals.schedule;
	u32 label = LABEL(LABEL_POINT(rivals.label), LABEL_WHAT(rivals.label), 0) |
		    LABEL_DROPS(rivals.label);

	for (unsigned int i = 0; i < s->n; i++)
		if (s->event[i].at == label)
			happen(i);
}

static void happen_in_turn(void)
{
	const struct schedule *s = rivals.schedule;

	for (; rivals.next < s->n; rivals.next++) {
		if (is_each_time(&s->event[rivals.next]))
			continue;
		if (s->event[rivals.next].at != rivals.label)
			break;
		happen(rivals.next);
	}
}

/* What is made up on the way is written down, unless it isn't possible. */
static void make_up(void)
{
	struct schedule *s = rivals.schedule;

	while (s->n < EVENTS && rivals_roll(&s->event[s->n])) {
		s->event[s->n].at = rivals.label;
		happen(s->n++);
		if (!(rivals.outcome->happened & BIT(s->n - 1)))
			s->n--;
	}
}

static void interrupted(void)
{
	struct outcome *o = rivals.outcome;

	if (o->length < TRACE)
		o->trace[o->length++] = rivals.label;
	if (++o->points > MOST_POINTS)
		rivals_abandon(NO_END, "it does not come to an end");
	if (rivals.dice) {
		make_up();
		return;
	}
	happen_each_time();
	happen_in_turn();
}

void rivals_point(enum point point, unsigned int what)
{
	u8 *times = &rivals.times[point][what];

	if (rivals.others)
		return;
	if (rivals.bdev.lru_lock.held)
		rivals_broken(RULE_BROKEN, "it may sleep with the lru_lock held");
	if (*times < 0xff)
		++*times;
	rivals.label = LABEL(point, what, *times);
	if (rivals.story)
		tell_point();
	interrupted();
}

void stub_dropped(spinlock_t *lock)
{
	if (rivals.others || lock != &rivals.bdev.lru_lock)
		return;
	if (LABEL_DROPS(rivals.label) < 0xff)
		rivals.label++;
	interrupted();
}

void stub_resched(void)
{
	rivals_point(AT_RESCHED, 0);
}

unsigned long stub_jiffies(void)
{
	return rivals.now;
}

bool stub_signalled(void)
{
	return rivals.signalled;
}

/* Meanwhile, releases that are under way come to their ends. */
long stub_sleep(long timeout)
{
	rivals.now += timeout;
	rivals_point(AT_SLEEP, 0);
	rivals_end_releases();
	return 0;
}

long dma_resv_wait_timeout(struct dma_resv *resv, enum dma_resv_usage usage,
			   bool intr, unsigned long timeout)
{
	if (!resv->busy)
		return 1;
	rivals_point(AT_IDLE, 0);
	if (resv->busy && scenario()->hung && timeout < MAX_SCHEDULE_TIMEOUT) {
		rivals.now += timeout;
		return 0;
	}
	if (resv->busy && intr && rivals.signalled)
		return -ERESTARTSYS;
	resv->busy = false;
	return 1;
}

/*
 * Reservations
 */

/* The buffer with this reservation; of several buffers, the first. */
static unsigned int lock_nr(const struct ww_mutex *lock)
{
	for (unsigned int i = 0; i < BOS; i++)
		if (&rival(i)->bo.base.resv->lock == lock)
			return i;
	return CALLERS;
}

bool ww_mutex_trylock(struct ww_mutex *lock, struct ww_acquire_ctx *ctx)
{
	if (!rivals.others && ctx && rivals.outcome->told)
		rivals_broken(RULE_BROKEN,
			      "a ticket that was told -EDEADLK takes a lock");
	if (lock->held)
		return false;
	*lock = (struct ww_mutex) {
		.held = true, .callers = !rivals.others, .ctx = ctx,
		.since = rivals.moments,
	};
	return true;
}

static int tell_deadlock(void)
{
	rivals.outcome->told = true;
	rivals_moment();
	if (rivals.story)
		fputs("       -EDEADLK\n", rivals.story);
	return -EDEADLK;
}

/* Its holder gives it back, having had all the time it needed. */
static void wait_for(struct ww_mutex *lock, bool intr)
{
	rivals.killed = false;
	rivals.waited_for = lock;
	rivals_point(AT_WAIT, lock_nr(lock));
	rivals.waited_for = NULL;
	if (lock->held && !rivals.killed && !(intr && rivals.signalled)) {
		rivals.others = true;
		ww_mutex_unlock(lock);
		rivals.others = false;
		rivals_moment();
	}
}

static int lock(struct ww_mutex *lock, struct ww_acquire_ctx *ctx, bool intr)
{
	if (rivals.others)
		return ww_mutex_trylock(lock, ctx) ? 0 : -EBUSY;
	if (ctx && rivals.outcome->told)
		rivals_broken(RULE_BROKEN,
			      "a ticket that was told -EDEADLK waits for a lock");
	rivals_point(AT_LOCK, lock_nr(lock));
	while (lock->held) {
		if (lock->callers && ctx && lock->ctx == ctx)
			return -EALREADY;
		if (lock->callers)
			rivals_abandon(RULE_BROKEN, "it waits for its own lock");
		if (ctx && lock->ctx && lock->ctx->stamp < ctx->stamp)
			return tell_deadlock();
		wait_for(lock, intr);
		if (ctx && rivals.killed)
			return tell_deadlock();
		if (lock->held && intr && rivals.signalled)
			return -EINTR;
	}
	return ww_mutex_trylock(lock, ctx) ? 0 : -EBUSY;
}

int ww_mutex_lock(struct ww_mutex *mutex, struct ww_acquire_ctx *ctx)
{
	return lock(mutex, ctx, false);
}

int ww_mutex_lock_interruptible(struct ww_mutex *mutex, struct ww_acquire_ctx *ctx)
{
	return lock(mutex, ctx, true);
}

void ww_mutex_unlock(struct ww_mutex *lock)
{
	WARN_ON(!lock->held);
	if (lock->held && lock->callers == rivals.others)
		rivals_broken(RULE_BROKEN, "it gives back another's lock");
	*lock = (struct ww_mutex) {};
}
