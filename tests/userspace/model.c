// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The contract as plain bookkeeping. */

#include "model.h"

struct verdict verdict;

void judge(enum promise promise, const char *why)
{
	if (verdict.broken & BIT(promise))
		return;
	verdict.broken |= BIT(promise);
	verdict.why[promise] = why;
}

void model_init(struct model *m)
{
	memset(m, 0, sizeof(*m));
	for (unsigned int r = 0; r < MAX_RES; r++)
		m->res[r].bulk = NONE;
}

/*
 * Order: lists without cursors.
 */

static struct model_list *list_of(struct model *m, unsigned int r)
{
	const struct model_res *res = &m->res[r];

	return res->place == UNEVICTABLE ? &m->unevictable :
					   &m->list[res->type][res->prio];
}

static unsigned int index_of(const struct model_list *list, unsigned int r)
{
	unsigned int i = 0;

	while (list->id[i] != r)
		i++;
	return i;
}

static void take(struct model_list *list, unsigned int r)
{
	unsigned int i;

	list->n--;
	for (i = index_of(list, r); i < list->n; i++)
		list->id[i] = list->id[i + 1];
}

static void put_at(struct model_list *list, unsigned int at, unsigned int r)
{
	for (unsigned int i = list->n++; i > at; i--)
		list->id[i] = list->id[i - 1];
	list->id[at] = r;
}

static void put_tail(struct model_list *list, unsigned int r)
{
	list->id[list->n++] = r;
}

static void put_behind(struct model_list *list, unsigned int last,
		       unsigned int r)
{
	put_at(list, index_of(list, last) + 1, r);
}

/* Who follows already stays there, with the cursors behind it. */
static void put_at_range_tail(struct model *m, unsigned int last, unsigned int r)
{
	struct model_list *list = list_of(m, r);

	if (index_of(list, r) == index_of(list, last) + 1)
		return;
	take(list, r);
	put_behind(list, last, r);
	m->tailed = r;
}

/*
 * Ranges: the members are known each by itself, their place follows.
 */

static bool in_range(const struct model *m, unsigned int r, unsigned int bulk)
{
	return m->res[r].place == RANGE && m->res[r].bulk == bulk;
}

unsigned int model_range_first(const struct model *m, unsigned int type,
			       unsigned int prio, unsigned int bulk)
{
	const struct model_list *list = &m->list[type][prio];

	for (unsigned int i = 0; i < list->n; i++)
		if (in_range(m, list->id[i], bulk))
			return list->id[i];
	return NONE;
}

unsigned int model_range_last(const struct model *m, unsigned int type,
			      unsigned int prio, unsigned int bulk)
{
	const struct model_list *list = &m->list[type][prio];

	for (unsigned int i = list->n; i--;)
		if (in_range(m, list->id[i], bulk))
			return list->id[i];
	return NONE;
}

/*
 * What the walks under way have of it.
 */

static void moved(struct model *m, unsigned int r)
{
	for (unsigned int w = 0; w < MAX_WALKS; w++) {
		m->walk[w].barred &= ~BIT(r);
		if (m->walk[w].bounded)
			m->walk[w].owed &= ~BIT(r);
	}
}

/* Who enters has left first: no walk owes it a visit. */
static void entered(struct model *m, unsigned int r)
{
	for (unsigned int w = 0; w < MAX_WALKS; w++) {
		m->walk[w].owed &= ~BIT(r);
		m->walk[w].barred &= ~BIT(r);
	}
}

/*
 * The list operations.
 */

/* From either end it stays in its place, from the middle it goes behind. */
static void loosen(struct model *m, unsigned int r)
{
	struct model_res *res = &m->res[r];
	unsigned int first, last;

	first = model_range_first(m, res->type, res->prio, res->bulk);
	last = model_range_last(m, res->type, res->prio, res->bulk);
	if (r != first && r != last) {
		take(list_of(m, r), r);
		put_behind(list_of(m, r), last, r);
		moved(m, r);
	}
	res->place = LOOSE;
	res->bulk = NONE;
}

static void place(struct model *m, unsigned int r, struct wish wish)
{
	struct model_res *res = &m->res[r];

	res->place = wish.evictable ? LOOSE : UNEVICTABLE;
	res->prio = wish.prio;
	put_tail(list_of(m, r), r);
	entered(m, r);
}

static void join(struct model *m, unsigned int r, unsigned int bulk)
{
	struct model_res *res = &m->res[r];
	unsigned int last;

	last = model_range_last(m, res->type, res->prio, bulk);
	res->place = RANGE;
	res->bulk = bulk;
	entered(m, r);
	if (last != NONE)
		put_at_range_tail(m, last, r);
}

static bool on_its_list(const struct model_res *res, struct wish wish)
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

void model_settle(struct model *m, unsigned int r, struct wish wish)
{
	struct model_res *res = &m->res[r];
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

void model_enter(struct model *m, unsigned int r, unsigned int type,
		 struct wish wish)
{
	m->res[r].type = type;
	model_settle(m, r, wish);
}

void model_leave(struct model *m, unsigned int r)
{
	struct model_res *res = &m->res[r];

	take(list_of(m, r), r);
	res->place = OFF;
	res->bulk = NONE;
	entered(m, r);
}

void model_tail(struct model *m, unsigned int r, struct wish wish)
{
	struct model_res *res = &m->res[r];
	unsigned int last;

	model_settle(m, r, wish);
	if (res->place != RANGE) {
		take(list_of(m, r), r);
		put_tail(list_of(m, r), r);
		moved(m, r);
		return;
	}

	/* Who is last already isn't moved, and so isn't met again. */
	last = model_range_last(m, res->type, res->prio, res->bulk);
	if (last == r)
		return;
	put_at_range_tail(m, last, r);
	moved(m, r);
}

static void range_tail(struct model *m, struct model_list *list,
		       unsigned int bulk)
{
	struct model_list others = {}, members = {};

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

void model_bulk_tail(struct model *m, unsigned int bulk)
{
	for (unsigned int type = 0; type < MAX_TYPES; type++)
		for (unsigned int prio = 0; prio < MAX_PRIOS; prio++)
			range_tail(m, &m->list[type][prio], bulk);
}

/* Returns how many members were left. They become loose where they stand. */
unsigned int model_bulk_end(struct model *m, unsigned int bulk)
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

/*
 * The walks.
 */

void model_walk_begin(struct model *m, unsigned int w, unsigned int type,
		      bool bounded)
{
	struct model_walk *walk = &m->walk[w];

	*walk = (struct model_walk) {
		.on = true, .bounded = bounded, .type = type,
	};
	for (unsigned int prio = 0; prio < MAX_PRIOS; prio++) {
		const struct model_list *list = &m->list[type][prio];

		for (unsigned int i = 0; i < list->n; i++)
			walk->owed |= BIT(list->id[i]);
	}
}

static bool is_evictable(const struct model_res *res)
{
	return res->place == LOOSE || res->place == RANGE;
}

void model_walk_returned(struct model *m, unsigned int w, unsigned int r)
{
	struct model_walk *walk = &m->walk[w];
	const struct model_res *res = &m->res[r];

	if (!walk->on)
		judge(P6_FUSED, "a walk that has ended returned a resource");
	if (!is_evictable(res) || res->type != walk->type)
		judge(P5_IN_PLACE, "returned what is not on the manager's LRU");
	if (walk->barred & BIT(r))
		judge(P2_NO_REPEATS,
		      "returned again, and it was not moved since");
	else if (walk->bounded && !(walk->owed & BIT(r)))
		judge(P7_BOUNDED,
		      "a bounded walk returned what moved since it began");
	walk->owed &= ~BIT(r);
	walk->barred |= BIT(r);
}

void model_walk_ended(struct model *m, unsigned int w)
{
	if (m->walk[w].owed)
		judge(m->walk[w].bounded ? P7_BOUNDED : P1_COMPLETE,
		      "the walk ended, and missed a resource");
	model_walk_stop(m, w);
}

void model_walk_stop(struct model *m, unsigned int w)
{
	m->walk[w] = (struct model_walk) {};
}

/* What is skipped counts as seen. */
void model_walk_skip(struct model *m, unsigned int w, unsigned int prio,
		     unsigned int bulk)
{
	struct model_walk *walk = &m->walk[w];
	const struct model_list *list = &m->list[walk->type][prio];

	for (unsigned int i = 0; i < list->n; i++) {
		if (!in_range(m, list->id[i], bulk))
			continue;
		walk->owed &= ~BIT(list->id[i]);
		walk->barred |= BIT(list->id[i]);
	}
}
