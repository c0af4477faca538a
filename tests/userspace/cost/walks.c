// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * walks [-]: P9, what walks over reserved buffers do while they hold the
 * lru_lock. With "-" what the same program says of Linux's own core and walkers
 * is read, and put beside. The figures of the latter are only told.
 */

#include "many_buffers.h"
#include "busy_bulk_cases.h"

#ifdef PRISTINE
#define IS_PRISTINE	true
#else
#define IS_PRISTINE	false
#endif

/* In one hold; to take a hitch out, or put it in, writes to two nodes each. */
#define MAX_EXAMINED	32
#define MAX_WRITES	4

/*
 * The workloads
 */

static void busy_bulks(void)
{
	for (unsigned int b = 0; b < BULKS; b++) {
		for (unsigned int i = 0; i < MANY / BULKS; i++)
			crowd_add_member(b);
		crowd.resv[b].held = true;
	}
}

static void busy_loose(void)
{
	for (unsigned int i = 0; i < MANY; i++)
		crowd_add_loose(true);
}

static void free_loose(void)
{
	for (unsigned int i = 0; i < MANY; i++)
		crowd_add_loose(false);
}

/* The last one is loose, and is to be met whatever happens before it. */
static void one_bulk(void)
{
	for (unsigned int i = 0; i < MANY / 2 + 2; i++)
		crowd_add_member(0);
	crowd_add_loose(false);
}

static void nothing(void)
{
}

static void all_but_ends_leave(void)
{
	scoped_guard(spinlock, &crowd.bdev.lru_lock)
		for (unsigned int i = 1; i <= MANY / 2; i++) {
			ttm_resource_del_bulk_move(&crowd.res[i],
						   &crowd.bo[i]);
			crowd.bo[i].bulk_move = NULL;
		}
	crowd_count();
}

/* One is returned, and so the second hold ends at the bulk's first member. */
static void bulk_at_a_holds_end(void)
{
	crowd_add_loose(false);
	for (unsigned int i = 0; i < MAX_EXAMINED - 1; i++)
		crowd_add_loose(true);
	for (unsigned int i = 0; i < MAX_EXAMINED; i++)
		crowd_add_member(0);
}

static void bulk_moves(void)
{
	dma_resv_lock(&crowd.resv[0], NULL);
	scoped_guard(spinlock, &crowd.bdev.lru_lock)
		ttm_lru_bulk_move_tail(&crowd.bulk[0]);
	dma_resv_unlock(&crowd.resv[0]);
	crowd_count();
}

static const struct workload {
	const char *name;
	void (*set_up)(void);
	void (*meanwhile)(void);	/* after the first step */
	unsigned long returns;
	unsigned long examines;		/* at least, to have seen all */
	unsigned long most_trylocks;	/* of ours */
	bool ours_only;
} workloads[] = {
	{ "10 bulks of 1000, busy", busy_bulks, nothing, 0, BULKS, 20 },
	{ "10000 loose, busy", busy_loose, nothing, 0, MANY, MANY },
	{ "10000 loose, free", free_loose, nothing, MANY, MANY, MANY },
	{ "5000 left their bulk", one_bulk, all_but_ends_leave, 3, MANY / 2, 4,
	  true },
	{ "31 busy, a moved bulk", bulk_at_a_holds_end, bulk_moves, 1,
	  MAX_EXAMINED, MAX_EXAMINED - 1, true },
};

/* Returns how many buffers the walk did. */
static unsigned long walk(void (*meanwhile)(void))
{
	struct ttm_operation_ctx ctx = {};
	struct ttm_lru_walk_arg arg = { .ctx = &ctx, .trylock_only = true };
	struct ttm_bo_lru_cursor cursor;
	struct ttm_buffer_object *bo;
	unsigned long n = 0;

	ttm_bo_lru_for_each_reserved_guarded(&cursor, &crowd.man, &arg, bo)
		if (!n++)
			meanwhile();
	return n;
}

/* False if it isn't as the contract has it. */
static bool measure(const struct workload *w)
{
	const struct figures *f = &crowd.figures;
	unsigned long n;

	crowd_init();
	w->set_up();
	crowd_count();
	n = walk(w->meanwhile);
	if (n != w->returns || crowd.examined < w->examines)
		return false;
	return IS_PRISTINE ||
	       (f->examined <= MAX_EXAMINED && f->writes <= MAX_WRITES &&
		f->trylocks <= w->most_trylocks);
}

/*
 * The table
 */

static void print_figures(const struct figures *f)
{
	printf(" %6lu %6lu %6lu %6lu", f->examined, f->holds, f->trylocks,
	       f->writes);
}

static bool read_figures(struct figures *f)
{
	return scanf("%lu %lu %lu %lu", &f->examined, &f->holds, &f->trylocks,
		     &f->writes) == 4;
}

static void print_head(bool beside)
{
	static const char columns[] = "   most  holds    try   list";
	static const char below[] = " in one         locks writes";

	if (beside)
		printf("%-22s  %-28s %s\n", "", "Linux 7.3's own", "ours");
	printf("%-22s %s %s\n", "walks over", beside ? columns : "", columns);
	printf("%-22s %s %s\n", "", beside ? below : "", below);
}

/* A workload's row; false if something is wrong. */
static bool print_row(const struct workload *w, bool beside)
{
	struct figures linux_own;
	bool good = measure(w);

	printf("%-22s", w->name);
	if (beside && w->ours_only)
		printf(" %28s", "");
	else if (beside && read_figures(&linux_own))
		print_figures(&linux_own);
	else
		good &= !beside;
	putchar(' ');
	print_figures(&crowd.figures);
	puts(good ? "" : " !");
	return good;
}

int main(int argc, char **argv)
{
	bool beside = argc > 1 && !strcmp(argv[1], "-");
	bool good = true;

	if (!IS_PRISTINE)
		print_head(beside);
	for (unsigned int i = 0; i < ARRAY_SIZE(workloads); i++) {
		if (!IS_PRISTINE) {
			good &= print_row(&workloads[i], beside);
		} else if (!workloads[i].ours_only) {
			good &= measure(&workloads[i]);
			print_figures(&crowd.figures);
			putchar('\n');
		}
	}
	if (IS_PRISTINE)
		return !good || stub_warnings.count;

	good &= busy_bulk_cases_are_right();
	good &= !stub_warnings.count;
	puts(good ? "P9 holds" : "P9 is broken");
	return !good;
}
