// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A world checked against its model, see ttm_lru_model_check.h.
 *
 * The model is told what Linux's callers of list operations do: a pin, for
 * example, takes the resource out of its range, and then to the tail.
 */

#include <drm/ttm/ttm_tt.h>

#include "ttm_lru_model_check.h"

static const u32 mem_types[] = {
	[LRU_TT] = TTM_PL_TT,
	[LRU_SYSTEM] = TTM_PL_SYSTEM,
};

/*
 * Numbers
 */

/* The number of @res, or NONE. */
static unsigned int number_of(const struct lru_checked *c,
			      const struct ttm_resource *res)
{
	for (unsigned int r = 0; r < MAX_RES; r++)
		if (c->res[r] == res)
			return r;
	return NONE;
}

/* A free number for another resource of this buffer, or NONE. */
static unsigned int free_number(const struct lru_checked *c, char letter)
{
	unsigned int r = letter - 'a';

	if (!c->res[r])
		return r;
	r += LRU_CHECKED_BUFFERS;
	return c->res[r] ? NONE : r;
}

static struct ttm_buffer_object *bo_of(const struct lru_checked *c,
				       unsigned int r)
{
	return c->w->bo[r % LRU_CHECKED_BUFFERS];
}

/*
 * Comparing
 */

/* The resource at @at on the model's list, or NULL beyond its end. */
static struct ttm_resource *expected(const struct lru_checked *c,
				     const struct lru_model_list *list,
				     unsigned int at)
{
	return at < list->n ? c->res[list->id[at]] : NULL;
}

static void compare_latched(const struct ttm_resource *res,
			    const struct lru_model_res *model)
{
	if (ttm_lru_item_place(&res->lru) != model->place ||
	    (model->place != UNEVICTABLE &&
	     ttm_lru_item_priority(&res->lru) != model->prio))
		lru_judge(P5_IN_PLACE, "a resource's latched place is wrong");
}

static void compare_list(const struct lru_checked *c, struct list_head *head,
			 const struct lru_model_list *list)
{
	unsigned int at = 0, nodes = 0;
	struct ttm_lru_item *item;

	list_for_each_entry(item, head, link) {
		struct ttm_resource *res = ttm_lru_item_to_res(item);

		if (++nodes > LRU_MAX_NODES) {
			lru_judge(NO_CRASH, "a list without an end");
			return;
		}
		if (!ttm_lru_item_is_res(item))
			continue;
		if (res == expected(c, list, at)) {
			compare_latched(res, &c->model.res[list->id[at]]);
			at++;
		} else if (!c->strangers || number_of(c, res) != NONE) {
			lru_judge(P3_UNSEEN,
				  "the order differs from that without cursors");
		}
	}
	if (at != list->n)
		lru_judge(P5_IN_PLACE, "a resource is not on its list");
}

/* Behind a range's tail also means behind the hitches there. */
static void compare_tailed(struct lru_checked *c)
{
	unsigned int r = c->model.tailed;
	struct ttm_resource_manager *man;
	struct ttm_resource *res;

	c->model.tailed = NONE;
	if (r == NONE || c->model.res[r].place != RANGE)
		return;
	res = c->res[r];
	man = ttm_manager_type(c->w->bdev, res->mem_type);
	if (!list_is_last(&res->lru.link,
			  &man->lru[ttm_lru_item_priority(&res->lru)]) &&
	    !ttm_lru_item_is_res(list_next_entry(&res->lru, link)))
		lru_judge(P1_COMPLETE, "a walk misses a resource that joined its range");
}

static void compare_walk(const struct lru_checked *c, enum lru_walk walk)
{
	bool off = list_empty(&c->w->walk[walk].hitch.link);

	if (c->model.walk[walk].on && off)
		lru_judge(P5_IN_PLACE, "the hitch of a walk is on no list");
	if (!c->model.walk[walk].on && !off)
		lru_judge(P6_FUSED, "a walk has ended, its hitch is on a list");
}

static void compare_locked(struct lru_checked *c)
{
	struct ttm_device *bdev = c->w->bdev;

	BUILD_BUG_ON(MAX_PRIOS != TTM_MAX_BO_PRIORITY);
	BUILD_BUG_ON(MAX_WALKS != LRU_WALKS || MAX_BULKS != LRU_BULKS);

	for (int type = 0; type < LRU_TYPES; type++) {
		struct ttm_resource_manager *man =
			ttm_manager_type(bdev, mem_types[type]);

		for (int prio = 0; prio < TTM_MAX_BO_PRIORITY; prio++)
			compare_list(c, &man->lru[prio],
				     &c->model.list[type][prio]);
	}
	compare_list(c, &bdev->unevictable, &c->model.unevictable);
	for (int walk = 0; walk < LRU_WALKS; walk++)
		compare_walk(c, walk);
	compare_tailed(c);
}

static void compare(struct lru_checked *c)
{
	guard(spinlock)(&c->w->bdev->lru_lock);
	compare_locked(c);
}

void lru_checked_look(struct lru_checked *c)
{
	for (int type = 0; type < LRU_TYPES; type++) {
		c->w->mem_type = mem_types[type];
		lru_draw(c->w, true);
		if (c->w->broken)
			lru_judge(P4_RANGES, c->w->broken);
	}
}

void lru_checked_verdict(struct lru_checked *c)
{
	static const char * const names[] = { "TT", "system" };
	struct kunit *test = c->w->test;

	if (!lru_verdict.broken)
		return;
	for (int p = 0; p < PROMISES; p++)
		if (lru_verdict.broken & BIT(p))
			kunit_err(test, "promise %d is broken: %s\n", p + 1,
				  lru_verdict.why[p]);
	for (int type = 0; type < LRU_TYPES; type++) {
		c->w->mem_type = mem_types[type];
		kunit_err(test, "%s: %s\n", names[type], lru_draw(c->w, true));
	}
	KUNIT_FAIL_AND_ABORT(test, "after %lu operations, the last of them%s",
			     c->log.ops, lru_log_text(&c->log));
}

/*
 * Telling
 */

static bool is_swapped(const struct ttm_buffer_object *bo)
{
	return bo->ttm && ttm_tt_is_swapped(bo->ttm);
}

/*
 * The state of a buffer for its resource, or for one that is not yet its own.
 */
static struct lru_wish wish_of(const struct lru_checked *c,
			       const struct ttm_buffer_object *bo, bool is_its)
{
	bool swapped = is_its && is_swapped(bo);

	return (struct lru_wish) {
		.evictable = !bo->pin_count && !swapped,
		.prio = bo->priority,
		.bulk = bo->bulk_move ? bo->bulk_move - c->w->bulk : NONE,
	};
}

static void tell_entered(struct lru_checked *c, char letter,
			 struct ttm_resource *res, enum lru_type type)
{
	unsigned int r = free_number(c, letter);

	c->res[r] = res;
	lru_model_enter(&c->model, r, type,
			wish_of(c, lru_bo(c->w, letter), false));
}

static void tell_left(struct lru_checked *c, unsigned int r)
{
	lru_model_leave(&c->model, r);
	c->res[r] = NULL;
}

static void tell_add(struct lru_checked *c, const struct ttm_buffer_object *bo)
{
	if (bo->resource)
		lru_model_settle(&c->model, number_of(c, bo->resource),
				 wish_of(c, bo, true));
}

/* Also called for a resource that becomes unevictable, before or after that. */
static void tell_del(struct lru_checked *c, const struct ttm_buffer_object *bo)
{
	struct lru_wish wish = wish_of(c, bo, true);

	wish.bulk = NONE;
	if (bo->resource)
		lru_model_settle(&c->model, number_of(c, bo->resource), wish);
}

static void tell_tail(struct lru_checked *c, const struct ttm_buffer_object *bo)
{
	if (bo->resource)
		lru_model_tail(&c->model, number_of(c, bo->resource),
			       wish_of(c, bo, true));
}

void lru_checked_init(struct lru_checked *c, struct lru_world *w, unsigned int n)
{
	memset(&lru_verdict, 0, sizeof(lru_verdict));
	c->w = w;
	c->ghost = NONE;
	lru_model_init(&c->model);
	c->model.tailed = NONE;
	for (char letter = 'a'; letter < 'a' + n; letter++) {
		struct ttm_resource *res = lru_bo(w, letter)->resource;

		tell_entered(c, letter, res, res->mem_type != TTM_PL_TT);
	}
	c->model.tailed = NONE;
	compare(c);
}

/*
 * Operations on buffers
 */

void lru_checked_tail(struct lru_checked *c, char letter)
{
	struct ttm_buffer_object *bo = lru_reserve(c->w, letter);

	scoped_guard(spinlock, &c->w->bdev->lru_lock) {
		lru_log(&c->log, "t%c", letter);
		ttm_bo_move_to_lru_tail(bo);
		tell_tail(c, bo);
		compare_locked(c);
	}
	lru_unreserve(bo);
}

void lru_checked_bulk_tail(struct lru_checked *c, enum lru_bulk bulk)
{
	dma_resv_lock(&c->w->resv, NULL);
	scoped_guard(spinlock, &c->w->bdev->lru_lock) {
		lru_log(&c->log, "B%c", LRU_MARKS[bulk]);
		ttm_lru_bulk_move_tail(&c->w->bulk[bulk]);
		lru_model_bulk_tail(&c->model, bulk);
		compare_locked(c);
	}
	dma_resv_unlock(&c->w->resv);
}

void lru_checked_alloc(struct lru_checked *c, char letter, enum lru_type type)
{
	lru_log(&c->log, "c%c%c", letter, "ts"[type]);
	c->w->mem_type = mem_types[type];
	lru_alloc(c->w, letter);
	tell_entered(c, letter, lru_bo(c->w, letter)->resource, type);
	compare(c);
}

void lru_checked_free(struct lru_checked *c, char letter)
{
	unsigned int r = number_of(c, lru_bo(c->w, letter)->resource);

	lru_log(&c->log, "d%c", letter);
	lru_free(c->w, letter);
	tell_left(c, r);
	compare(c);
}

void lru_checked_join(struct lru_checked *c, char letter, enum lru_bulk bulk)
{
	struct ttm_buffer_object *bo = lru_bo(c->w, letter);
	bool already = bo->bulk_move == &c->w->bulk[bulk];

	lru_log(&c->log, "j%c%c", letter, LRU_MARKS[bulk]);
	if (!already)
		tell_del(c, bo);
	lru_join(c->w, letter, bulk);
	if (!already)
		tell_add(c, bo);
	compare(c);
}

void lru_checked_leave(struct lru_checked *c, char letter)
{
	struct ttm_buffer_object *bo = lru_bo(c->w, letter);

	lru_log(&c->log, "l%c", letter);
	if (bo->bulk_move)
		tell_del(c, bo);
	lru_leave(c->w, letter);
	compare(c);
}

void lru_checked_pin(struct lru_checked *c, char letter)
{
	struct ttm_buffer_object *bo = lru_bo(c->w, letter);

	lru_log(&c->log, "k%c", letter);
	tell_del(c, bo);
	lru_pin(c->w, letter);
	if (bo->pin_count == 1)
		tell_tail(c, bo);
	compare(c);
}

void lru_checked_unpin(struct lru_checked *c, char letter)
{
	struct ttm_buffer_object *bo = lru_bo(c->w, letter);

	lru_log(&c->log, "u%c", letter);
	lru_unpin(c->w, letter);
	if (!bo->pin_count) {
		tell_add(c, bo);
		tell_tail(c, bo);
	}
	compare(c);
}

/* The list follows at its next operation. */
void lru_checked_set_priority(struct lru_checked *c, char letter,
			      unsigned int priority)
{
	lru_log(&c->log, "o%c%u", letter, priority);
	lru_set_priority(c->w, letter, priority);
	compare(c);
}

/*
 * Moves
 */

bool lru_checked_can_move(struct lru_checked *c, char letter)
{
	return free_number(c, letter) != NONE;
}

void lru_checked_alloc_next(struct lru_checked *c, char letter, enum lru_type type)
{
	lru_log(&c->log, "c%c'%c", letter, "ts"[type]);
	c->w->mem_type = mem_types[type];
	lru_alloc_next(c->w, letter);
	tell_entered(c, letter, c->w->next[letter - 'a'], type);
	compare(c);
}

void lru_checked_free_next(struct lru_checked *c, char letter)
{
	struct ttm_resource **next = &c->w->next[letter - 'a'];
	unsigned int r = number_of(c, *next);
	struct ttm_buffer_object *bo;

	lru_log(&c->log, "d%c'", letter);
	bo = lru_reserve(c->w, letter);
	ttm_resource_free(bo, next);
	lru_unreserve(bo);
	tell_left(c, r);
	compare(c);
}

void lru_checked_move(struct lru_checked *c, char letter)
{
	struct ttm_resource *old = lru_bo(c->w, letter)->resource;

	lru_log(&c->log, "m%c", letter);
	if (old)
		tell_left(c, number_of(c, old));
	lru_move(c->w, letter);
	compare(c);
}

/* The old resource becomes that of a ghost, which is in no bulk. */
void lru_checked_move_busy(struct lru_checked *c, char letter)
{
	struct ttm_buffer_object *bo = lru_bo(c->w, letter);
	struct lru_wish wish = wish_of(c, bo, true);

	lru_log(&c->log, "g%c", letter);
	c->ghost = number_of(c, bo->resource);
	lru_move_busy(c->w, letter);
	wish.bulk = NONE;
	lru_model_settle(&c->model, c->ghost, wish);
	lru_model_tail(&c->model, c->ghost, wish);
	compare(c);
}

void lru_checked_idle(struct lru_checked *c)
{
	lru_log(&c->log, "idle");
	lru_idle(c->w);
	if (c->ghost != NONE)
		tell_left(c, c->ghost);
	c->ghost = NONE;
	compare(c);
}

/*
 * Pages
 */

void lru_checked_populate(struct lru_checked *c, char letter)
{
	struct ttm_buffer_object *bo = lru_bo(c->w, letter);
	bool swapped = is_swapped(bo);

	lru_log(&c->log, "P%c", letter);
	if (lru_populate(c->w, letter))
		lru_judge(NO_CRASH, "there are no pages");
	if (swapped && !is_swapped(bo) && !bo->pin_count) {
		tell_add(c, bo);
		tell_tail(c, bo);
	}
	compare(c);
}

static void tell_swapped_out(struct lru_checked *c, struct ttm_buffer_object *bo)
{
	if (!is_swapped(bo))
		lru_judge(P1_COMPLETE, "a buffer was not swapped out");
	tell_del(c, bo);
	tell_tail(c, bo);
}

void lru_checked_shrink(struct lru_checked *c, char letter)
{
	const struct ttm_bo_shrink_flags flags = { .purge = true };
	struct ttm_operation_ctx ctx = {};
	struct ttm_buffer_object *bo;
	long pages;

	lru_log(&c->log, "S%c", letter);
	bo = lru_reserve(c->w, letter);
	pages = ttm_bo_shrink(&ctx, bo, flags);
	lru_unreserve(bo);
	if (pages == 1)
		tell_swapped_out(c, bo);
	else
		lru_judge(NO_CRASH, "a buffer can't be shrunk");
	compare(c);
}

static bool can_swap_out(const struct ttm_buffer_object *bo)
{
	const u32 wrong = TTM_TT_FLAG_EXTERNAL | TTM_TT_FLAG_SWAPPED;

	return bo->ttm && ttm_tt_is_populated(bo->ttm) &&
	       !(bo->ttm->page_flags & wrong);
}

/*
 * The buffers that TTM's own walk must swap out, in order; each has one page.
 */
static unsigned int victims(const struct lru_checked *c, unsigned int most,
			    struct ttm_buffer_object **victim)
{
	unsigned int n = 0;

	for (int prio = 0; prio < MAX_PRIOS; prio++) {
		const struct lru_model_list *list =
			&c->model.list[LRU_SYSTEM][prio];

		for (int i = 0; i < list->n && n < most; i++) {
			struct ttm_buffer_object *bo = bo_of(c, list->id[i]);

			if (can_swap_out(bo))
				victim[n++] = bo;
		}
	}
	return n;
}

void lru_checked_swapout(struct lru_checked *c, unsigned int pages)
{
	struct ttm_buffer_object *victim[LRU_CHECKED_BUFFERS];
	struct ttm_operation_ctx ctx = {};
	unsigned int n = victims(c, pages, victim);

	lru_log(&c->log, "S%u", pages);
	if (ttm_bo_swapout(c->w->bdev, &ctx, &c->w->bdev->sysman, GFP_KERNEL,
			   pages) != n)
		lru_judge(P1_COMPLETE, "a swap-out of other buffers");
	for (int i = 0; i < n; i++)
		tell_swapped_out(c, victim[i]);
	compare(c);
}

/*
 * Walks
 */

/* The range that a walk is in during a hold. */
struct walk_range {
	u8 prio;
	u8 bulk;	/* or NONE */
};

static void tell_begin(struct lru_checked *c, enum lru_walk walk)
{
	const struct ttm_resource_cursor *cursor = &c->w->walk[walk];

	lru_model_walk_begin(&c->model, walk,
			     ttm_resource_cursor_man(cursor) ==
			     &c->w->bdev->sysman,
			     ttm_resource_cursor_since(cursor) != U64_MAX);
}

/* The model does not know this resource: check its state here and now. */
static void judge_stranger(const struct lru_checked *c, enum lru_walk walk,
			   const struct ttm_resource *res)
{
	if (!c->strangers)
		lru_judge(P6_FUSED, "a walk returned something other than a resource");
	else if (res->bo->pin_count || list_empty(&res->lru.link) ||
		 ttm_manager_type(c->w->bdev, res->mem_type) !=
		 ttm_resource_cursor_man(&c->w->walk[walk]))
		lru_judge(P5_IN_PLACE,
			  "returned a resource that is not on the manager's LRU");
}

static struct walk_range tell_returned(struct lru_checked *c, enum lru_walk walk,
				       const struct ttm_resource *res)
{
	const struct walk_range none = { .bulk = NONE };
	unsigned int r;

	if (!res) {
		lru_model_walk_ended(&c->model, walk);
		return none;
	}
	r = number_of(c, res);
	if (r == NONE) {
		judge_stranger(c, walk, res);
		return none;
	}
	lru_model_walk_returned(&c->model, walk, r);
	return (struct walk_range) {
		.prio = c->model.res[r].prio,
		.bulk = c->model.res[r].bulk,
	};
}

/*
 * compare() checks that a parked hitch is registered exactly if it is in a
 * range.
 */
static struct walk_range parked_in(const struct lru_checked *c, enum lru_walk walk)
{
	const struct ttm_resource_cursor *cursor = &c->w->walk[walk];
	int bulk = lru_bulk_of(c->w, cursor->range);

	return (struct walk_range) {
		.prio = ttm_resource_cursor_priority(cursor),
		.bulk = bulk < 0 ? NONE : bulk,
	};
}

/* Steps that return a resource, or NULL */
static struct ttm_resource *step(struct lru_checked *c, enum lru_walk walk,
				 char how)
{
	struct ttm_resource_cursor *cursor = &c->w->walk[walk];

	switch (how) {
	case 'F':
		tell_begin(c, walk);
		return ttm_resource_manager_first(cursor);
	case 'n':
		return ttm_resource_manager_next(cursor);
	default:
		return ttm_resource_cursor_advance(cursor);
	}
}

/* Steps that return nothing */
static void arrange(struct lru_checked *c, enum lru_walk walk, char how)
{
	struct ttm_resource_cursor *cursor = &c->w->walk[walk];
	struct ttm_resource_manager *man = ttm_resource_cursor_man(cursor);

	switch (how) {
	case 'r':
		tell_begin(c, walk);
		ttm_resource_cursor_restart(cursor);
		break;
	case 'p':
		ttm_resource_cursor_pause(cursor);
		break;
	case 's':
		ttm_resource_cursor_skip_bulk(cursor);
		break;
	default:
		ttm_resource_cursor_fini(cursor);
		lru_model_walk_stop(&c->model, walk);
	}
	if (how == 'i')
		ttm_resource_cursor_init(cursor, man);
	if (how == 'b')
		ttm_resource_cursor_init_bounded(cursor, man);
}

unsigned int lru_checked_walk_locked(struct lru_checked *c, enum lru_walk walk,
				     const char *steps)
{
	struct walk_range in = parked_in(c, walk);
	unsigned int returned = 0;

	lru_log(&c->log, "%c%s", 'H' + walk, steps);
	for (; *steps; steps++) {
		const struct ttm_resource *res;

		if (strchr("Fna", *steps)) {
			res = step(c, walk, *steps);
			in = tell_returned(c, walk, res);
			if (*steps != 'a')
				in = parked_in(c, walk);
			returned += !!res;
			continue;
		}
		arrange(c, walk, *steps);
		if (*steps == 's' && in.bulk != NONE)
			lru_model_walk_skip(&c->model, walk, in.prio, in.bulk);
		else if (*steps == 'r')
			in.bulk = NONE;
		else if (*steps == 'p')
			in = parked_in(c, walk);
	}
	compare_locked(c);
	return returned;
}

unsigned int lru_checked_walk(struct lru_checked *c, enum lru_walk walk,
			      const char *steps)
{
	guard(spinlock)(&c->w->bdev->lru_lock);
	return lru_checked_walk_locked(c, walk, steps);
}
