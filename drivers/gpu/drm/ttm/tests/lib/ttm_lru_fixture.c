// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Small worlds of real buffers on a mock device, what can be done in them, and
 * pictures of their lists.
 */

#include <linux/dma-fence.h>
#include <linux/seq_buf.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <drm/ttm/ttm_tt.h>

#include "ttm_lru_fixture.h"
#include "../ttm_mock_manager.h"

/* Space of the manager, in bytes; a buffer has a page. */
#define LRU_SPACE	SZ_64M

/*
 * What the cores keep in different places.
 */

#ifdef CONFIG_DRM_TTM_LRU_PRISTINE
static struct list_head *lru_walk_list(struct ttm_resource_cursor *cursor)
{
	return &cursor->man->lru[cursor->priority];
}

static struct ttm_lru_bulk_move_pos *
lru_walk_range(struct ttm_resource_cursor *cursor)
{
	if (!cursor->bulk)
		return NULL;
	return &cursor->bulk->pos[cursor->mem_type][cursor->priority];
}

/* Spoil what a cursor says of its registration: with @bulk, or -1. */
void lru_set_registered(struct lru_world *w, enum lru_walk walk, int bulk)
{
	w->walk[walk].bulk = bulk < 0 ? NULL : &w->bulk[bulk];
}

static unsigned int lru_priority(struct ttm_resource *res)
{
	return res->bo->priority;
}

static bool lru_latched(struct ttm_resource *res, struct list_head *head,
			bool in_range)
{
	struct ttm_device *bdev = res->bo->bdev;
	struct ttm_resource_manager *man;

	man = ttm_manager_type(bdev, res->mem_type);
	return head == &bdev->unevictable ? !in_range :
	       head == &man->lru[res->bo->priority];
}
#else
static struct list_head *lru_walk_list(struct ttm_resource_cursor *cursor)
{
	return cursor->list;
}

static struct ttm_lru_bulk_move_pos *
lru_walk_range(struct ttm_resource_cursor *cursor)
{
	return cursor->range;
}

/* Spoil what a cursor says of its registration: with @bulk, or -1. */
void lru_set_registered(struct lru_world *w, enum lru_walk walk, int bulk)
{
	w->walk[walk].range = bulk < 0 ? NULL :
			      &w->bulk[bulk].pos[w->mem_type][0];
}

static unsigned int lru_priority(struct ttm_resource *res)
{
	return ttm_lru_item_priority(&res->lru);
}

static bool lru_latched(struct ttm_resource *res, struct list_head *head,
			bool in_range)
{
	struct ttm_device *bdev = res->bo->bdev;
	struct ttm_resource_manager *man;

	man = ttm_manager_type(bdev, res->mem_type);
	if (head == &bdev->unevictable)
		return ttm_lru_item_place(&res->lru) == TTM_LRU_UNEVICTABLE &&
		       !in_range;

	return head == &man->lru[ttm_lru_item_priority(&res->lru)] &&
	       ttm_lru_item_place(&res->lru) ==
		       (in_range ? TTM_LRU_RANGE : TTM_LRU_LOOSE);
}
#endif

/*
 * Pictures
 */

struct ttm_resource_manager *lru_man(struct lru_world *w)
{
	return ttm_manager_type(w->bdev, w->mem_type);
}

const char *lru_name(struct lru_world *w, struct ttm_resource *res)
{
	const char *mark = "";
	char letter = '~';

	for (int i = 0; i < LRU_BUFFERS; i++) {
		if (!w->bo[i] || res->bo != w->bo[i])
			continue;
		letter = 'a' + i;
		if (res == w->next[i])
			mark = "'";
	}
	snprintf(w->name, sizeof(w->name), "%c%s", letter, mark);
	return w->name;
}

/* Put a token, with the bars of the lists that were passed since the last. */
static void lru_draw_token(struct seq_buf *s, const char *bar,
			   unsigned int *bars, const char *token, char mark)
{
	for (; *bars; --*bars) {
		if (seq_buf_used(s))
			seq_buf_putc(s, ' ');
		seq_buf_puts(s, bar);
	}
	if (seq_buf_used(s))
		seq_buf_putc(s, ' ');
	seq_buf_puts(s, token);
	if (mark)
		seq_buf_putc(s, mark);
}

/* The bulk with a range that begins at @res, if there is one. */
static struct ttm_lru_bulk_move_pos *
lru_range_at(struct lru_world *w, struct ttm_resource *res, int *bulk)
{
	for (int b = 0; b < LRU_BULKS; b++)
		for (int m = 0; m < TTM_NUM_MEM_TYPES; m++)
			for (int p = 0; p < TTM_MAX_BO_PRIORITY; p++)
				if (w->bulk[b].pos[m][p].first == res) {
					*bulk = b;
					return &w->bulk[b].pos[m][p];
				}
	return NULL;
}

/* The bulk that has @range, or -1. */
int lru_bulk_of(struct lru_world *w, const struct ttm_lru_bulk_move_pos *range)
{
	for (int b = 0; range && b < LRU_BULKS; b++)
		if ((char *)range >= (char *)&w->bulk[b] &&
		    (char *)range < (char *)&w->bulk[b + 1])
			return b;
	return -1;
}

static void lru_check_hitch(struct lru_world *w, struct list_head *head,
			    struct ttm_lru_item *item, int bulk)
{
	struct ttm_resource_cursor *cursor =
		container_of(item, struct ttm_resource_cursor, hitch);

	if (head != lru_walk_list(cursor))
		w->broken = "a hitch on a list that isn't its own";
	if (lru_bulk_of(w, lru_walk_range(cursor)) != bulk)
		w->broken = bulk < 0 ? "a registered hitch in no range" :
			    "a hitch in a range but not registered";
	if (list_empty(&cursor->bulk_link) != !lru_walk_range(cursor))
		w->broken = "a hitch half registered";
}

static void lru_draw_list(struct lru_world *w, struct seq_buf *s,
			  struct list_head *head, const char *bar,
			  unsigned int *bars)
{
	struct ttm_lru_bulk_move_pos *range = NULL, *starts;
	unsigned int nodes = 0, hitches = 0;
	struct ttm_lru_item *item;
	int bulk = -1, starting;

	list_for_each_entry(item, head, link) {
		struct ttm_resource *res;

		if (++nodes > LRU_MAX_NODES) {
			w->broken = "a list without an end";
			break;
		}
		if (!ttm_lru_item_is_res(item)) {
			for (int i = 0; i < LRU_WALKS; i++)
				if (w->draw_hitches &&
				    item == &w->walk[i].hitch)
					hitches |= BIT(i);
			lru_check_hitch(w, head, item, bulk);
			continue;
		}
		for (int i = 0; i < LRU_WALKS; i++)
			if (hitches & BIT(i))
				lru_draw_token(s, bar, bars,
					       (char [2]) { 'H' + i }, 0);
		hitches = 0;

		res = ttm_lru_item_to_res(item);
		starts = lru_range_at(w, res, &starting);
		if (starts) {
			if (range)
				w->broken = "a range inside a range";
			if (starts != &w->bulk[starting].pos[res->mem_type]
						     [lru_priority(res)])
				w->broken = "a range of another list";
			range = starts;
			bulk = starting;
		}
		if (!lru_latched(res, head, range))
			w->broken = "a resource not where it is latched";
		if (range && res->bo->bulk_move != &w->bulk[bulk])
			w->broken = "a stranger in a range";
		lru_draw_token(s, bar, bars, lru_name(w, res),
			       range ? LRU_MARKS[bulk] : 0);
		if (range && range->last == res) {
			range = NULL;
			bulk = -1;
		}
	}
	for (int i = 0; i < LRU_WALKS; i++)
		if (hitches & BIT(i))
			lru_draw_token(s, bar, bars, (char [2]) { 'H' + i }, 0);
	if (range)
		w->broken = "a range without its last member";
}

static const char *__lru_draw(struct lru_world *w, bool strict, bool hitches)
{
	struct ttm_resource_manager *man = lru_man(w);
	unsigned int bars = 0;
	struct seq_buf s;

	seq_buf_init(&s, w->picture, sizeof(w->picture));
	w->draw_hitches = hitches;
	w->broken = NULL;

	guard(spinlock)(&w->bdev->lru_lock);
	for (int i = 0; i < TTM_MAX_BO_PRIORITY; i++) {
		lru_draw_list(w, &s, &man->lru[i], "|", &bars);
		bars++;
	}
	bars = 1;
	lru_draw_list(w, &s, &w->bdev->unevictable, "/", &bars);
	if (strict && w->broken)
		seq_buf_printf(&s, " (%s)", w->broken);

	return seq_buf_str(&s);
}

const char *lru_draw(struct lru_world *w, bool strict)
{
	return __lru_draw(w, strict, true);
}

/* The picture without its hitches: what everybody but walkers sees. */
const char *lru_draw_seen(struct lru_world *w)
{
	return __lru_draw(w, false, false);
}

void lru_log(struct lru_log *log, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(log->op[log->ops++ % LRU_LOG], sizeof(log->op[0]), format,
		  args);
	va_end(args);
}

const char *lru_log_text(struct lru_log *log)
{
	unsigned long i = log->ops < LRU_LOG ? 0 : log->ops - LRU_LOG;
	struct seq_buf s;

	seq_buf_init(&s, log->text, sizeof(log->text));
	for (; i < log->ops; i++)
		seq_buf_printf(&s, " %s", log->op[i % LRU_LOG]);
	return seq_buf_str(&s);
}

/*
 * Walks. The lock is dropped after every step.
 */

const char *lru_first(struct lru_world *w, enum lru_walk walk)
{
	struct ttm_resource *res;

	guard(spinlock)(&w->bdev->lru_lock);
	res = ttm_resource_manager_first(&w->walk[walk]);
	return res ? lru_name(w, res) : "";
}

const char *lru_next(struct lru_world *w, enum lru_walk walk)
{
	struct ttm_resource *res;

	guard(spinlock)(&w->bdev->lru_lock);
	res = ttm_resource_manager_next(&w->walk[walk]);
	return res ? lru_name(w, res) : "";
}

void lru_fini(struct lru_world *w, enum lru_walk walk)
{
	guard(spinlock)(&w->bdev->lru_lock);
	ttm_resource_cursor_fini(&w->walk[walk]);
}

void lru_walk_init(struct lru_world *w, enum lru_walk walk)
{
	ttm_resource_cursor_init(&w->walk[walk], lru_man(w));
}

/* Be ready for another walk in the way that works with every core. */
void lru_renew(struct lru_world *w, enum lru_walk walk)
{
	lru_fini(w, walk);
	lru_walk_init(w, walk);
}

/* What is left of a walk, to its end. */
const char *lru_rest(struct lru_world *w, enum lru_walk walk)
{
	struct seq_buf s;

	seq_buf_init(&s, w->steps, sizeof(w->steps));
	for (int i = 0; i < LRU_MAX_NODES; i++) {
		const char *name = lru_next(w, walk);

		if (!*name)
			return seq_buf_str(&s);
		if (i)
			seq_buf_putc(&s, ' ');
		seq_buf_puts(&s, name);
	}
	seq_buf_puts(&s, " and so on");
	return seq_buf_str(&s);
}

/* The mark of the bulk that a walk is registered with. */
const char *lru_registered(struct lru_world *w, enum lru_walk walk)
{
	struct ttm_resource_cursor *cursor = &w->walk[walk];

	if (list_empty(&cursor->bulk_link) != !lru_walk_range(cursor))
		return "half";
	if (!lru_walk_range(cursor))
		return "";
	snprintf(w->name, sizeof(w->name), "%c",
		 LRU_MARKS[lru_bulk_of(w, lru_walk_range(cursor))]);
	return w->name;
}

/*
 * What others do to buffers meanwhile, each as drivers do it.
 */

struct ttm_buffer_object *lru_bo(struct lru_world *w, char letter)
{
	return w->bo[letter - 'a'];
}

struct ttm_buffer_object *lru_reserve(struct lru_world *w, char letter)
{
	struct ttm_buffer_object *bo = lru_bo(w, letter);

	dma_resv_lock(bo->base.resv, NULL);
	return bo;
}

void lru_unreserve(struct ttm_buffer_object *bo)
{
	dma_resv_unlock(bo->base.resv);
}

/* Allocate the resource of a buffer that has none. */
int lru_try_alloc(struct lru_world *w, char letter)
{
	struct ttm_place place = { .mem_type = w->mem_type };
	struct ttm_buffer_object *bo;
	struct ttm_resource *res;
	int ret;

	bo = lru_reserve(w, letter);
	ret = ttm_resource_alloc(bo, &place, &res, NULL);
	if (!ret)
		ttm_bo_assign_mem(bo, res);
	lru_unreserve(bo);
	return ret;
}

void lru_alloc(struct lru_world *w, char letter)
{
	KUNIT_ASSERT_EQ(w->test, lru_try_alloc(w, letter), 0);
}

/* Allocate what a buffer is to move to. */
void lru_alloc_next(struct lru_world *w, char letter)
{
	struct ttm_place place = { .mem_type = w->mem_type };
	struct ttm_buffer_object *bo;
	int ret;

	bo = lru_reserve(w, letter);
	ret = ttm_resource_alloc(bo, &place, &w->next[letter - 'a'], NULL);
	lru_unreserve(bo);
	KUNIT_ASSERT_EQ(w->test, ret, 0);
}

/* The move was done by the CPU, or none was needed. */
void lru_move(struct lru_world *w, char letter)
{
	struct ttm_buffer_object *bo = lru_reserve(w, letter);

	ttm_bo_move_null(bo, w->next[letter - 'a']);
	w->next[letter - 'a'] = NULL;
	lru_unreserve(bo);
}

void lru_free(struct lru_world *w, char letter)
{
	struct ttm_buffer_object *bo = lru_reserve(w, letter);

	ttm_resource_free(bo, &bo->resource);
	lru_unreserve(bo);
}

void lru_tail(struct lru_world *w, char letter)
{
	struct ttm_buffer_object *bo = lru_reserve(w, letter);

	scoped_guard(spinlock, &w->bdev->lru_lock)
		ttm_bo_move_to_lru_tail(bo);
	lru_unreserve(bo);
}

static void lru_set_bulk(struct lru_world *w, char letter,
			 struct ttm_lru_bulk_move *bulk)
{
	struct ttm_buffer_object *bo = lru_reserve(w, letter);

	ttm_bo_set_bulk_move(bo, bulk);
	lru_unreserve(bo);
}

void lru_join(struct lru_world *w, char letter, enum lru_bulk bulk)
{
	lru_set_bulk(w, letter, &w->bulk[bulk]);
}

void lru_leave(struct lru_world *w, char letter)
{
	lru_set_bulk(w, letter, NULL);
}

void lru_bulk_tail(struct lru_world *w, enum lru_bulk bulk)
{
	dma_resv_lock(&w->resv, NULL);
	scoped_guard(spinlock, &w->bdev->lru_lock)
		ttm_lru_bulk_move_tail(&w->bulk[bulk]);
	dma_resv_unlock(&w->resv);
}

void lru_pin(struct lru_world *w, char letter)
{
	struct ttm_buffer_object *bo = lru_reserve(w, letter);

	ttm_bo_pin(bo);
	lru_unreserve(bo);
}

void lru_unpin(struct lru_world *w, char letter)
{
	struct ttm_buffer_object *bo = lru_reserve(w, letter);

	ttm_bo_unpin(bo);
	lru_unreserve(bo);
}

/* Drivers only set it; the list follows at its next operation. */
void lru_set_priority(struct lru_world *w, char letter,
		      unsigned int priority)
{
	struct ttm_buffer_object *bo = lru_reserve(w, letter);

	bo->priority = priority;
	lru_unreserve(bo);
}

/* Give a buffer its pages, also back from where they were swapped out to. */
int lru_populate(struct lru_world *w, char letter)
{
	struct ttm_operation_ctx ctx = {};
	struct ttm_buffer_object *bo;
	int ret;

	bo = lru_reserve(w, letter);
	ret = ttm_tt_create(bo, false);
	if (!ret)
		ret = ttm_bo_populate(bo, &ctx);
	lru_unreserve(bo);
	return ret;
}

/* As Xe's: to be mappable, the pages are external to TTM. */
struct ttm_tt *lru_shrinkable_create(struct ttm_buffer_object *bo,
				     u32 page_flags)
{
	struct ttm_tt *tt = kzalloc_obj(*tt);

	page_flags |= TTM_TT_FLAG_EXTERNAL | TTM_TT_FLAG_EXTERNAL_MAPPABLE;
	if (!tt)
		return NULL;
	if (ttm_tt_init(tt, bo, page_flags, ttm_cached, 0) ||
	    ttm_tt_setup_backup(tt)) {
		ttm_tt_fini(tt);
		kfree(tt);
		return NULL;
	}
	return tt;
}

/* Swap out the first buffer with pages. */
s64 lru_swapout(struct lru_world *w)
{
	struct ttm_operation_ctx ctx = {};

	return ttm_bo_swapout(w->bdev, &ctx, lru_man(w), GFP_KERNEL, 1);
}

static const char *lru_fence_name(struct dma_fence *fence)
{
	return "ttm-lru";
}

static const struct dma_fence_ops lru_fence_ops = {
	.get_driver_name = lru_fence_name,
	.get_timeline_name = lru_fence_name,
};

static DEFINE_SPINLOCK(lru_fence_lock);

/* A copy engine that is at work until lru_idle(). */
struct dma_fence *lru_busy(struct lru_world *w)
{
	KUNIT_ASSERT_NULL(w->test, w->fence);
	w->fence = kzalloc_obj(*w->fence);
	KUNIT_ASSERT_NOT_NULL(w->test, w->fence);
	dma_fence_init(w->fence, &lru_fence_ops, &lru_fence_lock,
		       dma_fence_context_alloc(1), 1);
	return w->fence;
}

void lru_idle(struct lru_world *w)
{
	if (!w->fence)
		return;

	dma_fence_signal(w->fence);
	dma_fence_put(w->fence);
	w->fence = NULL;
	/* Ghosts wait there for their fence. */
	flush_workqueue(w->bdev->wq);
}

/* The copy engine moves a buffer; a ghost keeps the old resource meanwhile. */
void lru_move_busy(struct lru_world *w, char letter)
{
	struct dma_fence *fence = lru_busy(w);
	struct ttm_buffer_object *bo;
	int ret;

	bo = lru_reserve(w, letter);
	ret = dma_resv_reserve_fences(bo->base.resv, 1);
	if (!ret)
		ret = ttm_bo_move_accel_cleanup(bo, fence, false, false,
						w->next[letter - 'a']);
	if (!ret)
		w->next[letter - 'a'] = NULL;
	lru_unreserve(bo);
	KUNIT_ASSERT_EQ(w->test, ret, 0);
}

/* Purge a buffer that the copy engine is still using. */
void lru_purge_busy(struct lru_world *w, char letter)
{
	struct ttm_operation_ctx ctx = {};
	struct ttm_placement none = {};
	struct ttm_buffer_object *bo;
	struct dma_fence *fence;
	int ret;

	fence = lru_busy(w);
	bo = lru_reserve(w, letter);
	ret = dma_resv_reserve_fences(bo->base.resv, 1);
	if (!ret) {
		dma_resv_add_fence(bo->base.resv, fence,
				   DMA_RESV_USAGE_BOOKKEEP);
		ret = ttm_bo_validate(bo, &none, &ctx);
	}
	lru_unreserve(bo);
	KUNIT_ASSERT_EQ(w->test, ret, 0);
}

/*
 * Worlds
 */

static void lru_make_with(struct lru_world *w, struct dma_resv *resv,
			  char letter, unsigned int priority,
			  struct ttm_lru_bulk_move *bulk, bool pinned)
{
	struct ttm_buffer_object *bo;

	KUNIT_ASSERT_NULL(w->test, lru_bo(w, letter));
	bo = ttm_bo_kunit_init(w->test, &w->devs, PAGE_SIZE, resv);
	bo->priority = priority;
	w->bo[letter - 'a'] = bo;
	lru_set_bulk(w, letter, bulk);
	if (pinned)
		lru_pin(w, letter);
	lru_alloc(w, letter);
}

void lru_make(struct lru_world *w, char letter, unsigned int priority,
	      struct ttm_lru_bulk_move *bulk, bool pinned)
{
	lru_make_with(w, &w->resv, letter, priority, bulk, pinned);
}

/* One with a reservation of its own, and so in no bulk. */
void lru_make_alone(struct lru_world *w, char letter, unsigned int priority)
{
	lru_make_with(w, NULL, letter, priority, NULL, false);
}

/* Make the buffers of a picture, from the head of the lists to the tail. */
void lru_make_picture(struct lru_world *w, const char *picture)
{
	unsigned int priority = 0;
	bool pinned = false;

	for (const char *c = picture; *c; c++) {
		struct ttm_lru_bulk_move *bulk = NULL;
		const char *mark;

		if (c[0] == '|')
			priority++;
		else if (c[0] == '/')
			pinned = true;
		if (c[0] < 'a' || c[0] > 'z')
			continue;
		mark = c[1] ? strchr(LRU_MARKS, c[1]) : NULL;
		if (mark)
			bulk = &w->bulk[mark - LRU_MARKS];
		lru_make(w, c[0], pinned ? 0 : priority, bulk, pinned);
	}
	KUNIT_ASSERT_STREQ(w->test, lru_draw(w, LRU_STRICT), picture);
}

static void lru_end_buffer(struct lru_world *w, struct ttm_buffer_object *bo,
			   struct ttm_resource **next)
{
	dma_resv_lock(bo->base.resv, NULL);
	while (bo->pin_count)
		ttm_bo_unpin(bo);
	ttm_resource_free(bo, next);
	ttm_bo_set_bulk_move(bo, NULL);
	if (bo->ttm) {
		/* What the mock device leaves out when it frees it. */
		ttm_tt_clear_backed_up(bo->ttm);
		ttm_tt_unpopulate(w->bdev, bo->ttm);
		ttm_tt_fini(bo->ttm);
	}
	dma_resv_unlock(bo->base.resv);
	ttm_bo_fini(bo);
}

static void lru_end_manager(struct lru_world *w)
{
	struct ttm_resource_manager *man = ttm_manager_type(w->bdev, TTM_PL_TT);

	/* All buffers are gone. What is left would be evicted for ever. */
	for (int i = 0; i < TTM_MAX_BO_PRIORITY; i++) {
		KUNIT_EXPECT_TRUE(w->test, list_empty(&man->lru[i]));
		KUNIT_EXPECT_TRUE(w->test,
				  list_empty(&w->bdev->sysman.lru[i]));
		INIT_LIST_HEAD(&man->lru[i]);
		INIT_LIST_HEAD(&w->bdev->sysman.lru[i]);
	}
	KUNIT_EXPECT_TRUE(w->test, list_empty(&w->bdev->unevictable));
	KUNIT_EXPECT_EQ(w->test, ttm_resource_manager_usage(man), 0);

	ttm_mock_manager_fini(w->bdev, TTM_PL_TT);
}

static void lru_end(struct lru_world *w)
{
	for (int i = 0; i < LRU_WALKS; i++)
		lru_fini(w, i);
	scoped_guard(spinlock, &w->bdev->lru_lock)
		for (int i = 0; i < w->nr_crowd; i++)
			ttm_resource_cursor_fini(&w->crowd[i]);
	lru_idle(w);
	for (int i = 0; i < w->nr_flock; i++) {
		dma_resv_lock(&w->resv, NULL);
		ttm_resource_free(w->flock_bo, &w->flock[i]);
		dma_resv_unlock(&w->resv);
	}
	for (int i = 0; i < LRU_BUFFERS; i++)
		if (w->bo[i])
			lru_end_buffer(w, w->bo[i], &w->next[i]);
	if (w->flock_bo)
		lru_end_buffer(w, w->flock_bo, &w->next[0]);
	for (int i = 0; i < LRU_BULKS; i++)
		ttm_lru_bulk_move_fini(w->bdev, &w->bulk[i]);
	flush_workqueue(w->bdev->wq);
	lru_end_manager(w);
	dma_resv_fini(&w->resv);
	ttm_device_fini(w->bdev);
}

/* A world whose pictures are of @mem_type. */
static struct lru_world *lru_world_of(struct kunit *test, u32 mem_type,
				      const char *picture)
{
	struct lru_world *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);
	struct lru_case *c = test->priv;
	int ret;

	KUNIT_ASSERT_NOT_NULL(test, w);
	w->test = test;
	w->mem_type = mem_type;
	w->devs = *c->devs;
	w->bdev = kunit_kzalloc(test, sizeof(*w->bdev), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, w->bdev);
	w->devs.ttm_dev = w->bdev;
	ret = ttm_device_kunit_init(&w->devs, w->bdev, 0);
	KUNIT_ASSERT_EQ(test, ret, 0);
	/* For the cases that need a driver of another kind. */
	w->funcs = *w->bdev->funcs;
	w->bdev->funcs = &w->funcs;
	ret = ttm_mock_manager_init(w->bdev, TTM_PL_TT, LRU_SPACE);
	KUNIT_ASSERT_EQ(test, ret, 0);

	dma_resv_init(&w->resv);
	for (int i = 0; i < LRU_BULKS; i++)
		ttm_lru_bulk_move_init(&w->bulk[i]);
	for (int i = 0; i < LRU_WALKS; i++)
		lru_walk_init(w, i);
	w->before = c->worlds;
	c->worlds = w;

	lru_make_picture(w, picture);
	return w;
}

struct lru_world *lru_world(struct kunit *test, const char *picture)
{
	return lru_world_of(test, TTM_PL_TT, picture);
}

/* Swapping is about system memory. */
struct lru_world *lru_world_system(struct kunit *test,
				   const char *picture)
{
	return lru_world_of(test, TTM_PL_SYSTEM, picture);
}

int lru_case_init(struct kunit *test)
{
	struct lru_case *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, c);
	test->priv = c;
	c->devs = ttm_test_devices_basic(test);
	return 0;
}

/* Runs for cases that were aborted as well, and before KUnit frees memory. */
void lru_case_exit(struct kunit *test)
{
	struct lru_case *c = test->priv;

	for (struct lru_world *w = c ? c->worlds : NULL; w; w = w->before)
		lru_end(w);
}
