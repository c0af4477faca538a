// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What every operation must keep: it does to the resources what is wanted, and nothing
 * else (P3), and no walk sees a resource pass (P1, P2, P7).
 */

#include "checks.h"

struct picture want;
bool want_met, want_passed;

/* Is @r at @at, or before it? */
static bool is_upto(const struct picture *p, unsigned int r, unsigned int at)
{
	bool upto = r == at;

	for_upto(n, NODES)
		upto |= n == at && is_before(p, r, n);
	return upto;
}

enum side side_of(const struct picture *p, unsigned int walk, unsigned int r)
{
	const struct node *w = &p->node[walk], *node = &p->node[r];

	if (!is_evictable(node) || w->prio >= PRIOS)
		return OUT_OF_SIGHT;
	if (node->prio != w->prio)
		return node->prio < w->prio ? BEHIND : AHEAD;
	if (w->at == AT_HEAD)
		return AHEAD;
	if (w->at != NONE)
		return is_upto(p, r, w->at) ? BEHIND : AHEAD;
	return is_before(p, r, walk) ? BEHIND : AHEAD;
}

bool is_ignored(const struct picture *p, unsigned int walk, unsigned int r)
{
	return p->node[walk].bounded &&
	       p->node[r].moved >= p->node[walk].stamp;
}

static bool has_moved(unsigned int r)
{
	return want.node[r].pos != pre.node[r].pos;
}

static bool has_entered(unsigned int r)
{
	const struct node *old = &pre.node[r], *new = &want.node[r];

	return old->prio != new->prio ||
	       (old->place != TTM_LRU_RANGE && new->place == TTM_LRU_RANGE);
}

static void check_walk(unsigned int walk)
{
	check(post.node[walk].list == pre.node[walk].list, "walks stay");
	check(post.node[walk].prio == pre.node[walk].prio, "walks stay");
	check(post.node[walk].at == pre.node[walk].at, "walks stay");
	check(post.node[walk].stamp == pre.node[walk].stamp, "walks stay");

	for_upto(r, NODES) {
		enum side old, new;

		if (!pre.node[r].is_res)
			continue;
		old = side_of(&pre, walk, r);
		new = side_of(&post, walk, r);
		check(old != AHEAD || new != BEHIND || has_entered(r),
		      "P1: nothing gets behind a walk");
		check(old != BEHIND || new != AHEAD || has_moved(r),
		      "P2: nothing gets ahead of a walk");
		if (new == OUT_OF_SIGHT || !pre.node[walk].bounded)
			continue;
		check(is_ignored(&post, walk, r) ==
		      (has_moved(r) || has_entered(r) ||
		       is_ignored(&pre, walk, r)), "P7: what moved is ignored");
	}
}

void check_walks(unsigned int mine)
{
	for_upto(walk, NODES)
		if (!pre.node[walk].is_res && walk != mine)
			check_walk(walk);
}

void check_hitches(unsigned int mine)
{
	for_upto(a, NODES)
		for_upto(b, NODES)
			if (!pre.node[a].is_res && !pre.node[b].is_res &&
			    a != mine && b != mine)
				check(is_before(&pre, a, b) ==
				      is_before(&post, a, b), "hitches' order");
}

static void check_res(unsigned int r)
{
	const struct node *w = &want.node[r], *node = &post.node[r];

	check(node->list == w->list, "P3: the list");
	check(node->place == w->place, "the place");
	check(node->prio == w->prio, "the priority");
	check(node->bulk == w->bulk, "a buffer's bulk");
	for_upto(other, NODES)
		if (want.node[other].is_res)
			check(is_before(&post, r, other) ==
			      is_before(&want, r, other), "P3: the order");
}

void check_order(void)
{
	for_upto(n, NODES)
		if (want.node[n].is_res)
			check_res(n);
}

void check_met(unsigned int t)
{
	if (!want_met || !has_moved(t))
		return;
	for_upto(walk, NODES) {
		bool between = false;

		if (pre.node[walk].is_res || !is_before(&post, t, walk))
			continue;
		for_upto(r, NODES)
			between |= pre.node[r].is_res &&
				   is_before(&post, t, r) &&
				   is_before(&post, r, walk);
		check(between, "no hitch directly behind it");
	}
}

void check_passed_by(unsigned int t)
{
	if (!want_passed || !has_moved(t))
		return;
	for_upto(walk, NODES) {
		bool behind = !pre.node[walk].is_res;

		for_upto(r, NODES)
			if (is_member(&pre.node[r], pre.node[t].bulk,
				      pre.node[t].list))
				behind &= is_before(&pre, r, walk);
		check(!behind || is_before(&post, t, walk),
		      "a resource that walks passed stays behind them");
	}
}

void check_unlocked(void)
{
	check(lru_lock->taken, "locked");
	check(lru_lock->held == lru_lock->scoped, "unlocked");
}

void check_locked(void)
{
	check(lru_lock->held && !lru_lock->taken, "still locked");
}
