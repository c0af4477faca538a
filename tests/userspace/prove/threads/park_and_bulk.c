// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A walk parks its hitch inside a bulk range, and drops the lru_lock at each step, while
 * another thread moves the range to the tail: ttm_resource_cursor_pause(),
 * ttm_cursor_parked_at() and ttm_lru_bulk_move_tail().
 *
 * The list is A* B* C. The walk returns all three (P1), and a member twice only if it was
 * moved after the first time (P2).
 */
#include "threads.h"

enum { END, A, B, C, H };

/* Four bits for each node, the first node in the lowest ones. */
static unsigned int list = A | B << 4 | C << 8;
static bool lru_lock;
static bool registered;
static unsigned int moves;

/* The place of @node, from 0 on; that of END if it is not there. */
static unsigned int place(unsigned int from, unsigned int node)
{
	unsigned int n = 0;

	for (int i = 0; i < 4 && (from >> 4 * n & 15) != END; i++)
		n += (from >> 4 * n & 15) != node;
	return n;
}

static unsigned int take(unsigned int from, unsigned int node)
{
	unsigned int low = (1u << 4 * place(from, node)) - 1;

	return (from & low) | (from >> 4 & ~low);
}

/* Put @node at a place. */
static unsigned int put_at(unsigned int to, unsigned int node, unsigned int n)
{
	unsigned int low = (1u << 4 * n) - 1;

	return (to & low) | node << 4 * n | (to & ~low) << 4;
}

static void mover(void)
{
	unsigned int l, first, size, members, mask;

	lock(lru_lock);
	l = list;
	/* FAULT 1: a hitch inside the range is not put behind it first */
	if (registered && FAULT != 1)
		l = put_at(take(l, H), H, place(take(l, H), B) + 1);
	registered = false;

	/* Move all from A to B to the tail. */
	first = place(l, A);
	size = place(l, B) - first + 1;
	mask = (1u << 4 * size) - 1;
	members = l >> 4 * first & mask;
	l = (l & ~(~0u << 4 * first)) | (l >> 4 * size & ~0u << 4 * first);
	list = l | members << 4 * place(l, END);
	moves++;
	unlock(lru_lock);
	end_thread();
}

static void walk(void)
{
	unsigned int l, n, node, before[H] = {}, seen = 0;
	bool ended = false;

	for (int i = 0; i < 6; i++) {
		lock(lru_lock);
		l = list;
		n = i ? place(l, H) + 1 : 0;
		node = l >> 4 * n & 15;
		if (node != END) {
			assert(!(seen & 1 << node) || before[node] < moves);
			seen |= 1 << node;
			before[node] = moves;
			l = put_at(take(l, H), H, place(take(l, H), node) + 1);
			list = l;
			/* FAULT 2: a hitch that is parked inside the range is not registered */
			registered = node == A && FAULT != 2 && FAULT != 3;
		}
		unlock(lru_lock);
		/* FAULT 3: the hitch is registered after the lock is dropped */
		if (FAULT == 3 && node == A)
			registered = true;
		if (node == END) {
			ended = true;
			break;
		}
	}
	assert(ended && seen == (1 << A | 1 << B | 1 << C));
	end_thread();
}

int main(void)
{
	THREAD(1, mover());
	THREAD(2, walk());
	wait_for(2);
}
