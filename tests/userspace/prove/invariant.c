// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The invariant: what holds in a picture before each operation, and after it. */

#include "world.h"

/* Are both members of one range? */
static bool is_same_range(const struct node *a, const struct node *b)
{
	return b->is_res && b->place == TTM_LRU_RANGE &&
	       is_member(a, b->bulk, b->list);
}

void derive(struct picture *p)
{
	for_upto(n, NODES) {
		struct node *node = &p->node[n];

		node->is_first = node->is_res && node->place == TTM_LRU_RANGE;
		node->is_last = node->is_first;
		for_upto(i, NODES) {
			if (i == n || !is_same_range(node, &p->node[i]))
				continue;
			node->is_first &= is_before(p, n, i);
			node->is_last &= is_before(p, i, n);
		}
		node->moved = node->stamp;
	}
	/* The first member stands for its range. */
	for_upto(first, NODES) {
		const struct node *node = &p->node[first];

		for_upto(n, NODES)
			if (node->is_first && is_same_range(node, &p->node[n]) &&
			    node->stamp > p->node[n].stamp)
				p->node[n].moved = node->stamp;
	}
}

/* Does @n lie strictly inside of @bulk's range on its list? */
static bool is_inside(const struct picture *p, unsigned int n,
		      unsigned int bulk)
{
	bool after = false, before = false;

	for_upto(i, NODES) {
		bool member = is_member(&p->node[i], bulk, p->node[n].list);

		after |= member && is_before(p, i, n);
		before |= member && is_before(p, n, i);
	}
	return after && before;
}

bool is_bulk_p4(const struct picture *p)
{
	bool ok = true;

	for_upto(n, NODES)
		for_upto(bulk, BULKS)
			ok &= !p->node[n].is_res || !is_inside(p, n, bulk) ||
			      is_member(&p->node[n], bulk, p->node[n].list);
	return ok;
}

bool is_registration_p4(const struct picture *p)
{
	bool ok = true;

	for_upto(n, NODES) {
		const struct node *node = &p->node[n];

		if (node->is_res)
			continue;
		for_upto(bulk, BULKS)
			ok &= is_inside(p, n, bulk) == (node->bulk == bulk);
	}
	return ok;
}

static unsigned int list_of(const struct node *node)
{
	return FIRST_LIST + node->prio;
}

/* A resource is where its place says. */
static bool is_res_placed(const struct node *node)
{
	if (node->prio >= PRIOS)
		return false;

	switch (node->place) {
	case TTM_LRU_OFF:
		return node->list == NOWHERE;
	case TTM_LRU_UNEVICTABLE:
		return node->list == UNEVICTABLE;
	case TTM_LRU_LOOSE:
		return node->list == list_of(node);
	case TTM_LRU_RANGE:
		return node->bulk != NONE && node->list == list_of(node);
	default:
		return false;
	}
}

bool is_placed_p5(const struct picture *p)
{
	bool ok = true;

	for_upto(n, NODES) {
		const struct node *node = &p->node[n];

		if (node->is_res)
			ok &= is_res_placed(node);
		else
			ok &= node->list == NOWHERE ||
			      (node->prio < PRIOS &&
			       node->list == list_of(node));
	}
	return ok;
}

/* A walk that isn't paused stands at a resource on its list, or at the head. */
static bool is_at(const struct picture *p, unsigned int n)
{
	const struct node *node = &p->node[n];
	bool ok = node->at == AT_HEAD && !node->prio && node->list == NOWHERE;

	for_upto(i, NODES)
		ok |= node->at == i && p->node[i].is_res &&
		      p->node[i].list == list_of(node) &&
		      (node->list == NOWHERE || is_before(p, n, i));
	return ok;
}

bool is_walk(const struct picture *p)
{
	bool ok = true;

	for_upto(n, NODES) {
		const struct node *node = &p->node[n];

		if (node->is_res)
			continue;
		ok &= node->prio <= PRIOS;
		if (node->at != NONE)	/* Not paused. */
			ok &= node->prio < PRIOS && is_at(p, n);
		else			/* On the list, if in a walk. */
			ok &= (node->prio < PRIOS) == (node->list != NOWHERE);
	}
	return ok;
}

/*
 * Did @behind move late enough? Everything behind a resource that went to the tail, alone
 * or with its range, moved later than that resource. A member behind @n moved later than
 * @n.
 */
static bool is_stamped_before(const struct picture *p, unsigned int n,
			      unsigned int behind)
{
	const struct node *node = &p->node[n], *other = &p->node[behind];
	bool ok = true;

	if (node->at_tail)
		ok &= other->moved >= node->stamp;
	if (is_same_range(node, other))
		ok &= other->moved >= node->moved;
	return ok;
}

bool is_stamped_p7(const struct picture *p)
{
	bool ok = true;

	for_upto(n, NODES) {
		const struct node *node = &p->node[n];
		u8 stamp = node->is_res ? node->moved : node->stamp;

		if (node->is_res ? !is_evictable(node) :
				   !node->bounded || node->prio >= PRIOS)
			continue;
		ok &= stamp <= p->clock;
		ok &= !node->is_res || node->place != TTM_LRU_RANGE ||
		      node->is_first || !node->at_tail;
		for_upto(i, NODES)
			if (node->is_res && p->node[i].is_res)
				ok &= !is_before(p, n, i) ||
				      is_stamped_before(p, n, i);
	}
	return ok;
}
