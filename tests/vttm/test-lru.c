// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The LRU lists, and moves that follow from use. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test.h"
#include "test-cases.h"

#define MOST_ENTRIES 4096

struct list {
	struct drm_vttm_lru_entry entries[MOST_ENTRIES];
	struct drm_vttm_lru_walk args;
};

static struct list *walk(__u32 domain, __u32 chunk, __u32 flags)
{
	struct list *list = calloc(1, sizeof(*list));

	check(list);
	list->args = (struct drm_vttm_lru_walk){
		.domain = domain,
		.flags = flags,
		.entries = (uintptr_t)list->entries,
		.capacity = MOST_ENTRIES,
		.chunk = chunk,
	};
	check_eq(drm_ioctl(gpu, DRM_IOCTL_VTTM_LRU_WALK, &list->args), 0);
	check(list->args.count <= MOST_ENTRIES);
	return list;
}

/* The position in the list, where it must be exactly once. */
static __u64 place(const struct list *list, __u64 id)
{
	__u64 at = 0, met = 0;

	for (__u64 i = 0; i < list->args.count; i++) {
		if (list->entries[i].id == id) {
			at = i;
			met++;
		}
	}
	check_eq(met, 1);
	return at;
}

void lru_bad(void)
{
	struct drm_vttm_lru_walk good = { .domain = VTTM_DOMAIN_VRAM }, bad;

	check_eq(vttm_prefetch(gpu, make(PAGE, ALL_DOMAINS, 0), VTTM_DOMAIN_VRAM), 0);
	bad = good;
	bad.domain = 0;
	check_eq(drm_ioctl(gpu, DRM_IOCTL_VTTM_LRU_WALK, &bad), -EINVAL);
	bad.domain = GPU_DOMAINS;
	check_eq(drm_ioctl(gpu, DRM_IOCTL_VTTM_LRU_WALK, &bad), -EINVAL);
	bad = good;
	bad.chunk = 33;
	check_eq(drm_ioctl(gpu, DRM_IOCTL_VTTM_LRU_WALK, &bad), -EINVAL);
	bad.chunk = ~0U;
	check_eq(drm_ioctl(gpu, DRM_IOCTL_VTTM_LRU_WALK, &bad), -EINVAL);
	bad = good;
	bad.capacity = 1;
	check_eq(drm_ioctl(gpu, DRM_IOCTL_VTTM_LRU_WALK, &bad), -EFAULT);
	bad.entries = BAD_POINTER;
	check_eq(drm_ioctl(gpu, DRM_IOCTL_VTTM_LRU_WALK, &bad), -EFAULT);
	check_eq(drm_ioctl(gpu, DRM_IOCTL_VTTM_LRU_WALK, &good), 0);
	check_eq(good.count, 1);
}

void lru_capacity(void)
{
	struct drm_vttm_lru_entry entries[4] = {};
	struct drm_vttm_lru_walk args = {
		.domain = VTTM_DOMAIN_VRAM,
		.entries = (uintptr_t)entries,
		.capacity = 3,
		.chunk = 2,
	};

	for (int i = 0; i < 10; i++)
		check_eq(vttm_prefetch(gpu, make(PAGE, ALL_DOMAINS, 0), VTTM_DOMAIN_VRAM), 0);
	check_eq(drm_ioctl(gpu, DRM_IOCTL_VTTM_LRU_WALK, &args), 0);
	check_eq(args.count, 10);
	check(entries[2].id);
	check_eq(entries[3].id, 0);
	/* A capacity larger than the list; the array is not that large. */
	args.capacity = 1 << 20;
	args.chunk = 0;
	args.entries = (uintptr_t)malloc(10 * sizeof(entries[0]));
	check_eq(drm_ioctl(gpu, DRM_IOCTL_VTTM_LRU_WALK, &args), 0);
	check_eq(args.count, 10);
}

void lru_entries(void)
{
	__u32 vm = make_vm(), handles[3];
	struct list *list;

	handles[0] = make(PAGE, ALL_DOMAINS, 0);
	handles[1] = make(2 * PAGE, ALL_DOMAINS, vm);
	check_eq(vttm_create(gpu, 3 * PAGE, ALL_DOMAINS, 1, vm, &handles[2]), 0);
	for (int i = 0; i < 3; i++) {
		check_eq(vttm_prefetch(gpu, handles[i], VTTM_DOMAIN_VRAM), 0);
		check_eq(vttm_finish(gpu, handles[i]), 0);
	}
	list = walk(VTTM_DOMAIN_VRAM, 0, 0);
	check_eq(list->args.count, 3);
	for (int i = 0; i < 3; i++) {
		struct drm_vttm_gem_info what = info(handles[i]);
		struct drm_vttm_lru_entry *entry;

		entry = &list->entries[place(list, what.id)];
		check_eq(entry->size, what.size);
		check_eq(entry->priority, what.priority);
		check_eq(!entry->bulk, i == 0);
	}
	check_eq(walk(VTTM_DOMAIN_GTT, 0, 0)->args.count, 0);
}

/* Lower priorities come first, and are evicted first. */
void lru_priorities(void)
{
	__u64 prios = vttm_get(gpu, VTTM_PARAM_PRIORITIES);
	struct list *list;

	for (__u32 i = 0; i < 24; i++) {
		__u32 handle;

		check_eq(vttm_create(gpu, PAGE, ALL_DOMAINS, i * 7 % prios, 0, &handle), 0);
		check_eq(vttm_prefetch(gpu, handle, VTTM_DOMAIN_VRAM), 0);
	}
	list = walk(VTTM_DOMAIN_VRAM, 0, 0);
	check_eq(list->args.count, 24);
	for (int i = 1; i < 24; i++)
		check(list->entries[i - 1].priority <= list->entries[i].priority);
}

void lru_submit_to_tail(void)
{
	struct bo first = make_bo(PAGE, ALL_DOMAINS, 0);
	struct bo second = make_bo(PAGE, ALL_DOMAINS, 0);
	struct drm_vttm_submit_bo used = use(&first, 0);
	__u64 ids[2] = { info(first.handle).id, info(second.handle).id };
	struct list *list;

	check_eq(vttm_prefetch(gpu, first.handle, VTTM_DOMAIN_VRAM), 0);
	check_eq(vttm_prefetch(gpu, second.handle, VTTM_DOMAIN_VRAM), 0);
	list = walk(VTTM_DOMAIN_VRAM, 0, 0);
	check(place(list, ids[0]) < place(list, ids[1]));
	check_eq(submit(0, &used, 1, NULL, 0), 0);
	list = walk(VTTM_DOMAIN_VRAM, 0, 0);
	check(place(list, ids[0]) > place(list, ids[1]));
}

/* A VM's buffers go to the tail together, also those that the submit doesn't name. */
void lru_bulk_to_tail(void)
{
	enum { COUNT = 40 };
	__u32 vm[2] = { make_vm(), make_vm() };
	struct bo bos[2][COUNT];
	__u64 last_of_second = 0;
	__u32 bulk = 0;
	struct list *list;

	for (int i = 0; i < COUNT; i++) {
		for (int v = 0; v < 2; v++) {
			bos[v][i] = make_bo(PAGE, ALL_DOMAINS, vm[v]);
			check_eq(vttm_prefetch(gpu, bos[v][i].handle, VTTM_DOMAIN_VRAM), 0);
		}
	}
	for (int v = 1; v >= 0; v--) {
		struct drm_vttm_submit_bo used = use(&bos[v][7], 0);

		check_eq(submit(vm[v], &used, 1, NULL, 0), 0);
	}
	list = walk(VTTM_DOMAIN_VRAM, 5, 0);
	check_eq(list->args.count, 2 * COUNT);
	for (int i = 0; i < COUNT; i++) {
		__u64 at = place(list, info(bos[1][i].handle).id);

		if (at > last_of_second)
			last_of_second = at;
	}
	for (int i = 0; i < COUNT; i++) {
		__u64 at = place(list, info(bos[0][i].handle).id);

		check(at > last_of_second);
		check(list->entries[at].bulk);
		if (!bulk)
			bulk = list->entries[at].bulk;
		check_eq(list->entries[at].bulk, bulk);
	}
	check(list->entries[0].bulk != bulk);
}

void lru_chunks_agree(void)
{
	enum { COUNT = 100 };
	__u32 vms[3] = { 0, make_vm(), make_vm() };
	__u64 prios = vttm_get(gpu, VTTM_PARAM_PRIORITIES);
	struct list *all;

	for (__u32 i = 0; i < COUNT; i++) {
		__u32 handle;

		check_eq(vttm_create(gpu, PAGE, ALL_DOMAINS, i % prios, vms[i % 3], &handle), 0);
		check_eq(vttm_prefetch(gpu, handle, VTTM_DOMAIN_VRAM), 0);
		check_eq(vttm_finish(gpu, handle), 0);
	}
	all = walk(VTTM_DOMAIN_VRAM, 0, 0);
	check_eq(all->args.count, COUNT);
	for (__u32 chunk = 1; chunk <= 32; chunk++) {
		for (__u32 flags = 0; flags <= VTTM_LRU_WALK_BOUNDED; flags++) {
			struct list *list = walk(VTTM_DOMAIN_VRAM, chunk, flags);
			__u32 chunks = (COUNT + chunk - 1) / chunk;

			check_eq(list->args.count, COUNT);
			check(!memcmp(list->entries, all->entries,
				      COUNT * sizeof(all->entries[0])));
			check(list->args.lock_drops + 1 >= chunks);
			check(list->args.lock_drops <= chunks + 1);
			free(list);
		}
	}
}

/* When room is needed, idle buffers are evicted in the order of the list. */
void lru_evicts_in_order(void)
{
	enum { COUNT = 16 };
	__u64 size = vttm_get(gpu, VTTM_PARAM_VRAM_SIZE) / COUNT;
	__u64 ids[COUNT];
	__u32 handles[COUNT];
	struct list *list;

	for (int i = 0; i < COUNT; i++) {
		handles[i] = make(size, ALL_DOMAINS, 0);
		check_eq(vttm_prefetch(gpu, handles[i], VTTM_DOMAIN_VRAM), 0);
		check_eq(vttm_finish(gpu, handles[i]), 0);
		ids[i] = info(handles[i]).id;
	}
	check_eq(vttm_prefetch(gpu, make(size, VTTM_DOMAIN_VRAM, 0), VTTM_DOMAIN_VRAM), 0);
	check_eq(vttm_prefetch(gpu, make(size, VTTM_DOMAIN_VRAM, 0), VTTM_DOMAIN_VRAM), 0);
	check(info(handles[0]).domain != VTTM_DOMAIN_VRAM);
	check(info(handles[1]).domain != VTTM_DOMAIN_VRAM);
	check(info(handles[0]).evictions >= 1);
	list = walk(VTTM_DOMAIN_VRAM, 1, 0);
	for (int i = 2; i < COUNT; i++) {
		check_eq(info(handles[i]).domain, VTTM_DOMAIN_VRAM);
		check_eq(place(list, ids[i]), i - 2);
	}
}

/* Bytes in a domain that buffers moved away from, and that aren't free yet. */
static __u64 left_behind(__u32 domain)
{
	struct list *list = walk(domain, 0, 0);
	__u64 bytes = 0;

	for (__u64 i = 0; i < list->args.count; i++) {
		if (!list->entries[i].id)
			bytes += list->entries[i].size;
	}
	free(list);
	return bytes;
}

/*
 * Buffers slightly larger than VRAM, used in turn: each comes from system pages, which
 * remain until they are copied. These must not pile up.
 */
void move_leaves_little(void)
{
	enum { TIMES = 600 };
	__u64 vram = vttm_get(gpu, VTTM_PARAM_VRAM_SIZE), most = 0;
	__u32 handles[17];

	for (size_t i = 0; i < ARRAY_SIZE(handles); i++) {
		handles[i] = make(vram / 16, VTTM_DOMAIN_VRAM | VTTM_DOMAIN_SYSTEM, 0);
		check_eq(vttm_prefetch(gpu, handles[i], VTTM_DOMAIN_SYSTEM), 0);
	}
	for (int i = 0; i < TIMES; i++) {
		__u64 left;

		check_eq(vttm_prefetch(gpu, handles[i % ARRAY_SIZE(handles)],
				       VTTM_DOMAIN_VRAM), 0);
		left = left_behind(VTTM_DOMAIN_SYSTEM) + left_behind(VTTM_DOMAIN_GTT);
		most = left > most ? left : most;
	}
	printf("# at most %llu KiB were left behind\n", (unsigned long long)most >> 10);
	check(most <= vram);
}

/* Use @bo, whose content doesn't matter. Return its domain. */
static __u32 use_once(const struct bo *bo)
{
	struct drm_vttm_submit_bo used = use(bo, VTTM_BO_WRITE);

	check_eq(submit(0, &used, 1, NULL, 0), 0);
	return info(bo->handle).domain;
}

/* An idle buffer is in VRAM; a hot one in GTT must replace it. */
void move_hot(void)
{
	__u64 vram = vttm_get(gpu, VTTM_PARAM_VRAM_SIZE);
	struct bo idle = make_bo(vram / 4 * 3, GPU_DOMAINS, 0);
	struct bo hot = make_bo(vram / 2, GPU_DOMAINS, 0);
	__u32 domain = 0;

	check_eq(use_once(&idle), VTTM_DOMAIN_VRAM);
	check_eq(vttm_prefetch(gpu, hot.handle, VTTM_DOMAIN_GTT), 0);
	check_eq(use_once(&hot), VTTM_DOMAIN_GTT);
	for (int i = 0; i < 100; i++)
		domain = use_once(&hot);
	check_eq(domain, VTTM_DOMAIN_VRAM);
	check(info(idle.handle).domain != VTTM_DOMAIN_VRAM);
}

/*
 * Two buffers are used in turn, and VRAM has room for one. They must not evict each
 * other.
 */
void move_both_hot(void)
{
	enum { TIMES = 500 };
	__u64 vram = vttm_get(gpu, VTTM_PARAM_VRAM_SIZE);
	struct bo a = make_bo(vram / 4 * 3, GPU_DOMAINS, 0);
	struct bo b = make_bo(vram / 4 * 3, GPU_DOMAINS, 0);
	__u64 before, moved;

	use_once(&a);
	use_once(&b);
	before = vttm_get(gpu, VTTM_PARAM_BYTES_MOVED);
	for (int i = 0; i < TIMES; i++) {
		use_once(&a);
		use_once(&b);
	}
	moved = vttm_get(gpu, VTTM_PARAM_BYTES_MOVED) - before;
	/* A plain LRU would move both each time. */
	printf("# %llu of %llu MiB were moved\n", (unsigned long long)(moved / MIB),
	       (unsigned long long)(2 * TIMES * 2 * a.size / MIB));
	check(moved < 2 * TIMES * 2 * a.size / 20);
}

/*
 * A buffer that is used now and then keeps its VRAM, though another one is used more
 * often.
 */
void move_beside_busy(void)
{
	enum { ROUNDS = 20, TIMES = 20 };
	__u64 vram = vttm_get(gpu, VTTM_PARAM_VRAM_SIZE), moves;
	struct bo slow = make_bo(vram / 4 * 3, GPU_DOMAINS, 0);
	struct bo fast = make_bo(vram / 2, GPU_DOMAINS, 0);
	struct bo other = make_bo(PAGE, GPU_DOMAINS, 0);

	/* Teach vttm how long the pauses of this buffer are. */
	use_once(&slow);
	for (int i = 0; i < TIMES; i++)
		use_once(&other);
	check_eq(use_once(&slow), VTTM_DOMAIN_VRAM);
	moves = info(slow.handle).moves;

	check_eq(vttm_prefetch(gpu, fast.handle, VTTM_DOMAIN_GTT), 0);
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < TIMES; i++)
			check_eq(use_once(&fast), VTTM_DOMAIN_GTT);
		use_once(&slow);
	}
	check_eq(info(slow.handle).moves, moves);
}
