// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * outcome [--events N] [--random SCHEDULES] [--seed N] [--scenario WORD]: what comes
 * of making room, on Linux's own TTM and on ours, whatever others do meanwhile.
 */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "outcome.h"

#define BIT(n)		(1U << (n))
#define MOST_LABELS	160
#define MOST_STORIES	12

enum { LINUX, OURS, SIDES };

static const struct side * const sides[SIDES] = { &outcome_linux, &outcome_ours };

struct totals {
	unsigned long successes, refusals, bad[VERDICTS];
};

static struct {
	struct totals totals[SIDES];
	unsigned long schedules;
	unsigned int depth;	/* events in each schedule */
	unsigned int stories;
	struct {
		const struct scenario *scenario;
		const char *why;
	} told[256];
	unsigned int nr_told;
	bool quiet;
} all;

/*
 * Sides that crash, or never come back
 */

static sigjmp_buf caught;
static volatile sig_atomic_t running, ticks;

static void on_crash(int nr)
{
	if (!running) {
		signal(nr, SIG_DFL);
		raise(nr);
	}
	siglongjmp(caught, 1);
}

static void on_tick(int nr)
{
	if (running && ++ticks > 10)
		siglongjmp(caught, 2);
}

static void guard_init(void)
{
	const int crashes[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP };
	struct itimerval tick = { { 0, 20000 }, { 0, 20000 } };
	struct sigaction action = { .sa_handler = on_crash, .sa_flags = SA_NODEFER };

	for (unsigned int i = 0; i < sizeof(crashes) / sizeof(*crashes); i++)
		sigaction(crashes[i], &action, NULL);
	action.sa_handler = on_tick;
	action.sa_flags |= SA_RESTART;
	sigaction(SIGVTALRM, &action, NULL);
	setitimer(ITIMER_VIRTUAL, &tick, NULL);
}

static void run(unsigned int side, const struct schedule *schedule,
		struct outcome *outcome, FILE *story)
{
	int how = sigsetjmp(caught, 0);

	if (how) {
		running = false;
		outcome->bad |= BIT(how == 1 ? CRASHED : NO_END);
		outcome->why[how == 1 ? CRASHED : NO_END] =
			how == 1 ? "it crashes" : "it does not come to an end";
		return;
	}
	ticks = 0;
	running = true;
	sides[side]->run(schedule, outcome, story);
	running = false;
}

/*
 * Stories
 */

static const char * const verdicts[VERDICTS] = {
	[FALSE_REFUSAL] = "false refusals",
	[RULE_BROKEN] = "rules broken",
	[NO_END] = "never end",
	[CRASHED] = "crash",
	[HARD_FOR_SOFT] = "hard for soft",
	[WORSE] = "worse than Linux",
};

static bool is_news(const struct scenario *scenario, const char *why)
{
	for (unsigned int i = 0; i < all.nr_told; i++)
		if (all.told[i].scenario == scenario && !strcmp(all.told[i].why, why))
			return false;
	if (all.nr_told == sizeof(all.told) / sizeof(*all.told))
		return false;
	all.told[all.nr_told].scenario = scenario;
	all.told[all.nr_told++].why = why;
	return true;
}

static void tell(const struct schedule *schedule, unsigned int verdict,
		 const char *why)
{
	struct outcome outcome;

	if (all.quiet || !is_news(schedule->scenario, why))
		return;
	if (all.stories++ >= MOST_STORIES)
		return;
	printf("\n%s: %s\n%s\n", verdicts[verdict], why, schedule->scenario->name);
	for (unsigned int i = SIDES; i--;) {
		printf("\n  %s\n", sides[i]->name);
		run(i, schedule, &outcome, stdout);
		printf("  = %s\n", words_error(outcome.ret));
	}
	fflush(stdout);
}

/*
 * Verdicts
 */

/* Did all that others did happen on both sides? Then they can be compared. */
static bool comparable(const struct schedule *schedule,
		       const struct outcome outcome[SIDES])
{
	uint32_t events = BIT(schedule->n) - 1;

	return (outcome[LINUX].happened & outcome[OURS].happened & events) == events;
}

static void bad(struct outcome *o, enum verdict verdict, const char *why)
{
	o->bad |= BIT(verdict);
	o->why[verdict] = why;
}

static void compare(const struct schedule *schedule, struct outcome outcome[SIDES])
{
	const struct outcome *theirs = &outcome[LINUX];
	struct outcome *ours = &outcome[OURS];

	if (!comparable(schedule, outcome) || theirs->bad || ours->bad)
		return;
	if (!ours->ret || ours->ret == theirs->ret)
		return;
	if (!theirs->ret && ours->told && !theirs->told)
		bad(ours, HARD_FOR_SOFT, "given up where Linux finds room");
	else if (!theirs->ret && ours->room_at_end)
		bad(ours, WORSE, "refused where Linux finds room");
	else if (theirs->ret && ours->ret == -EDEADLK && !theirs->told)
		bad(ours, HARD_FOR_SOFT, "given up where Linux is refused");
}

static void count(const struct schedule *schedule, struct outcome outcome[SIDES])
{
	compare(schedule, outcome);
	all.schedules++;
	for (unsigned int i = 0; i < SIDES; i++) {
		struct totals *t = &all.totals[i];

		t->successes += !outcome[i].ret;
		t->refusals += !!outcome[i].ret;
		for (unsigned int v = 0; v < VERDICTS; v++)
			t->bad[v] += !!(outcome[i].bad & BIT(v));
	}
	for (unsigned int v = 0; v < VERDICTS; v++)
		if (outcome[OURS].bad & BIT(v))
			tell(schedule, v, outcome[OURS].why[v]);
}

/*
 * Every schedule
 */

static const struct choice {
	uint8_t act, b;
} choices[] = {
	{ ACT_USE }, { ACT_RESERVE, PLAIN }, { ACT_RESERVE, YOUNGER },
	{ ACT_RESERVE, OLDER }, { ACT_GIVE_BACK }, { ACT_LET_GO }, { ACT_FREE },
	{ ACT_DROP }, { ACT_GONE }, { ACT_CREATE, IN_VRAM }, { ACT_CREATE, IN_TT },
	{ ACT_MOVE, IN_SYSTEM }, { ACT_MOVE, IN_TT }, { ACT_MOVE, IN_VRAM },
	{ ACT_AWAY_AND_BACK }, { ACT_PIN }, { ACT_UNPIN }, { ACT_WORTH },
	{ ACT_IDLE },
	{ ACT_REPLACE, 0 }, { ACT_REPLACE, 1 }, { ACT_REPLACE, 2 },
	{ ACT_REPLACE, 3 }, { ACT_REPLACE, 4 },
};

#define CHOICES		(sizeof(choices) / sizeof(*choices))

struct labels {
	unsigned int n;
	uint32_t label[MOST_LABELS];
};

static void add_label(struct labels *labels, uint32_t label)
{
	for (unsigned int i = 0; i < labels->n; i++)
		if (labels->label[i] == label)
			return;
	if (labels->n < MOST_LABELS)
		labels->label[labels->n++] = label;
}

/* Points after the last event, on either side; the event's own, too. */
static void find_labels(struct labels *labels, const struct schedule *schedule,
			const struct outcome outcome[SIDES])
{
	labels->n = 0;
	for (unsigned int s = SIDES; s--;) {
		const struct outcome *o = &outcome[s];
		unsigned int from = 0;

		if (schedule->n)
			from = o->fired[schedule->n - 1] ?
			       o->fired[schedule->n - 1] - 1 : o->length;
		for (unsigned int i = from; i < o->length; i++)
			add_label(labels, o->trace[i]);
	}
}

static bool makes_sense(const struct scenario *s, const struct event *e)
{
	if (s->acts && !(s->acts & BIT(e->act)))
		return false;
	if (!s->bo[e->a].size)
		return false;
	if (e->act == ACT_REPLACE)
		return e->a != e->b && s->bo[e->b].size && s->bo[e->b].pool == NOWHERE;
	return true;
}

static void explore(const struct schedule *schedule, unsigned int left);

static void explore_event(const struct schedule *before, const struct event *event,
			  unsigned int left)
{
	struct schedule schedule = *before;

	if (!makes_sense(before->scenario, event))
		return;
	schedule.event[schedule.n++] = *event;
	explore(&schedule, left - 1);
}

static void explore_events(const struct schedule *schedule, uint32_t label,
			   unsigned int left)
{
	for (unsigned int c = 0; c < CHOICES; c++)
		for (unsigned int a = 0; a < CALLERS; a++) {
			struct event event = {
				label, choices[c].act, a, choices[c].b,
			};

			explore_event(schedule, &event, left);
		}
}

/* Shorter ones have been run already; what can't happen leads to no new ones. */
static void explore(const struct schedule *schedule, unsigned int left)
{
	static struct outcome outcome[SIDES];
	struct labels labels;

	for (unsigned int s = 0; s < SIDES; s++)
		run(s, schedule, &outcome[s], NULL);
	if (schedule->n &&
	    !((outcome[LINUX].happened | outcome[OURS].happened) &
	      BIT(schedule->n - 1)))
		return;
	if (!left) {
		count(schedule, outcome);
		return;
	}
	find_labels(&labels, schedule, outcome);
	for (unsigned int i = 0; i < labels.n; i++)
		explore_events(schedule, labels.label[i], left);
}

static void explore_scenario(const struct scenario *scenario, unsigned int events)
{
	struct schedule schedule = { .scenario = scenario };

	explore(&schedule, events);
}

/*
 * The table
 */

static void print_row(const char *name, unsigned long linux_own, unsigned long ours)
{
	printf("%-24s %12lu %12lu\n", name, linux_own, ours);
}

static void print_table(void)
{
	const struct totals *l = &all.totals[LINUX], *o = &all.totals[OURS];

	printf("\n%-24s %12s %12s\n", "outcomes of making room", "Linux 7.3", "ours");
	print_row("schedules", all.schedules, all.schedules);
	print_row("successes", l->successes, o->successes);
	print_row("refusals", l->refusals, o->refusals);
	for (unsigned int v = 0; v < VERDICTS; v++)
		print_row(verdicts[v], l->bad[v], o->bad[v]);
}

static bool all_good(void)
{
	for (unsigned int v = 0; v < VERDICTS; v++)
		if (all.totals[OURS].bad[v])
			return false;
	return true;
}

static const char *option(int argc, char **argv, const char *name)
{
	for (int i = 1; i + 1 < argc; i++)
		if (!strcmp(argv[i], name))
			return argv[i + 1];
	return NULL;
}

int main(int argc, char **argv)
{
	const char *events = option(argc, argv, "--events");
	const char *word = option(argc, argv, "--scenario");
	unsigned int most = events ? atoi(events) : 1;

	guard_init();
	for (all.depth = 0; all.depth <= most; all.depth++)
		for (unsigned int i = 0; i < nr_scenarios; i++)
			if (!word || strstr(scenarios[i].name, word))
				explore_scenario(&scenarios[i], all.depth);
	print_table();
	return !all_good();
}
