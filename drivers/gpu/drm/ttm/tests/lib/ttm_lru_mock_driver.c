// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A mock driver, see ttm_lru_mock_driver.h.
 */

#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/fault-inject.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include <drm/ttm/ttm_allocation.h>
#include <drm/ttm/ttm_placement.h>

#include "ttm_lru_mock_driver.h"

/* One case at a time uses it. */
struct lru_mock lru_mock;

static struct lru_world *mock_world;

char lru_letter(struct lru_world *w, struct ttm_buffer_object *bo)
{
	for (int i = 0; i < LRU_BUFFERS; i++)
		if (w->bo[i] == bo)
			return 'a' + i;
	return '~';
}

void lru_note(struct lru_letters *letters, char letter)
{
	if (letters->n < sizeof(letters->text) - 1)
		letters->text[letters->n++] = letter;
}

static bool lru_named(const char *letters, char letter)
{
	return letters && strchr(letters, letter);
}

/*
 * The driver. TT and system memory consist of the same pages: nothing is
 * copied.
 */

static struct ttm_tt *mock_tt_create(struct ttm_buffer_object *bo,
				     u32 page_flags)
{
	struct ttm_tt *tt = kzalloc_obj(*tt);

	if (tt && ttm_tt_init(tt, bo, page_flags, ttm_cached, 0)) {
		kfree(tt);
		tt = NULL;
	}
	return tt;
}

/* The mock device's own function does not free what ttm_tt_init() allocated. */
static void mock_tt_destroy(struct ttm_device *bdev, struct ttm_tt *tt)
{
	ttm_tt_fini(tt);
	kfree(tt);
}

static bool mock_valuable(struct ttm_buffer_object *bo,
			  const struct ttm_place *place)
{
	char letter = lru_letter(mock_world, bo);

	lru_note(&lru_mock.asked, letter);
	if (lru_mock.at)
		lru_mock.at(mock_world, letter);
	return !lru_named(lru_mock.worthless, letter);
}

static void mock_evict_flags(struct ttm_buffer_object *bo,
			     struct ttm_placement *placement)
{
	static const struct ttm_place same = { .mem_type = TTM_PL_TT };
	static struct ttm_place other;

	other.mem_type = lru_mock.evict_to;
	*placement = (struct ttm_placement) {
		.num_placement = !lru_named(lru_mock.drop,
					    lru_letter(mock_world, bo)),
		.placement = lru_mock.stay ? &same : &other,
	};
}

static int mock_move(struct ttm_buffer_object *bo, bool evict,
		     struct ttm_operation_ctx *ctx,
		     struct ttm_resource *new_mem, struct ttm_place *hop)
{
	char letter = lru_letter(mock_world, bo);
	int ret;

	lru_note(&lru_mock.moved, letter);
	if (evict && !ctx->gfp_retry_mayfail)
		lru_note(&lru_mock.killing, letter);
	if (lru_named(lru_mock.fail, letter)) {
		if (lru_mock.failures && !--lru_mock.failures)
			lru_mock.fail = NULL;
		return lru_mock.error;
	}
	ret = ttm_bo_wait_ctx(bo, ctx);
	if (!ret)
		ttm_bo_move_null(bo, new_mem);
	return ret;
}

static void mock_swap_notify(struct ttm_buffer_object *bo)
{
	lru_note(&lru_mock.swapped, lru_letter(mock_world, bo));
}

/* The manager's own functions, but with a limit. */
static const struct ttm_resource_manager_func *mock_manager;

/* As managers that make a resource before they look for space. */
static void mock_attempt(struct ttm_resource_manager *man,
			 struct ttm_buffer_object *bo,
			 const struct ttm_place *place)
{
	void (*when_full)(struct lru_world *w) = lru_mock.when_full;
	struct ttm_resource res;

	lru_mock.when_full = NULL;
	ttm_resource_init(bo, place, &res);
	when_full(mock_world);
	ttm_resource_fini(man, &res);
}

static int mock_alloc(struct ttm_resource_manager *man,
		      struct ttm_buffer_object *bo,
		      const struct ttm_place *place,
		      struct ttm_resource **res)
{
	if (lru_mock.space && man->usage + bo->base.size > lru_mock.space) {
		if (lru_mock.when_full)
			mock_attempt(man, bo, place);
		return -ENOSPC;
	}
	if (lru_mock.place_error)
		return lru_mock.place_error;
	return mock_manager->alloc(man, bo, place, res);
}

static void mock_free(struct ttm_resource_manager *man,
		      struct ttm_resource *res)
{
	mock_manager->free(man, res);
}

static const struct ttm_resource_manager_func mock_manager_func = {
	.alloc = mock_alloc,
	.free = mock_free,
};

/*
 * A world as in @picture. Each loose buffer has a reservation of its own, and
 * all members of bulks share another one.
 */
struct lru_world *lru_mock_world(struct kunit *test, u32 mem_type,
				 const char *picture)
{
	struct ttm_resource_manager *man;
	unsigned int priority = 0;
	struct lru_world *w;

	w = mem_type == TTM_PL_SYSTEM ? lru_world_system(test, "") :
					lru_world(test, "");
	w->bdev->alloc_flags |= TTM_ALLOCATION_PROPAGATE_ENOSPC;
	w->funcs.ttm_tt_create = mock_tt_create;
	w->funcs.ttm_tt_destroy = mock_tt_destroy;
	w->funcs.eviction_valuable = mock_valuable;
	w->funcs.evict_flags = mock_evict_flags;
	w->funcs.move = mock_move;
	w->funcs.swap_notify = mock_swap_notify;
	lru_mock = (struct lru_mock) {};
	mock_world = w;

	man = ttm_manager_type(w->bdev, TTM_PL_TT);
	mock_manager = man->func;
	man->func = &mock_manager_func;

	for (const char *c = picture; *c; c++) {
		const char *mark = c[1] ? strchr(LRU_MARKS, c[1]) : NULL;

		if (*c == '|')
			priority++;
		if (*c < 'a' || *c > 'z')
			continue;
		if (mark)
			lru_make(w, *c, priority, &w->bulk[mark - LRU_MARKS],
				 false);
		else
			lru_make_alone(w, *c, priority);
	}
	KUNIT_ASSERT_STREQ(test, lru_draw(w, LRU_STRICT), picture);
	return w;
}

/*
 * Contents: every page is filled with its buffer's letter
 */

void lru_fill(struct lru_world *w, const char *letters)
{
	for (; *letters; letters++) {
		struct ttm_tt *tt;

		KUNIT_ASSERT_EQ(w->test, lru_populate(w, *letters), 0);
		tt = lru_bo(w, *letters)->ttm;
		for (int i = 0; i < tt->num_pages; i++)
			memset(page_address(tt->pages[i]), *letters, PAGE_SIZE);
	}
}

static bool lru_is_full_of(struct ttm_tt *tt, char letter)
{
	for (int i = 0; i < tt->num_pages; i++)
		if (memchr_inv(page_address(tt->pages[i]), letter, PAGE_SIZE))
			return false;
	return true;
}

/*
 * Bring the pages back from wherever they are. Returns the letters of wrong
 * ones.
 */
const char *lru_verify(struct lru_world *w, const char *letters)
{
	static struct lru_letters wrong;

	wrong = (struct lru_letters) {};
	for (; *letters; letters++)
		if (lru_populate(w, *letters) ||
		    !lru_is_full_of(lru_bo(w, *letters)->ttm, *letters))
			lru_note(&wrong, *letters);
	return wrong.text;
}

/*
 * Other holders of reservations
 */

/* A transaction that gets -EDEADLK only where it could deadlock. */
void lru_ticket_init(struct ww_acquire_ctx *ticket)
{
	ww_acquire_init(ticket, &reservation_ww_class);
#ifdef CONFIG_DEBUG_WW_MUTEX_SLOWPATH
	ticket->deadlock_inject_countdown = UINT_MAX;
#endif
}

static bool lru_is_waited_for(struct dma_resv *resv)
{
	/* MUTEX_FLAG_WAITERS */
	return atomic_long_read(&resv->lock.base.owner) & 1;
}

/* Wait until the test stops this thread. */
int lru_until_stopped(void)
{
	while (!kthread_should_stop())
		usleep_range(50, 100);
	return 0;
}

static int lru_holder(void *arg)
{
	struct lru_holder *holder = arg;
	struct ww_acquire_ctx ctx;

	if (holder->ticket)
		lru_ticket_init(&ctx);
	dma_resv_lock(holder->resv, holder->ticket ? &ctx : NULL);
	complete(&holder->held);
	while (!kthread_should_stop() &&
	       !(holder->when_waited && lru_is_waited_for(holder->resv)))
		usleep_range(50, 100);
	if (holder->before)
		holder->before(holder->w, holder->letter);
	dma_resv_unlock(holder->resv);
	if (holder->ticket)
		ww_acquire_fini(&ctx);
	return lru_until_stopped();
}

/* Start a thread that holds the reservation of a buffer, as @holder says. */
void lru_hold(struct lru_holder *holder, struct lru_world *w, char letter)
{
	holder->w = w;
	holder->letter = letter;
	holder->resv = lru_bo(w, letter)->base.resv;
	init_completion(&holder->held);
	holder->task = kthread_run(lru_holder, holder, "ttm-lru-holder");
	KUNIT_ASSERT_FALSE(w->test, IS_ERR(holder->task));
	get_task_struct(holder->task);
	wait_for_completion(&holder->held);
}

void lru_let_go(struct lru_holder *holder)
{
	kthread_stop_put(holder->task);
}

/*
 * Failing allocations
 */

#ifdef LRU_CAN_FAIL
static void lru_fail_all_kinds(bool on)
{
	struct dentry *dir = debugfs_lookup("failslab", NULL);
	struct dentry *kinds = debugfs_lookup("ignore-gfp-wait", dir);
	struct dentry *verbose = debugfs_lookup("verbose", dir);

	*(bool *)d_inode(kinds)->i_private = !on;
	*(unsigned long *)d_inode(verbose)->i_private = 0;
	dput(kinds);
	dput(verbose);
	dput(dir);
}

/* Let the @n-th allocation of @op fail. Returns false if there were fewer. */
bool lru_with_failure(unsigned int n, void (*op)(struct lru_world *w),
		      struct lru_world *w)
{
	bool failed;

	lru_fail_all_kinds(true);
	current->fail_nth = n;
	op(w);
	failed = !current->fail_nth;
	current->fail_nth = 0;
	lru_fail_all_kinds(false);
	return failed;
}
#endif

/*
 * Placing buffers
 */

void lru_make_homeless(struct lru_world *w, char letter)
{
	u64 space = lru_mock.space;

	lru_mock.space = 0;
	lru_make_alone(w, letter, 0);
	lru_free(w, letter);
	lru_mock.space = space;
}

/* A world as in @picture, in which TT is full, with x looking for a place. */
struct lru_world *lru_full(struct kunit *test, const char *picture)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, picture);

	lru_mock.space = lru_man(w)->usage;
	lru_make_homeless(w, 'x');
	return w;
}

/* Place a buffer, with a ticket if there is one. */
int lru_place_at(struct lru_world *w, char letter,
		 struct ttm_placement *placement, struct ttm_operation_ctx *ctx,
		 struct ww_acquire_ctx *ticket)
{
	struct ttm_buffer_object *bo = lru_bo(w, letter);
	int ret;

	/* Without a ticket, the test itself may hold other reservations. */
	if (ticket)
		ret = dma_resv_lock(bo->base.resv, ticket);
	else
		ret = dma_resv_trylock(bo->base.resv) ? 0 : -EBUSY;
	if (ret)
		return ret;
	ret = ttm_bo_validate(bo, placement, ctx);
	dma_resv_unlock(bo->base.resv);
	return ret;
}

/* Place a buffer in TT. */
int lru_place(struct lru_world *w, char letter, struct ttm_operation_ctx *ctx,
	      struct ww_acquire_ctx *ticket)
{
	struct ttm_place place = { .mem_type = TTM_PL_TT };
	struct ttm_placement placement = {
		.num_placement = 1,
		.placement = &place,
	};

	return lru_place_at(w, letter, &placement, ctx, ticket);
}

void lru_drop_last(struct lru_world *w, char letter)
{
	refcount_set(&lru_bo(w, letter)->kref.refcount, 0);
}

void lru_undrop_last(struct lru_world *w, char letter)
{
	kref_init(&lru_bo(w, letter)->kref);
}

void lru_move_to_system(struct lru_world *w, char letter)
{
	struct ttm_place place = { .mem_type = TTM_PL_SYSTEM };
	struct ttm_buffer_object *bo = lru_bo(w, letter);
	struct ttm_resource *res;

	if (!ttm_resource_alloc(bo, &place, &res, NULL))
		ttm_bo_move_null(bo, res);
}

static int lru_die_slowly(void *arg)
{
	struct lru_dying *dying = arg;

	msleep(20);
	scoped_guard(spinlock, &dying->w->bdev->lru_lock)
		lru_undrop_last(dying->w, dying->letter);
	return lru_until_stopped();
}

struct task_struct *lru_let_die(struct lru_dying *dying,
				struct lru_world *w, char letter)
{
	struct task_struct *task;

	*dying = (struct lru_dying) { .w = w, .letter = letter };
	lru_drop_last(w, letter);
	task = kthread_run(lru_die_slowly, dying, "ttm-lru-dying");
	KUNIT_ASSERT_FALSE(w->test, IS_ERR(task));
	return task;
}
