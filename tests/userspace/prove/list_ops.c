// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A proof for each operation on resources and bulks: from any world, for the resource in
 * slot TARGET. What the operation has to do to the order of resources is told of
 * pictures, without a word on hitches (P3).
 */

#include "checks.h"

/* The position of a node that goes to a list's tail in a picture. */
#define TO_TAIL		100

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

/* The resource goes where its buffer's state says; it joins @bulk, unless NONE. */
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

/* A driver's bug: a priority changed in a bulk, or a bulk with several locks. */
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

/* Did a walk that began at @since return it? All other resources go to the tail. */
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
