// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Workloads for the cost of TTM's LRU lists.
 */

#include <linux/dma-resv.h>
#include <linux/list.h>

#include <drm/ttm/ttm_placement.h>

#include "../ttm_bo_internal.h"
#include "ttm_lru_bench.h"

/*
 * Cursors step to their places, so they park no farther from the head than
 * this.
 */
#define FAR		10000
/* Repetitions of short workloads. */
#define TIMES		16

/*
 * Walks. Each returns the number of bytes in the resources that it met.
 */

static noinline size_t walk_raw(struct lru_bench *b)
{
	struct ttm_lru_item *item;
	size_t sum = 0;

	list_for_each_entry(item, &b->man->lru[0], link)
		sum += ttm_lru_item_to_res(item)->size;
	return sum;
}

static noinline size_t walk_raw_resources(struct lru_bench *b)
{
	struct ttm_lru_item *item;
	size_t sum = 0;

	list_for_each_entry(item, &b->man->lru[0], link)
		if (ttm_lru_item_is_res(item))
			sum += ttm_lru_item_to_res(item)->size;
	return sum;
}

static noinline size_t walk_parking(struct lru_bench *b)
{
	struct ttm_resource_cursor cursor;
	struct ttm_resource *res;
	size_t sum = 0;

	ttm_resource_cursor_init(&cursor, b->man);
	for (res = ttm_resource_manager_first(&cursor); res;
	     res = ttm_resource_manager_next(&cursor))
		sum += res->size;
	ttm_resource_cursor_fini(&cursor);
	return sum;
}

/* Linux's own core has no steps that don't write to the list. */
#if defined(PRISTINE) || defined(CONFIG_DRM_TTM_LRU_PRISTINE)
#define walk_held	walk_parking
#else
static noinline size_t walk_held(struct lru_bench *b)
{
	struct ttm_resource_cursor cursor;
	struct ttm_resource *res;
	size_t sum = 0;

	ttm_resource_cursor_init(&cursor, b->man);
	ttm_resource_cursor_restart(&cursor);
	ttm_resource_cursor_for_each(&cursor, res)
		sum += res->size;
	ttm_resource_cursor_fini(&cursor);
	return sum;
}
#endif

static noinline size_t walk_dropping(struct lru_bench *b)
{
	spinlock_t *lock = &b->man->bdev->lru_lock;
	struct ttm_resource_cursor cursor;
	struct ttm_resource *res;
	size_t sum = 0;

	ttm_resource_cursor_init(&cursor, b->man);
	for (res = ttm_resource_manager_first(&cursor); res;
	     res = ttm_resource_manager_next(&cursor)) {
		sum += res->size;
		spin_unlock(lock);
		spin_lock(lock);
	}
	ttm_resource_cursor_fini(&cursor);
	return sum;
}

/* Takes the lock itself. */
static noinline size_t walk_reserving(struct lru_bench *b)
{
	struct ttm_operation_ctx ctx = {};
	struct ttm_lru_walk_arg arg = { .ctx = &ctx, .trylock_only = true };
	struct ttm_bo_lru_cursor cursor;
	struct ttm_buffer_object *bo;
	size_t sum = 0;

	ttm_bo_lru_for_each_reserved_guarded(&cursor, b->man, &arg, bo)
		sum += bo->resource->size;
	return sum;
}

/*
 * Operations. Each returns how many it did.
 */

/* Move all to the tail, one after the other, which restores the order. */
static noinline unsigned long move_all(struct lru_bench *b)
{
	for (unsigned int i = 0; i < b->n; i++)
		ttm_resource_move_to_lru_tail(b->bo[i]->resource);
	return b->n;
}

static noinline unsigned long move_bulk(struct lru_bench *b)
{
	/* Only the first move finds cursors in the range. */
	unsigned int times = b->cursors ? 1 : TIMES;

	for (unsigned int i = 0; i < times; i++)
		ttm_lru_bulk_move_tail(b->bulk);
	return times;
}

/*
 * Free and allocate resources as managers do, but for the memory: spare
 * resources take the places of the first buffers'.
 */
static struct ttm_resource *spare;

static int spare_alloc(struct ttm_resource_manager *man,
		       struct ttm_buffer_object *bo,
		       const struct ttm_place *place, struct ttm_resource **res)
{
	*res = spare++;
	ttm_resource_init(bo, place, *res);
	return 0;
}

static const struct ttm_resource_manager_func spare_func = {
	.alloc = spare_alloc,
	.free = ttm_resource_fini,
};

static noinline unsigned long insert(struct lru_bench *b)
{
	const struct ttm_place place = {
		.mem_type = b->bo[0]->resource->mem_type,
	};
	struct ttm_resource *res;

	for (unsigned int i = 0; i < LRU_BENCH_SPARES; i++)
		ttm_resource_alloc(b->bo[0], &place, &res, NULL);
	return LRU_BENCH_SPARES;
}

static noinline unsigned long delete(struct lru_bench *b)
{
	for (unsigned int i = 0; i < LRU_BENCH_SPARES; i++) {
		struct ttm_resource *res = &b->spare[i];

		ttm_resource_free(b->bo[0], &res);
	}
	return LRU_BENCH_SPARES;
}

/*
 * Other cursors, parked during the workload
 */

static void lock(struct lru_bench *b)
{
	spin_lock(&b->man->bdev->lru_lock);
}

static void unlock(struct lru_bench *b)
{
	spin_unlock(&b->man->bdev->lru_lock);
}

enum place {
	NOWHERE,
	SPREAD,		/* all over the list */
	MIDDLE,		/* all in one place */
	BEHIND		/* behind the last buffer, and so at its range's end */
};

static const char *const places[] = {
	[NOWHERE] = "-",
	[SPREAD] = "spread",
	[MIDDLE] = "middle",
	[BEHIND] = "behind",
};

/* The number of steps that cursor @c takes to its place. */
static unsigned int steps(const struct lru_bench *b, enum place place,
			  unsigned int c)
{
	unsigned int most = min(b->n, FAR);

	switch (place) {
	case SPREAD:
		return 1 + c * most / b->cursors;
	case MIDDLE:
		return (most + 1) / 2;
	default:
		return most;
	}
}

static void park(struct lru_bench *b, enum place place)
{
	lock(b);
	for (unsigned int c = 0; c < b->cursors; c++) {
		ttm_resource_cursor_init(&b->cursor[c], b->man);
		ttm_resource_manager_first(&b->cursor[c]);
		for (unsigned int i = 1; i < steps(b, place, c); i++)
			ttm_resource_manager_next(&b->cursor[c]);
	}
	unlock(b);
}

static void unpark(struct lru_bench *b)
{
	lock(b);
	for (unsigned int c = 0; c < b->cursors; c++)
		ttm_resource_cursor_fini(&b->cursor[c]);
	unlock(b);
}

/*
 * Operations, and the lists that they are counted on
 */

#define LOOSE	BIT(LRU_BENCH_LOOSE)
#define RANGE	BIT(LRU_BENCH_1_BULK)
#define BULKS	(BIT(LRU_BENCH_10_BULKS) | BIT(LRU_BENCH_1000_BULKS))

static const struct workload {
	const char *name;
	size_t (*walk)(struct lru_bench *b);
	unsigned long (*op)(struct lru_bench *b);
	unsigned int shapes;
	unsigned int places;
	bool locks;	/* takes the lru_lock itself */
	bool busy;	/* all buffers are reserved */
} workloads[] = {
	{ "raw list", walk_raw, .shapes = LOOSE },
	{ "raw list, hitches told", walk_raw_resources, .shapes = LOOSE,
	  .places = BIT(SPREAD) | BIT(MIDDLE) },
	{ "step, lock held", walk_held, .shapes = LOOSE | RANGE | BULKS,
	  .places = BIT(SPREAD) | BIT(MIDDLE) },
	{ "step that parks", walk_parking, .shapes = LOOSE | RANGE | BULKS,
	  .places = BIT(SPREAD) | BIT(MIDDLE) },
	{ "step, lock dropped", walk_dropping, .shapes = LOOSE | RANGE | BULKS },
	{ "step, reserving", walk_reserving, .shapes = LOOSE | BULKS,
	  .locks = true },
	{ "step, all busy", walk_reserving, .shapes = LOOSE | BULKS,
	  .locks = true, .busy = true },
	{ "bulk move", .op = move_bulk, .shapes = RANGE,
	  .places = BIT(SPREAD) | BIT(MIDDLE) | BIT(BEHIND) },
	{ "move to the tail", .op = move_all, .shapes = LOOSE | RANGE,
	  .places = BIT(SPREAD) | BIT(BEHIND) },
	{ "insert", .op = insert, .shapes = LOOSE | RANGE, .locks = true,
	  .places = BIT(SPREAD) | BIT(BEHIND) },
	{ "delete", .op = delete, .shapes = LOOSE | RANGE, .locks = true,
	  .places = BIT(SPREAD) | BIT(BEHIND) },
};

static void set_busy(struct lru_bench *b, bool busy)
{
	for (unsigned int i = 0; i < b->n; i++) {
		struct dma_resv *resv = b->bo[i]->base.resv;

		if (dma_resv_is_locked(resv) == busy)
			continue;
		if (busy)
			dma_resv_lock(resv, NULL);
		else
			dma_resv_unlock(resv);
	}
}

/* Prepare a workload, and clean up so that it can be repeated. */
static void before(struct lru_bench *b, const struct workload *w)
{
	spare = b->spare;
	if (w->op == delete)
		insert(b);
}

static void after(struct lru_bench *b, const struct workload *w)
{
	if (w->op == insert)
		delete(b);
}

static bool run(struct lru_bench *b, const struct workload *w, enum place place)
{
	const struct lru_bench_row row = {
		w->name, b->shape, b->n, b->cursors, places[place],
	};
	unsigned long ops = b->n;
	size_t sum = 0;

	park(b, place);
	before(b, w);
	if (!w->locks)
		lock(b);
	lru_bench_begin();
	if (w->walk)
		sum = w->walk(b);
	else
		ops = w->op(b);
	lru_bench_end(&row, ops);
	if (!w->locks)
		unlock(b);
	after(b, w);
	unpark(b);
	return !w->walk || sum == (w->busy ? 0 : b->n * b->bo[0]->base.size);
}

static bool run_beside_cursors(struct lru_bench *b, const struct workload *w)
{
	static const unsigned int cursors[] = { 1, 8, LRU_BENCH_CURSORS };
	bool good = true;

	for (enum place place = SPREAD; place <= BEHIND; place++) {
		if (!(w->places & BIT(place)) ||
		    (place == BEHIND && b->n > FAR))
			continue;
		for (unsigned int c = 0; c < ARRAY_SIZE(cursors); c++) {
			b->cursors = cursors[c];
			good &= run(b, w, place);
		}
	}
	b->cursors = 0;
	return good;
}

unsigned int lru_bench_members(const struct lru_bench *b)
{
	static const unsigned int bulks[] = {
		[LRU_BENCH_1_BULK] = 1,
		[LRU_BENCH_10_BULKS] = 10,
		[LRU_BENCH_1000_BULKS] = LRU_BENCH_BULKS,
	};

	return b->shape == LRU_BENCH_LOOSE ? 0 : b->n / bulks[b->shape];
}

bool lru_bench_run(struct lru_bench *b)
{
	const struct ttm_resource_manager_func *func = b->man->func;
	bool good = true;

	b->cursors = 0;
	b->man->func = &spare_func;
	for (const struct workload *w = workloads;
	     w < workloads + ARRAY_SIZE(workloads); w++) {
		if (!(w->shapes & BIT(b->shape)))
			continue;
		set_busy(b, w->busy);
		good &= run(b, w, NOWHERE) && run_beside_cursors(b, w);
		set_busy(b, false);
	}
	b->man->func = func;
	return good;
}
