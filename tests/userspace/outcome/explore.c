// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Every schedule of so many events. */

#include "driver.h"

#define MOST_LABELS	256

struct labels {
	unsigned int n;
	u32 label[MOST_LABELS];
};

static void add_label(struct labels *labels, u32 label)
{
	for (unsigned int i = 0; i < labels->n; i++)
		if (labels->label[i] == label)
			return;
	if (labels->n < MOST_LABELS)
		labels->label[labels->n++] = label;
}

static bool is_each_time(const struct event *event)
{
	return !LABEL_TIMES(event->at);
}

/* How far a run had come when the last event happened: its point is still there. */
static unsigned int came_to(const struct outcome *o, const struct schedule *s)
{
	unsigned int fired;

	if (!s->n || is_each_time(&s->event[s->n - 1]))
		return 0;
	fired = o->fired[s->n - 1];
	return fired ? fired - 1 : o->length;
}

/* What happens each time comes before all others. */
static void find_labels(struct labels *labels, const struct schedule *schedule,
			const struct both *both)
{
	bool first = !schedule->n;

	labels->n = 0;
	for (unsigned int s = SIDES; s--;) {
		const struct outcome *o = &both->side[s];

		for (unsigned int i = came_to(o, schedule); i < o->length; i++) {
			add_label(labels, o->trace[i]);
			if (first && LABEL_TIMES(o->trace[i]) > 1)
				add_label(labels, o->trace[i] & ~LABEL(0, 0, 0xff));
		}
	}
}

static void explore_from(const struct schedule *schedule, unsigned int left);

static void explore_events(const struct schedule *before, u32 label,
			   unsigned int left)
{
	for (unsigned int i = 0; i < CHOICES * CALLERS; i++) {
		struct schedule schedule = *before;
		struct event event = choice(i / CALLERS, i % CALLERS);

		if (!makes_sense(before->scenario, &event))
			continue;
		event.at = label;
		schedule.event[schedule.n++] = event;
		explore_from(&schedule, left - 1);
	}
}

/* Shorter ones have been run already; what can't happen leads to no new ones. */
static void explore_from(const struct schedule *schedule, unsigned int left)
{
	static struct both both;
	struct labels labels;

	run_both(schedule, &both);
	if (schedule->n && !has_happened(&both, schedule->n - 1))
		return;
	if (!left) {
		judge(schedule, &both);
		return;
	}
	find_labels(&labels, schedule, &both);
	for (unsigned int i = 0; i < labels.n; i++)
		explore_events(schedule, labels.label[i], left);
}

void explore(const struct scenario *scenario, unsigned int events)
{
	struct schedule schedule = { .scenario = scenario };

	explore_from(&schedule, events);
}
