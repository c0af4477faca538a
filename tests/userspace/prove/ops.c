// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A proof for each list operation: from any world, for the resource or cursor
 * in slot TARGET. What an operation has to do to the order of resources is told
 * of pictures, without a word on hitches (P3); what it must not do to walks, of
 * all operations alike (P1, P2).
 */

#include "world.h"

/* Where nodes go in a picture: behind all others, in their order. */
#define TO_TAIL		100

/* What @post should be, resources only, and whether walks should meet @t. */
static struct picture want;
static bool want_met;

/* Where a node is, seen from a walk. */
enum side {
	OUT_OF_SIGHT,
	BEHIND,
	AHEAD
};

static enum side side_of(const struct picture *p, unsigned int walk,
			 unsigned int r)
{
	const struct node *w = &p->node[walk], *node = &p->node[r];
	unsigned int at = w->at;

	if (node->place != TTM_LRU_LOOSE && node->place != TTM_LRU_RANGE)
		return OUT_OF_SIGHT;
	if (w->prio >= PRIOS || node->type != w->type)
		return OUT_OF_SIGHT;
	if (node->prio != w->prio)
		return node->prio < w->prio ? BEHIND : AHEAD;
	if (at == AT_HEAD)
		return AHEAD;
	if (at != NONE)
		return r == at || is_before(p, r, at) ? BEHIND : AHEAD;
	return is_before(p, r, walk) ? BEHIND : AHEAD;
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

/* Walks, but for @mine, stay where they are, and see no resource pass. */
static void check_walk(unsigned int walk)
{
	check(post.node[walk].list == pre.node[walk].list, "walks stay");
	check(post.node[walk].prio == pre.node[walk].prio, "walks stay");
	check(post.node[walk].at == pre.node[walk].at, "walks stay");

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
	}
}

static void check_walks(unsigned int mine)
{
	for_upto(walk, NODES)
		if (!pre.node[walk].is_res && walk != mine)
			check_walk(walk);
}

/* Hitches keep their order. */
static void check_hitches(unsigned int mine)
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
	check(node->type == w->type, "the memory type");
	check(node->bo == w->bo, "the buffer");
	for_upto(other, NODES)
		if (want.node[other].is_res)
			check(is_before(&post, r, other) ==
			      is_before(&want, r, other), "P3: the order");
}

static void check_order(void)
{
	for_upto(n, NODES) {
		if (want.node[n].is_res)
			check_res(n);
		check(post.bo[n].bulk == want.bo[n].bulk, "a buffer's bulk");
	}
}

/* Whoever goes to a tail is put where walks that may meet it do so. */
static void check_met(unsigned int t)
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

static bool is_unevictable(unsigned int t)
{
	unsigned int bo = pre.node[t].bo;

	return pre.bo[bo].pinned || (pre.bo[bo].has_tt && pre.bo[bo].swapped &&
				     pre.bo[bo].resource == t);
}

/* Is @b the first resource behind @a? */
static bool is_next(const struct picture *p, unsigned int a, unsigned int b)
{
	for_upto(r, NODES)
		if (p->node[r].is_res && is_before(p, a, r) &&
		    is_before(p, r, b))
			return false;
	return is_before(p, a, b);
}

static void want_at_tail_of_range(unsigned int t, unsigned int bulk)
{
	struct node *node = &want.node[t];
	unsigned int last = range_last(&want, bulk, node->list);

	if (last != NONE && last != t && !is_next(&want, last, t)) {
		node->pos = want.node[last].pos + 1;
		want_met = true;
	}
	node->place = TTM_LRU_RANGE;
}

/* What the buffer wishes; @bulk is the one to join, or NONE. */
static void want_settled(unsigned int t, unsigned int bulk)
{
	struct node *node = &want.node[t];
	unsigned int bo = node->bo, prio = pre.bo[bo].prio;
	bool unevictable = is_unevictable(t);
	unsigned int list = node->type * PRIOS + prio;

	if (unevictable)
		list = UNEVICTABLE;

	if (node->list != list) {
		node->list = list;
		node->pos = TO_TAIL;
		node->prio = prio;
		node->place = unevictable ? TTM_LRU_UNEVICTABLE :
					    TTM_LRU_LOOSE;
		want_met = true;
	} else if (node->place == TTM_LRU_RANGE && bulk == NONE) {
		unsigned int old = pre.bo[bo].bulk;
		unsigned int last = range_last(&pre, old, list);

		if (t != range_first(&pre, old, list) && t != last)
			node->pos = pre.node[last].pos + 1;
		node->place = TTM_LRU_LOOSE;
	}
	if (bulk != NONE && node->place == TTM_LRU_LOOSE)
		want_at_tail_of_range(t, bulk);
}

/* A driver's bug: a priority changed in a bulk, or a bulk of several locks. */
static bool is_misused(unsigned int t)
{
	const struct node *old = &pre.node[t], *new = &post.node[t];
	unsigned int bo = old->bo, bulk = pre.bo[bo].bulk;

	if (old->place == TTM_LRU_RANGE && pre.bo[bo].prio != old->prio)
		return true;
	for_upto(n, NODES)
		if (new->place == TTM_LRU_RANGE &&
		    is_member(&post, n, bulk, new->list) &&
		    pre.bo[pre.node[n].bo].resv != pre.bo[bo].resv)
			return true;
	return false;
}

static void reserve(unsigned int bo)
{
	for_upto(i, BULKS)
		resvs[i]->held = pre.bo[bo].resv == i;
}

/* Either the operation took the lock, or its caller had it. */
static void check_unlocked(void)
{
	check(lru_lock->taken, "locked");
	check(lru_lock->held == lru_lock->scoped, "unlocked");
}

static void check_locked(void)
{
	check(lru_lock->held && !lru_lock->taken, "still locked");
}

/* Operations on bulks and resources, with all walks paused. */
static void choose_for_bulk(void)
{
	world_choose();
	for_upto(n, NODES)
		given(pre.node[n].is_res || pre.node[n].at == NONE);
	want = pre;
	world_make();
}

static void choose_for_res(void)
{
	choose_for_bulk();
	given(pre.node[TARGET].is_res);
	reserve(pre.node[TARGET].bo);
}

static void check_after_res(bool warns)
{
	world_read();
	check_order();
	check_walks(NONE);
	check_hitches(NONE);
	check_met(TARGET);
	check(!warned || warns, "warned without a reason");
	reached(true, "the end");
}

/* Did the resource go from one place to another, and (not) move? */
static bool is_case(enum ttm_lru_place old, enum ttm_lru_place new, bool moved)
{
	return pre.node[TARGET].place == old &&
	       want.node[TARGET].place == new && has_moved(TARGET) == moved;
}

static bool is_a_hitch_registered(const struct picture *p)
{
	for_upto(n, NODES)
		if (!p->node[n].is_res && p->node[n].bulk != NONE)
			return true;
	return false;
}

static void reached_settling(void)
{
	reached(is_case(TTM_LRU_UNEVICTABLE, TTM_LRU_LOOSE, true),
		"becomes evictable");
	reached(is_case(TTM_LRU_RANGE, TTM_LRU_UNEVICTABLE, true),
		"becomes unevictable in a range");
	reached(is_case(TTM_LRU_LOOSE, TTM_LRU_LOOSE, true) &&
		pre.node[TARGET].prio != want.node[TARGET].prio,
		"another priority");
	reached(is_a_hitch_registered(&pre) && !is_a_hitch_registered(&post),
		"a hitch is inside no more");
}

static void reached_joining(void)
{
	reached(is_case(TTM_LRU_LOOSE, TTM_LRU_RANGE, false), "begins a range");
	reached(is_case(TTM_LRU_LOOSE, TTM_LRU_RANGE, true), "joins a range");
	reached(is_case(TTM_LRU_UNEVICTABLE, TTM_LRU_RANGE, true),
		"joins a range as it becomes evictable");
	reached(!is_a_hitch_registered(&pre) && is_a_hitch_registered(&post),
		"a hitch is inside now");
}

static void reached_leaving(void)
{
	reached(is_case(TTM_LRU_RANGE, TTM_LRU_LOOSE, false),
		"leaves an end of a range");
	reached(is_case(TTM_LRU_RANGE, TTM_LRU_LOOSE, true),
		"leaves the middle of a range");
}

void prove_add(void)
{
	choose_for_res();
	want_settled(TARGET, pre.bo[pre.node[TARGET].bo].bulk);
	lru_lock->held = true;
	ttm_resource_add_bulk_move(res[TARGET], res[TARGET]->bo);
	check_locked();
	check_after_res(warned);
	check(!warned || is_misused(TARGET), "warned without a reason");
	reached_settling();
	reached_joining();
}

void prove_del(void)
{
	choose_for_res();
	want_settled(TARGET, NONE);
	lru_lock->held = true;
	ttm_resource_del_bulk_move(res[TARGET], res[TARGET]->bo);
	check_locked();
	check_after_res(false);
	reached_settling();
	reached_leaving();
}

void prove_del_unevictable(void)
{
	choose_for_res();
	want_settled(TARGET, NONE);
	lru_lock->held = true;
	ttm_resource_del_bulk_move_unevictable(res[TARGET], res[TARGET]->bo);
	check_locked();
	check_after_res(!is_unevictable(TARGET));
	reached_settling();
}

void prove_tail(void)
{
	unsigned int bulk;

	choose_for_res();
	bulk = pre.bo[pre.node[TARGET].bo].bulk;
	want_settled(TARGET, bulk);
	if (want.node[TARGET].place == TTM_LRU_RANGE) {
		want_at_tail_of_range(TARGET, bulk);
	} else {
		want.node[TARGET].pos = TO_TAIL;
		want_met = true;
	}
	lru_lock->held = true;
	ttm_resource_move_to_lru_tail(res[TARGET]);
	check_locked();
	check_after_res(warned);
	check(!warned || is_misused(TARGET), "warned without a reason");
	reached_settling();
	reached_joining();
	reached(is_case(TTM_LRU_RANGE, TTM_LRU_RANGE, true),
		"moves in a range");
}

void prove_init(void)
{
	struct ttm_resource any, *r = res[TARGET];
	struct ttm_buffer_object *bo;
	struct ttm_place place;
	u64 usage;

	choose_for_res();
	given(pre.node[TARGET].place == TTM_LRU_OFF);
	bo = r->bo;
	*r = any;
	place.mem_type = pre.node[TARGET].type;
	want.node[TARGET].pos = TO_TAIL;
	want_settled(TARGET, pre.bo[pre.node[TARGET].bo].bulk);
	usage = ttm_manager_type(&bdev, place.mem_type)->usage;

	ttm_resource_init(bo, &place, r);
	check_unlocked();
	check_after_res(warned);
	check(!warned || is_misused(TARGET), "warned without a reason");
	check(r->size == bo->base.size && r->placement == place.flags &&
	      !r->start && !r->css && r->bus.caching == ttm_cached,
	      "a resource's members");
	check(ttm_manager_type(&bdev, place.mem_type)->usage ==
	      usage + bo->base.size, "usage grows");
	reached(want.node[TARGET].place == TTM_LRU_UNEVICTABLE, "pinned");
	reached(want.node[TARGET].place == TTM_LRU_LOOSE, "loose");
	reached(want.node[TARGET].place == TTM_LRU_RANGE, "in a range");
	reached(!is_a_hitch_registered(&pre) && is_a_hitch_registered(&post),
		"a hitch is inside now");
}

void prove_fini(void)
{
	struct ttm_resource_manager *m;
	u64 usage;

	choose_for_res();
	want.node[TARGET].list = NOWHERE;
	want.node[TARGET].place = TTM_LRU_OFF;
	m = ttm_manager_type(&bdev, pre.node[TARGET].type);
	usage = m->usage;
	ttm_resource_fini(m, res[TARGET]);
	check_unlocked();
	check_after_res(false);
	check(m->usage == usage - res[TARGET]->size, "usage shrinks");
	reached(pre.node[TARGET].place == TTM_LRU_RANGE, "in a range");
	reached(is_a_hitch_registered(&pre) && !is_a_hitch_registered(&post),
		"a hitch is inside no more");
}

void prove_set_bo(void)
{
	unsigned int bo, old;

	choose_for_res();
	old = pre.node[TARGET].bo;
	given(bo < NODES);
	/* As it is documented; else it warns. */
	given(pre.node[TARGET].place != TTM_LRU_RANGE ||
	      pre.bo[bo].bulk == pre.bo[old].bulk);
	want.node[TARGET].bo = bo;
	ttm_resource_set_bo(res[TARGET], buf[bo]);
	check_unlocked();
	check_after_res(false);
	reached(bo != old && pre.node[TARGET].place == TTM_LRU_RANGE,
		"in a range");
}

void prove_bulk_tail(void)
{
	choose_for_bulk();
	resvs[0]->held = true;
	resvs[1]->held = true;
	for_upto(n, NODES)
		if (is_member(&pre, n, 0, pre.node[n].list))
			want.node[n].pos += TO_TAIL;
	lru_lock->held = true;
	ttm_lru_bulk_move_tail(bulks[0]);
	check_locked();
	world_read();
	check_order();
	check_walks(NONE);
	check(!warned, "warned without a reason");
	reached(true, "the end");
	reached(is_a_hitch_registered(&pre) && !is_a_hitch_registered(&post),
		"a hitch is left behind");
}

void prove_bulk_fini(void)
{
	bool left = false;

	choose_for_bulk();
	/* Of one buffer, a bulk that ends has no two members. */
	for_upto(a, NODES)
		for_upto(b, a)
			given(pre.node[a].place != TTM_LRU_RANGE ||
			      pre.node[b].place != TTM_LRU_RANGE ||
			      pre.node[a].bo != pre.node[b].bo ||
			      pre.bo[pre.node[a].bo].bulk != 0);
	for_upto(n, NODES) {
		if (!is_member(&pre, n, 0, pre.node[n].list))
			continue;
		left = true;
		want.node[n].place = TTM_LRU_LOOSE;
		want.bo[pre.node[n].bo].bulk = NONE;
	}
	ttm_lru_bulk_move_fini(&bdev, bulks[0]);
	check_unlocked();
	check_after_res(left);
	check(warned == left, "warned of what was left");
	check(list_empty(&bulks[0]->cursor_list), "no cursor points to it");
	reached(left, "members are left");
	reached(is_a_hitch_registered(&pre) && !is_a_hitch_registered(&post),
		"a hitch is inside no more");
}

/* Operations on cursors, with others in any state. */
static void choose_for_cursor(void)
{
	world_choose();
	given(!pre.node[TARGET].is_res);
	want = pre;
	world_make();
	lru_lock->held = true;
}

static void check_after_cursor(void)
{
	check_locked();
	world_read();
	check_order();
	check_walks(TARGET);
	check_hitches(TARGET);
	check(!warned, "warned without a reason");
	reached(true, "the end");
	reached(pre.node[TARGET].bulk != NONE, "a hitch inside a range");
	reached(pre.node[TARGET].prio == PRIOS, "in no walk");
	reached(pre.node[TARGET].at < NODES &&
		pre.node[TARGET].list != NOWHERE, "advanced, not paused");
}

/* How a step may end, and where. */
static void reached_stepping(unsigned int next)
{
	reached(next == NONE && pre.node[TARGET].prio < PRIOS, "the last");
	reached(next != NONE && pre.node[next].place == TTM_LRU_RANGE,
		"on to a member");
	reached(next != NONE && pre.node[TARGET].list != NOWHERE &&
		pre.node[next].list != pre.node[TARGET].list,
		"on to another list");
}

/* The resource that comes next in @walk, or NONE. */
static unsigned int next_in(const struct picture *p, unsigned int walk)
{
	unsigned int next = NONE;

	for_upto(r, NODES) {
		if (!p->node[r].is_res || side_of(p, walk, r) != AHEAD)
			continue;
		if (next == NONE || p->node[r].prio < p->node[next].prio ||
		    is_before(p, r, next))
			next = r;
	}
	return next;
}

/* The walk goes on as if it stood where @was told. */
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
	check(r == (next == NONE ? NULL : res[next]), "the next resource");
}

/* @walk stands at @r from now on, or has ended. */
static void step(struct picture *p, unsigned int walk, unsigned int r)
{
	struct node *node = &p->node[walk];

	node->prio = r == NONE ? PRIOS : p->node[r].prio;
	node->at = r;
}

static void check_restarted(void)
{
	const struct node *node = &post.node[TARGET];

	check(!node->prio && node->list == NOWHERE && node->at == AT_HEAD,
	      "a walk starts over");
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

void prove_advance(void)
{
	struct ttm_resource *r;
	unsigned int next;

	choose_for_cursor();
	next = next_in(&pre, TARGET);
	r = ttm_resource_cursor_advance(cur[TARGET]);
	check_after_cursor();
	check_returned(r, next);
	step(&want, TARGET, next);
	if (next == NONE)
		check_ended();
	else
		check(post.node[TARGET].at == next, "at the next resource");
	check_goes_on(&want);

	/* The list that is walked isn't written to. */
	check(post.node[TARGET].list ==
	      (want.node[TARGET].prio == pre.node[TARGET].prio ?
	       pre.node[TARGET].list : NOWHERE), "the hitch stays, or is off");
	for_upto(n, NODES)
		if (post.node[TARGET].list != NOWHERE && n != TARGET)
			check(is_before(&post, TARGET, n) ==
			      is_before(&pre, TARGET, n), "the hitch stays");
	reached_stepping(next);
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
	reached(post.node[TARGET].bulk != NONE, "inside a range now");
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
	reached_stepping(next);
}

void prove_first(void)
{
	struct ttm_resource *r;
	unsigned int next;

	choose_for_cursor();
	want.node[TARGET].prio = 0;
	want.node[TARGET].at = AT_HEAD;
	next = next_in(&want, TARGET);
	r = ttm_resource_manager_first(cur[TARGET]);
	check_after_cursor();
	check_returned(r, next);
	step(&want, TARGET, next);
	if (next == NONE)
		check_ended();
	check_parked();
	check_goes_on(&want);
	reached_stepping(next);
}

void prove_skip_bulk(void)
{
	const struct node *node = &pre.node[TARGET];
	unsigned int bulk = NONE, last;

	choose_for_cursor();
	if (node->at == NONE)
		bulk = node->bulk;
	else if (node->at != AT_HEAD &&
		 pre.node[node->at].place == TTM_LRU_RANGE)
		bulk = pre.bo[pre.node[node->at].bo].bulk;
	if (bulk != NONE) {
		last = range_last(&pre, bulk, node->type * PRIOS + node->prio);
		want.node[TARGET].at = last;
	}
	ttm_resource_cursor_skip_bulk(cur[TARGET]);
	check_after_cursor();
	check(post.node[TARGET].at == want.node[TARGET].at,
	      "at the range's end");
	check(post.node[TARGET].prio == node->prio, "same priority");
	check(post.node[TARGET].list == node->list, "the hitch stays");
	check_goes_on(&want);
	reached(bulk != NONE && node->at == NONE, "parked in a range");
	reached(bulk != NONE && node->at != NONE, "at a member");
}
