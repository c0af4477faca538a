// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The real lists, read once and compared with the model. */

#include "private.h"
#include "list_snapshot.h"

/* The number of the walk with the hitch @node, or MAX_WALKS and more. */
static size_t walk_at(const struct list_head *node)
{
	size_t offset = (char *)node - (char *)world.cursor -
			offsetof(struct ttm_resource_cursor, hitch.link);

	return offset / sizeof(struct ttm_resource_cursor);
}

static size_t slot_at(const struct list_head *node)
{
	size_t offset = (char *)node - (char *)world.slot -
			offsetof(struct slot, res.lru.link);

	return offset / sizeof(struct slot);
}

static unsigned int token_of(const struct list_head *node)
{
	size_t i = slot_at(node);

	if (i < shape.res)
		return i;
	i = walk_at(node);
	if (i < shape.walks)
		return VIEW_HITCH | i;
	return NONE;
}

static bool read_list(struct view *view, unsigned int i)
{
	const struct list_head *head = view_list(i), *node, *prev = head;
	unsigned int room = ARRAY_SIZE(view->token) - view_lists() + i;

	for (node = head->next; node != head; node = node->next) {
		unsigned int token = token_of(node);

		if (token == NONE || node->prev != prev || view->n >= room)
			return false;
		view->token[view->n++] = token;
		prev = node;
	}
	view->token[view->n++] = VIEW_END;
	return head->prev == prev;
}

bool view_read(struct view *view)
{
	view->n = 0;
	for (unsigned int i = 0; i < view_lists(); i++) {
		if (!read_list(view, i)) {
			lru_judge(NO_CRASH, "the lists are corrupted");
			return false;
		}
	}
	return true;
}

/*
 * The checks go over the tokens with the list's place, and the range that they
 * are in.
 */
struct spot {
	unsigned int list;
	unsigned int at;	/* resources so far */
	unsigned int bulk;	/* of the range that began and didn't end */
};

static unsigned int spot_type(const struct spot *spot)
{
	return spot->list / view_prios();
}

static unsigned int spot_prio(const struct spot *spot)
{
	return spot->list % view_prios();
}

static bool spot_evictable(const struct spot *spot)
{
	return spot->list < view_lists() - 1;
}

static const struct lru_model_list *spot_list(const struct spot *spot)
{
	if (!spot_evictable(spot))
		return &world.model.unevictable;
	return &world.model.list[spot_type(spot)][spot_prio(spot)];
}

static struct ttm_lru_bulk_move_pos *spot_range(const struct spot *spot,
						unsigned int bulk)
{
	return &world.bulk[bulk].pos[spot_type(spot)][spot_prio(spot)];
}

static void check_place(const struct spot *spot, unsigned int r)
{
	const struct lru_model_res *res = &world.model.res[r];
	bool evictable = res->place == LOOSE || res->place == RANGE;

	if (evictable != spot_evictable(spot) ||
	    (evictable && (res->type != spot_type(spot) ||
			   res->prio != spot_prio(spot))))
		lru_judge(P5_IN_PLACE,
			  "a resource is not on the list it belongs on");
#ifndef PRISTINE
	const struct ttm_lru_item *item = &slot(r)->res.lru;

	if (ttm_lru_item_place(item) != res->place ||
	    (evictable && ttm_lru_item_priority(item) != res->prio))
		lru_judge(P5_IN_PLACE, "a resource's latched place is wrong");
#endif
}

static void check_range(struct spot *spot, unsigned int r)
{
	const struct lru_model_res *res = &world.model.res[r];
	struct ttm_lru_bulk_move_pos *pos;

	if (res->place != RANGE || !spot_evictable(spot)) {
		if (spot->bulk != NONE)
			lru_judge(P4_RANGES, "a stranger inside a range");
		return;
	}

	pos = spot_range(spot, res->bulk);
	if (spot->bulk == NONE) {
		if (pos->first != &slot(r)->res)
			lru_judge(P4_RANGES, "a range's first is wrong");
		spot->bulk = res->bulk;
	} else if (spot->bulk != res->bulk) {
		lru_judge(P4_RANGES, "a range inside a range");
	}
	if (pos->last == &slot(r)->res)
		spot->bulk = NONE;
}

static void check_resource(struct spot *spot, unsigned int r)
{
	const struct lru_model_list *list = spot_list(spot);

	if (!IS_PRISTINE &&
	    (spot->at >= list->n || list->id[spot->at] != r))
		lru_judge(P3_UNSEEN,
			  "the order is not what it is without cursors");
	spot->at++;
	check_place(spot, r);
	check_range(spot, r);
}

static void check_hitch(const struct spot *spot, unsigned int w)
{
	struct ttm_resource_cursor *cursor = &world.cursor[w];
	struct ttm_lru_bulk_move_pos *range;

	if (!world.model.walk[w].on) {
		lru_judge(P6_FUSED, "a walk has ended, its hitch is on a list");
		return;
	}
	if (!spot_evictable(spot) || spot_type(spot) != cursor_man(cursor) - world.man ||
	    cursor_prio(cursor) != spot_prio(spot))
		lru_judge(P5_IN_PLACE,
			  "a hitch is on a list that isn't its own");

	range = spot->bulk == NONE ? NULL : spot_range(spot, spot->bulk);
	if (cursor_range(cursor) != range ||
	    list_empty(&cursor->bulk_link) != !range)
		lru_judge(P4_RANGES, "a hitch's registration is wrong");
}

static void check_end(struct spot *spot)
{
	if (spot->bulk != NONE)
		lru_judge(P4_RANGES, "a range doesn't end at its last");
	if (!IS_PRISTINE && spot->at != spot_list(spot)->n)
		lru_judge(P5_IN_PLACE, "a resource is not on its list");
	for (unsigned int b = 0; spot_evictable(spot) && b < shape.bulks; b++) {
		unsigned int first, last;

		first = lru_model_range_first(&world.model, spot_type(spot),
					      spot_prio(spot), b);
		last = lru_model_range_last(&world.model, spot_type(spot),
					    spot_prio(spot), b);
		if (spot_range(spot, b)->first !=
		    (first == NONE ? NULL : &slot(first)->res) ||
		    spot_range(spot, b)->last !=
		    (last == NONE ? NULL : &slot(last)->res))
			lru_judge(P4_RANGES,
				  "a range's ends are not its members");
	}
	spot->list++;
	spot->at = 0;
	spot->bulk = NONE;
}

/* A hitch that no list has: of a walk that ended, and registered nowhere. */
static void check_off(unsigned int w)
{
	const struct ttm_resource_cursor *cursor = &world.cursor[w];

	if (world.model.walk[w].on)
		lru_judge(P5_IN_PLACE, "the hitch of a walk is on no list");
	if (!list_empty(&cursor->hitch.link))
		lru_judge(P6_FUSED, "a walk has ended, its hitch is on a list");
	if (cursor_range(cursor) || !list_empty(&cursor->bulk_link))
		lru_judge(P4_RANGES, "a hitch on no list is registered");
}

/*
 * Behind a range's tail means behind the cursors there, too: so it is met where
 * it can be.
 */
static void check_tailed(const struct view *view)
{
	unsigned int i = 0;

	if (IS_PRISTINE || world.model.tailed == NONE ||
	    world.model.res[world.model.tailed].place != RANGE)
		return;
	while (view->token[i] != world.model.tailed)
		if (++i == view->n)
			return;
	if (view->token[i + 1] & VIEW_HITCH)
		lru_judge(P1_COMPLETE, "a walk doesn't meet what it could");
}

void view_check(const struct view *view)
{
	struct spot spot = { .bulk = NONE };
	unsigned int hitches = 0;

	for (unsigned int i = 0; i < view->n; i++) {
		unsigned int token = view->token[i];

		if (token & VIEW_END) {
			check_end(&spot);
		} else if (token & VIEW_HITCH) {
			hitches |= BIT(token & ~VIEW_HITCH);
			check_hitch(&spot, token & ~VIEW_HITCH);
		} else {
			check_resource(&spot, token);
		}
	}
	for (unsigned int w = 0; w < shape.walks; w++)
		if (!(hitches & BIT(w)))
			check_off(w);
	check_tailed(view);
}

#ifndef PRISTINE

struct visited {
	const struct view *view;
	unsigned int at;
};

static void visit(const struct ttm_lru_item *item, void *arg)
{
	struct visited *visited = arg;
	const struct view *view = visited->view;

	while (visited->at < view->n && view->token[visited->at] & VIEW_END)
		visited->at++;
	if (visited->at == view->n ||
	    view->token[visited->at++] != token_of(&item->link))
		lru_judge(P3_UNSEEN, "a visitor sees something else");
}

static void check_first(const struct view *view, unsigned int list,
			unsigned int at)
{
	struct ttm_resource *first = ttm_lru_first_res_or_null(view_list(list));

	while (view->token[at] & VIEW_HITCH)
		at++;
	if (first != (view->token[at] & VIEW_END ? NULL :
						   &slot(view->token[at])->res))
		lru_judge(P3_UNSEEN, "the first resource is another one");
}

static void check_shared(unsigned int r)
{
	const struct lru_model_res *res = &world.model.res[r];
	const struct dma_resv *resv = slot(r)->bo.base.resv;
	bool shared = res->place == RANGE;
	unsigned int first, last;

	if (res->place == OFF)
		return;
	if (shared) {
		first = lru_model_range_first(&world.model, res->type,
					      res->prio, res->bulk);
		last = lru_model_range_last(&world.model, res->type, res->prio,
					    res->bulk);
		shared = slot(first)->bo.base.resv == resv &&
			 slot(last)->bo.base.resv == resv;
	}
	if (ttm_resource_in_shared_bulk(&slot(r)->res) != shared)
		lru_judge(P4_RANGES, "a range's lock is taken for another");
}

void view_check_readers(const struct view *view)
{
	struct visited visited = { .view = view };
	unsigned int list = 0;

	spin_lock(&world.bdev.lru_lock);
	for (unsigned int t = 0; t < shape.types; t++)
		ttm_resource_manager_visit_lru(&world.man[t], visit, &visited);
	for (unsigned int i = 0; i < view->n; list++) {
		check_first(view, list, i);
		while (!(view->token[i++] & VIEW_END))
			;
	}
	for (unsigned int r = 0; r < shape.res; r++)
		check_shared(r);
	spin_unlock(&world.bdev.lru_lock);
}

#endif

static struct view without_hitches(const struct view *view)
{
	struct view seen = {};

	for (unsigned int i = 0; i < view->n; i++)
		if (!(view->token[i] & VIEW_HITCH))
			seen.token[seen.n++] = view->token[i];
	return seen;
}

void view_check_unseen(const struct view *with, const struct view *without)
{
	struct view a = without_hitches(with), b = without_hitches(without);

	if (memcmp(&a, &b, sizeof(a)))
		lru_judge(P3_UNSEEN,
			  "the order is not what it is without cursors");
}

static void resync_res(const struct spot *spot, unsigned int r)
{
	struct lru_model_res *res = &world.model.res[r];
	unsigned int bulk = bulk_of(slot(r)->bo.bulk_move);
	struct lru_model_list *list;

	if (!spot_evictable(spot) && res->place != UNEVICTABLE)
		for (unsigned int w = 0; w < shape.walks; w++)
			world.model.walk[w].owed &= ~BIT(r);
	res->place = !spot_evictable(spot) ? UNEVICTABLE :
		     bulk == NONE ? LOOSE : RANGE;
	res->bulk = res->place == RANGE ? bulk : NONE;
	list = &world.model.unevictable;
	if (spot_evictable(spot)) {
		res->type = spot_type(spot);
		res->prio = spot_prio(spot);
		list = &world.model.list[res->type][res->prio];
	}
	list->id[list->n++] = r;
}

void view_resync(const struct view *view)
{
	struct spot spot = {};

	memset(world.model.list, 0, sizeof(world.model.list));
	world.model.unevictable.n = 0;
	for (unsigned int i = 0; i < view->n; i++) {
		if (view->token[i] & VIEW_END)
			spot.list++;
		else if (!(view->token[i] & VIEW_HITCH))
			resync_res(&spot, view->token[i]);
	}
}
