// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A world in 96 bits. What is written and what is read go side by side here. */

#include "ops.h"
#include "state_codec.h"
#include "private.h"

/* What stands on a list, in two bits. */
enum mark { MARK_END, MARK_RES, MARK_HITCH, MARK_MEMBER };

struct bits {
	unsigned __int128 value;
	unsigned int n;
};

static void put(struct bits *bits, unsigned int value, unsigned int width)
{
	bits->value |= (unsigned __int128)value << bits->n;
	bits->n += width;
}

static unsigned int get(struct bits *bits, unsigned int width)
{
	unsigned int value = bits->value & ((1U << width) - 1);

	bits->value >>= width;
	return value;
}

/* Widths of what the shape bounds. */
static unsigned int bulk_bits, prio_bits, type_bits, rank_bits;
static struct world empty;

static unsigned int width_of(unsigned int values)
{
	unsigned int width = 0;

	while (1U << width < values)
		width++;
	return width;
}

void pack_init(void)
{
	world_init();
	for (unsigned int r = 0; r < MAX_RES; r++)
		memset(&slot(r)->res, 0x5a, sizeof(slot(r)->res));
	empty = world;
	bulk_bits = width_of(shape.bulks + 1);
	prio_bits = width_of(shape.prios);
	type_bits = width_of(shape.types);
	rank_bits = width_of(shape.walks);
}

/* The canonical numbers, and the slots and walks that have them. */
struct names {
	u8 slot[MAX_RES];
	u8 walk[MAX_WALKS];
	u8 slot_name[MAX_RES];
	u8 bulk_name[MAX_BULKS];
	u8 slots, listed, walks, bulks;
};

static void name_slot(struct names *names, unsigned int r)
{
	unsigned int bulk = bulk_of(slot(r)->bo.bulk_move);

	names->slot_name[r] = names->slots;
	names->slot[names->slots++] = r;
	if (bulk != NONE && names->bulk_name[bulk] == NONE)
		names->bulk_name[bulk] = names->bulks++;
}

/* A buffer without resource, but for the name of its bulk. */
static unsigned int off_key(const struct names *names, unsigned int r)
{
	const struct slot *s = slot(r);
	unsigned int bulk = bulk_of(s->bo.bulk_move), key = 0;

	if (bulk != NONE)
		key = names->bulk_name[bulk] == NONE ? MAX_BULKS + 1 :
						       names->bulk_name[bulk] + 1;
	key = key << 2 | s->bo.priority;
	key = key << 2 | s->bo.pin_count;
	return key << 1 | (s->tt.page_flags & TTM_TT_FLAG_SWAPPED);
}

static void name_off_slots(struct names *names, u32 left)
{
	unsigned int key[MAX_RES];

	for (unsigned int r = 0; r < shape.res; r++)
		if (left & BIT(r))
			key[r] = off_key(names, r);
	while (left) {
		unsigned int least = __builtin_ctz(left);

		for (unsigned int r = least; r < shape.res; r++)
			if (left & BIT(r) && key[r] < key[least])
				least = r;
		name_slot(names, least);
		left &= ~BIT(least);
	}
}

static void name_all(struct names *names, const struct view *view)
{
	u32 slots = BIT(shape.res) - 1, walks = BIT(shape.walks) - 1;

	names->slots = 0;
	names->walks = 0;
	names->bulks = 0;
	memset(names->bulk_name, NONE, sizeof(names->bulk_name));

	for (unsigned int i = 0; i < view->n; i++) {
		unsigned int token = view->token[i];

		if (token & VIEW_END)
			continue;
		if (token & VIEW_HITCH) {
			token &= ~VIEW_HITCH;
			names->walk[names->walks++] = token;
			walks &= ~BIT(token);
		} else {
			name_slot(names, token);
			slots &= ~BIT(token);
		}
	}
	names->listed = names->slots;
	name_off_slots(names, slots);
	for (; walks; walks &= walks - 1)
		names->walk[names->walks++] = __builtin_ctz(walks);
	for (unsigned int b = 0; b < shape.bulks; b++)
		if (names->bulk_name[b] == NONE)
			names->bulk_name[b] = names->bulks++;
}

/* A bulk in bulk_bits: 0 is none. */
static unsigned int bulk_named(const struct names *names,
			       const struct ttm_lru_bulk_move *bulk)
{
	return bulk ? names->bulk_name[bulk_of(bulk)] + 1 : 0;
}

static struct ttm_lru_bulk_move *bulk_numbered(unsigned int number)
{
	return number ? &world.bulk[number - 1] : NULL;
}

/*
 * The lists
 */

static void put_lists(struct bits *bits, const struct view *view)
{
	for (unsigned int i = 0; i < view->n; i++) {
		unsigned int token = view->token[i];

		if (token & VIEW_END)
			put(bits, MARK_END, 2);
		else if (token & VIEW_HITCH)
			put(bits, MARK_HITCH, 2);
		else
			put(bits, world.model.res[token].place == RANGE ?
				  MARK_MEMBER : MARK_RES, 2);
	}
}

static void get_res(unsigned int r, unsigned int list, bool member)
{
	struct lru_model_res *model = &world.model.res[r];
	struct lru_model_list *order;
	struct ttm_resource *res = &slot(r)->res;
	bool evictable = list < view_lists() - 1;

	*res = (struct ttm_resource) { .bo = &slot(r)->bo, .size = 1 };
	ttm_lru_item_init(&res->lru, ttm_lru_res_state(TTM_LRU_OFF, 0));
	list_add_tail(&res->lru.link, view_list(list));

	model->place = !evictable ? UNEVICTABLE : member ? RANGE : LOOSE;
	if (evictable) {
		model->type = list / view_prios();
		model->prio = list % view_prios();
		res->mem_type = model->type;
	}
	order = evictable ? &world.model.list[model->type][model->prio] :
			    &world.model.unevictable;
	order->id[order->n++] = r;
#ifndef PRISTINE
	set_res(res, model->place, model->prio, 0);
#endif
}

static void get_hitch(unsigned int w, unsigned int list)
{
	struct ttm_resource_cursor *cursor = &world.cursor[w];

	list_add_tail(&cursor->hitch.link, view_list(list));
#ifndef PRISTINE
	set_cursor_list(cursor, list % view_prios());
#endif
	world.model.walk[w].on = true;
}

static void get_lists(struct bits *bits, struct names *names)
{
	for (unsigned int list = 0; list < view_lists();) {
		unsigned int mark = get(bits, 2);

		if (mark == MARK_END)
			list++;
		else if (mark == MARK_HITCH)
			get_hitch(names->walks++, list);
		else
			get_res(names->listed++, list, mark == MARK_MEMBER);
	}
}

/*
 * The buffers
 */

static void put_flags(struct bits *bits, const struct slot *s)
{
	if (!(rules & RULES_ALL_FLAGS)) {
		put(bits, slot_unevictable(s), 1);
		return;
	}
	put(bits, s->bo.pin_count, 2);
	put(bits, s->tt.page_flags & TTM_TT_FLAG_SWAPPED, 1);
	put(bits, s->bo.resource == &s->res, 1);
}

static void get_flags(struct bits *bits, struct slot *s)
{
	if (!(rules & RULES_ALL_FLAGS)) {
		s->bo.pin_count = get(bits, 1);
		s->bo.resource = &s->res;
		return;
	}
	s->bo.pin_count = get(bits, 2);
	s->tt.page_flags = get(bits, 1);
	s->bo.resource = get(bits, 1) ? &s->res : NULL;
}

static void put_slots(struct bits *bits, const struct names *names)
{
	unsigned int n = rules & RULES_ALL_FLAGS ? shape.res : names->listed;

	for (unsigned int i = 0; i < n; i++) {
		const struct slot *s = slot(names->slot[i]);

		put(bits, bulk_named(names, s->bo.bulk_move), bulk_bits);
		put(bits, slot_is_ghost(s), 1);
		put(bits, s->bo.priority, prio_bits);
		put_flags(bits, s);
		if (type_bits && world.model.res[names->slot[i]].place ==
				 UNEVICTABLE)
			put(bits, s->res.mem_type, type_bits);
	}
}

static void get_slot(struct bits *bits, unsigned int r)
{
	struct slot *s = slot(r);

	s->bo.bulk_move = bulk_numbered(get(bits, bulk_bits));
	if (!get(bits, 1) && s->bo.bulk_move)
		s->bo.base.resv = &world.resv;
	s->bo.priority = get(bits, prio_bits);
	get_flags(bits, s);
	if (type_bits && world.model.res[r].place == UNEVICTABLE) {
		s->res.mem_type = get(bits, type_bits);
		world.model.res[r].type = s->res.mem_type;
	}
}

static void get_slots(struct bits *bits, const struct names *names)
{
	unsigned int n = rules & RULES_ALL_FLAGS ? shape.res : names->listed;

	for (unsigned int r = 0; r < n; r++)
		get_slot(bits, r);
}

/*
 * The ranges. In a valid state they follow from the members.
 */

static void get_membership(unsigned int r)
{
	struct lru_model_res *model = &world.model.res[r];

	if (model->place == RANGE)
		model->bulk = bulk_of(slot(r)->bo.bulk_move);
}

#ifndef PRISTINE

static void put_ranges(struct bits *bits, const struct names *names)
{
}

static void get_ranges(struct bits *bits)
{
	for (unsigned int r = 0; r < shape.res; r++) {
		struct lru_model_res *model = &world.model.res[r];
		struct ttm_lru_bulk_move_pos *pos;

		get_membership(r);
		if (model->place != RANGE)
			continue;
		pos = &world.bulk[model->bulk].pos[model->type][model->prio];
		if (!pos->first)
			pos->first = &slot(r)->res;
		pos->last = &slot(r)->res;
	}
}

#else

static void put_ranges(struct bits *bits, const struct names *names)
{
	for (unsigned int b = 0; b < shape.bulks; b++) {
		for (unsigned int i = 0; i < shape.types * shape.prios; i++) {
			const struct ttm_lru_bulk_move_pos *pos =
				&world.bulk[b].pos[i / shape.prios]
						  [i % shape.prios];
			unsigned int first = 0, last = 0;

			if (pos->first)
				first = names->slot_name[slot_of(pos->first)] + 1;
			if (pos->last)
				last = names->slot_name[slot_of(pos->last)] + 1;
			put(bits, first, 3);
			put(bits, last, 3);
		}
	}
}

static void get_ranges(struct bits *bits)
{
	for (unsigned int r = 0; r < shape.res; r++)
		get_membership(r);
	for (unsigned int b = 0; b < shape.bulks; b++) {
		for (unsigned int i = 0; i < shape.types * shape.prios; i++) {
			struct ttm_lru_bulk_move_pos *pos =
				&world.bulk[b].pos[i / shape.prios]
						  [i % shape.prios];
			unsigned int first = get(bits, 3), last = get(bits, 3);

			pos->first = first ? &slot(first - 1)->res : NULL;
			pos->last = last ? &slot(last - 1)->res : NULL;
		}
	}
}

#endif

/*
 * The walks
 */

static u32 named_set(const struct names *names, u32 set)
{
	u32 named = 0;

	for (; set; set &= set - 1)
		named |= BIT(names->slot_name[__builtin_ctz(set)]);
	return named;
}

/* The bulk that a walk is registered with, or NULL. */
static struct ttm_lru_bulk_move *
registered_with(const struct ttm_resource_cursor *cursor)
{
	const char *range = (char *)cursor_range(cursor);

	for (unsigned int b = 0; range && b < shape.bulks; b++)
		if ((size_t)(range - (char *)&world.bulk[b]) <
		    sizeof(world.bulk[b]))
			return &world.bulk[b];
	return NULL;
}

/* The place of a registered walk on the bulk's list. */
static unsigned int rank_of(struct ttm_resource_cursor *cursor)
{
	struct list_head *link = &cursor->bulk_link;
	unsigned int rank = 0;

	while (link->prev != &registered_with(cursor)->cursor_list) {
		link = link->prev;
		rank++;
	}
	return rank;
}

/* Exactly the hitches inside a range are registered. */
#ifndef PRISTINE

static void put_private(struct bits *bits, const struct names *names,
			struct ttm_resource_cursor *cursor)
{
}

static void register_before(struct ttm_resource_cursor *cursor,
			    const struct ttm_lru_item *item)
{
	struct ttm_resource *res = ttm_lru_item_to_res((void *)item);
	struct ttm_lru_bulk_move_pos *range;

	if (!ttm_lru_item_in_range(item))
		return;
	range = &res->bo->bulk_move->pos[res->mem_type]
					[ttm_lru_item_priority(item)];
	if (range->first != res)
		cursor->range = range;
}

static void get_private(struct bits *bits, struct ttm_resource_cursor *cursor)
{
	const struct list_head *head, *next = &cursor->hitch.link;
	const struct ttm_lru_item *item;

	head = cursor->list;
	while ((next = next->next) != head) {
		item = list_entry(next, struct ttm_lru_item, link);
		if (ttm_lru_item_is_res(item)) {
			register_before(cursor, item);
			return;
		}
	}
}

#else

static void put_private(struct bits *bits, const struct names *names,
			struct ttm_resource_cursor *cursor)
{
	put(bits, world.model.walk[cursor - world.cursor].on, 1);
	put(bits, cursor->priority, 3);
	put(bits, bulk_named(names, cursor->bulk), bulk_bits);
	put(bits, cursor->mem_type, type_bits);
}

static void get_private(struct bits *bits, struct ttm_resource_cursor *cursor)
{
	world.model.walk[cursor - world.cursor].on = get(bits, 1);
	cursor->priority = get(bits, 3);
	cursor->bulk = bulk_numbered(get(bits, bulk_bits));
	cursor->mem_type = get(bits, type_bits);
}

#endif

/*
 * Stamps. What matters of one is only which bounded walks began before it.
 */
#ifndef PRISTINE

static unsigned int bounded_walks(void)
{
	unsigned int n = 0;

	for (unsigned int w = 0; w < shape.walks; w++)
		n += world.model.walk[w].bounded;
	return n;
}

/* How many of the bounded walks had begun at @stamp. */
static unsigned int age_of(u64 stamp)
{
	unsigned int n = 0;

	for (unsigned int w = 0; w < shape.walks; w++)
		n += world.model.walk[w].bounded &&
		     ttm_lru_item_stamp(&world.cursor[w].hitch) <= stamp;
	return n;
}

static bool is_loose(unsigned int r)
{
	return world.model.res[r].place == LOOSE;
}

static bool is_first(unsigned int r)
{
	const struct lru_model_res *res = &world.model.res[r];

	return res->place == RANGE &&
	       world.bulk[res->bulk].pos[res->type][res->prio].first ==
	       &slot(r)->res;
}

static bool has_stamp(unsigned int r)
{
	return is_loose(r) || world.model.res[r].place == RANGE;
}

static void put_stamps(struct bits *bits, const struct names *names)
{
	unsigned int width = width_of(bounded_walks() + 1);

	if (!width)
		return;
	for (unsigned int i = 0; i < names->listed; i++) {
		unsigned int r = names->slot[i];
		const struct ttm_lru_item *item = &slot(r)->res.lru;
		unsigned int age;

		if (!has_stamp(r))
			continue;
		age = age_of(ttm_lru_item_stamp(item));
		put(bits, age, width);
		if (is_loose(r) || is_first(r))
			put(bits, item->state & TTM_LRU_AT_TAIL && age, 1);
	}
}

static void get_stamps(struct bits *bits, unsigned int listed)
{
	unsigned int width = width_of(bounded_walks() + 1);

	if (!width)
		return;
	world.man[0].lru_clock = bounded_walks() * TTM_LRU_TICK;
	for (unsigned int r = 0; r < listed; r++) {
		struct ttm_lru_item *item = &slot(r)->res.lru;

		if (!has_stamp(r))
			continue;
		item->state |= get(bits, width) * TTM_LRU_TICK;
		if ((is_loose(r) || is_first(r)) && get(bits, 1))
			item->state |= TTM_LRU_AT_TAIL;
	}
}

static void put_bound(struct bits *bits, unsigned int w)
{
	bool bounded = world.model.walk[w].bounded;

	put(bits, bounded, 1);
	if (bounded && !(rules & RULES_ONE_BOUNDED))
		put(bits, age_of(ttm_lru_item_stamp(&world.cursor[w].hitch)) - 1,
		    rank_bits);
}

static void get_bound(struct bits *bits, unsigned int w)
{
	struct ttm_lru_item *hitch = &world.cursor[w].hitch;

	if (!get(bits, 1))
		return;
	world.model.walk[w].bounded = true;
	world.bounded[w] = true;
	hitch->state |= TTM_LRU_BOUNDED | TTM_LRU_TICK;
	if (!(rules & RULES_ONE_BOUNDED))
		hitch->state += get(bits, rank_bits) * TTM_LRU_TICK;
}

#else

static void put_stamps(struct bits *bits, const struct names *names)
{
}

static void get_stamps(struct bits *bits, unsigned int listed)
{
}

static void put_bound(struct bits *bits, unsigned int w)
{
}

static void get_bound(struct bits *bits, unsigned int w)
{
}

#endif

static void get_registrations(const u8 *rank, unsigned int n)
{
	for (unsigned int place = 0; place < n; place++)
		for (unsigned int w = 0; w < n; w++)
			if (rank[w] == place && registered_with(&world.cursor[w]))
				list_add_tail(&world.cursor[w].bulk_link,
					      &registered_with(&world.cursor[w])->cursor_list);
}

static void put_walks(struct bits *bits, const struct names *names,
		      unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		struct ttm_resource_cursor *cursor =
			&world.cursor[names->walk[i]];
		const struct lru_model_walk *walk =
			&world.model.walk[names->walk[i]];

		put(bits, named_set(names, walk->owed), shape.res);
		put(bits, named_set(names, walk->barred), shape.res);
		put_private(bits, names, cursor);
		put(bits, registered_with(cursor) ? rank_of(cursor) : 0, rank_bits);
		put_bound(bits, names->walk[i]);
	}
}

static void get_walks(struct bits *bits, unsigned int n)
{
	u8 rank[MAX_WALKS];

	for (unsigned int w = 0; w < n; w++) {
		struct lru_model_walk *walk = &world.model.walk[w];

		walk->owed = get(bits, shape.res);
		walk->barred = get(bits, shape.res);
		get_private(bits, &world.cursor[w]);
		rank[w] = get(bits, rank_bits);
		get_bound(bits, w);
	}
	get_registrations(rank, n);
}

/* The walks that there is something to tell of, which come first. */
static unsigned int walks_told(const struct view *view)
{
	unsigned int n = 0;

	if (IS_PRISTINE)
		return shape.walks;

	for (unsigned int i = 0; i < view->n; i++)
		n += !!(view->token[i] & VIEW_HITCH);
	return n;
}

struct packed pack(const struct view *view)
{
	struct bits bits = {};
	struct names names;

	name_all(&names, view);
	put_lists(&bits, view);
	put_slots(&bits, &names);
	put_ranges(&bits, &names);
	put_walks(&bits, &names, walks_told(view));
	put_stamps(&bits, &names);
	if (bits.n > 96)
		stub_warn(__FILE__, __LINE__, "a world of more than 96 bits");
	return (struct packed) { bits.value, bits.value >> 64 };
}

void unpack(struct packed packed)
{
	struct bits bits = {
		.value = (unsigned __int128)packed.high << 64 | packed.low,
	};
	struct names names = {};

	world = empty;
	get_lists(&bits, &names);
	get_slots(&bits, &names);
	get_ranges(&bits);
	get_walks(&bits, IS_PRISTINE ? shape.walks : names.walks);
	get_stamps(&bits, names.listed);
}
