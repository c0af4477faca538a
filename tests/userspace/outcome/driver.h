/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The parts of the program that runs both sides and compares them. */
#ifndef _OUTCOME_DRIVER_H_
#define _OUTCOME_DRIVER_H_

#include "outcome.h"

enum { LINUX, OURS, SIDES };

/* A run on both sides. */
struct both {
	struct outcome side[SIDES];
};

void run_init(void);
void run_story(unsigned int side, const struct schedule *schedule);
/* What happens where @dice says so on @side is written to @schedule. */
void run_dice(struct schedule *schedule, struct dice *dice, unsigned int side);
void run_both(const struct schedule *schedule, struct both *both);

/* Did an event happen, on any side? */
static inline bool has_happened(const struct both *both, unsigned int event)
{
	return (both->side[LINUX].happened | both->side[OURS].happened) & BIT(event);
}

/* Verdicts, counted and told; false if there is one against ours. */
extern unsigned int most_stories;
extern bool ends_when_bad;
bool judge(const struct schedule *schedule, const struct both *both);
bool judge_table(void);
/* A line that says how many schedules of a kind were judged since the last one. */
void judge_progress(const char *kind);

void explore(const struct scenario *scenario, unsigned int events);

/* Scenarios and schedules from bytes. */
bool history(const u8 *bytes, size_t n);
void random_histories(unsigned long n, unsigned long seed);

#endif
