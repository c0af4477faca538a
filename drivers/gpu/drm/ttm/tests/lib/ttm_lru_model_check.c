// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A world and its model: whatever is done in the one is told to the other, and
 * then the lists are compared.
 *
 * The model is told what Linux's own callers of list operations do: a pin, say,
 * takes the resource out of its range and then to the tail.
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

/* The number of a resource, or NONE. */
static unsigned int number_of(const struct lru_told *t,
			      const struct ttm_resource *res)
{
	for (unsigned int r = 0; r < MAX_RES; r++)
		if (t->res[r] == res)
			return r;
	return NONE;
}

/* A number for another resource of this buffer's, or NONE. */
static unsigned int free_number(const struct lru_told *t, char letter)
{
	unsigned int r = letter - 'a';

	if (!t->res[r])
		return r;
	r += LRU_TOLD_BUFFERS;
	return t->res[r] ? NONE : r;
}

static struct ttm_buffer_object *bo_of(const struct lru_told *t,
				       unsigned int r)
{
	return t->w->bo[r % LRU_TOLD_BUFFERS];
}

/*
 * Comparing
 */

/* The one at @at on the model's list, which need not have so many. */
static struct ttm_resource *expected(const struct lru_told *t,
				     const struct lru_model_list *list,
				     unsigned int at)
{
	return at < list->n ? t->res[list->id[at]] : NULL;
}

static void compare_latched(const struct ttm_resource *res,
			    const struct lru_model_res *model)
{
	if (ttm_lru_item_place(&res->lru) != model->place ||
	    (model->place != UNEVICTABLE &&
	     ttm_lru_item_priority(&res->lru) != model->prio))
		lru_judge(P5_IN_PLACE, "a resource's latched place is wrong");
}

static void compare_list(const struct lru_told *t, struct list_head *head,
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
		if (res == expected(t, list, at)) {
			compare_latched(res, &t->model.res[list->id[at]]);
			at++;
		} else if (!t->strangers || number_of(t, res) != NONE) {
			lru_judge(P3_UNSEEN,
				  "the order is not what it is without cursors");
		}
	}
	if (at != list->n)
		lru_judge(P5_IN_PLACE, "a resource is not on its list");
}

/* Behind a range's tail means behind the hitches there, too. */
static void compare_tailed(struct lru_told *t)
{
	unsigned int r = t->model.tailed;
	struct ttm_resource_manager *man;
	struct ttm_resource *res;

	t->model.tailed = NONE;
	if (r == NONE || t->model.res[r].place != RANGE)
		return;
	res = t->res[r];
	man = ttm_manager_type(t->w->bdev, res->mem_type);
	if (!list_is_last(&res->lru.link,
			  &man->lru[ttm_lru_item_priority(&res->lru)]) &&
	    !ttm_lru_item_is_res(list_next_entry(&res->lru, link)))
		lru_judge(P1_COMPLETE, "a walk doesn't meet what it could");
}

static void compare_walk(const struct lru_told *t, enum lru_walk walk)
{
	bool off = list_empty(&t->w->walk[walk].hitch.link);

	if (t->model.walk[walk].on && off)
		lru_judge(P5_IN_PLACE, "the hitch of a walk is on no list");
	if (!t->model.walk[walk].on && !off)
		lru_judge(P6_FUSED, "a walk has ended, its hitch is on a list");
}

static void compare_locked(struct lru_told *t)
{
	struct ttm_device *bdev = t->w->bdev;

	BUILD_BUG_ON(MAX_PRIOS != TTM_MAX_BO_PRIORITY);
	BUILD_BUG_ON(MAX_WALKS != LRU_WALKS || MAX_BULKS != LRU_BULKS);

	for (int type = 0; type < LRU_TYPES; type++) {
		struct ttm_resource_manager *man =
			ttm_manager_type(bdev, mem_types[type]);

		for (int prio = 0; prio < TTM_MAX_BO_PRIORITY; prio++)
			compare_list(t, &man->lru[prio],
				     &t->model.list[type][prio]);
	}
	compare_list(t, &bdev->unevictable, &t->model.unevictable);
	for (int walk = 0; walk < LRU_WALKS; walk++)
		compare_walk(t, walk);
	compare_tailed(t);
}

static void compare(struct lru_told *t)
{
	guard(spinlock)(&t->w->bdev->lru_lock);
	compare_locked(t);
}

void lru_told_look(struct lru_told *t)
{
	for (int type = 0; type < LRU_TYPES; type++) {
		t->w->mem_type = mem_types[type];
		lru_draw(t->w, true);
		if (t->w->broken)
			lru_judge(P4_RANGES, t->w->broken);
	}
}

void lru_told_verdict(struct lru_told *t)
{
	static const char * const names[] = { "TT", "system" };
	struct kunit *test = t->w->test;

	if (!lru_verdict.broken)
		return;
	for (int p = 0; p < PROMISES; p++)
		if (lru_verdict.broken & BIT(p))
			kunit_err(test, "promise %d is broken: %s\n", p + 1,
				  lru_verdict.why[p]);
	for (int type = 0; type < LRU_TYPES; type++) {
		t->w->mem_type = mem_types[type];
		kunit_err(test, "%s: %s\n", names[type], lru_draw(t->w, true));
	}
	KUNIT_FAIL_AND_ABORT(test, "after %lu operations, the last of them%s",
			     t->log.ops, lru_log_text(&t->log));
}

/*
 * Telling
 */

static bool is_swapped(const struct ttm_buffer_object *bo)
{
	return bo->ttm && ttm_tt_is_swapped(bo->ttm);
}

/* What a buffer says of its resource, or of one that it isn't yet. */
static struct lru_wish wish_of(const struct lru_told *t,
			       const struct ttm_buffer_object *bo, bool is_its)
{
	bool swapped = is_its && is_swapped(bo);

	return (struct lru_wish) {
		.evictable = !bo->pin_count && !swapped,
		.prio = bo->priority,
		.bulk = bo->bulk_move ? bo->bulk_move - t->w->bulk : NONE,
	};
}

static void tell_entered(struct lru_told *t, char letter,
			 struct ttm_resource *res, enum lru_type type)
{
	unsigned int r = free_number(t, letter);

	t->res[r] = res;
	lru_model_enter(&t->model, r, type,
			wish_of(t, lru_bo(t->w, letter), false));
}

static void tell_left(struct lru_told *t, unsigned int r)
{
	lru_model_leave(&t->model, r);
	t->res[r] = NULL;
}

static void tell_add(struct lru_told *t, const struct ttm_buffer_object *bo)
{
	if (bo->resource)
		lru_model_settle(&t->model, number_of(t, bo->resource),
				 wish_of(t, bo, true));
}

/* Also of who is to become unevictable: before that, or after it. */
static void tell_del(struct lru_told *t, const struct ttm_buffer_object *bo)
{
	struct lru_wish wish = wish_of(t, bo, true);

	wish.bulk = NONE;
	if (bo->resource)
		lru_model_settle(&t->model, number_of(t, bo->resource), wish);
}

static void tell_tail(struct lru_told *t, const struct ttm_buffer_object *bo)
{
	if (bo->resource)
		lru_model_tail(&t->model, number_of(t, bo->resource),
			       wish_of(t, bo, true));
}

void lru_told_init(struct lru_told *t, struct lru_world *w, unsigned int n)
{
	memset(&lru_verdict, 0, sizeof(lru_verdict));
	t->w = w;
	t->ghost = NONE;
	lru_model_init(&t->model);
	t->model.tailed = NONE;
	for (char letter = 'a'; letter < 'a' + n; letter++) {
		struct ttm_resource *res = lru_bo(w, letter)->resource;

		tell_entered(t, letter, res, res->mem_type != TTM_PL_TT);
	}
	t->model.tailed = NONE;
	compare(t);
}

/*
 * Operations on buffers
 */

void lru_told_tail(struct lru_told *t, char letter)
{
	struct ttm_buffer_object *bo = lru_reserve(t->w, letter);

	scoped_guard(spinlock, &t->w->bdev->lru_lock) {
		lru_log(&t->log, "t%c", letter);
		ttm_bo_move_to_lru_tail(bo);
		tell_tail(t, bo);
		compare_locked(t);
	}
	lru_unreserve(bo);
}

void lru_told_bulk_tail(struct lru_told *t, enum lru_bulk bulk)
{
	dma_resv_lock(&t->w->resv, NULL);
	scoped_guard(spinlock, &t->w->bdev->lru_lock) {
		lru_log(&t->log, "B%c", LRU_MARKS[bulk]);
		ttm_lru_bulk_move_tail(&t->w->bulk[bulk]);
		lru_model_bulk_tail(&t->model, bulk);
		compare_locked(t);
	}
	dma_resv_unlock(&t->w->resv);
}

void lru_told_alloc(struct lru_told *t, char letter, enum lru_type type)
{
	lru_log(&t->log, "n%c%c", letter, "ts"[type]);
	t->w->mem_type = mem_types[type];
	lru_alloc(t->w, letter);
	tell_entered(t, letter, lru_bo(t->w, letter)->resource, type);
	compare(t);
}

void lru_told_free(struct lru_told *t, char letter)
{
	unsigned int r = number_of(t, lru_bo(t->w, letter)->resource);

	lru_log(&t->log, "f%c", letter);
	lru_free(t->w, letter);
	tell_left(t, r);
	compare(t);
}

void lru_told_join(struct lru_told *t, char letter, enum lru_bulk bulk)
{
	struct ttm_buffer_object *bo = lru_bo(t->w, letter);
	bool already = bo->bulk_move == &t->w->bulk[bulk];

	lru_log(&t->log, "j%c%c", letter, LRU_MARKS[bulk]);
	if (!already)
		tell_del(t, bo);
	lru_join(t->w, letter, bulk);
	if (!already)
		tell_add(t, bo);
	compare(t);
}

void lru_told_leave(struct lru_told *t, char letter)
{
	struct ttm_buffer_object *bo = lru_bo(t->w, letter);

	lru_log(&t->log, "l%c", letter);
	if (bo->bulk_move)
		tell_del(t, bo);
	lru_leave(t->w, letter);
	compare(t);
}

void lru_told_pin(struct lru_told *t, char letter)
{
	struct ttm_buffer_object *bo = lru_bo(t->w, letter);

	lru_log(&t->log, "p%c", letter);
	tell_del(t, bo);
	lru_pin(t->w, letter);
	if (bo->pin_count == 1)
		tell_tail(t, bo);
	compare(t);
}

void lru_told_unpin(struct lru_told *t, char letter)
{
	struct ttm_buffer_object *bo = lru_bo(t->w, letter);

	lru_log(&t->log, "u%c", letter);
	lru_unpin(t->w, letter);
	if (!bo->pin_count) {
		tell_add(t, bo);
		tell_tail(t, bo);
	}
	compare(t);
}

/* The list follows at its next operation. */
void lru_told_set_priority(struct lru_told *t, char letter,
			   unsigned int priority)
{
	lru_log(&t->log, "o%c%u", letter, priority);
	lru_set_priority(t->w, letter, priority);
	compare(t);
}

/*
 * Moves
 */

bool lru_told_can_move(struct lru_told *t, char letter)
{
	return free_number(t, letter) != NONE;
}

void lru_told_alloc_next(struct lru_told *t, char letter, enum lru_type type)
{
	lru_log(&t->log, "n%c'%c", letter, "ts"[type]);
	t->w->mem_type = mem_types[type];
	lru_alloc_next(t->w, letter);
	tell_entered(t, letter, t->w->next[letter - 'a'], type);
	compare(t);
}

void lru_told_free_next(struct lru_told *t, char letter)
{
	struct ttm_resource **next = &t->w->next[letter - 'a'];
	unsigned int r = number_of(t, *next);
	struct ttm_buffer_object *bo;

	lru_log(&t->log, "f%c'", letter);
	bo = lru_reserve(t->w, letter);
	ttm_resource_free(bo, next);
	lru_unreserve(bo);
	tell_left(t, r);
	compare(t);
}

void lru_told_move(struct lru_told *t, char letter)
{
	struct ttm_resource *old = lru_bo(t->w, letter)->resource;

	lru_log(&t->log, "m%c", letter);
	if (old)
		tell_left(t, number_of(t, old));
	lru_move(t->w, letter);
	compare(t);
}

/* The old resource becomes that of a ghost, which is in no bulk. */
void lru_told_move_busy(struct lru_told *t, char letter)
{
	struct ttm_buffer_object *bo = lru_bo(t->w, letter);
	struct lru_wish wish = wish_of(t, bo, true);

	lru_log(&t->log, "g%c", letter);
	t->ghost = number_of(t, bo->resource);
	lru_move_busy(t->w, letter);
	wish.bulk = NONE;
	lru_model_settle(&t->model, t->ghost, wish);
	lru_model_tail(&t->model, t->ghost, wish);
	compare(t);
}

void lru_told_idle(struct lru_told *t)
{
	lru_log(&t->log, "idle");
	lru_idle(t->w);
	if (t->ghost != NONE)
		tell_left(t, t->ghost);
	t->ghost = NONE;
	compare(t);
}

/*
 * Pages
 */

void lru_told_populate(struct lru_told *t, char letter)
{
	struct ttm_buffer_object *bo = lru_bo(t->w, letter);
	bool swapped = is_swapped(bo);

	lru_log(&t->log, "P%c", letter);
	if (lru_populate(t->w, letter))
		lru_judge(NO_CRASH, "there are no pages");
	if (swapped && !is_swapped(bo) && !bo->pin_count) {
		tell_add(t, bo);
		tell_tail(t, bo);
	}
	compare(t);
}

static void tell_swapped_out(struct lru_told *t, struct ttm_buffer_object *bo)
{
	if (!is_swapped(bo))
		lru_judge(P1_COMPLETE, "a buffer was not swapped out");
	tell_del(t, bo);
	tell_tail(t, bo);
}

void lru_told_shrink(struct lru_told *t, char letter)
{
	const struct ttm_bo_shrink_flags flags = { .purge = true };
	struct ttm_operation_ctx ctx = {};
	struct ttm_buffer_object *bo;
	long pages;

	lru_log(&t->log, "K%c", letter);
	bo = lru_reserve(t->w, letter);
	pages = ttm_bo_shrink(&ctx, bo, flags);
	lru_unreserve(bo);
	if (pages == 1)
		tell_swapped_out(t, bo);
	else
		lru_judge(NO_CRASH, "a buffer can't be shrunk");
	compare(t);
}

static bool can_swap_out(const struct ttm_buffer_object *bo)
{
	const u32 wrong = TTM_TT_FLAG_EXTERNAL | TTM_TT_FLAG_SWAPPED;

	return bo->ttm && ttm_tt_is_populated(bo->ttm) &&
	       !(bo->ttm->page_flags & wrong);
}

/* Whom TTM's own walk has to swap out: buffers of a page, in their order. */
static unsigned int victims(const struct lru_told *t, unsigned int most,
			    struct ttm_buffer_object **victim)
{
	unsigned int n = 0;

	for (int prio = 0; prio < MAX_PRIOS; prio++) {
		const struct lru_model_list *list =
			&t->model.list[LRU_SYSTEM][prio];

		for (int i = 0; i < list->n && n < most; i++) {
			struct ttm_buffer_object *bo = bo_of(t, list->id[i]);

			if (can_swap_out(bo))
				victim[n++] = bo;
		}
	}
	return n;
}

void lru_told_swapout(struct lru_told *t, unsigned int pages)
{
	struct ttm_buffer_object *victim[LRU_TOLD_BUFFERS];
	struct ttm_operation_ctx ctx = {};
	unsigned int n = victims(t, pages, victim);

	lru_log(&t->log, "S%u", pages);
	if (ttm_bo_swapout(t->w->bdev, &ctx, &t->w->bdev->sysman, GFP_KERNEL,
			   pages) != n)
		lru_judge(P1_COMPLETE, "a swap-out of other buffers");
	for (int i = 0; i < n; i++)
		tell_swapped_out(t, victim[i]);
	compare(t);
}

/*
 * Walks
 */

/* The range that a walk is in while it is in a hold. */
struct told_range {
	u8 prio;
	u8 bulk;	/* NONE for no range */
};

static void tell_begin(struct lru_told *t, enum lru_walk walk)
{
	const struct ttm_resource_cursor *cursor = &t->w->walk[walk];

	lru_model_walk_begin(&t->model, walk,
			     ttm_resource_cursor_man(cursor) ==
			     &t->w->bdev->sysman,
			     ttm_resource_cursor_since(cursor) != U64_MAX);
}

/* Of who isn't told of, that it may be returned can be seen here and now. */
static void judge_stranger(const struct lru_told *t, enum lru_walk walk,
			   const struct ttm_resource *res)
{
	if (!t->strangers)
		lru_judge(P6_FUSED, "a walk returned what is no resource");
	else if (res->bo->pin_count || list_empty(&res->lru.link) ||
		 ttm_manager_type(t->w->bdev, res->mem_type) !=
		 ttm_resource_cursor_man(&t->w->walk[walk]))
		lru_judge(P5_IN_PLACE,
			  "returned what is not on the manager's LRU");
}

static struct told_range tell_returned(struct lru_told *t, enum lru_walk walk,
				       const struct ttm_resource *res)
{
	const struct told_range none = { .bulk = NONE };
	unsigned int r;

	if (!res) {
		lru_model_walk_ended(&t->model, walk);
		return none;
	}
	r = number_of(t, res);
	if (r == NONE) {
		judge_stranger(t, walk, res);
		return none;
	}
	lru_model_walk_returned(&t->model, walk, r);
	return (struct told_range) {
		.prio = t->model.res[r].prio,
		.bulk = t->model.res[r].bulk,
	};
}

/* A parked hitch is registered exactly if it is in a range: that is watched. */
static struct told_range parked_in(const struct lru_told *t, enum lru_walk walk)
{
	const struct ttm_resource_cursor *cursor = &t->w->walk[walk];
	int bulk = lru_bulk_of(t->w, cursor->range);

	return (struct told_range) {
		.prio = ttm_resource_cursor_priority(cursor),
		.bulk = bulk < 0 ? NONE : bulk,
	};
}

/* Steps that return a resource, or NULL. */
static struct ttm_resource *step(struct lru_told *t, enum lru_walk walk,
				 char how)
{
	struct ttm_resource_cursor *cursor = &t->w->walk[walk];

	switch (how) {
	case 'F':
		tell_begin(t, walk);
		return ttm_resource_manager_first(cursor);
	case 'n':
		return ttm_resource_manager_next(cursor);
	default:
		return ttm_resource_cursor_advance(cursor);
	}
}

/* Steps that don't. */
static void arrange(struct lru_told *t, enum lru_walk walk, char how)
{
	struct ttm_resource_cursor *cursor = &t->w->walk[walk];
	struct ttm_resource_manager *man = ttm_resource_cursor_man(cursor);

	switch (how) {
	case 'r':
		tell_begin(t, walk);
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
		lru_model_walk_stop(&t->model, walk);
	}
	if (how == 'i')
		ttm_resource_cursor_init(cursor, man);
	if (how == 'b')
		ttm_resource_cursor_init_bounded(cursor, man);
}

unsigned int lru_told_walk_locked(struct lru_told *t, enum lru_walk walk,
				  const char *steps)
{
	struct told_range in = parked_in(t, walk);
	unsigned int returned = 0;

	lru_log(&t->log, "%c%s", 'H' + walk, steps);
	for (; *steps; steps++) {
		const struct ttm_resource *res;

		if (strchr("Fna", *steps)) {
			res = step(t, walk, *steps);
			in = tell_returned(t, walk, res);
			if (*steps != 'a')
				in = parked_in(t, walk);
			returned += !!res;
			continue;
		}
		arrange(t, walk, *steps);
		if (*steps == 's' && in.bulk != NONE)
			lru_model_walk_skip(&t->model, walk, in.prio, in.bulk);
		else if (*steps == 'r')
			in.bulk = NONE;
		else if (*steps == 'p')
			in = parked_in(t, walk);
	}
	compare_locked(t);
	return returned;
}

unsigned int lru_told_walk(struct lru_told *t, enum lru_walk walk,
			   const char *steps)
{
	guard(spinlock)(&t->w->bdev->lru_lock);
	return lru_told_walk_locked(t, walk, steps);
}
