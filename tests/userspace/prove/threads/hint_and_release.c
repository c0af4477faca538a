// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A walk looks whether a buffer's reservation is taken before it tries it. Meanwhile the
 * VM that shares its reservation uses it, another thread moves the buffer, and then its
 * release replaces the reservation: ttm_lru_walk_try_reserve(), ttm_bo_lru_cursor_next() and
 * ttm_bo_individualize_resv().
 *
 * The walk touches no reservation that is gone, and unlocks the one that it has locked. It
 * returns the buffer in the right place, or says that it has left it out.
 */
#include "threads.h"

static bool lru_lock;
/* The reservation of the VM, and the buffer's own; which of them is bo->base.resv. */
static bool vm, own;
static bool is_own;
static bool vm_gone;
static int kref = 1;
/* Is bo->resource in the manager that is walked? */
static bool in_manager = true;

static void user(void)
{
	bool last;

	lock(vm);
	/* Move the buffer to another manager? */
	if (nondet_bool()) {
		lock(lru_lock);
		in_manager = false;
		unlock(lru_lock);
	}
	unlock(vm);

	put(kref, last);
	if (last) {
		/* FAULT 1: the reservation is replaced without the lru_lock */
		if (FAULT != 1)
			lock(lru_lock);
		is_own = true;
		if (FAULT != 1)
			unlock(lru_lock);
		vm_gone = true;
	}
	end_thread();
}

static void walk(void)
{
	bool looked, left_out = false, mine = false, got = false, taken = false;
	bool waits = nondet_bool();

	lock(lru_lock);
	looked = in_manager;
	if (looked) {
		bool first = is_own, last;

		assert(first || !vm_gone);
		/* The hint: a walk that does not wait skips a reservation that is taken. */
		if (!waits && (first ? own : vm)) {
			/* FAULT 2: what the hint skips is not left out */
			left_out = FAULT != 2;
		} else {
			if (first)
				trylock(own, mine);
			else
				trylock(vm, mine);
			left_out = !mine && !waits;
			if (mine || waits)
				get_unless_zero(kref, got);
			last = is_own;
			assert(last == first);
			/* FAULT 3: the reservation of a buffer that is being released is kept */
			if (mine && !got && FAULT != 3) {
				if (last)
					unlock(own);
				else
					unlock(vm);
			}
			left_out |= !got;
		}
	}
	unlock(lru_lock);
	if (got) {
		/* The reference keeps the VM's reservation. */
		assert(!is_own && !vm_gone);
		if (!mine)
			lock(vm);
		/* FAULT 4: after a wait, bo->resource is not looked at again */
		taken = (mine || FAULT == 4) ? true : in_manager;
		assert(!taken || in_manager);
		left_out |= !taken;
		unlock(vm);
		atomically(kref--);
	}
	assert(!looked || taken || left_out);
	end_thread();
}

int main(void)
{
	THREAD(1, user());
	THREAD(2, walk());
	wait_for(2);
	assert(!vm && !own);
}
