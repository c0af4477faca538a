// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What is counted are instructions, by callgrind: it writes a file for each row. */

#include <stdio.h>

#include <valgrind/callgrind.h>

#include "ttm_lru_bench.h"

void lru_bench_begin(void)
{
	CALLGRIND_START_INSTRUMENTATION;
	CALLGRIND_ZERO_STATS;
}

void lru_bench_end(const struct lru_bench_row *row, unsigned long ops)
{
	char text[128];

	CALLGRIND_STOP_INSTRUMENTATION;
	snprintf(text, sizeof(text), "%d\t%u\t%u\t%s\t%lu\t%s", row->shape,
		 row->n, row->cursors, row->place, ops, row->name);
	CALLGRIND_DUMP_STATS_AT(text);
}
