// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * bench SIZE...: what operations on lists of so many buffers cost. What is counted
 * is instructions, under callgrind, or else memory accesses: see bench_*.c.
 */

#include <drm/ttm/ttm_placement.h>

#include "bench.h"
#include "ttm_bo_internal.h"
#include "ttm_lru_bench.h"

#define BYTES		4096
/* Bulks with fewer members than that are not looked at. */
#define SHORTEST	10

static struct ttm_device bdev;
static struct ttm_resource_manager man;
static struct ttm_lru_bulk_move bulks[LRU_BENCH_BULKS];
static struct dma_resv resvs[LRU_BENCH_BULKS];
static struct ttm_resource *resources;
static unsigned int nr_resources;

bool bench_is_lock(const void *addr)
{
	return addr >= (void *)&bdev.lru_lock &&
	       addr < (void *)(&bdev.lru_lock + 1);
}

bool bench_is_kind(const void *addr, unsigned long *res)
{
	size_t at = (char *)addr - (char *)resources;
	size_t offset = at % sizeof(*resources) -
			offsetof(struct ttm_resource, lru);

	*res = at / sizeof(*resources);
	return *res < nr_resources && offset >= sizeof(struct list_head) &&
	       offset < sizeof(struct ttm_lru_item);
}

/* Never called: nobody is transferred here. */
void *stub_alloc(size_t size)
{
	return NULL;
}

void ttm_bo_put(struct ttm_buffer_object *bo)
{
	bo->kref.refs--;
}

static void *alloc(size_t n, size_t size)
{
	void *memory = calloc(n, size);

	if (!memory) {
		perror("bench");
		exit(1);
	}
	return memory;
}

static void init_bo(struct lru_bench *b, unsigned int i,
		    struct ttm_buffer_object *bo, struct ttm_resource *res)
{
	const unsigned int members = lru_bench_members(b);
	const struct ttm_place place = {};

	b->bo[i] = bo;
	bo->bdev = &bdev;
	bo->base.size = BYTES;
	bo->base.resv = &bo->base._resv;
	kref_init(&bo->kref);
	if (members) {
		bo->bulk_move = &bulks[i / members];
		bo->base.resv = &resvs[i / members];
	}
	ttm_resource_init(bo, &place, res);
	bo->resource = res;
	spin_lock(&bdev.lru_lock);
	ttm_resource_add_bulk_move(res, bo);
	spin_unlock(&bdev.lru_lock);
}

static bool run(enum lru_bench_shape shape, unsigned int n)
{
	static struct lru_bench b;
	struct ttm_buffer_object *bos = alloc(n, sizeof(*bos));
	bool good;

	resources = alloc(n, sizeof(*resources));
	nr_resources = n;
	b = (struct lru_bench) {
		.man = &man, .n = n, .shape = shape, .bulk = bulks,
		.bo = alloc(n, sizeof(*b.bo)),
	};
	memset(&bdev, 0, sizeof(bdev));
	INIT_LIST_HEAD(&bdev.unevictable);
	ttm_set_driver_manager(&bdev, 0, &man);
	ttm_resource_manager_init(&man, &bdev, 0);
	for (unsigned int i = 0; i < LRU_BENCH_BULKS; i++)
		ttm_lru_bulk_move_init(&bulks[i]);
	for (unsigned int i = 0; i < n; i++)
		init_bo(&b, i, &bos[i], &resources[i]);

	good = lru_bench_run(&b);
	free(b.bo);
	free(resources);
	free(bos);
	return good;
}

static void print_sizes(void)
{
	printf("size\tttm_resource\t%zu\n", sizeof(struct ttm_resource));
	printf("size\tttm_resource_cursor\t%zu\n", sizeof(struct ttm_resource_cursor));
	printf("size\tttm_lru_bulk_move\t%zu\n", sizeof(struct ttm_lru_bulk_move));
}

/* What it costs to count. */
static void count_nothing(void)
{
	const struct lru_bench_row row = { .name = "nothing", .place = "-" };

	lru_bench_begin();
	lru_bench_end(&row, 1);
}

int main(int argc, char **argv)
{
	bool good = true;

	print_sizes();
	count_nothing();
	for (int i = 1; i < argc; i++) {
		unsigned int n = strtoul(argv[i], NULL, 10);

		good &= run(LRU_BENCH_LOOSE, n);
		good &= run(LRU_BENCH_1_BULK, n);
		if (n >= 10 * SHORTEST)
			good &= run(LRU_BENCH_10_BULKS, n);
		if (n >= LRU_BENCH_BULKS * SHORTEST)
			good &= run(LRU_BENCH_1000_BULKS, n);
	}
	good &= !stub_warnings.count;
	if (!good)
		fputs("bench: not all was done\n", stderr);
	return !good;
}
