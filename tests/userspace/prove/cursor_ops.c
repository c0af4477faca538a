// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A proof for each operation on cursors: from any world, for the cursor in slot TARGET.
 * The resources stay as they are.
 */

#include "checks.h"

/* Operations on one cursor, with the other cursors in any state. */
static void choose_for_cursor(void)
{
	world_choose();
	want = pre;
	world_make();
	lru_lock->held = true;
}

static void check_after_cursor(void)
{
	check_locked();
	world_read();
	check_order();
	for_upto(n, NODES)
		if (pre.node[n].is_res)
			check(post.node[n].stamp == pre.node[n].stamp &&
			      !post.node[n].at_tail == !pre.node[n].at_tail,
			      "P7: none has moved");
	check_walks(TARGET);
	check_hitches(TARGET);
	check(!warned, "warned without a reason");
}

/* Does @r come next in @walk: the first ahead that isn't ignored? */
static bool is_next_in(const struct picture *p, unsigned int walk,
		       unsigned int r)
{
	const struct node *node = &p->node[r];
	bool next = true;

	for_upto(i, NODES) {
		const struct node *other = &p->node[i];
		bool may = other->is_res && side_of(p, walk, i) == AHEAD &&
			   !is_ignored(p, walk, i);

		if (i == r)
			next &= may;
		else
			next &= !may || other->prio > node->prio ||
				is_before(p, r, i);
	}
	return next;
}

/* The resource that comes next in @walk, or NONE. */
static unsigned int next_in(const struct picture *p, unsigned int walk)
{
	unsigned int next = NONE;

	for_upto(r, NODES)
		if (is_next_in(p, walk, r))
			next = r;
	return next;
}

/* The walk continues from the place that it has in @was. */
static void check_goes_on(const struct picture *was)
{
	for_upto(r, NODES)
		if (pre.node[r].is_res)
			check((side_of(&post, TARGET, r) == AHEAD) ==
			      (side_of(was, TARGET, r) == AHEAD),
			      "a walk goes on where it was");
}

static void check_ended(void)
{
	const struct node *node = &post.node[TARGET];

	check(node->prio == PRIOS && node->list == NOWHERE && node->at == NONE,
	      "P6: a walk that ended is off the lists");
}

static void check_returned(const struct ttm_resource *r, unsigned int next)
{
	check(!r == (next == NONE), "a resource, unless the walk ends");
	for_upto(n, NODES)
		if (pre.node[n].is_res)
			check((r == res[n]) == (next == n), "the next resource");
}

/* @walk stands at @r from now on, or has ended. */
static void step(struct picture *p, unsigned int walk, unsigned int r)
{
	struct node *node = &p->node[walk];

	node->at = r;
	node->prio = PRIOS;
	for_upto(n, NODES)
		if (n == r)
			node->prio = p->node[n].prio;
}

static void check_restarted(void)
{
	const struct node *node = &post.node[TARGET];

	check(!node->prio && node->list == NOWHERE && node->at == AT_HEAD,
	      "a walk starts over");
	check(!node->bounded || node->stamp > pre.clock,
	      "P7: it has all before it");
}

void prove_cursor_init(void)
{
	struct ttm_resource_cursor any, *c = cur[TARGET];
	const struct node *node = &pre.node[TARGET];

	choose_for_cursor();
	given(node->prio == PRIOS && node->bulk == NONE);
	*c = any;
	if (node->bounded)
		ttm_resource_cursor_init_bounded(c, man[TYPE]);
	else
		ttm_resource_cursor_init(c, man[TYPE]);
	check_after_cursor();
	check_ended();
}

void prove_cursor_fini(void)
{
	choose_for_cursor();
	ttm_resource_cursor_fini(cur[TARGET]);
	check_after_cursor();
	check_ended();
}

void prove_restart(void)
{
	struct ttm_resource_cursor *c;

	choose_for_cursor();
	c = ttm_resource_cursor_restart(cur[TARGET]);
	check_after_cursor();
	check(c == cur[TARGET], "the same cursor");
	check_restarted();
}

/* The walk was told to step to @next, and wrote nothing to the list. */
static void check_advanced(unsigned int next)
{
	step(&want, TARGET, next);
	if (next == NONE)
		check_ended();
	else
		check(post.node[TARGET].at == next, "at the next resource");
	check_goes_on(&want);

	check(post.node[TARGET].list ==
	      (want.node[TARGET].prio == pre.node[TARGET].prio ?
	       pre.node[TARGET].list : NOWHERE), "the hitch stays, or is off");
	for_upto(n, NODES)
		if (post.node[TARGET].list != NOWHERE && n != TARGET)
			check(is_before(&post, TARGET, n) ==
			      is_before(&pre, TARGET, n), "the hitch stays");
}

void prove_advance(void)
{
	struct ttm_resource *r;
	unsigned int next;

	choose_for_cursor();
	next = next_in(&pre, TARGET);
	r = ttm_resource_cursor_advance(cur[TARGET]);
	check_after_cursor();
	check_returned(r, next);
	check_advanced(next);
}

/* Of the resources ahead of the walk, how many are upto @r? NONE: all. */
static unsigned int ahead_upto(unsigned int r)
{
	unsigned int ahead = 0;

	for_upto(i, NODES) {
		bool upto = r == NONE || r == i;

		if (!pre.node[i].is_res || side_of(&pre, TARGET, i) != AHEAD)
			continue;
		for_upto(n, NODES)
			upto |= n == r &&
				(pre.node[i].prio < pre.node[n].prio ||
				 is_before(&pre, i, n));
		ahead += upto;
	}
	return ahead;
}

/* The walk stands at one that it ignores, and has lost nothing. */
static void check_passed(unsigned int at, unsigned int next)
{
	bool passed = false;

	for_upto(n, NODES)
		passed |= n == at && pre.node[n].is_res &&
			  side_of(&pre, TARGET, n) == AHEAD &&
			  is_ignored(&pre, TARGET, n);
	check(passed, "at one that is ignored");
	check(next_in(&post, TARGET) == next, "what comes next still does");
}

void prove_advance_within(void)
{
	unsigned long budget, left, looked;
	struct ttm_resource *r;
	unsigned int next, at;

	choose_for_cursor();
	given(budget);
	left = budget;
	next = next_in(&pre, TARGET);
	at = next;
	r = ttm_resource_cursor_advance_within(cur[TARGET], &left);
	check_after_cursor();
	if (r == ERR_PTR(-EAGAIN)) {
		at = post.node[TARGET].at;
		check(!left, "the budget is used up");
		check_passed(at, next);
	} else {
		check_returned(r, next);
	}
	check_advanced(at);

	/* Behind an ignored resource, the walk may skip others without looking. */
	looked = budget - left;
	check(looked <= budget, "within the budget");
	check(looked <= ahead_upto(at), "no more than there are");
	check(looked || !ahead_upto(NONE), "a resource that it looked at counts");
	check(looked > 1 || at == NONE || ahead_upto(at) == 1,
	      "an ignored resource counts");
}

static void check_parked(void)
{
	const struct node *node = &post.node[TARGET];

	check(node->at == NONE, "the hitch is parked");
	check(node->prio == PRIOS || node->list != NOWHERE, "on a list");
}

void prove_pause(void)
{
	choose_for_cursor();
	ttm_resource_cursor_pause(cur[TARGET]);
	check_after_cursor();
	check_parked();
	check(post.node[TARGET].prio == pre.node[TARGET].prio, "same priority");
	check_goes_on(&pre);
}

void prove_next(void)
{
	struct ttm_resource *r;
	unsigned int next;

	choose_for_cursor();
	next = next_in(&pre, TARGET);
	r = ttm_resource_manager_next(cur[TARGET]);
	check_after_cursor();
	check_returned(r, next);
	step(&want, TARGET, next);
	if (next == NONE)
		check_ended();
	check_parked();
	check_goes_on(&want);
}

void prove_first(void)
{
	struct ttm_resource *r;
	unsigned int next;

	choose_for_cursor();
	want.node[TARGET].prio = 0;
	want.node[TARGET].at = AT_HEAD;
	want.node[TARGET].bounded = false;	/* It has all before it. */
	next = next_in(&want, TARGET);
	r = ttm_resource_manager_first(cur[TARGET]);
	check_after_cursor();
	check_returned(r, next);
	step(&want, TARGET, next);
	if (next == NONE)
		check_ended();
	check_parked();
	check_goes_on(&want);
}

/* Is the walk in the range that @last is the last member of? */
static bool is_walk_in(const struct node *walk, unsigned int last)
{
	const struct node *node = &pre.node[last];
	unsigned int list = FIRST_LIST + walk->prio;
	bool in = false;

	if (!node->is_last || node->list != list)
		return false;
	if (walk->at == NONE)
		return walk->bulk == node->bulk;
	for_upto(n, NODES)
		in |= walk->at == n && is_member(&pre.node[n], node->bulk,
						      list);
	return in;
}

void prove_skip_bulk(void)
{
	const struct node *node = &pre.node[TARGET];
	bool in = false;

	choose_for_cursor();
	for_upto(n, NODES) {
		if (!is_walk_in(node, n))
			continue;
		want.node[TARGET].at = n;
		in = true;
	}
	ttm_resource_cursor_skip_bulk(cur[TARGET]);
	check_after_cursor();
	check(post.node[TARGET].at == want.node[TARGET].at,
	      "at the range's end");
	check(post.node[TARGET].prio == node->prio, "same priority");
	check(post.node[TARGET].list == node->list, "the hitch stays");
	check_goes_on(&want);
}
