// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The last reference to a buffer is dropped while a walk meets it: ttm_bo_release(),
 * ttm_bo_delayed_delete() and ttm_lru_walk_try_reserve().
 *
 * Nothing touches the buffer when it is freed. It is freed once, and its memory is. The
 * buffer leaves the list before it is freed. The walk takes no zombie for alive.
 */
#include "threads.h"

static bool lru_lock, resv;
static int kref = 1;
static bool deleted, on_list = true, memory = true;
static int freed, memory_freed;
/* A release has begun. */
static bool released;

/* ttm_bo_cleanup_memtype_use(), with the reservation held */
static void cleanup(void)
{
	assert(!freed);
	if (!memory)
		return;
	memory = false;
	memory_freed++;
	/* FAULT 1: a resource leaves the list without the lru_lock */
	if (FAULT != 1)
		lock(lru_lock);
	on_list = false;
	if (FAULT != 1)
		unlock(lru_lock);
}

/* Returns whether it has queued the delayed delete. */
static bool release(void)
{
	bool idle = nondet_bool();

	assert(!freed);
	if (!deleted) {
		released = true;
		if (idle)
			trylock(resv, idle);
		if (!idle) {
			/* FAULT 2: a zombie gets its reference before it is marked */
			if (FAULT != 2)
				deleted = true;
			lock(lru_lock);
			kref = 1;
			unlock(lru_lock);
			deleted = true;
			return true;
		}
		cleanup();
		unlock(resv);
	}
	freed++;
	return false;
}

static bool put_buffer(void)
{
	bool last;

	assert(!freed);
	put(kref, last);
	return last && release();
}

/* The work item may run at any time: it may as well run in this thread. */
static void drop(void)
{
	if (put_buffer()) {
		lock(resv);
		cleanup();
		unlock(resv);
		put_buffer();
	}
}

static void owner(void)
{
	drop();
	end_thread();
}

static void walk(void)
{
	bool mine = false, got = false;

	lock(lru_lock);
	if (on_list) {
		assert(!freed);
		if (kref)
			trylock(resv, mine);
		if (mine) {
			/* FAULT 3: kref_get() instead of kref_get_unless_zero() */
			if (FAULT == 3)
				atomically(got = true; kref++);
			else
				get_unless_zero(kref, got);
			if (!got)
				unlock(resv);
		}
	}
	unlock(lru_lock);
	if (got) {
		/* Evict it. A zombie has no use for its content. */
		assert(!freed && resv && deleted == released);
		if (deleted)
			cleanup();
		unlock(resv);
		drop();
	}
	end_thread();
}

int main(void)
{
	THREAD(1, owner());
	THREAD(2, walk());
	wait_for(2);
	assert(memory_freed == 1 && freed == 1 && !on_list);
}
