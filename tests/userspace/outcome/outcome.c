// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * outcome [quick | full [RANDOM [SEED]]]: what comes of making room, on Linux's own
 * TTM and on ours, whatever others do meanwhile. In each scenario all schedules of as
 * many events as it says, or one less; and so many random ones. SCENARIO=WORD chooses,
 * STORIES=N tells more. UNTIL_BAD=1 ends at the first that is bad, without a story.
 */

#include "driver.h"

#define MOST_EVENTS	3

static const char * const kinds[MOST_EVENTS + 1] = {
	"schedules without events", "of one", "of two", "of three",
};

/* By their length, so that the first of a kind is the shortest. */
static void explore_all(unsigned int less)
{
	const char *word = getenv("SCENARIO") ?: "";

	for (unsigned int n = 0; n + less <= MOST_EVENTS; n++) {
		for (unsigned int i = 0; i < nr_scenarios; i++)
			if (n + less <= scenarios[i].depth &&
			    strstr(scenarios[i].name, word))
				explore(&scenarios[i], n);
		judge_progress(kinds[n]);
	}
}

int main(int argc, char **argv)
{
	bool full = argc > 1 && !strcmp(argv[1], "full");

	if (getenv("STORIES"))
		most_stories = atoi(getenv("STORIES"));
	if (getenv("UNTIL_BAD")) {
		ends_when_bad = true;
		most_stories = 0;
	}
	run_init();
	explore_all(!full);
	random_histories(argc > 2 ? strtoul(argv[2], NULL, 0) : 0,
			 argc > 3 ? strtoul(argv[3], NULL, 0) : 1);
	judge_progress("random ones");
	return !judge_table();
}
