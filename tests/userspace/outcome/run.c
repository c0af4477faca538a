// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Runs of sides that may crash, or never come back; and which does better. */

#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>

#include "driver.h"

static const struct side * const sides[SIDES] = { &outcome_linux, &outcome_ours };

/* In ticks of processor time; a run takes less than a thousandth. */
#define TICK_US		20000
#define TOO_MANY_TICKS	5

static sigjmp_buf caught;
static volatile sig_atomic_t running, ticks;

static void on_crash(int nr)
{
	if (!running) {
		signal(nr, SIG_DFL);
		raise(nr);
	}
	siglongjmp(caught, CRASHED);
}

static void on_tick(int nr)
{
	if (running && ++ticks > TOO_MANY_TICKS)
		siglongjmp(caught, NO_END);
}

void run_init(void)
{
	const int crashes[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP };
	struct itimerval tick = { { 0, TICK_US }, { 0, TICK_US } };
	struct sigaction action = { .sa_handler = on_crash, .sa_flags = SA_NODEFER };

	for (unsigned int i = 0; i < ARRAY_SIZE(crashes); i++)
		sigaction(crashes[i], &action, NULL);
	action.sa_handler = on_tick;
	action.sa_flags |= SA_RESTART;
	sigaction(SIGVTALRM, &action, NULL);
	setitimer(ITIMER_VIRTUAL, &tick, NULL);
}

static void set_bad(struct outcome *o, enum verdict verdict, const char *why)
{
	o->bad |= BIT(verdict);
	o->why[verdict] = why;
}

static void run(unsigned int side, struct schedule *schedule, struct dice *dice,
		struct outcome *outcome, FILE *story)
{
	int how = sigsetjmp(caught, 0);

	if (how) {
		running = false;
		set_bad(outcome, how, how == CRASHED ? "it crashes" :
						       "it does not come to an end");
		return;
	}
	ticks = 0;
	running = true;
	sides[side]->run(schedule, dice, outcome, story);
	running = false;
}

void run_story(unsigned int side, const struct schedule *schedule)
{
	static struct outcome outcome;
	struct schedule copy = *schedule;

	printf("\n  %s\n", sides[side]->name);
	run(side, &copy, NULL, &outcome, stdout);
	printf("  = %s\n", outcome.bad & (BIT(CRASHED) | BIT(NO_END)) ?
	       "nothing" : words_error(outcome.ret));
}

void run_dice(struct schedule *schedule, struct dice *dice, unsigned int side)
{
	static struct outcome outcome;

	run(side, schedule, dice, &outcome, NULL);
}

/* What the driver thinks of a buffer is nobody's to foresee. */
static bool changes_its_mind(const struct schedule *schedule)
{
	for (unsigned int i = 0; i < schedule->n; i++)
		if (schedule->event[i].act == ACT_WORTH)
			return true;
	return false;
}

/* If others did the same at the same points, both sides can be compared. */
static bool is_comparable(const struct schedule *schedule, const struct both *both)
{
	const struct outcome *l = &both->side[LINUX], *o = &both->side[OURS];
	u32 events = BIT(schedule->n) - 1;

	return !changes_its_mind(schedule) && !schedule->scenario->told &&
	       (l->happened & o->happened) == events && !l->bad && !o->bad &&
	       !memcmp(l->when, o->when, schedule->n * sizeof(l->when[0]));
}

static bool was_interrupted(const struct outcome *o)
{
	return o->ret == -EINTR || o->ret == -ERESTARTSYS;
}

static void compare(const struct schedule *schedule, struct both *both)
{
	const struct outcome *theirs = &both->side[LINUX];
	struct outcome *ours = &both->side[OURS];

	if (!is_comparable(schedule, both) || !ours->ret || ours->ret == theirs->ret ||
	    was_interrupted(ours))
		return;
	if (!theirs->ret && ours->told && !theirs->told)
		set_bad(ours, HARD_FOR_SOFT, "given up where Linux finds room");
	else if (!theirs->ret && ours->room_at_end)
		set_bad(ours, WORSE, "refused where Linux finds room");
}

void run_both(const struct schedule *schedule, struct both *both)
{
	struct schedule copy = *schedule;

	for (unsigned int s = 0; s < SIDES; s++)
		run(s, &copy, NULL, &both->side[s], NULL);
	compare(schedule, both);
}
