// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Small worlds of real buffers on a mock device, and what can be done in them. */

#include <linux/dma-fence.h>
#include <linux/seq_buf.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <drm/ttm/ttm_tt.h>

#include "ttm_lru_fixture.h"
#include "../ttm_mock_manager.h"

/* The manager's size in bytes; a buffer has one page. */
#define LRU_SPACE	SZ_64M

struct ttm_resource_manager *lru_man(struct lru_world *w)
{
	return ttm_manager_type(w->bdev, w->mem_type);
}

/*
 * Walks, which drop the lock after each step
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

/* Prepare for another walk in a way that works with both cores. */
void lru_renew(struct lru_world *w, enum lru_walk walk)
{
	lru_fini(w, walk);
	lru_walk_init(w, walk);
}

/* Take a walk to its end, and return its letters. */
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

/*
 * Operations of other threads, done as drivers do them
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

/* Allocate the resource that a buffer will move to. */
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

/* Move without a copy, or after the CPU made one. */
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

/* Drivers only set the priority; the list follows at its next operation. */
void lru_set_priority(struct lru_world *w, char letter,
		      unsigned int priority)
{
	struct ttm_buffer_object *bo = lru_reserve(w, letter);

	bo->priority = priority;
	lru_unreserve(bo);
}

/* Populate a buffer, from its backup if it was swapped out. */
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

/* As Xe does: pages are external to TTM, but mappable. */
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

/* Swap out the first buffer that has pages. */
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

/* A fence of a copy engine that is busy until lru_idle(). */
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
	/* Ghosts wait for their fence on the workqueue. */
	flush_workqueue(w->bdev->wq);
}

/*
 * Move with the copy engine: a ghost keeps the old resource until lru_idle().
 */
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

/* Purge a buffer that the copy engine still uses. */
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

/* A buffer with a reservation of its own, and so in no bulk. */
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
		/* The mock device does not do this when it frees a tt. */
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

	/*
	 * All buffers are gone: a resource that is left would be evicted for
	 * ever.
	 */
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

/* A world whose pictures show the lists of @mem_type. */
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
	/* Cases may change the driver's functions. */
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

/*
 * A world whose pictures show system memory, from which buffers are swapped
 * out.
 */
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

/* Also runs for aborted cases, and before KUnit frees memory. */
void lru_case_exit(struct kunit *test)
{
	struct lru_case *c = test->priv;

	for (struct lru_world *w = c ? c->worlds : NULL; w; w = w->before)
		lru_end(w);
}
