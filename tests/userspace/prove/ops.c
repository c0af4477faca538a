// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A proof for each list operation: from any world, for the resource or cursor
 * in slot TARGET. What an operation has to do to the order of resources is told
 * of pictures, without a word on hitches (P3); what it must not do to walks, of
 * all operations alike (P1, P2, P7).
 */

#include "world.h"

/* Where nodes go in a picture: behind all others, in their order. */
#define TO_TAIL		100

/*
 * What @post should be, resources only, and whether walks at its place should meet
 * who moved, or have passed it by.
 */
static struct picture want;
static bool want_met, want_passed;

/* Where a node is, seen from a walk. */
enum side {
	OUT_OF_SIGHT,
	BEHIND,
	AHEAD
};

/* Is @r at @at, or before it? */
static bool is_upto(const struct picture *p, unsigned int r, unsigned int at)
{
	bool upto = r == at;

	for_upto(n, NODES)
		upto |= n == at && is_before(p, r, n);
	return upto;
}

static enum side side_of(const struct picture *p, unsigned int walk,
			 unsigned int r)
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

/* Does the walk ignore @r, as it moved since the walk began? */
static bool is_ignored(const struct picture *p, unsigned int walk,
		       unsigned int r)
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

/* Walks, but for @mine, stay where they are, and see no resource pass. */
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
		       is_ignored(&pre, walk, r)), "P7: who moved is ignored");
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
	check(node->bulk == w->bulk, "a buffer's bulk");
	for_upto(other, NODES)
		if (want.node[other].is_res)
			check(is_before(&post, r, other) ==
			      is_before(&want, r, other), "P3: the order");
}

static void check_order(void)
{
	for_upto(n, NODES)
		if (want.node[n].is_res)
			check_res(n);
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

/* Who goes to its range's tail stays behind the walks that are behind the range. */
static void check_passed_by(unsigned int t)
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
		      "who was passed by stays so");
	}
}

static bool is_unevictable(unsigned int t)
{
	const struct node *node = &pre.node[t];

	return node->pinned ||
	       (node->has_tt && node->swapped && node->is_current);
}

/* Is @b the first resource behind @a? */
static bool is_next(const struct picture *p, unsigned int a, unsigned int b)
{
	bool next = is_before(p, a, b);

	for_upto(r, NODES)
		next &= !p->node[r].is_res || !is_before(p, a, r) ||
			!is_before(p, r, b);
	return next;
}

static void want_at_tail_of_range(unsigned int t)
{
	struct node *node = &want.node[t];
	struct picture old = want;

	for_upto(n, NODES) {
		const struct node *last = &pre.node[n];

		if (n == t || !last->is_last || last->list != node->list ||
		    last->bulk != node->bulk || is_next(&old, n, t))
			continue;
		node->pos = last->pos + 1;
	}
}

static void want_joined(unsigned int t)
{
	want_at_tail_of_range(t);
	want.node[t].place = TTM_LRU_RANGE;
	want_met = true;
}

/* From either end it stays, from the middle it goes behind the last. */
static void want_out_of_range(unsigned int t)
{
	struct node *node = &want.node[t];

	if (!node->is_first)
		for_upto(n, NODES)
			if (n != t && pre.node[n].is_last &&
			    is_member(&pre.node[n], node->bulk, node->list))
				node->pos = pre.node[n].pos + 1;
	node->place = TTM_LRU_LOOSE;
}

/* What the buffer wishes; @bulk is the one to join, or NONE. */
static void want_settled(unsigned int t, unsigned int bulk)
{
	struct node *node = &want.node[t];
	bool unevictable = is_unevictable(t);
	unsigned int list = FIRST_LIST + node->new_prio;

	if (unevictable)
		list = UNEVICTABLE;

	if (node->list != list) {
		node->list = list;
		node->pos = TO_TAIL;
		node->prio = node->new_prio;
		node->place = unevictable ? TTM_LRU_UNEVICTABLE :
					    TTM_LRU_LOOSE;
		want_met = true;
	} else if (node->place == TTM_LRU_RANGE && bulk == NONE) {
		want_out_of_range(t);
	}
	if (bulk != NONE && node->place == TTM_LRU_LOOSE)
		want_joined(t);
}

/* A driver's bug: a priority changed in a bulk, or a bulk of several locks. */
static bool is_misused(unsigned int t)
{
	const struct node *old = &pre.node[t], *new = &post.node[t];
	bool misused = old->place == TTM_LRU_RANGE &&
		       old->new_prio != old->prio;

	if (new->place == TTM_LRU_RANGE)
		for_upto(n, NODES)
			misused |= is_member(&post.node[n], new->bulk,
					     new->list) &&
				   pre.node[n].resv != old->resv;
	return misused;
}

static void reserve(unsigned int t)
{
	for_upto(i, BULKS)
		resvs[i]->held = pre.node[t].resv == i;
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
	reserve(TARGET);
}

static void check_after_bulk(void)
{
	world_read();
	check_order();
	check_walks(NONE);
}

static void check_after_res(bool warns)
{
	check_after_bulk();
	check_hitches(NONE);
	check_met(TARGET);
	check_passed_by(TARGET);
	check(!warned || warns, "warned without a reason");
}

void prove_add(void)
{
	choose_for_res();
	want_settled(TARGET, pre.node[TARGET].bulk);
	lru_lock->held = true;
	ttm_resource_add_bulk_move(res[TARGET], res[TARGET]->bo);
	check_locked();
	check_after_res(warned);
	check(!warned || is_misused(TARGET), "warned without a reason");
}

void prove_del(void)
{
	choose_for_res();
	want_settled(TARGET, NONE);
	lru_lock->held = true;
	ttm_resource_del_bulk_move(res[TARGET], res[TARGET]->bo);
	check_locked();
	check_after_res(false);
}

void prove_tail(void)
{
	unsigned int bulk;

	choose_for_res();
	bulk = pre.node[TARGET].bulk;
	want_settled(TARGET, bulk);
	if (want.node[TARGET].place == TTM_LRU_RANGE) {
		want_at_tail_of_range(TARGET);
		want_passed = !want_met;
	} else {
		want.node[TARGET].pos = TO_TAIL;
		want_met = true;
	}
	lru_lock->held = true;
	ttm_resource_move_to_lru_tail(res[TARGET]);
	check_locked();
	check_after_res(warned);
	check(!warned || is_misused(TARGET), "warned without a reason");
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
	place.mem_type = TYPE;
	want.node[TARGET].pos = TO_TAIL;
	want_settled(TARGET, pre.node[TARGET].bulk);
	usage = man[TYPE]->usage;

	ttm_resource_init(bo, &place, r);
	check_unlocked();
	check_after_res(warned);
	check(!warned || is_misused(TARGET), "warned without a reason");
	check(r->size == bo->base.size && r->placement == place.flags &&
	      !r->start && !r->css && r->bus.caching == ttm_cached,
	      "a resource's members");
	check(man[TYPE]->usage == usage + bo->base.size, "usage grows");
}

void prove_fini(void)
{
	struct ttm_resource_manager *m = man[TYPE];
	u64 usage;

	choose_for_res();
	want.node[TARGET].list = NOWHERE;
	want.node[TARGET].place = TTM_LRU_OFF;
	want.node[TARGET].prio = 0;
	usage = m->usage;
	ttm_resource_fini(m, res[TARGET]);
	check_unlocked();
	check_after_res(false);
	check(m->usage == usage - res[TARGET]->size, "usage shrinks");
}

void prove_set_bo(void)
{
	struct ttm_buffer_object any;
	bool bulk;

	choose_for_res();
	spare = any;
	spare.bdev = &bdev;
	/* In a range, as it is documented; else it warns. */
	spare.bulk_move = buf[TARGET]->bulk_move;
	if (bulk && pre.node[TARGET].place != TTM_LRU_RANGE) {
		spare.bulk_move = bulks[1];
		want.node[TARGET].bulk = 1;
	}
	owner[TARGET] = &spare;
	ttm_resource_set_bo(res[TARGET], &spare);
	check_unlocked();
	check_after_res(false);
}

void prove_bulk_tail(void)
{
	choose_for_bulk();
	resvs[0]->held = true;
	resvs[1]->held = true;
	for_upto(n, NODES)
		if (is_member(&pre.node[n], 0, pre.node[n].list))
			want.node[n].pos += TO_TAIL;
	lru_lock->held = true;
	ttm_lru_bulk_move_tail(bulks[0]);
	check_locked();
	check_after_bulk();
	check(!warned, "warned without a reason");
}

/* A buffer that is being moved has two resources. */
static void share_buffer(unsigned int a, unsigned int b)
{
	for_upto(i, NODES)
		for_upto(j, i) {
			if (i != a || j != b || !pre.node[i].is_res ||
			    !pre.node[j].is_res)
				continue;
			given(pre.node[i].bulk == pre.node[j].bulk);
			owner[i] = buf[j];
			res[i]->bo = buf[j];
		}
}

void prove_bulk_fini(void)
{
	bool left = false;
	unsigned int a, b;

	choose_for_bulk();
	share_buffer(a, b);
	for_upto(n, NODES) {
		if (!is_member(&pre.node[n], 0, pre.node[n].list))
			continue;
		left = true;
		want.node[n].place = TTM_LRU_LOOSE;
		for_upto(i, NODES)
			if (owner[i] == owner[n])
				want.node[i].bulk = NONE;
	}
	ttm_lru_bulk_move_fini(&bdev, bulks[0]);
	check_unlocked();
	check_after_bulk();
	check(warned == left, "warned of what was left");
	check(list_empty(&bulks[0]->cursor_list), "no cursor points to it");
}

void prove_in_shared_bulk(void)
{
	const struct node *node = &pre.node[TARGET];
	bool shared;

	choose_for_res();
	shared = node->place == TTM_LRU_RANGE;
	for_upto(n, NODES)
		if (is_member(&pre.node[n], node->bulk, node->list) &&
		    (pre.node[n].is_first || pre.node[n].is_last))
			shared &= pre.node[n].resv == node->resv;
	lru_lock->held = true;
	check(ttm_resource_in_shared_bulk(res[TARGET]) == shared,
	      "the lock of both ends");
	check_locked();
	check_after_res(false);
}

void prove_unevictable_start(void)
{
	u64 since[TYPES];

	choose_for_bulk();
	lru_lock->held = true;
	ttm_unevictable_walk_start(&bdev, since);
	check_locked();
	check_after_bulk();
	check(since[TYPE] > pre.clock * TTM_LRU_TICK &&
	      since[TYPE] == post.clock * TTM_LRU_TICK, "it has all before it");
	check(!warned, "warned without a reason");
}

/* The last resource on the unevictable list, or NONE. */
static unsigned int last_unevictable(void)
{
	unsigned int last = NONE;

	for_upto(r, NODES) {
		bool is_last = pre.node[r].list == UNEVICTABLE;

		for_upto(n, NODES)
			is_last &= !is_before(&pre, r, n);
		if (is_last)
			last = r;
	}
	return last;
}

/* Was it returned by a walk that began at @since? All others go to the tail. */
static bool was_returned(const struct node *node, u8 since)
{
	return node->stamp >= since && !node->at_tail;
}

void prove_unevictable_next(void)
{
	u64 since[TYPES];
	struct ttm_resource *r;
	unsigned int next;
	u8 began;

	choose_for_bulk();
	given(began <= pre.clock);
	since[TYPE] = began * TTM_LRU_TICK;
	next = last_unevictable();
	for_upto(n, NODES)
		if (n == next && was_returned(&pre.node[n], began))
			next = NONE;
	for_upto(n, NODES)
		if (next != NONE && n != next && pre.node[n].list == UNEVICTABLE)
			want.node[n].pos += TO_TAIL;
	lru_lock->held = true;
	r = ttm_unevictable_walk_next(&bdev, since);
	check_locked();
	check_after_bulk();
	check(!r == (next == NONE), "a resource, unless the walk ends");
	for_upto(n, NODES) {
		if (!pre.node[n].is_res)
			continue;
		check((r == res[n]) == (next == n), "the last resource");
		check(n != next || was_returned(&post.node[n], began),
		      "it isn't met again");
	}
	check(!warned, "warned without a reason");
}

/* Operations on cursors, with others in any state. */
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

	/* Who is ignored may let the walk pass others unseen. */
	looked = budget - left;
	check(looked <= budget, "within the budget");
	check(looked <= ahead_upto(at), "no more than there are");
	check(looked || !ahead_upto(NONE), "who is looked at counts");
	check(looked > 1 || at == NONE || ahead_upto(at) == 1,
	      "who is ignored counts");
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
