// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Buffers: how they are made, mapped and moved. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"
#include "test-cases.h"

static int create_as(__u64 size, __u32 domains, __u32 priority, __u32 vm)
{
	__u32 handle;

	return vttm_create(gpu, size, domains, priority, vm, &handle);
}

void create_bad(void)
{
	struct state before = state();
	__u64 prios = vttm_get(gpu, VTTM_PARAM_PRIORITIES);

	check_eq(create_as(0, ALL_DOMAINS, 0, 0), -EINVAL);
	check_in(create_as(~0ULL, ALL_DOMAINS, 0, 0), -EINVAL, -ENOSPC);
	check_in(create_as(~0ULL - PAGE, ALL_DOMAINS, 0, 0), -EINVAL, -ENOSPC);
	check_in(create_as(1ULL << 63, ALL_DOMAINS, 0, 0), -EINVAL, -ENOSPC);
	check_eq(create_as(PAGE, 0, 0, 0), -EINVAL);
	check_eq(create_as(PAGE, ALL_DOMAINS, prios, 0), -EINVAL);
	check_eq(create_as(PAGE, ALL_DOMAINS, ~0U, 0), -EINVAL);
	check_eq(create_as(PAGE, ALL_DOMAINS, 0, BAD_HANDLE), -ENOENT);
	check_unchanged(before);
	check_eq(create_as(PAGE, ALL_DOMAINS, prios - 1, 0), 0);
}

/* No memory is that large; and TTM counts pages in 32 bits. */
void create_too_large(void)
{
	__u64 vram = vttm_get(gpu, VTTM_PARAM_VRAM_SIZE);
	__u64 gtt = vttm_get(gpu, VTTM_PARAM_GTT_SIZE);
	__u64 most = vram > gtt ? vram : gtt;
	struct state before = state();

	check_eq(create_as(vram + PAGE, VTTM_DOMAIN_VRAM, 0, 0), -ENOSPC);
	check_eq(create_as(gtt + PAGE, VTTM_DOMAIN_GTT, 0, 0), -ENOSPC);
	check_eq(create_as(most + PAGE, ALL_DOMAINS, 0, 0), -ENOSPC);
	for (int bits = 40; bits < 63; bits++)
		check_eq(create_as((1ULL << bits) + PAGE, VTTM_DOMAIN_SYSTEM, 0, 0), -ENOSPC);
	check_unchanged(before);
	check_eq(create_as(most, ALL_DOMAINS, 0, 0), 0);
}

void create_says(void)
{
	struct drm_vttm_gem_create args = {
		.size = 3 * PAGE - 5,
		.domains = VTTM_DOMAIN_VRAM | VTTM_DOMAIN_GTT,
		.priority = 1,
	};
	struct drm_vttm_gem_info first, second;

	check_eq(drm_ioctl(gpu, DRM_IOCTL_VTTM_GEM_CREATE, &args), 0);
	check_eq(args.size, 3 * PAGE);
	first = info(args.handle);
	check_eq(first.size, 3 * PAGE);
	check_eq(first.domains, args.domains);
	check_eq(first.priority, 1);
	check_eq(first.state & ~(VTTM_STATE_BUSY | VTTM_STATE_PAGES), 0);
	check_eq(first.evictions, 0);
	check_eq(first.swap_outs, 0);
	second = info(make(PAGE, ALL_DOMAINS, 0));
	check(first.id);
	check(first.id != second.id);
}

void create_zeroed(void)
{
	static const __u32 domains[] = {
		VTTM_DOMAIN_VRAM, VTTM_DOMAIN_GTT, VTTM_DOMAIN_SYSTEM,
	};

	for (size_t i = 0; i < ARRAY_SIZE(domains); i++) {
		/*
		 * Twice: the second buffer gets the pages that the first one wrote to.
		 */
		for (int again = 0; again < 2; again++) {
			struct bo bo = make_bo(64 * PAGE, domains[i], 0);

			for (__u64 n = 0; n < bo.size / 8; n++)
				check_eq(bo.map[n], 0);
			fill(&bo, 0x5555);
			bo_destroy(gpu, &bo);
		}
	}
}

void create_in_domains(void)
{
	static const __u32 domains[] = {
		VTTM_DOMAIN_VRAM, VTTM_DOMAIN_GTT, VTTM_DOMAIN_SYSTEM,
	};

	for (size_t i = 0; i < ARRAY_SIZE(domains); i++) {
		__u32 handle = make(PAGE, domains[i], 0);

		check_eq(vttm_prefetch(gpu, handle, 0), 0);
		check_eq(info(handle).domain, domains[i]);
	}
}

void map_bounds(void)
{
	struct drm_vttm_gem_mmap_offset args = { .handle = make(2 * PAGE, ALL_DOMAINS, 0) };
	int file = drm_open("vttm", 0);
	void *map;

	check_eq(drm_ioctl(gpu, DRM_IOCTL_VTTM_GEM_MMAP_OFFSET, &args), 0);
	map = mmap(NULL, 3 * PAGE, PROT_READ, MAP_SHARED, gpu, args.offset);
	check(map == MAP_FAILED && errno == EINVAL);
	/* A file without a handle of the buffer cannot map it. */
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, args.offset);
	check(map == MAP_FAILED && errno == EACCES);
	map = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, gpu, args.offset);
	check(map != MAP_FAILED);
	drm_close_handle(gpu, args.handle);
	/* A map keeps its buffer. */
	memset(map, 1, 2 * PAGE);
}

void map_partly(void)
{
	struct drm_vttm_gem_mmap_offset args = { .handle = make(8 * PAGE, ALL_DOMAINS, 0) };
	struct bo bo = { .size = 8 * PAGE };
	__u64 *part;
	void *map;

	check_eq(vttm_map(gpu, args.handle, bo.size, &map), 0);
	bo.map = map;
	fill(&bo, 9);
	check_eq(drm_ioctl(gpu, DRM_IOCTL_VTTM_GEM_MMAP_OFFSET, &args), 0);
	/* DRM takes the offset of the buffer only. */
	part = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, gpu, args.offset + 5 * PAGE);
	check(part == MAP_FAILED && errno == EINVAL);
	part = mmap(NULL, 5 * PAGE, PROT_READ, MAP_SHARED, gpu, args.offset);
	check(part != MAP_FAILED);
	check_eq(part[0], bo.map[0]);
	check_eq(vttm_evict(gpu, args.handle, 0), 0);
	check_eq(part[4 * PAGE / 8], bo.map[4 * PAGE / 8]);
	check(holds(&bo, 9));
}

/* Of several domains, a buffer gets the first one with room. */
void move_first_choice(void)
{
	struct bo bo = make_bo(PAGE, ALL_DOMAINS, 0);

	fill(&bo, 1);
	check_eq(vttm_prefetch(gpu, bo.handle, 0), 0);
	check_eq(info(bo.handle).domain, VTTM_DOMAIN_VRAM);
	check_eq(vttm_prefetch(gpu, bo.handle, VTTM_DOMAIN_SYSTEM), 0);
	check_eq(vttm_prefetch(gpu, bo.handle, VTTM_DOMAIN_GTT | VTTM_DOMAIN_SYSTEM), 0);
	check_eq(info(bo.handle).domain, VTTM_DOMAIN_GTT);
}

void move_bad(void)
{
	__u32 handle = make(PAGE, VTTM_DOMAIN_GTT, 0);
	struct state before;

	check_eq(vttm_prefetch(gpu, handle, 0), 0);
	before = state();
	check_eq(vttm_prefetch(gpu, handle, VTTM_DOMAIN_VRAM), -EINVAL);
	check_eq(vttm_prefetch(gpu, handle, ALL_DOMAINS), -EINVAL);
	check_unchanged(before);
	check_eq(info(handle).domain, VTTM_DOMAIN_GTT);
}

/* VRAM, GTT, system memory, swap space and back; read at each place, or at the end. */
static void round_trip(bool look, bool write_by_gpu, __u32 vm)
{
	struct bo bo = make_bo(256 * PAGE, ALL_DOMAINS, vm);
	static const __u32 places[] = {
		VTTM_DOMAIN_VRAM, VTTM_DOMAIN_GTT, VTTM_DOMAIN_SYSTEM, VTTM_DOMAIN_GTT,
		VTTM_DOMAIN_VRAM, VTTM_DOMAIN_SYSTEM, VTTM_DOMAIN_VRAM,
	};
	__u64 seed = 0x1234;

	fill(&bo, seed);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		check_eq(vttm_prefetch(gpu, bo.handle, places[i]), 0);
		check_eq(info(bo.handle).domain, places[i]);
		check_eq(vttm_finish(gpu, bo.handle), 0);
		if (look)
			check(holds(&bo, seed));
		if (write_by_gpu) {
			struct drm_vttm_submit_bo used = use(&bo, VTTM_BO_WRITE);
			struct drm_vttm_op op = fill_op(0, 0, bo.size, ++seed);

			check_eq(submit(vm, &used, 1, &op, 1), 0);
		}
	}
	check_eq(vttm_evict(gpu, bo.handle, VTTM_EVICT_SWAP_OUT), 0);
	check(info(bo.handle).swap_outs >= 1);
	check(!(info(bo.handle).state & VTTM_STATE_PAGES));
	check_eq(vttm_prefetch(gpu, bo.handle, VTTM_DOMAIN_VRAM), 0);
	check_eq(info(bo.handle).domain, VTTM_DOMAIN_VRAM);
	check(holds(&bo, seed));
	/* And back from swap space by an access of the CPU. */
	check_eq(vttm_evict(gpu, bo.handle, VTTM_EVICT_SWAP_OUT), 0);
	check(holds(&bo, seed));
	check(info(bo.handle).moves > 0);
}

void move_round_trip(void)
{
	round_trip(true, false, 0);
}

void move_round_trip_unseen(void)
{
	round_trip(false, false, 0);
}

void move_round_trip_gpu(void)
{
	round_trip(true, true, 0);
}

void move_round_trip_vm(void)
{
	round_trip(true, true, make_vm());
}

/* From each domain to swap space, and from there to each domain, by calling @back. */
static void swap_each(void (*back)(struct bo *bo, __u32 to))
{
	static const __u32 places[] = {
		VTTM_DOMAIN_VRAM, VTTM_DOMAIN_GTT, VTTM_DOMAIN_SYSTEM,
	};

	for (size_t i = 0; i < ARRAY_SIZE(places) * ARRAY_SIZE(places); i++) {
		struct bo bo = make_bo(64 * PAGE, ALL_DOMAINS, 0);

		fill(&bo, i);
		check_eq(vttm_prefetch(gpu, bo.handle, places[i / ARRAY_SIZE(places)]), 0);
		check_eq(vttm_finish(gpu, bo.handle), 0);
		/* The call returns 0 for a busy buffer, and leaves it in its place. */
		while (info(bo.handle).state & VTTM_STATE_PAGES || !info(bo.handle).swap_outs)
			check_eq(vttm_evict(gpu, bo.handle, VTTM_EVICT_SWAP_OUT), 0);
		back(&bo, places[i % ARRAY_SIZE(places)]);
		if (!holds(&bo, i))
			ktap_fail(__FILE__, __LINE__, "lost on the way from %x to %x",
				  places[i / ARRAY_SIZE(places)],
				  places[i % ARRAY_SIZE(places)]);
		bo_destroy(gpu, &bo);
	}
}

static void back_by_prefetch(struct bo *bo, __u32 to)
{
	check_eq(vttm_prefetch(gpu, bo->handle, to), 0);
	check_eq(vttm_finish(gpu, bo->handle), 0);
	check_eq(info(bo->handle).domain, to);
}

void move_swap_prefetch(void)
{
	swap_each(back_by_prefetch);
}

static void back_by_submit(struct bo *bo, __u32 to)
{
	struct drm_vttm_submit_bo used = use(bo, 0);

	used.domains = to & GPU_DOMAINS;
	check_eq(submit(0, &used, 1, NULL, 0), 0);
	check_eq(vttm_finish(gpu, bo->handle), 0);
}

void move_swap_submit(void)
{
	swap_each(back_by_submit);
}

static void back_by_touch(struct bo *bo, __u32 to)
{
	check_eq(bo->map[1], bo->map[0] + 0x10001);
	back_by_prefetch(bo, to);
}

void move_swap_touch(void)
{
	swap_each(back_by_touch);
}

void move_evict_counts(void)
{
	__u32 handle = make(PAGE, ALL_DOMAINS, 0);
	struct drm_vttm_gem_info before, after;

	check_eq(vttm_prefetch(gpu, handle, VTTM_DOMAIN_VRAM), 0);
	before = info(handle);
	check_eq(vttm_evict(gpu, handle, 0), 0);
	after = info(handle);
	check(after.domain != VTTM_DOMAIN_VRAM);
	check(after.moves > before.moves);
}

/* More buffers than fit: the earlier ones are evicted, and keep their content. */
void move_overcommit(void)
{
	enum { COUNT = 48 };
	__u64 size = vttm_get(gpu, VTTM_PARAM_VRAM_SIZE) / 16;
	__u64 evictions = vttm_get(gpu, VTTM_PARAM_EVICTIONS);
	struct bo bos[COUNT];

	for (int i = 0; i < COUNT; i++) {
		bos[i] = make_bo(size, ALL_DOMAINS, 0);
		check_eq(vttm_prefetch(gpu, bos[i].handle, VTTM_DOMAIN_VRAM), 0);
		fill(&bos[i], i);
	}
	check(vttm_get(gpu, VTTM_PARAM_EVICTIONS) > evictions);
	for (int i = 0; i < COUNT; i++)
		check(holds(&bos[i], i));
	for (int i = 0; i < COUNT; i++) {
		check_eq(vttm_prefetch(gpu, bos[i].handle, VTTM_DOMAIN_VRAM), 0);
		check(holds(&bos[i], i));
	}
}

/* Keep evicting from VRAM, while another thread accesses its mapped buffer. */
static void *churn(void *arg)
{
	volatile bool *stop = arg;
	__u64 size = vttm_get(gpu, VTTM_PARAM_VRAM_SIZE) / 4;
	__u32 handles[6];

	for (size_t i = 0; i < ARRAY_SIZE(handles); i++)
		handles[i] = make(size, ALL_DOMAINS, 0);
	for (int i = 0; !*stop; i++)
		check_eq(vttm_prefetch(gpu, handles[i % ARRAY_SIZE(handles)],
				       VTTM_DOMAIN_VRAM), 0);
	return NULL;
}

void move_under_map(void)
{
	struct bo bo = make_bo(16 * PAGE, ALL_DOMAINS, 0);
	volatile bool stop = false;
	pthread_t thread;

	check_eq(pthread_create(&thread, NULL, churn, (void *)&stop), 0);
	for (int i = 0; i < 200; i++) {
		fill(&bo, i);
		check_eq(vttm_prefetch(gpu, bo.handle, i % 2 ? VTTM_DOMAIN_VRAM : 0), 0);
		check(holds(&bo, i));
	}
	stop = true;
	pthread_join(thread, NULL);
}

/*
 * Another process writes, and makes no system call meanwhile. When the buffer moves, it
 * must be stopped before the content is copied, or what it writes then is lost.
 */
void move_under_writer(void)
{
	enum { TIMES = 2000 };
	__u32 handle = make(64 * PAGE, ALL_DOMAINS, 0);
	int status;
	pid_t pid = fork();

	if (!pid) {
		struct bo bo = { .handle = handle, .size = 64 * PAGE };
		void *map;

		check_eq(vttm_map(gpu, handle, bo.size, &map), 0);
		bo.map = map;
		for (__u64 i = 0; i < TIMES; i++) {
			fill(&bo, i);
			check(holds(&bo, i));
		}
		_exit(0);
	}
	for (int i = 0; !waitpid(pid, &status, WNOHANG); i++)
		check_eq(vttm_prefetch(gpu, handle, i % 2 ? VTTM_DOMAIN_VRAM :
							    VTTM_DOMAIN_SYSTEM), 0);
	check(WIFEXITED(status));
	check_eq(WEXITSTATUS(status), 0);
}

void madvise_kept(void)
{
	struct bo bo = make_bo(4 * PAGE, ALL_DOMAINS, 0);
	__u32 retained;

	fill(&bo, 7);
	check_eq(vttm_madvise(gpu, bo.handle, VTTM_MADV_WILL_NEED, &retained), 0);
	check_eq(retained, 1);
	check_eq(vttm_madvise(gpu, bo.handle, VTTM_MADV_DONT_NEED, &retained), 0);
	check_eq(retained, 1);
	check(info(bo.handle).state & VTTM_STATE_DONT_NEED);
	check_eq(vttm_madvise(gpu, bo.handle, VTTM_MADV_WILL_NEED, &retained), 0);
	check(!(info(bo.handle).state & VTTM_STATE_DONT_NEED));
	if (retained)
		check(holds(&bo, 7));
}

/* Purge by dropping caches, which runs the shrinker as if memory was short. */
void madvise_purged(void)
{
	__u64 purges = vttm_get(gpu, VTTM_PARAM_PURGES);
	struct bo bo = make_bo(16 * PAGE, ALL_DOMAINS, 0);
	struct bo needed = make_bo(16 * PAGE, ALL_DOMAINS, 0);
	const char *parameters = getenv("VTTM_PARAMETERS");
	__u32 retained;
	int fd;

	if (parameters && strstr(parameters, "shrinker=0"))
		ktap_skip("there is no shrinker");
	fill(&bo, 1);
	fill(&needed, 2);
	check_eq(vttm_prefetch(gpu, bo.handle, VTTM_DOMAIN_SYSTEM), 0);
	check_eq(vttm_finish(gpu, bo.handle), 0);
	check_eq(vttm_madvise(gpu, bo.handle, VTTM_MADV_DONT_NEED, &retained), 0);
	check_eq(retained, 1);
	fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
	check_eq(write(fd, "2", 1), 1);
	close(fd);
	check(info(bo.handle).state & VTTM_STATE_PURGED);
	check(vttm_get(gpu, VTTM_PARAM_PURGES) > purges);
	check_eq(vttm_madvise(gpu, bo.handle, VTTM_MADV_WILL_NEED, &retained), 0);
	check_eq(retained, 0);
	check(!(info(bo.handle).state & VTTM_STATE_PURGED));
	for (__u64 n = 0; n < bo.size / 8; n++)
		check_eq(bo.map[n], 0);
	check(holds(&needed, 2));
}
