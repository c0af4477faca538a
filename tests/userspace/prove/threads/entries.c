// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A search fails to allocate, and takes back the entry of its attempt, while another one
 * walks and a third thread's resource enters: ttm_resource_manager_entered(),
 * ttm_resource_manager_entries(), ttm_resource_has_entered(), ttm_resource_not_entered() and
 * ttm_evict_has_entered().
 *
 * The walk sees the third thread's resource, or it is told that resources have entered. If
 * nothing else happens, the search is told that nothing has.
 */
#include "threads.h"

enum { NONE, BO, OTHER };

static bool lru_lock;
static unsigned int entries;
static int newest;
/* The resource of the third thread is on the list. */
static bool on_list;
static bool others;

static void enter(int new)
{
	entries++;
	newest = new;
}

/* What a walk or a search does before it begins; with the lru_lock held. */
static unsigned int count(void)
{
	/* FAULT 1: an entry that was counted can still be taken back */
	if (FAULT != 1)
		newest = NONE;
	return entries;
}

static void attempt(void)
{
	unsigned int before;
	bool same;

	lock(lru_lock);
	before = count();
	unlock(lru_lock);

	/* The unlocked look of ttm_resource_has_entered(): only this thread sets it to BO. */
	if (newest == BO) {
		lock(lru_lock);
		if (newest == BO)
			newest = NONE;
		unlock(lru_lock);
	}
	lock(lru_lock);
	enter(BO);
	unlock(lru_lock);
	lock(lru_lock);
	/* FAULT 2: an entry is taken back though another one came later */
	if (newest == BO || FAULT == 2) {
		newest = NONE;
		/* FAULT 3: a failed attempt is not taken back */
		entries -= FAULT != 3;
	}
	unlock(lru_lock);
	/* The unlocked read */
	same = entries == before;
	assert(same || others);
	end_thread();
}

static void walk(void)
{
	unsigned int before;
	bool seen;

	others = true;
	lock(lru_lock);
	before = count();
	seen = on_list;
	unlock(lru_lock);

	/* The third thread allocates behind the walk. */
	lock(lru_lock);
	on_list = true;
	enter(OTHER);
	unlock(lru_lock);

	/* The unlocked read; the walk's own one is locked. */
	assert(seen || entries != before);
	end_thread();
}

int main(void)
{
	bool alone = nondet_bool();

	THREAD(1, attempt());
	if (!alone)
		THREAD(2, walk());
	wait_for(alone ? 1 : 2);
}
