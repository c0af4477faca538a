// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The contract as bookkeeping, see ttm_lru_model.h. */

#include <linux/string.h>

#include "ttm_lru_model.h"

struct lru_verdict lru_verdict;

void lru_judge(enum lru_promise promise, const char *why)
{
	if (lru_verdict.broken & BIT(promise))
		return;
	lru_verdict.broken |= BIT(promise);
	lru_verdict.why[promise] = why;
}

void lru_model_init(struct lru_model *m)
{
	memset(m, 0, sizeof(*m));
	for (unsigned int r = 0; r < MAX_RES; r++)
		m->res[r].bulk = NONE;
}

/*
 * Order: the lists without cursors
 */

static struct lru_model_list *list_of(struct lru_model *m, unsigned int r)
{
	const struct lru_model_res *res = &m->res[r];

	return res->place == UNEVICTABLE ? &m->unevictable :
					   &m->list[res->type][res->prio];
}

static unsigned int index_of(const struct lru_model_list *list, unsigned int r)
{
	unsigned int i = 0;

	while (list->id[i] != r)
		i++;
	return i;
}

static void take(struct lru_model_list *list, unsigned int r)
{
	unsigned int i;

	list->n--;
	for (i = index_of(list, r); i < list->n; i++)
		list->id[i] = list->id[i + 1];
}

static void put_at(struct lru_model_list *list, unsigned int at, unsigned int r)
{
	for (unsigned int i = list->n++; i > at; i--)
		list->id[i] = list->id[i - 1];
	list->id[at] = r;
}

static void put_tail(struct lru_model_list *list, unsigned int r)
{
	list->id[list->n++] = r;
}

static void put_behind(struct lru_model_list *list, unsigned int last,
		       unsigned int r)
{
	put_at(list, index_of(list, last) + 1, r);
}

static void put_at_range_tail(struct lru_model *m, unsigned int last,
			      unsigned int r)
{
	struct lru_model_list *list = list_of(m, r);

	take(list, r);
	put_behind(list, last, r);
}

/*
 * Ranges: each member knows its bulk, its position follows from the list.
 */

static bool in_range(const struct lru_model *m, unsigned int r,
		     unsigned int bulk)
{
	return m->res[r].place == RANGE && m->res[r].bulk == bulk;
}

unsigned int lru_model_range_first(const struct lru_model *m, unsigned int type,
				   unsigned int prio, unsigned int bulk)
{
	const struct lru_model_list *list = &m->list[type][prio];

	for (unsigned int i = 0; i < list->n; i++)
		if (in_range(m, list->id[i], bulk))
			return list->id[i];
	return NONE;
}

unsigned int lru_model_range_last(const struct lru_model *m, unsigned int type,
				  unsigned int prio, unsigned int bulk)
{
	const struct lru_model_list *list = &m->list[type][prio];

	for (unsigned int i = list->n; i--;)
		if (in_range(m, list->id[i], bulk))
			return list->id[i];
	return NONE;
}

/*
 * What the walks in progress know of a resource
 */

static void moved(struct lru_model *m, unsigned int r)
{
	for (unsigned int w = 0; w < MAX_WALKS; w++) {
		m->walk[w].barred &= ~BIT(r);
		if (m->walk[w].bounded)
			m->walk[w].owed &= ~BIT(r);
	}
}

/* A resource that enters counts as having left: no walk owes it. */
static void entered(struct lru_model *m, unsigned int r)
{
	for (unsigned int w = 0; w < MAX_WALKS; w++) {
		m->walk[w].owed &= ~BIT(r);
		m->walk[w].barred &= ~BIT(r);
	}
}

/*
 * List operations
 */

/* A first or last member leaves in place, another one to behind the range. */
static void loosen(struct lru_model *m, unsigned int r)
{
	struct lru_model_res *res = &m->res[r];
	unsigned int first, last;

	first = lru_model_range_first(m, res->type, res->prio, res->bulk);
	last = lru_model_range_last(m, res->type, res->prio, res->bulk);
	if (r != first && r != last) {
		take(list_of(m, r), r);
		put_behind(list_of(m, r), last, r);
		moved(m, r);
	}
	res->place = LOOSE;
	res->bulk = NONE;
}

static void place(struct lru_model *m, unsigned int r, struct lru_wish wish)
{
	struct lru_model_res *res = &m->res[r];

	res->place = wish.evictable ? LOOSE : UNEVICTABLE;
	res->prio = wish.prio;
	put_tail(list_of(m, r), r);
	entered(m, r);
}

static void join(struct lru_model *m, unsigned int r, unsigned int bulk)
{
	struct lru_model_res *res = &m->res[r];
	struct lru_model_list *list;
	unsigned int last;

	last = lru_model_range_last(m, res->type, res->prio, bulk);
	res->place = RANGE;
	res->bulk = bulk;
	entered(m, r);
	if (last == NONE)
		return;
	list = list_of(m, r);
	/*
	 * A resource right behind the range stays there, with the cursors
	 * behind it.
	 */
	if (index_of(list, r) == index_of(list, last) + 1)
		return;
	put_at_range_tail(m, last, r);
	m->tailed = r;
}

static bool on_its_list(const struct lru_model_res *res, struct lru_wish wish)
{
	switch (res->place) {
	case OFF:
		return false;
	case UNEVICTABLE:
		return !wish.evictable;
	default:
		return wish.evictable && res->prio == wish.prio;
	}
}

void lru_model_settle(struct lru_model *m, unsigned int r, struct lru_wish wish)
{
	struct lru_model_res *res = &m->res[r];
	bool stays = on_its_list(res, wish);

	if (res->place == RANGE && (!stays || wish.bulk == NONE))
		loosen(m, r);
	if (!stays) {
		if (res->place != OFF)
			take(list_of(m, r), r);
		place(m, r, wish);
	}
	if (res->place == LOOSE && wish.bulk != NONE)
		join(m, r, wish.bulk);
}

void lru_model_enter(struct lru_model *m, unsigned int r, unsigned int type,
		     struct lru_wish wish)
{
	m->res[r].type = type;
	lru_model_settle(m, r, wish);
}

void lru_model_leave(struct lru_model *m, unsigned int r)
{
	struct lru_model_res *res = &m->res[r];

	take(list_of(m, r), r);
	res->place = OFF;
	res->bulk = NONE;
	entered(m, r);
}

void lru_model_tail(struct lru_model *m, unsigned int r, struct lru_wish wish)
{
	struct lru_model_res *res = &m->res[r];
	unsigned int last;

	lru_model_settle(m, r, wish);
	if (res->place != RANGE) {
		take(list_of(m, r), r);
		put_tail(list_of(m, r), r);
		moved(m, r);
		return;
	}

	/* The last member does not move, and so is not returned again. */
	last = lru_model_range_last(m, res->type, res->prio, res->bulk);
	if (last == r)
		return;
	put_at_range_tail(m, last, r);
	moved(m, r);
}

static void range_tail(struct lru_model *m, struct lru_model_list *list,
		       unsigned int bulk)
{
	struct lru_model_list others = {}, members = {};

	for (unsigned int i = 0; i < list->n; i++) {
		unsigned int r = list->id[i];

		put_tail(in_range(m, r, bulk) ? &members : &others, r);
	}
	for (unsigned int i = 0; i < members.n; i++) {
		put_tail(&others, members.id[i]);
		moved(m, members.id[i]);
	}
	*list = others;
}

void lru_model_bulk_tail(struct lru_model *m, unsigned int bulk)
{
	for (unsigned int type = 0; type < MAX_TYPES; type++)
		for (unsigned int prio = 0; prio < MAX_PRIOS; prio++)
			range_tail(m, &m->list[type][prio], bulk);
}

/* Returns the number of members left. They become loose in their places. */
unsigned int lru_model_bulk_end(struct lru_model *m, unsigned int bulk)
{
	unsigned int n = 0;

	for (unsigned int r = 0; r < MAX_RES; r++) {
		if (!in_range(m, r, bulk))
			continue;
		m->res[r].place = LOOSE;
		m->res[r].bulk = NONE;
		n++;
	}
	return n;
}

/* A walk over the unevictable list moves what it returns to the head. */
void lru_model_unevictable_returned(struct lru_model *m, unsigned int r)
{
	take(&m->unevictable, r);
	put_at(&m->unevictable, 0, r);
}

/*
 * Walks
 */

void lru_model_walk_begin(struct lru_model *m, unsigned int w,
			  unsigned int type, bool bounded)
{
	struct lru_model_walk *walk = &m->walk[w];

	*walk = (struct lru_model_walk) {
		.on = true, .bounded = bounded, .type = type,
	};
	for (unsigned int prio = 0; prio < MAX_PRIOS; prio++) {
		const struct lru_model_list *list = &m->list[type][prio];

		for (unsigned int i = 0; i < list->n; i++)
			walk->owed |= BIT(list->id[i]);
	}
}

static bool is_evictable(const struct lru_model_res *res)
{
	return res->place == LOOSE || res->place == RANGE;
}

void lru_model_walk_returned(struct lru_model *m, unsigned int w,
			     unsigned int r)
{
	struct lru_model_walk *walk = &m->walk[w];
	const struct lru_model_res *res = &m->res[r];

	if (!walk->on)
		lru_judge(P6_FUSED,
			  "a walk that has ended returned a resource");
	if (!is_evictable(res) || res->type != walk->type)
		lru_judge(P5_IN_PLACE,
			  "returned a resource that is not on the manager's LRU");
	if (walk->barred & BIT(r))
		lru_judge(P2_NO_REPEATS,
			  "returned again, and it was not moved since");
	else if (walk->bounded && !(walk->owed & BIT(r)))
		lru_judge(P7_BOUNDED,
			  "a bounded walk returned a resource that moved since");
	walk->owed &= ~BIT(r);
	walk->barred |= BIT(r);
}

void lru_model_walk_ended(struct lru_model *m, unsigned int w)
{
	if (m->walk[w].owed)
		lru_judge(m->walk[w].bounded ? P7_BOUNDED : P1_COMPLETE,
			  "the walk ended, and missed a resource");
	lru_model_walk_stop(m, w);
}

void lru_model_walk_stop(struct lru_model *m, unsigned int w)
{
	m->walk[w] = (struct lru_model_walk) {};
}

/* A skipped resource counts as returned. */
void lru_model_walk_skip(struct lru_model *m, unsigned int w, unsigned int prio,
			 unsigned int bulk)
{
	struct lru_model_walk *walk = &m->walk[w];
	const struct lru_model_list *list = &m->list[walk->type][prio];

	for (unsigned int i = 0; i < list->n; i++) {
		if (!in_range(m, list->id[i], bulk))
			continue;
		walk->owed &= ~BIT(list->id[i]);
		walk->barred |= BIT(list->id[i]);
	}
}
