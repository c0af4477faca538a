// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Verdicts: counted, and the first of each kind told as a story. */

#include "driver.h"

#define KINDS	1024

unsigned int most_stories = 3;
bool ends_when_bad;

static struct {
	unsigned long schedules, told;
	unsigned long successes[SIDES], refusals[SIDES], bad[SIDES][VERDICTS];
	unsigned long moves[SIDES];	/* where both succeed */
	unsigned int stories, kinds;
	struct {
		const struct scenario *scenario;
		const char *why;
		unsigned int act;	/* the last that others did */
	} kind[KINDS];
} all;

static const char * const verdicts[VERDICTS] = {
	[FALSE_REFUSAL] = "false refusals",
	[RULE_BROKEN] = "rules broken",
	[NO_END] = "without an end",
	[CRASHED] = "crashes",
	[HARD_FOR_SOFT] = "hard for soft",
	[WORSE] = "worse than Linux",
};

/* The first of its kind is the shortest. */
static bool is_new(const struct schedule *schedule, const char *why)
{
	unsigned int act = schedule->n ? schedule->event[schedule->n - 1].act : ACTS;

	for (unsigned int i = 0; i < all.kinds; i++)
		if (all.kind[i].scenario == schedule->scenario &&
		    all.kind[i].act == act && !strcmp(all.kind[i].why, why))
			return false;
	if (all.kinds == KINDS)
		return false;
	all.kind[all.kinds].scenario = schedule->scenario;
	all.kind[all.kinds].act = act;
	all.kind[all.kinds++].why = why;
	return true;
}

/* Leave out an event, and another, as long as the verdict stays. */
static void shorten(struct schedule *schedule, unsigned int verdict, const char *why)
{
	static struct both both;

	for (unsigned int i = schedule->n; i--;) {
		struct schedule shorter = *schedule;

		shorter.n--;
		memmove(&shorter.event[i], &shorter.event[i + 1],
			(shorter.n - i) * sizeof(shorter.event[0]));
		run_both(&shorter, &both);
		if (both.side[OURS].bad & BIT(verdict) &&
		    !strcmp(both.side[OURS].why[verdict], why))
			*schedule = shorter;
	}
}

static void tell(const struct schedule *schedule, unsigned int verdict,
		 const char *why)
{
	struct schedule shortest = *schedule;

	if (all.stories >= most_stories || !is_new(schedule, why))
		return;
	all.stories++;
	shorten(&shortest, verdict, why);
	printf("\n%s: %s\n%s\n", verdicts[verdict], why, schedule->scenario->name);
	for (unsigned int s = SIDES; s--;)
		run_story(s, &shortest);
	fflush(stdout);
}

static void count(const struct both *both)
{
	all.schedules++;
	for (unsigned int s = 0; s < SIDES; s++) {
		const struct outcome *o = &both->side[s];

		all.successes[s] += !o->ret;
		all.refusals[s] += !!o->ret;
		for (unsigned int v = 0; v < VERDICTS; v++)
			all.bad[s][v] += !!(o->bad & BIT(v));
		if (!both->side[LINUX].ret && !both->side[OURS].ret)
			all.moves[s] += o->moves;
	}
}

bool judge(const struct schedule *schedule, const struct both *both)
{
	const struct outcome *ours = &both->side[OURS];

	count(both);
	for (unsigned int v = 0; v < VERDICTS; v++)
		if (ours->bad & BIT(v))
			tell(schedule, v, ours->why[v]);
	if (ours->bad && ends_when_bad)
		exit(1);
	return !ours->bad;
}

void judge_progress(const char *kind)
{
	printf("%-26s %12lu\n", kind, all.schedules - all.told);
	fflush(stdout);
	all.told = all.schedules;
}

static void print_row(const char *name, const unsigned long figures[SIDES])
{
	printf("%-26s %12lu %12lu\n", name, figures[LINUX], figures[OURS]);
}

bool judge_table(void)
{
	bool good = true;

	printf("\n%-26s %12s %12s\n", "outcomes of making room", "Linux 7.3", "ours");
	printf("%-26s %12lu %12lu\n", "schedules", all.schedules, all.schedules);
	print_row("successes", all.successes);
	print_row("refusals", all.refusals);
	for (unsigned int v = 0; v < VERDICTS; v++) {
		const unsigned long bad[SIDES] = { all.bad[LINUX][v], all.bad[OURS][v] };

		print_row(verdicts[v], bad);
		good &= !bad[OURS];
	}
	print_row("moves, where both succeed", all.moves);
	return good;
}
