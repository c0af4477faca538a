// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * outcome [EVENTS [RANDOM [SEED]]]: what comes of making room, on Linux's own TTM
 * and on ours, whatever others do meanwhile. All schedules of up to so many events
 * in each scenario; so many random ones. SCENARIO=WORD chooses, STORIES=N tells more.
 */

#include <stdlib.h>
#include <string.h>

#include "outcome_driver.h"

int main(int argc, char **argv)
{
	unsigned long events = argc > 1 ? strtoul(argv[1], NULL, 0) : 2;
	unsigned long histories = argc > 2 ? strtoul(argv[2], NULL, 0) : 0;
	const char *word = getenv("SCENARIO") ?: "";

	if (getenv("STORIES"))
		most_stories = atoi(getenv("STORIES"));
	run_init();
	for (unsigned long n = 0; n <= events; n++)
		for (unsigned int i = 0; i < nr_scenarios; i++)
			if (strstr(scenarios[i].name, word))
				explore(&scenarios[i], n);
	random_histories(histories, argc > 3 ? strtoul(argv[3], NULL, 0) : 1);
	return !judge_table();
}
