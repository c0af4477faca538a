// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What is counted are events: holds of the lru_lock, resources that are looked at in
 * one, stores to memory that other CPUs have in their caches, and cache lines that
 * are written in a hold. A walk's own cursor is on the stack, and isn't among them.
 */

#include <stdio.h>
#include <string.h>

#include "access_counter.h"
#include "bench.h"
#include "ttm_lru_bench.h"

#define LINE	64
/* A hold that writes to more lines is told to write to so many. */
#define LINES	1024

static struct {
	unsigned long holds, stores, lines, examined;
} count;

static struct {
	unsigned long line[LINES];
	unsigned int lines;
	/* Walks meet buffers in the order in which they were made. */
	unsigned long examined, next;
} hold;

static bool counting;

static bool is_on_stack(const void *addr)
{
	const char *here = __builtin_frame_address(0);

	/* Programs have 8 MB. */
	return (const char *)addr > here - 4096 &&
	       (const char *)addr < here + (8 << 20);
}

static void see_store(const void *addr)
{
	unsigned long line = (unsigned long)addr / LINE;

	if (is_on_stack(addr) || bench_is_lock(addr))
		return;
	count.stores++;
	for (unsigned int i = 0; i < hold.lines; i++)
		if (hold.line[i] == line)
			return;
	if (hold.lines < LINES)
		hold.line[hold.lines++] = line;
}

static void see(const void *addr, bool write)
{
	unsigned long res;

	if (!counting)
		return;
	if (write) {
		see_store(addr);
	} else if (bench_is_kind(addr, &res) && res + 1 > hold.next) {
		hold.examined++;
		hold.next = res + 1;
	}
}

void stub_hold_begins(void)
{
	memset(&hold, 0, sizeof(hold));
}

void stub_hold_ends(void)
{
	count.holds++;
	count.lines += hold.lines;
	if (hold.examined > count.examined)
		count.examined = hold.examined;
}

void stub_tried(void)
{
}

void lru_bench_begin(void)
{
	access_seen = see;
	memset(&count, 0, sizeof(count));
	stub_hold_begins();
	counting = true;
}

void lru_bench_end(const struct lru_bench_row *row, unsigned long ops)
{
	counting = false;
	/* Where the hold is the caller's. */
	stub_hold_ends();
	printf("row\t%d\t%u\t%u\t%s\t%lu\t%lu\t%lu\t%lu\t%lu\t%s\n", row->shape,
	       row->n, row->cursors, row->place, ops, count.holds, count.examined,
	       count.stores, count.lines, row->name);
}
