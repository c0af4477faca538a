// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The cost of TTM's LRU lists, counted while a kernel boots and has nothing else
 * to do. The clock is the TSC, which counts instructions if QEMU was told so. The
 * counts are printed in lines that a program reads:
 *
 *	size <bytes> <struct>
 *	nothing <instructions to read the clock twice>
 *	loop <instructions> <count of the clock>
 *	row <shape> <buffers> <cursors> <place> <operations> <instructions> <name>
 *	crowd <CPUs> <instructions> <done> <name>
 *	room <clients> <validations> <sum> <name>
 *	done, or failed: <why>
 */

#define pr_fmt(fmt) "ttm_lru_bench: " fmt

#include <linux/cpumask.h>
#include <linux/device/faux.h>
#include <linux/init.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <asm/tsc.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/ttm/ttm_device.h>
#include <drm/ttm/ttm_placement.h>
#include <drm/ttm/ttm_range_manager.h>

#include "ttm_lru_bench_boot.h"

#define MOST_BUFFERS	1000000
#define INSTRUCTIONS	2000000
/* The largest list; more does not fit. */
#define MOST_ROWS	128

/*
 * Ticks are counted, too. Take the least of some rounds where a round is short
 * enough to have no tick; in a long round, ticks are few in comparison.
 */
#define ROUNDS		3
#define ONCE		100000

static const struct {
	enum lru_bench_shape shape;
	unsigned int n;
} lists[] = {
	{ LRU_BENCH_LOOSE, 100 },
	{ LRU_BENCH_LOOSE, 10000 },
	{ LRU_BENCH_LOOSE, MOST_BUFFERS },
	{ LRU_BENCH_1_BULK, 1 },
	{ LRU_BENCH_1_BULK, 100 },
	{ LRU_BENCH_1_BULK, 10000 },
	{ LRU_BENCH_1_BULK, MOST_BUFFERS },
	{ LRU_BENCH_10_BULKS, 100 },
	{ LRU_BENCH_10_BULKS, 10000 },
	{ LRU_BENCH_1000_BULKS, 10000 },
};

static struct drm_device *drm;
static struct ttm_device bdev;

/*
 * The clock
 */

static u64 started;

/* The counts for a list. */
static struct result {
	struct lru_bench_row row;
	unsigned long ops;
	u64 least;	/* the least of some rounds */
} results[MOST_ROWS];

static struct result *find_result(const struct lru_bench_row *row)
{
	struct result *r;

	for (r = results; r->row.name; r++)
		if (r->row.name == row->name && r->row.place == row->place &&
		    r->row.cursors == row->cursors)
			return r;
	*r = (struct result) { .row = *row, .least = U64_MAX };
	return r;
}

static void print_results(void)
{
	for (struct result *r = results; r->row.name; r++)
		pr_info("row %d %u %u %s %lu %llu %s\n", r->row.shape, r->row.n,
			r->row.cursors, r->row.place, r->ops, r->least,
			r->row.name);
	memset(results, 0, sizeof(results));
}

void lru_bench_begin(void)
{
	started = rdtsc_ordered();
}

void lru_bench_end(const struct lru_bench_row *row, unsigned long ops)
{
	u64 took = rdtsc_ordered() - started;
	struct result *r = find_result(row);

	r->ops = ops;
	r->least = min(r->least, took);
}

/* An even and known number of instructions, not 0. */
static noinline void loop(unsigned long instructions)
{
	unsigned long n = instructions / 2;

	asm volatile("1: dec %0\n\tjnz 1b" : "+r" (n) : : "cc");
}

static u64 count_loop(unsigned long instructions)
{
	u64 least = U64_MAX;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		lru_bench_begin();
		if (instructions)
			loop(instructions);
		least = min(least, rdtsc_ordered() - started);
	}
	return least;
}

static void print_loops(void)
{
	pr_info("nothing %llu\n", count_loop(0));
	pr_info("loop %d %llu\n", INSTRUCTIONS, count_loop(INSTRUCTIONS));
}

static void print_sizes(void)
{
	pr_info("size %zu ttm_resource\n", sizeof(struct ttm_resource));
	pr_info("size %zu ttm_resource_cursor\n",
		sizeof(struct ttm_resource_cursor));
	pr_info("size %zu ttm_lru_bulk_move\n",
		sizeof(struct ttm_lru_bulk_move));
}

/*
 * The buffers
 */

static void destroy_bo(struct ttm_buffer_object *bo)
{
	drm_gem_object_release(&bo->base);
	kfree(bo);
}

static struct ttm_buffer_object *create_bo(struct lru_bench_vm *vm)
{
	static const struct ttm_place place = { .mem_type = TTM_PL_VRAM };
	struct ttm_placement placement = {
		.placement = &place,
		.num_placement = 1,
	};
	struct ttm_operation_ctx ctx = {};
	struct ttm_buffer_object *bo = kzalloc_obj(*bo);

	if (!bo)
		return NULL;
	drm_gem_private_object_init(drm, &bo->base, PAGE_SIZE);
	/* This frees the buffer if it fails. */
	if (ttm_bo_init_reserved(&bdev, bo, ttm_bo_type_kernel, &placement, 0,
				 &ctx, NULL, vm ? &vm->resv : NULL, destroy_bo))
		return NULL;

	if (vm)
		ttm_bo_set_bulk_move(bo, &vm->bulk);
	else
		ttm_bo_unreserve(bo);
	return bo;
}

static void release_bo(struct ttm_buffer_object *bo)
{
	if (bo->bulk_move) {
		dma_resv_lock(bo->base.resv, NULL);
		ttm_bo_set_bulk_move(bo, NULL);
		dma_resv_unlock(bo->base.resv);
	}
	ttm_bo_fini(bo);
}

/* Buffers from @from up to @end. */
static int create_bos(struct lru_bench *b, struct lru_bench_vm *vm,
		      unsigned int from, unsigned int end)
{
	for (unsigned int i = from; i < end; i++) {
		b->bo[i] = create_bo(vm);
		if (!b->bo[i])
			return -ENOMEM;
	}
	return 0;
}

static int fill_vm(struct lru_bench_list *l, unsigned int i)
{
	struct lru_bench_vm *vm = &l->vm[i];
	int ret;

	dma_resv_lock(&vm->resv, NULL);
	ret = create_bos(&l->b, vm, i * l->members, (i + 1) * l->members);
	dma_resv_unlock(&vm->resv);
	return ret;
}

static int alloc_list(struct lru_bench_list *l)
{
	l->b.bo = kvcalloc(l->b.n, sizeof(*l->b.bo), GFP_KERNEL);
	l->vm = kvcalloc(l->vms + 1, sizeof(*l->vm), GFP_KERNEL);
	if (!l->b.bo || !l->vm)
		return -ENOMEM;

	for (unsigned int i = 0; i < l->vms; i++) {
		dma_resv_init(&l->vm[i].resv);
		ttm_lru_bulk_move_init(&l->vm[i].bulk);
	}
	l->b.man = ttm_manager_type(&bdev, TTM_PL_VRAM);
	l->b.bulk = l->vms ? &l->vm[0].bulk : NULL;
	return 0;
}

/* What was allocated stays after a failure, as nothing follows. */
int lru_bench_fill(struct lru_bench_list *l)
{
	int ret = alloc_list(l);

	if (!ret && !l->vms)
		ret = create_bos(&l->b, NULL, 0, l->b.n);
	for (unsigned int i = 0; !ret && i < l->vms; i++)
		ret = fill_vm(l, i);
	return ret;
}

void lru_bench_empty(struct lru_bench_list *l)
{
	for (unsigned int i = 0; i < l->b.n; i++)
		release_bo(l->b.bo[i]);
	for (unsigned int i = 0; i < l->vms; i++) {
		ttm_lru_bulk_move_fini(&bdev, &l->vm[i].bulk);
		dma_resv_fini(&l->vm[i].resv);
	}
	kvfree(l->vm);
	kvfree(l->b.bo);
}

/*
 * The device
 */

static int move(struct ttm_buffer_object *bo, bool evict,
		struct ttm_operation_ctx *ctx, struct ttm_resource *res,
		struct ttm_place *hop)
{
	ttm_bo_move_null(bo, res);
	return 0;
}

static const struct ttm_device_funcs ttm_funcs = {
	.move = move,
	.eviction_valuable = ttm_bo_eviction_valuable,
};

static const struct drm_driver driver = {
	.driver_features = DRIVER_GEM,
	.name = "ttm_lru_bench",
	.desc = "What TTM's LRU lists cost",
};

static int make_device(void)
{
	struct faux_device *fdev = faux_device_create("ttm_lru_bench", NULL, NULL);
	int ret;

	if (!fdev)
		return -ENODEV;
	drm = drm_dev_alloc(&driver, &fdev->dev);
	if (IS_ERR(drm))
		return PTR_ERR(drm);
	ret = ttm_device_init(&bdev, &ttm_funcs, drm->dev,
			      drm->anon_inode->i_mapping,
			      drm->vma_offset_manager, 0);
	return ret ?: ttm_range_man_init(&bdev, TTM_PL_VRAM, false, MOST_BUFFERS);
}

/*
 * The lists
 */

static int run_list(struct lru_bench_list *l)
{
	unsigned int rounds = l->b.n < ONCE ? ROUNDS : 1;
	bool good = true;
	int ret;

	l->members = lru_bench_members(&l->b);
	l->vms = l->members ? l->b.n / l->members : 0;
	ret = lru_bench_fill(l);
	if (ret)
		return ret;

	while (rounds--)
		good &= lru_bench_run(&l->b);
	print_results();
	lru_bench_empty(l);
	return good ? 0 : -EIO;
}

static int run_lists(struct lru_bench_list *l)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < ARRAY_SIZE(lists); i++) {
		l->b.shape = lists[i].shape;
		l->b.n = lists[i].n;
		ret = run_list(l);
	}
	return ret;
}

static int __init lru_bench_boot(void)
{
	struct lru_bench_list *l = kzalloc_obj(*l);
	int ret = l ? make_device() : -ENOMEM;

	print_sizes();
	print_loops();
	/* With one CPU, nothing disturbs the count. */
	if (!ret)
		ret = num_online_cpus() == 1 ? run_lists(l) : lru_bench_crowd(l);
	if (!ret)
		ret = lru_bench_room(drm);
	if (ret)
		pr_err("failed: %pe\n", ERR_PTR(ret));
	else
		pr_info("done\n");
	/* The machine has done its work, so nothing is freed. */
	return 0;
}
late_initcall(lru_bench_boot);
