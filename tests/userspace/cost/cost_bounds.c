// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * P8: what each operation costs, in memory accesses of the core. The worst case
 * of each is set up, with few and many resources, and few and many cursors next
 * to where it happens. Resources must make no difference at all, and a cursor
 * no more than a few accesses.
 */

#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_placement.h>

#include "access_counter.h"
#include "ttm_bo_internal.h"

#define MANY_RES	100000
#define MANY_CURSORS	64

/* What an operation may cost at all, and for each cursor it has to do with. */
#define MAX_FIXED	300
#define MAX_PER_CURSOR	32

static struct ttm_device bdev;
static struct ttm_resource_manager man;
static struct ttm_lru_bulk_move bulk;
static struct dma_resv resv;
static struct ttm_resource_cursor cursor[MANY_CURSORS + 1];
/* One more, that is not on the list. */
static struct ttm_buffer_object bo[MANY_RES + 1];
static struct ttm_resource res[MANY_RES + 1];
static unsigned int nr_res, nr_cursors;

static const struct ttm_place place;

/* Never called: nobody is transferred here. */
void *stub_alloc(size_t size)
{
	return NULL;
}

static void add(unsigned int i, struct ttm_lru_bulk_move *with)
{
	bo[i] = (struct ttm_buffer_object) {
		.bdev = &bdev, .base.resv = &resv, .bulk_move = with,
	};
	ttm_resource_init(&bo[i], &place, &res[i]);
}

/* All resources in one range, or all loose, but for the last two. */
static void set_up(unsigned int resources, unsigned int cursors, bool ranged)
{
	nr_res = resources;
	nr_cursors = cursors;
	INIT_LIST_HEAD(&bdev.unevictable);
	bdev.lru_lock.held = false;
	resv.held = true;
	ttm_set_driver_manager(&bdev, 0, &man);
	ttm_resource_manager_init(&man, &bdev, 0);
	ttm_lru_bulk_move_init(&bulk);
	for (unsigned int i = 0; i < resources; i++)
		add(i, ranged && i < resources - 2 ? &bulk : NULL);
	for (unsigned int i = 0; i <= MANY_CURSORS; i++)
		ttm_resource_cursor_init(&cursor[i], &man);
	bdev.lru_lock.held = true;
}

/* Cursors parked behind resource @at. The last one but stands before it. */
static void park(unsigned int at)
{
	for (unsigned int i = 0; i < nr_cursors; i++) {
		ttm_resource_cursor_restart(&cursor[i]);
		for (unsigned int steps = 0; steps <= at; steps++)
			ttm_resource_cursor_advance(&cursor[i]);
		ttm_resource_cursor_pause(&cursor[i]);
	}
}

static unsigned int middle(void)
{
	return nr_res / 2;
}

static unsigned int last_member(void)
{
	return nr_res - 3;
}

static void in_list(unsigned int resources, unsigned int cursors)
{
	set_up(resources, cursors, false);
	park(middle());
}

static void in_range(unsigned int resources, unsigned int cursors)
{
	set_up(resources, cursors, true);
	park(middle());
}

static void behind_first(unsigned int resources, unsigned int cursors)
{
	set_up(resources, cursors, true);
	park(0);
}

static void behind_range(unsigned int resources, unsigned int cursors)
{
	set_up(resources, cursors, true);
	park(last_member());
}

/* A bounded walk has begun, with the last cursor. */
static void begin_bounded(void)
{
	ttm_resource_cursor_init_bounded(&cursor[MANY_CURSORS], &man);
	ttm_resource_manager_first(&cursor[MANY_CURSORS]);
}

static void all_moved(unsigned int resources, unsigned int cursors)
{
	set_up(resources, cursors, false);
	begin_bounded();
	for (unsigned int i = 1; i < resources; i++)
		ttm_resource_move_to_lru_tail(&res[i]);
	park(0);
}

static void members_moved(unsigned int resources, unsigned int cursors)
{
	set_up(resources, cursors, true);
	begin_bounded();
	for (unsigned int i = 1; i < resources - 2; i++)
		ttm_resource_move_to_lru_tail(&res[i]);
	park(0);
}

static void members_left(unsigned int resources, unsigned int cursors)
{
	set_up(resources, cursors, true);
	begin_bounded();
	for (unsigned int i = 1; i < resources - 3; i++)
		ttm_resource_del_bulk_move(&res[i], &bo[i]);
	park(0);
	/* Past the range's last member, to the members that left. */
	ttm_resource_manager_next(&cursor[MANY_CURSORS]);
}

static void all_pinned(unsigned int resources, unsigned int cursors)
{
	set_up(resources, cursors, true);
	for (unsigned int i = 0; i < resources; i++) {
		bo[i].pin_count++;
		ttm_resource_move_to_lru_tail(&res[i]);
	}
	park(0);
}

static void do_next_within(void)
{
	unsigned long budget = 8;

	ttm_resource_cursor_advance_within(&cursor[MANY_CURSORS], &budget);
	ttm_resource_cursor_pause(&cursor[MANY_CURSORS]);
}

static void do_unevictable(void)
{
	u64 since[TTM_NUM_MEM_TYPES];

	ttm_unevictable_walk_start(&bdev, since);
	ttm_unevictable_walk_next(&bdev, since);
}

static void do_next_bounded(void)
{
	ttm_resource_manager_next(&cursor[MANY_CURSORS]);
}

/* The first of the cursors is the one farthest from what it will visit. */
static void do_next(void)
{
	ttm_resource_manager_next(&cursor[nr_cursors - 1]);
}

static void do_first(void)
{
	ttm_resource_manager_first(&cursor[MANY_CURSORS]);
}

static void do_advance(void)
{
	ttm_resource_cursor_advance(&cursor[nr_cursors - 1]);
}

static void do_fini(void)
{
	ttm_resource_cursor_fini(&cursor[0]);
}

static void do_skip(void)
{
	ttm_resource_cursor_skip_bulk(&cursor[0]);
	ttm_resource_cursor_pause(&cursor[0]);
}

static void do_bulk_tail(void)
{
	ttm_lru_bulk_move_tail(&bulk);
}

static void do_tail(void)
{
	ttm_resource_move_to_lru_tail(&res[middle()]);
}

static void do_tail_first(void)
{
	ttm_resource_move_to_lru_tail(&res[0]);
}

static void do_leave(void)
{
	ttm_resource_del_bulk_move(&res[middle()], &bo[middle()]);
}

static void do_leave_first(void)
{
	ttm_resource_del_bulk_move(&res[0], &bo[0]);
}

static void do_join(void)
{
	bo[nr_res - 1].bulk_move = &bulk;
	ttm_resource_add_bulk_move(&res[nr_res - 1], &bo[nr_res - 1]);
}

static void do_pin(void)
{
	bo[middle()].pin_count++;
	ttm_resource_move_to_lru_tail(&res[middle()]);
}

static void do_alloc(void)
{
	bdev.lru_lock.held = false;
	add(MANY_RES, &bulk);
	bdev.lru_lock.held = true;
}

static void do_free_first(void)
{
	bdev.lru_lock.held = false;
	ttm_resource_fini(&man, &res[0]);
	bdev.lru_lock.held = true;
}

static const struct {
	const char *name;
	void (*set_up)(unsigned int resources, unsigned int cursors);
	void (*op)(void);
} costs[] = {
	{ "next, cursors in its way", in_list, do_next },
	{ "next, in a range", in_range, do_next },
	{ "advance, cursors in its way", in_list, do_advance },
	{ "first", in_list, do_first },
	{ "fini", in_range, do_fini },
	{ "skip a range", in_range, do_skip },
	{ "bounded next, all were moved", all_moved, do_next_bounded },
	{ "bounded next, all in their range", members_moved, do_next_bounded },
	{ "bounded, within 8, all left", members_left, do_next_within },
	{ "next of the unevictable", all_pinned, do_unevictable },
	{ "bulk tail, cursors registered", in_range, do_bulk_tail },
	{ "tail, loose", in_list, do_tail },
	{ "tail, in a range", in_range, do_tail },
	{ "tail, cursors behind the range", behind_range, do_tail },
	{ "tail of the first member", behind_first, do_tail_first },
	{ "leave from the middle", in_range, do_leave },
	{ "leave as first, cursors behind", behind_first, do_leave_first },
	{ "join, cursors behind the range", behind_range, do_join },
	{ "pin in a range", in_range, do_pin },
	{ "alloc, cursors behind the range", behind_range, do_alloc },
	{ "free the first member", behind_first, do_free_first },
};

static unsigned long cost(unsigned int i, unsigned int resources,
			  unsigned int cursors)
{
	costs[i].set_up(resources, cursors);
	access_count = 0;
	costs[i].op();
	return access_count;
}

static bool measure(unsigned int i)
{
	static const unsigned int cursors[] = { 1, 8, MANY_CURSORS };
	unsigned long few[3], many[3];
	bool good = true;

	for (unsigned int c = 0; c < ARRAY_SIZE(cursors); c++) {
		few[c] = cost(i, 100, cursors[c]);
		many[c] = cost(i, MANY_RES, cursors[c]);
		good &= few[c] == many[c];
	}
	good &= many[0] <= MAX_FIXED;
	good &= many[1] <= many[0] + 7 * MAX_PER_CURSOR;
	good &= many[2] <= many[0] + 63 * MAX_PER_CURSOR;
	printf("%-32s %6lu %6lu %6lu   %6lu %6lu %6lu%s\n", costs[i].name,
	       few[0], few[1], few[2], many[0], many[1], many[2],
	       good ? "" : "   too much");
	return good;
}

int main(void)
{
	bool good = true;

	printf("%-32s %20s   %20s\n%-32s", "memory accesses", "100 resources",
	       "100,000 resources", "cursors:");
	printf(" %6u %6u %6u   %6u %6u %6u\n", 1, 8, 64, 1, 8, 64);
	for (unsigned int i = 0; i < ARRAY_SIZE(costs); i++)
		good &= measure(i);
	good &= !stub_warnings.count;
	puts(good ? "P8 holds" : "P8 is broken");
	return !good;
}
