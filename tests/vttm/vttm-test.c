// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * vttm-test [CASE...]: does vttm do what its header says? Good and bad arguments of
 * each ioctl; what a buffer holds wherever it is; order and completeness of the LRU
 * lists; fences; sharing; statistics; and, at the end, a device that goes away.
 *
 * It needs two devices, the modules vgem and sw_sync, and to be root.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/dma-heap.h>
#include <linux/sync_file.h>
#include <linux/udmabuf.h>

#include "ktap.h"
#include "vttm.h"

#define BAD_HANDLE 0xdead
#define BAD_POINTER 8
#define IOCTLS 12

static int gpu = -1, other = -1;

/* --- What the cases share --- */

static void open_gpus(void)
{
	gpu = drm_open("vttm", 0);
	other = drm_open("vttm", 1);
	check(gpu >= 0);
	check(other >= 0);
}

static __u32 make(__u64 size, __u32 domains, __u32 vm)
{
	__u32 handle;

	check_eq(vttm_create(gpu, size, domains, 0, vm, &handle), 0);
	check(handle);
	return handle;
}

static struct bo make_bo(__u64 size, __u32 domains, __u32 vm)
{
	struct bo bo;

	check_eq(bo_create(gpu, &bo, size, domains, 0, vm), 0);
	return bo;
}

static struct drm_vttm_gem_info info(__u32 handle)
{
	struct drm_vttm_gem_info info;

	check_eq(vttm_info(gpu, handle, &info), 0);
	return info;
}

static __u32 make_vm(void)
{
	__u32 vm;

	check_eq(vttm_vm_create(gpu, &vm), 0);
	check(vm);
	return vm;
}

static void fill(struct bo *bo, __u64 seed)
{
	for (__u64 i = 0; i < bo->size / 8; i++)
		bo->map[i] = seed + i * 0x10001;
}

static bool holds(const struct bo *bo, __u64 seed)
{
	for (__u64 i = 0; i < bo->size / 8; i++) {
		if (bo->map[i] != seed + i * 0x10001)
			return false;
	}
	return true;
}

/* What must not change when a call fails. */
struct state {
	__u64 buffers, vram, gtt, submits, moves;
};

/* What nobody has any more is freed a moment later. */
static __u64 buffers_settled(void)
{
	__u64 before, now = vttm_get(gpu, VTTM_PARAM_BUFFERS);

	do {
		before = now;
		usleep(2000);
		now = vttm_get(gpu, VTTM_PARAM_BUFFERS);
	} while (now != before);
	return now;
}

static struct state state(void)
{
	return (struct state){
		.buffers = buffers_settled(),
		.vram = vttm_get(gpu, VTTM_PARAM_VRAM_USED),
		.gtt = vttm_get(gpu, VTTM_PARAM_GTT_USED),
		.submits = vttm_get(gpu, VTTM_PARAM_SUBMITS),
		.moves = vttm_get(gpu, VTTM_PARAM_MOVES),
	};
}

#define check_unchanged(before)						\
	do {								\
		struct state now_ = state();				\
									\
		check_eq(now_.buffers, (before).buffers);		\
		check_eq(now_.vram, (before).vram);			\
		check_eq(now_.gtt, (before).gtt);			\
		check_eq(now_.submits, (before).submits);		\
		check_eq(now_.moves, (before).moves);			\
	} while (0)

/*
 * Fences that signal when the program says so: sw_sync, of debugfs.
 */
struct sw_sync_create {
	__u32 value;
	char name[32];
	__s32 fence;
};

#define SW_SYNC_CREATE _IOWR('W', 0, struct sw_sync_create)
#define SW_SYNC_INC _IOW('W', 1, __u32)

static int timeline(void)
{
	int fd = open("/sys/kernel/debug/sync/sw_sync", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		ktap_skip("there is no sw_sync");
	return fd;
}

/* A sync file for when @timeline gets to @value. */
static int fence_at(int timeline, __u32 value)
{
	struct sw_sync_create args = { .value = value, .name = "vttm-test" };

	check_eq(ioctl(timeline, SW_SYNC_CREATE, &args), 0);
	return args.fence;
}

static void advance(int timeline, __u32 by)
{
	check_eq(ioctl(timeline, SW_SYNC_INC, &by), 0);
}

static bool is_signaled(int fence, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = fence, .events = POLLIN };

	return poll(&poll_fd, 1, timeout_ms) == 1;
}

static struct drm_vttm_submit_bo use(const struct bo *bo, __u32 flags)
{
	return (struct drm_vttm_submit_bo){ .handle = bo->handle, .flags = flags };
}

static struct drm_vttm_op fill_op(__u32 to, __u64 offset, __u64 size, __u64 value)
{
	return (struct drm_vttm_op){
		.op = VTTM_OP_FILL,
		.to = to,
		.to_offset = offset,
		.size = size,
		.value = value,
		.step = 0x10001,
	};
}

static struct drm_vttm_op copy_op(__u32 to, __u32 from, __u64 size)
{
	return (struct drm_vttm_op){
		.op = VTTM_OP_COPY,
		.to = to,
		.from = from,
		.size = size,
	};
}

static int submit(__u32 vm, const struct drm_vttm_submit_bo *bos, __u32 bo_count,
		  const struct drm_vttm_op *ops, __u32 op_count)
{
	return vttm_submit(gpu, vm, bos, bo_count, ops, op_count);
}

/* Let @bo be busy until @fence is signaled. */
static void keep_busy_in(__u32 vm, const struct bo *bo, __u32 flags, int fence)
{
	struct drm_vttm_submit_bo used = use(bo, flags);
	struct drm_vttm_submit args = {
		.vm_id = vm,
		.flags = VTTM_SUBMIT_FENCE_IN,
		.bos = (uintptr_t)&used,
		.bo_count = 1,
		.fence_fd = fence,
	};

	check_eq(drm_ioctl(gpu, DRM_IOCTL_VTTM_SUBMIT, &args), 0);
}

static void keep_busy(const struct bo *bo, __u32 flags, int fence)
{
	keep_busy_in(0, bo, flags, fence);
}

/* --- The ioctls' arguments --- */

/* Calls of each ioctl that are right, for others to spoil. */
union args {
	struct drm_vttm_get_param get_param;
	struct drm_vttm_vm_create vm_create;
	struct drm_vttm_vm_destroy vm_destroy;
	struct drm_vttm_gem_create create;
	struct drm_vttm_gem_info info;
	struct drm_vttm_gem_mmap_offset offset;
	struct drm_vttm_gem_prefetch prefetch;
	struct drm_vttm_gem_evict evict;
	struct drm_vttm_gem_madvise madvise;
	struct drm_vttm_submit submit;
	struct drm_vttm_wait wait;
	struct drm_vttm_lru_walk walk;
	char bytes[256];
};

static const unsigned long requests[IOCTLS] = {
	DRM_IOCTL_VTTM_GET_PARAM,
	DRM_IOCTL_VTTM_VM_CREATE,
	DRM_IOCTL_VTTM_VM_DESTROY,
	DRM_IOCTL_VTTM_GEM_CREATE,
	DRM_IOCTL_VTTM_GEM_INFO,
	DRM_IOCTL_VTTM_GEM_MMAP_OFFSET,
	DRM_IOCTL_VTTM_GEM_PREFETCH,
	DRM_IOCTL_VTTM_GEM_EVICT,
	DRM_IOCTL_VTTM_GEM_MADVISE,
	DRM_IOCTL_VTTM_SUBMIT,
	DRM_IOCTL_VTTM_WAIT,
	DRM_IOCTL_VTTM_LRU_WALK,
};

static union args right(int ioctl)
{
	union args args = {};
	__u32 handle = 0;

	if (ioctl >= DRM_VTTM_GEM_INFO && ioctl != DRM_VTTM_SUBMIT &&
	    ioctl != DRM_VTTM_LRU_WALK)
		handle = make(PAGE, ALL_DOMAINS, 0);
	switch (ioctl) {
	case DRM_VTTM_VM_DESTROY:
		args.vm_destroy.vm_id = make_vm();
		break;
	case DRM_VTTM_GEM_CREATE:
		args.create.size = PAGE;
		args.create.domains = ALL_DOMAINS;
		break;
	case DRM_VTTM_GEM_INFO:
		args.info.handle = handle;
		break;
	case DRM_VTTM_GEM_MMAP_OFFSET:
		args.offset.handle = handle;
		break;
	case DRM_VTTM_GEM_PREFETCH:
		args.prefetch.handle = handle;
		break;
	case DRM_VTTM_GEM_EVICT:
		args.evict.handle = handle;
		break;
	case DRM_VTTM_GEM_MADVISE:
		args.madvise.handle = handle;
		break;
	case DRM_VTTM_WAIT:
		args.wait.handle = handle;
		args.wait.timeout_ns = INT64_MAX;
		break;
	case DRM_VTTM_LRU_WALK:
		args.walk.domain = VTTM_DOMAIN_VRAM;
		break;
	default:
		break;
	}
	return args;
}

static int call(int ioctl, union args *args)
{
	return drm_ioctl(gpu, requests[ioctl], args);
}

static void args_right(void)
{
	for (int i = 0; i < IOCTLS; i++) {
		union args args = right(i);

		check_eq(call(i, &args), 0);
	}
}

static void args_bad_pointer(void)
{
	for (int i = 0; i < IOCTLS; i++) {
		struct state before = state();

		check_eq(drm_ioctl(gpu, requests[i], NULL), -EFAULT);
		check_eq(drm_ioctl(gpu, requests[i], (void *)BAD_POINTER), -EFAULT);
		check_unchanged(before);
	}
}

static void args_unknown_ioctl(void)
{
	union args args = {};

	for (int nr = DRM_VTTM_LRU_WALK + 1; nr < DRM_COMMAND_END - DRM_COMMAND_BASE; nr++)
		check_eq(drm_ioctl(gpu, DRM_IOWR(DRM_COMMAND_BASE + nr, union args),
				   &args), -EINVAL);
}

/* Each bit of flags and padding that means nothing. */
static void args_unknown_bits(void)
{
	static const struct {
		int ioctl;
		size_t at;
		__u32 known;
	} words[] = {
		{ DRM_VTTM_VM_CREATE, offsetof(struct drm_vttm_vm_create, flags) },
		{ DRM_VTTM_VM_DESTROY, offsetof(struct drm_vttm_vm_destroy, pad) },
		{ DRM_VTTM_GEM_CREATE, offsetof(struct drm_vttm_gem_create, flags) },
		{ DRM_VTTM_GEM_CREATE, offsetof(struct drm_vttm_gem_create, pad) },
		{ DRM_VTTM_GEM_CREATE, offsetof(struct drm_vttm_gem_create, domains),
		  ALL_DOMAINS },
		{ DRM_VTTM_GEM_INFO, offsetof(struct drm_vttm_gem_info, flags) },
		{ DRM_VTTM_GEM_MMAP_OFFSET,
		  offsetof(struct drm_vttm_gem_mmap_offset, flags) },
		{ DRM_VTTM_GEM_PREFETCH, offsetof(struct drm_vttm_gem_prefetch, flags) },
		{ DRM_VTTM_GEM_PREFETCH, offsetof(struct drm_vttm_gem_prefetch, pad) },
		{ DRM_VTTM_GEM_PREFETCH, offsetof(struct drm_vttm_gem_prefetch, domains),
		  ALL_DOMAINS },
		{ DRM_VTTM_GEM_EVICT, offsetof(struct drm_vttm_gem_evict, flags),
		  VTTM_EVICT_SWAP_OUT },
		{ DRM_VTTM_GEM_MADVISE, offsetof(struct drm_vttm_gem_madvise, pad) },
		{ DRM_VTTM_GEM_MADVISE, offsetof(struct drm_vttm_gem_madvise, advice),
		  VTTM_MADV_DONT_NEED },
		{ DRM_VTTM_SUBMIT, offsetof(struct drm_vttm_submit, flags),
		  VTTM_SUBMIT_FENCE_IN | VTTM_SUBMIT_FENCE_OUT },
		{ DRM_VTTM_SUBMIT, offsetof(struct drm_vttm_submit, pad) },
		{ DRM_VTTM_SUBMIT, offsetof(struct drm_vttm_submit, fence_fd) },
		{ DRM_VTTM_WAIT, offsetof(struct drm_vttm_wait, flags), VTTM_WAIT_WRITES },
		{ DRM_VTTM_LRU_WALK, offsetof(struct drm_vttm_lru_walk, flags),
		  VTTM_LRU_WALK_BOUNDED },
		{ DRM_VTTM_LRU_WALK, offsetof(struct drm_vttm_lru_walk, domain),
		  ALL_DOMAINS },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const union args good = right(words[i].ioctl);
		struct state before = state();

		for (int bit = 0; bit < 32; bit++) {
			union args bad = good;
			__u32 word;

			if (words[i].known & 1U << bit)
				continue;
			memcpy(&word, bad.bytes + words[i].at, sizeof(word));
			word |= 1U << bit;
			memcpy(bad.bytes + words[i].at, &word, sizeof(word));
			if (call(words[i].ioctl, &bad) != -EINVAL)
				ktap_fail(__FILE__, __LINE__,
					  "ioctl %d takes bit %d at byte %zu",
					  words[i].ioctl, bit, words[i].at);
		}
		check_unchanged(before);
	}
}

static void args_unknown_handle(void)
{
	static const int ioctls[] = {
		DRM_VTTM_GEM_INFO, DRM_VTTM_GEM_MMAP_OFFSET, DRM_VTTM_GEM_PREFETCH,
		DRM_VTTM_GEM_EVICT, DRM_VTTM_GEM_MADVISE, DRM_VTTM_WAIT,
	};

	for (size_t i = 0; i < ARRAY_SIZE(ioctls); i++) {
		union args args = right(ioctls[i]);
		__u32 good;

		/* The handle is each one's first word. */
		memcpy(&good, args.bytes, sizeof(good));
		args.info.handle = 0;
		check_eq(call(ioctls[i], &args), -ENOENT);
		args.info.handle = BAD_HANDLE;
		check_eq(call(ioctls[i], &args), -ENOENT);
		drm_close_handle(gpu, good);
		args.info.handle = good;
		check_eq(call(ioctls[i], &args), -ENOENT);
	}
}

/* Programs of another age: what they don't send is 0, what is too much isn't read. */
static void args_sizes(void)
{
	for (int i = 0; i < IOCTLS; i++) {
		unsigned long nr = _IOC_NR(requests[i]);
		union args args = right(i);

		memset(args.bytes + _IOC_SIZE(requests[i]), 0xa5,
		       sizeof(args) - _IOC_SIZE(requests[i]));
		check_eq(drm_ioctl(gpu, DRM_IOWR(nr, union args), &args), 0);
		check_eq(args.bytes[sizeof(args) - 1], (char)0xa5);
	}
	{
		struct drm_vttm_get_param args = { VTTM_PARAM_PRIORITIES, 77 };

		check_eq(drm_ioctl(gpu, DRM_IOWR(DRM_COMMAND_BASE + DRM_VTTM_GET_PARAM, __u64),
				   &args), 0);
		check_eq(args.value, 77);
	}
	{
		/* An evict without its flags. */
		__u32 handle = make(PAGE, ALL_DOMAINS, 0);

		check_eq(drm_ioctl(gpu, DRM_IOWR(DRM_COMMAND_BASE + DRM_VTTM_GEM_EVICT, __u32),
				   &handle), 0);
	}
	{
		/* A buffer without handle and padding. */
		struct drm_vttm_gem_create args = { .size = 1, .domains = ALL_DOMAINS };
		char old[offsetof(struct drm_vttm_gem_create, handle)];

		memcpy(old, &args, sizeof(old));
		check_eq(drm_ioctl(gpu, DRM_IOWR(DRM_COMMAND_BASE + DRM_VTTM_GEM_CREATE,
						 char[sizeof(old)]), old), 0);
		memcpy(&args, old, sizeof(old));
		check_eq(args.size, PAGE);
	}
}

/* --- Numbers, VMs --- */

static void params(void)
{
	__u64 value;

	for (__u64 param = 0; param <= VTTM_PARAM_SUBMITS; param++)
		check_eq(vttm_param(gpu, param, &value), 0);
	check_eq(vttm_param(gpu, VTTM_PARAM_SUBMITS + 1, &value), -EINVAL);
	check_eq(vttm_param(gpu, 1ULL << 32, &value), -EINVAL);
	check_eq(vttm_param(gpu, ~0ULL, &value), -EINVAL);
	check(vttm_get(gpu, VTTM_PARAM_VRAM_SIZE) >= MIB);
	check(vttm_get(gpu, VTTM_PARAM_GTT_SIZE) >= MIB);
	check(vttm_get(gpu, VTTM_PARAM_PRIORITIES) >= 2);
	check_eq(vttm_get(gpu, VTTM_PARAM_BUFFERS), 0);
	check_eq(vttm_get(gpu, VTTM_PARAM_VRAM_USED), 0);
}

static void params_count(void)
{
	__u64 buffers = vttm_get(gpu, VTTM_PARAM_BUFFERS);
	__u64 submits = vttm_get(gpu, VTTM_PARAM_SUBMITS);
	__u64 moved = vttm_get(gpu, VTTM_PARAM_BYTES_MOVED);
	__u64 moves = vttm_get(gpu, VTTM_PARAM_MOVES);
	struct bo bo = make_bo(8 * PAGE, VTTM_DOMAIN_VRAM, 0);
	struct drm_vttm_submit_bo used = use(&bo, 0);

	check_eq(vttm_get(gpu, VTTM_PARAM_BUFFERS), buffers + 1);
	check_eq(submit(0, &used, 1, NULL, 0), 0);
	check_eq(vttm_get(gpu, VTTM_PARAM_SUBMITS), submits + 1);
	check_eq(vttm_finish(gpu, bo.handle), 0);
	fill(&bo, 1);
	check_eq(vttm_evict(gpu, bo.handle, 0), 0);
	check_eq(vttm_finish(gpu, bo.handle), 0);
	check(vttm_get(gpu, VTTM_PARAM_MOVES) > moves);
	check(vttm_get(gpu, VTTM_PARAM_BYTES_MOVED) >= moved + 8 * PAGE);
}

static void vms(void)
{
	__u32 first = make_vm(), second = make_vm(), handle;
	struct bo bo;

	check(first != second);
	check_eq(vttm_vm_destroy(gpu, 0), -ENOENT);
	check_eq(vttm_vm_destroy(gpu, BAD_HANDLE), -ENOENT);
	bo = make_bo(PAGE, ALL_DOMAINS, first);
	fill(&bo, 3);
	check_eq(vttm_vm_destroy(gpu, first), 0);
	check_eq(vttm_vm_destroy(gpu, first), -ENOENT);
	check_eq(vttm_create(gpu, PAGE, ALL_DOMAINS, 0, first, &handle), -ENOENT);
	check_eq(submit(first, NULL, 0, NULL, 0), -ENOENT);
	/* What it had stays. */
	check(holds(&bo, 3));
	check_eq(vttm_evict(gpu, bo.handle, 0), 0);
	check(holds(&bo, 3));
	check_eq(submit(second, NULL, 0, NULL, 0), 0);
}

static void vms_many(void)
{
	enum { MANY = 200 };
	__u32 ids[MANY];

	for (int i = 0; i < MANY; i++) {
		ids[i] = make_vm();
		make(PAGE, ALL_DOMAINS, ids[i]);
	}
	for (int i = 0; i < MANY; i += 2)
		check_eq(vttm_vm_destroy(gpu, ids[i]), 0);
	for (int i = 1; i < MANY; i += 2)
		check_eq(submit(ids[i], NULL, 0, NULL, 0), 0);
}

/* Those of another file are not ours. */
static void vms_of_others(void)
{
	int file = drm_open("vttm", 0);
	struct drm_vttm_gem_info what;
	__u32 vm = make_vm(), theirs, handle;
	__u32 ours = make(PAGE, ALL_DOMAINS, 0);

	check(file >= 0);
	check_eq(vttm_info(file, ours, &what), -ENOENT);
	check_eq(vttm_vm_create(file, &theirs), 0);
	check_eq(vttm_vm_destroy(file, vm + 1), -ENOENT);
	check_eq(vttm_create(file, PAGE, ALL_DOMAINS, 0, vm + 1, &handle), -ENOENT);
	close(file);
	check_eq(submit(vm, NULL, 0, NULL, 0), 0);
}

/* --- Buffers --- */

static int create_as(__u64 size, __u32 domains, __u32 priority, __u32 vm)
{
	__u32 handle;

	return vttm_create(gpu, size, domains, priority, vm, &handle);
}

static void create_bad(void)
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

/* Nowhere is room for that; and TTM counts pages in 32 bits. */
static void create_too_large(void)
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

static void create_says(void)
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

static void create_zeroed(void)
{
	static const __u32 domains[] = {
		VTTM_DOMAIN_VRAM, VTTM_DOMAIN_GTT, VTTM_DOMAIN_SYSTEM,
	};

	for (size_t i = 0; i < ARRAY_SIZE(domains); i++) {
		/* Twice: the second time, in what the first one left. */
		for (int again = 0; again < 2; again++) {
			struct bo bo = make_bo(64 * PAGE, domains[i], 0);

			for (__u64 n = 0; n < bo.size / 8; n++)
				check_eq(bo.map[n], 0);
			fill(&bo, 0x5555);
			bo_destroy(gpu, &bo);
		}
	}
}

static void create_in_domains(void)
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

static void map_bounds(void)
{
	struct drm_vttm_gem_mmap_offset args = { .handle = make(2 * PAGE, ALL_DOMAINS, 0) };
	int file = drm_open("vttm", 0);
	void *map;

	check_eq(drm_ioctl(gpu, DRM_IOCTL_VTTM_GEM_MMAP_OFFSET, &args), 0);
	map = mmap(NULL, 3 * PAGE, PROT_READ, MAP_SHARED, gpu, args.offset);
	check(map == MAP_FAILED && errno == EINVAL);
	/* Who has no handle has no map. */
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, args.offset);
	check(map == MAP_FAILED && errno == EACCES);
	map = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, gpu, args.offset);
	check(map != MAP_FAILED);
	drm_close_handle(gpu, args.handle);
	/* A map keeps its buffer. */
	memset(map, 1, 2 * PAGE);
}

static void map_partly(void)
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

/* --- Moving --- */

/* Of several places, the first one with room. */
static void move_first_choice(void)
{
	struct bo bo = make_bo(PAGE, ALL_DOMAINS, 0);

	fill(&bo, 1);
	check_eq(vttm_prefetch(gpu, bo.handle, 0), 0);
	check_eq(info(bo.handle).domain, VTTM_DOMAIN_VRAM);
	check_eq(vttm_prefetch(gpu, bo.handle, VTTM_DOMAIN_SYSTEM), 0);
	check_eq(vttm_prefetch(gpu, bo.handle, VTTM_DOMAIN_GTT | VTTM_DOMAIN_SYSTEM), 0);
	check_eq(info(bo.handle).domain, VTTM_DOMAIN_GTT);
}

static void move_bad(void)
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
	/* And from swap space by a touch. */
	check_eq(vttm_evict(gpu, bo.handle, VTTM_EVICT_SWAP_OUT), 0);
	check(holds(&bo, seed));
	check(info(bo.handle).moves > 0);
}

static void move_round_trip(void)
{
	round_trip(true, false, 0);
}

static void move_round_trip_unseen(void)
{
	round_trip(false, false, 0);
}

static void move_round_trip_gpu(void)
{
	round_trip(true, true, 0);
}

static void move_round_trip_vm(void)
{
	round_trip(true, true, make_vm());
}

/* From anywhere to swap space, and from there to anywhere; by whoever brings it back. */
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
		/* Busy buffers stay, and it isn't told. */
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

static void move_swap_prefetch(void)
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

static void move_swap_submit(void)
{
	swap_each(back_by_submit);
}

static void back_by_touch(struct bo *bo, __u32 to)
{
	check_eq(bo->map[1], bo->map[0] + 0x10001);
	back_by_prefetch(bo, to);
}

static void move_swap_touch(void)
{
	swap_each(back_by_touch);
}

static void move_evict_counts(void)
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

/* More than fits: the earlier ones make room, and hold what they held. */
static void move_overcommit(void)
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

/* Others that need VRAM don't stop who looks at his buffer. */
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

static void move_under_map(void)
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
static void move_under_writer(void)
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

static void madvise_kept(void)
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

/* When memory is short, which who drops caches says it is. */
static void madvise_purged(void)
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

/* --- The GPU's work --- */

static void submit_bad_bos(void)
{
	struct bo bo = make_bo(PAGE, ALL_DOMAINS, 0);
	struct bo in_system = make_bo(PAGE, VTTM_DOMAIN_SYSTEM, 0);
	struct drm_vttm_submit_bo good = use(&bo, 0), bad[2];
	struct state before;

	check_eq(vttm_prefetch(gpu, bo.handle, 0), 0);
	check_eq(vttm_finish(gpu, bo.handle), 0);
	before = state();
	check_eq(submit(0, NULL, 1, NULL, 0), -EFAULT);
	check_eq(submit(0, (void *)BAD_POINTER, 1, NULL, 0), -EFAULT);
	check_eq(submit(0, &good, VTTM_SUBMIT_MAX_BOS + 1, NULL, 0), -EINVAL);
	check_eq(submit(0, &good, ~0U, NULL, 0), -EINVAL);
	bad[0] = good;
	bad[1] = good;
	check_eq(submit(0, bad, 2, NULL, 0), -EINVAL);
	bad[0].handle = BAD_HANDLE;
	check_eq(submit(0, bad, 1, NULL, 0), -ENOENT);
	check_eq(submit(BAD_HANDLE, &good, 1, NULL, 0), -ENOENT);
	bad[0] = good;
	bad[0].pad = 1;
	check_eq(submit(0, bad, 1, NULL, 0), -EINVAL);
	bad[0] = good;
	bad[0].flags = VTTM_BO_WRITE << 1;
	check_eq(submit(0, bad, 1, NULL, 0), -EINVAL);
	bad[0] = good;
	bad[0].domains = VTTM_DOMAIN_SYSTEM;
	check_eq(submit(0, bad, 1, NULL, 0), -EINVAL);
	bad[0] = use(&in_system, 0);
	check_eq(submit(0, bad, 1, NULL, 0), -EINVAL);
	check_unchanged(before);
	check_eq(submit(0, &good, 1, NULL, 0), 0);
}

static void submit_foreign(void)
{
	__u32 vm = make_vm(), another = make_vm();
	struct bo ours = make_bo(PAGE, ALL_DOMAINS, vm);
	struct bo theirs = make_bo(PAGE, ALL_DOMAINS, another);
	struct bo shared = make_bo(PAGE, ALL_DOMAINS, 0);
	struct drm_vttm_submit_bo both[] = { use(&ours, 0), use(&theirs, 0) };
	struct drm_vttm_submit_bo fine[] = { use(&ours, 0), use(&shared, 0) };

	check_eq(submit(vm, both, 2, NULL, 0), -EINVAL);
	check_eq(submit(0, both, 1, NULL, 0), -EINVAL);
	check_eq(submit(vm, fine, 2, NULL, 0), 0);
}

static void submit_bad_ops(void)
{
	struct bo bo = make_bo(2 * PAGE, ALL_DOMAINS, 0);
	struct bo source = make_bo(2 * PAGE, ALL_DOMAINS, 0);
	struct drm_vttm_submit_bo bos[] = { use(&bo, VTTM_BO_WRITE), use(&source, 0) };
	const struct drm_vttm_op good_fill = fill_op(0, 0, PAGE, 1);
	const struct drm_vttm_op good_copy = copy_op(0, 1, PAGE);
	struct drm_vttm_op bad[22];
	int n = 0;
	struct state before;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		bad[i] = i < 11 ? good_fill : good_copy;
	bad[n++].op = VTTM_OP_COPY + 1;
	bad[n++].flags = 1;
	bad[n++].to = 2;
	bad[n++].to = 1;		/* not for writing */
	bad[n++].to_offset = 4;
	bad[n++].size = PAGE + 4;
	bad[n++].size = 2 * PAGE + 8;
	bad[n++].size = ~0ULL - 7;
	bad[n++].to_offset = ~0ULL - 7;
	bad[n++].from = 1;
	bad[n++].from_offset = 8;
	bad[n++].from = 2;
	bad[n++].flags = 1U << 31;
	bad[n++].from = ~0U;
	bad[n++].from_offset = 4;
	bad[n++].from_offset = PAGE + 8;
	bad[n++].from_offset = ~0ULL - 7;
	bad[n++].value = 1;
	bad[n++].step = 1;
	bad[n].from = 0;		/* onto itself */
	bad[n++].from_offset = 8;
	bad[n++].from = 0;
	bad[n++].size = 2 * PAGE + 8;

	fill(&bo, 1);
	fill(&source, 2);
	check_eq(vttm_prefetch(gpu, bo.handle, VTTM_DOMAIN_VRAM), 0);
	check_eq(vttm_prefetch(gpu, source.handle, VTTM_DOMAIN_VRAM), 0);
	check_eq(vttm_finish(gpu, bo.handle), 0);
	before = state();
	for (int i = 0; i < n; i++) {
		/* Behind one that is right, which must not be done, either. */
		struct drm_vttm_op ops[] = { fill_op(0, 0, PAGE, 99), bad[i] };

		if (submit(0, bos, 2, ops, 2) != -EINVAL)
			ktap_fail(__FILE__, __LINE__, "operation %d is taken", i);
	}
	check_eq(submit(0, bos, 2, NULL, 1), -EFAULT);
	check_eq(submit(0, bos, 2, (void *)BAD_POINTER, 1), -EFAULT);
	check_eq(submit(0, bos, 2, &good_fill, VTTM_SUBMIT_MAX_OPS + 1), -EINVAL);
	check_eq(submit(0, bos, 2, &good_fill, ~0U), -EINVAL);
	check_eq(submit(0, NULL, 0, &good_fill, 1), -EINVAL);
	check_unchanged(before);
	check(holds(&bo, 1));
	check(holds(&source, 2));
}

static void submit_fill(void)
{
	struct bo bo = make_bo(16 * PAGE, ALL_DOMAINS, 0);
	struct drm_vttm_submit_bo used = use(&bo, VTTM_BO_WRITE);
	struct drm_vttm_op op = fill_op(0, 0, bo.size, 0x77);

	check_eq(submit(0, &used, 1, &op, 1), 0);
	check_eq(vttm_finish(gpu, bo.handle), 0);
	check(holds(&bo, 0x77));

	/* A part, and not a word more. */
	op = fill_op(0, PAGE - 8, 16, 5);
	check_eq(submit(0, &used, 1, &op, 1), 0);
	check_eq(vttm_finish(gpu, bo.handle), 0);
	check_eq(bo.map[PAGE / 8 - 2], 0x77 + (PAGE / 8 - 2) * 0x10001);
	check_eq(bo.map[PAGE / 8 - 1], 5);
	check_eq(bo.map[PAGE / 8], 5 + 0x10001);
	check_eq(bo.map[PAGE / 8 + 1], 0x77 + (PAGE / 8 + 1) * 0x10001);

	/* Nothing at all is fine, too. */
	op = fill_op(0, 0, 0, 5);
	check_in(submit(0, &used, 1, &op, 1), 0, -EINVAL);
}

/* One after the other, whatever the place of each. */
static void submit_in_order(void)
{
	enum { STEPS = 50 };
	struct bo bos[3];
	struct drm_vttm_submit_bo used[3];
	struct drm_vttm_op ops[STEPS * 2];

	for (int i = 0; i < 3; i++) {
		bos[i] = make_bo(4 * PAGE, ALL_DOMAINS, 0);
		used[i] = use(&bos[i], VTTM_BO_WRITE);
	}
	used[1].domains = VTTM_DOMAIN_GTT;
	for (int i = 0; i < STEPS; i++) {
		ops[2 * i] = fill_op(i % 3, 0, 4 * PAGE, i);
		ops[2 * i + 1] = copy_op((i + 1) % 3, i % 3, 4 * PAGE);
	}
	check_eq(submit(0, used, 3, ops, 2 * STEPS), 0);
	check_eq(info(bos[1].handle).domain, VTTM_DOMAIN_GTT);
	for (int i = 0; i < 3; i++)
		check_eq(vttm_finish(gpu, bos[i].handle), 0);
	check(holds(&bos[(STEPS - 1) % 3], STEPS - 1));
	check(holds(&bos[STEPS % 3], STEPS - 1));
}

/* Submits that use the same buffers wait for each other. */
static void submit_implicit_order(void)
{
	enum { STEPS = 100 };
	struct bo a = make_bo(8 * PAGE, ALL_DOMAINS, 0);
	struct bo b = make_bo(8 * PAGE, ALL_DOMAINS, 0);
	struct drm_vttm_submit_bo one = use(&a, VTTM_BO_WRITE);
	struct drm_vttm_submit_bo both[] = { use(&a, 0), use(&b, VTTM_BO_WRITE) };
	struct drm_vttm_op copy = copy_op(1, 0, 8 * PAGE);

	for (int i = 0; i < STEPS; i++) {
		struct drm_vttm_op op = fill_op(0, 0, 8 * PAGE, i);

		check_eq(submit(0, &one, 1, &op, 1), 0);
		check_eq(submit(0, both, 2, &copy, 1), 0);
		if (i % 10 == 0) {
			check_eq(vttm_finish(gpu, b.handle), 0);
			check(holds(&b, i));
		}
	}
	check_eq(vttm_finish(gpu, b.handle), 0);
	check(holds(&b, STEPS - 1));
}

/* It takes as many buffers as it may, and all of them fit. */
static void submit_many(void)
{
	static struct drm_vttm_submit_bo used[VTTM_SUBMIT_MAX_BOS];
	static struct drm_vttm_op ops[VTTM_SUBMIT_MAX_OPS];
	__u32 vm = make_vm();

	for (__u32 i = 0; i < VTTM_SUBMIT_MAX_BOS; i++) {
		used[i].handle = make(PAGE, ALL_DOMAINS, i % 2 ? vm : 0);
		used[i].flags = VTTM_BO_WRITE;
	}
	for (__u32 i = 0; i < VTTM_SUBMIT_MAX_OPS; i++)
		ops[i] = fill_op(i % VTTM_SUBMIT_MAX_BOS, 0, 64, i);
	check_eq(submit(vm, used, VTTM_SUBMIT_MAX_BOS, ops, VTTM_SUBMIT_MAX_OPS), 0);
	check_eq(vttm_finish(gpu, used[0].handle), 0);
}

/* More than VRAM and GTT hold at once can't be had, and nothing is lost by asking. */
static void submit_too_much(void)
{
	enum { COUNT = 40 };
	__u64 size = (vttm_get(gpu, VTTM_PARAM_VRAM_SIZE) +
		      vttm_get(gpu, VTTM_PARAM_GTT_SIZE)) / 32;
	struct drm_vttm_submit_bo used[COUNT];
	struct bo bos[COUNT];

	for (int i = 0; i < COUNT; i++) {
		bos[i] = make_bo(size, ALL_DOMAINS, 0);
		fill(&bos[i], i);
		used[i] = use(&bos[i], 0);
	}
	check_eq(submit(0, used, COUNT, NULL, 0), -ENOSPC);
	for (int i = 0; i < COUNT; i++)
		check(holds(&bos[i], i));
	check_eq(submit(0, used, COUNT / 4, NULL, 0), 0);
}

/*
 * A thousand small buffers all over VRAM, and one that needs most of it in one piece:
 * together they fit, but not where the small ones are.
 */
static void submit_scattered(__u32 vm)
{
	enum { SMALL = 1000 };
	static struct drm_vttm_submit_bo used[SMALL + 1];
	__u64 vram = vttm_get(gpu, VTTM_PARAM_VRAM_SIZE);
	__u64 gap = vram / SMALL / PAGE * PAGE - PAGE;
	__u64 first = vram, last = 0;
	__u32 gaps[SMALL];

	for (int i = 0; i < SMALL; i++) {
		used[i].handle = make(PAGE, VTTM_DOMAIN_VRAM, vm);
		used[i].flags = 0;
		check_eq(vttm_prefetch(gpu, used[i].handle, 0), 0);
		gaps[i] = make(gap, VTTM_DOMAIN_VRAM, vm);
		check_eq(vttm_prefetch(gpu, gaps[i], 0), 0);
	}
	for (int i = 0; i < SMALL; i++) {
		__u64 start = info(used[i].handle).start;

		first = start < first ? start : first;
		last = start > last ? start : last;
		check_eq(drm_close_handle(gpu, gaps[i]), 0);
	}
	check(last - first > vram / 8 * 7);

	used[SMALL].handle = make(vram / 8 * 5, VTTM_DOMAIN_VRAM, vm);
	check_eq(submit(vm, used, SMALL + 1, NULL, 0), 0);
	for (int i = 0; i <= SMALL; i++)
		check_eq(info(used[i].handle).domain, VTTM_DOMAIN_VRAM);
}

static void submit_scattered_loose(void)
{
	submit_scattered(0);
}

static void submit_scattered_vm(void)
{
	submit_scattered(make_vm());
}

/* --- Fences --- */

static void fence_bad(void)
{
	struct bo bo = make_bo(PAGE, ALL_DOMAINS, 0);
	struct drm_vttm_submit_bo used = use(&bo, 0);
	struct drm_vttm_submit args = {
		.flags = VTTM_SUBMIT_FENCE_IN,
		.bos = (uintptr_t)&used,
		.bo_count = 1,
		.fence_fd = -1,
	};
	int not_a_fence = open("/dev/null", O_RDWR);

	check_in(drm_ioctl(gpu, DRM_IOCTL_VTTM_SUBMIT, &args), -EINVAL, -EBADF);
	args.fence_fd = not_a_fence;
	check_in(drm_ioctl(gpu, DRM_IOCTL_VTTM_SUBMIT, &args), -EINVAL, -EBADF);
	/* Nothing came of it. */
	check_eq(vttm_wait(gpu, bo.handle, 0, 0), 0);
}

static void fence_out(void)
{
	int line = timeline(), out;
	struct bo bo = make_bo(PAGE, ALL_DOMAINS, 0);
	struct drm_vttm_submit_bo used = use(&bo, VTTM_BO_WRITE);
	struct drm_vttm_op op = fill_op(0, 0, PAGE, 3);
	struct drm_vttm_submit args = {
		.flags = VTTM_SUBMIT_FENCE_IN | VTTM_SUBMIT_FENCE_OUT,
		.bos = (uintptr_t)&used,
		.ops = (uintptr_t)&op,
		.bo_count = 1,
		.op_count = 1,
		.fence_fd = fence_at(line, 1),
	};
	struct sync_file_info about = {};
	int in = args.fence_fd;

	check_eq(drm_ioctl(gpu, DRM_IOCTL_VTTM_SUBMIT, &args), 0);
	out = args.fence_fd;
	check(out >= 0 && out != in);
	check(fcntl(out, F_GETFD) & FD_CLOEXEC);
	check(!is_signaled(out, 20));
	check(info(bo.handle).state & VTTM_STATE_BUSY);
	check_eq(ioctl(out, SYNC_IOC_FILE_INFO, &about), 0);
	check_eq(about.status, 0);
	check_eq(about.num_fences, 1);
	advance(line, 1);
	check(is_signaled(out, -1));
	about = (struct sync_file_info){};
	check_eq(ioctl(out, SYNC_IOC_FILE_INFO, &about), 0);
	check_eq(about.status, 1);
	check(holds(&bo, 3));
}

/* A file that goes before the GPU is done. */
static void fence_of_closed(void)
{
	int line = timeline(), file = drm_open("vttm", 0);
	struct bo bo;
	struct drm_vttm_submit_bo used;
	struct drm_vttm_submit args = {
		.flags = VTTM_SUBMIT_FENCE_IN | VTTM_SUBMIT_FENCE_OUT,
		.bos = (uintptr_t)&used,
		.bo_count = 1,
		.fence_fd = fence_at(line, 1),
	};

	check(file >= 0);
	check_eq(bo_create(file, &bo, PAGE, ALL_DOMAINS, 0, 0), 0);
	used = use(&bo, 0);
	check_eq(drm_ioctl(file, DRM_IOCTL_VTTM_SUBMIT, &args), 0);
	munmap(bo.map, bo.size);
	close(file);
	check(!is_signaled(args.fence_fd, 20));
	advance(line, 1);
	check(is_signaled(args.fence_fd, -1));
}

/*
 * Another client waits for a fence that isn't signaled. That holds up nobody else,
 * whose buffers come and go, and who needs the memory that there is.
 */
static void fence_of_others(void)
{
	int line = timeline(), fence = fence_at(line, 1);
	__u64 vram = vttm_get(gpu, VTTM_PARAM_VRAM_SIZE);
	int mine = gpu, theirs = drm_open("vttm", 0);
	__u32 vm;
	struct bo bo, stuck, member;

	check(theirs >= 0);
	gpu = theirs;
	vm = make_vm();
	stuck = make_bo(vram / 4, GPU_DOMAINS, 0);
	member = make_bo(PAGE, GPU_DOMAINS, vm);
	check_eq(vttm_prefetch(gpu, stuck.handle, VTTM_DOMAIN_VRAM), 0);
	keep_busy(&stuck, VTTM_BO_WRITE, fence);
	keep_busy_in(vm, &member, VTTM_BO_WRITE, fence);
	/* More of the same, one behind the other. */
	keep_busy(&stuck, VTTM_BO_WRITE, fence);

	gpu = mine;
	for (int i = 0; i < 3; i++) {
		struct drm_vttm_submit_bo used;
		struct drm_vttm_op op = fill_op(0, 0, PAGE, i);

		bo = make_bo(vram / 8 * 7, ALL_DOMAINS, 0);
		check_eq(vttm_prefetch(gpu, bo.handle, VTTM_DOMAIN_SYSTEM), 0);
		used = use(&bo, VTTM_BO_WRITE);
		check_eq(submit(0, &used, 1, &op, 1), 0);
		check_eq(vttm_finish(gpu, bo.handle), 0);
		check_eq(bo.map[1], i + 0x10001);
		bo_destroy(gpu, &bo);

		bo = make_bo(vram / 2, VTTM_DOMAIN_VRAM, 0);
		used = use(&bo, VTTM_BO_WRITE);
		check_eq(submit(0, &used, 1, &op, 1), 0);
		check_eq(vttm_finish(gpu, bo.handle), 0);
		check_eq(vttm_evict(gpu, bo.handle, 0), 0);
		check_eq(bo.map[1], i + 0x10001);
		bo_destroy(gpu, &bo);
	}
	/* Where there is no other room, it is waited for, but not without end. */
	gpu = mine;
	bo = make_bo(vram / 8 * 7, VTTM_DOMAIN_VRAM, 0);
	check_eq(vttm_prefetch(gpu, bo.handle, 0), -ENOSPC);
	bo_destroy(gpu, &bo);
	/* They still wait, each for itself. */
	check_eq(vttm_wait(theirs, stuck.handle, 0, 0), -ETIME);
	check_eq(vttm_wait(theirs, member.handle, 0, 0), -ETIME);
	advance(line, 1);
	check_eq(vttm_finish(theirs, stuck.handle), 0);
	check_eq(vttm_finish(theirs, member.handle), 0);
	munmap(stuck.map, stuck.size);
	munmap(member.map, member.size);
	close(theirs);
}

static void *advance_soon(void *line)
{
	usleep(100000);
	advance(*(int *)line, 1);
	return NULL;
}

/* Another client's late work ends, and so there is room. */
static void fence_room_of_others(void)
{
	int line = timeline();
	__u64 vram = vttm_get(gpu, VTTM_PARAM_VRAM_SIZE);
	struct bo busy = make_bo(vram / 4 * 3, GPU_DOMAINS, 0);
	struct bo bo = make_bo(vram / 4 * 3, VTTM_DOMAIN_VRAM, 0);
	struct drm_vttm_submit_bo used = use(&bo, VTTM_BO_WRITE);
	pthread_t thread;

	check_eq(vttm_prefetch(gpu, busy.handle, VTTM_DOMAIN_VRAM), 0);
	keep_busy(&busy, VTTM_BO_WRITE, fence_at(line, 1));
	check_eq(pthread_create(&thread, NULL, advance_soon, &line), 0);
	check_eq(submit(0, &used, 1, NULL, 0), 0);
	check_eq(info(bo.handle).domain, VTTM_DOMAIN_VRAM);
	pthread_join(thread, NULL);
}

/* Late work is done in its order, and what it waits for may be late itself. */
static void fence_late_in_order(void)
{
	int line = timeline(), fences[2] = { fence_at(line, 1), fence_at(line, 2) };
	struct bo a = make_bo(16 * PAGE, GPU_DOMAINS, 0);
	struct bo b = make_bo(16 * PAGE, GPU_DOMAINS, 0);
	struct drm_vttm_submit_bo both[] = { use(&a, 0), use(&b, VTTM_BO_WRITE) };
	struct drm_vttm_submit_bo used = use(&a, VTTM_BO_WRITE);
	struct drm_vttm_op fill_a = fill_op(0, 0, a.size, 1);
	struct drm_vttm_op copy = copy_op(1, 0, a.size);

	keep_busy(&a, VTTM_BO_WRITE, fences[1]);
	check_eq(submit(0, &used, 1, &fill_a, 1), 0);
	keep_busy(&b, VTTM_BO_WRITE, fences[0]);
	check_eq(submit(0, both, 2, &copy, 1), 0);
	/* Without tasks that copy, this would wait. */
	if (vttm_get(gpu, VTTM_PARAM_COPY_DELAY_US))
		check_eq(vttm_evict(gpu, b.handle, 0), 0);
	fill_a.value = 2;
	check_eq(submit(0, &used, 1, &fill_a, 1), 0);

	check_eq(vttm_wait(gpu, b.handle, 0, 0), -ETIME);
	advance(line, 1);
	check_eq(vttm_wait(gpu, b.handle, 0, 0), -ETIME);
	advance(line, 1);
	check_eq(vttm_finish(gpu, a.handle), 0);
	check(holds(&b, 1));
	check(holds(&a, 2));
}

/*
 * A VM has work to do that takes long. That is no reason to wait before a buffer that
 * was not used yet is placed: nobody can be using it.
 */
static void fence_of_vm(void)
{
	int line = timeline();
	__u32 vm = make_vm();
	struct bo busy = make_bo(PAGE, GPU_DOMAINS, vm);
	struct bo fresh = make_bo(16 * PAGE, VTTM_DOMAIN_VRAM, vm);
	struct bo pages = make_bo(16 * PAGE, VTTM_DOMAIN_GTT, vm);
	struct bo touched = make_bo(16 * PAGE, VTTM_DOMAIN_GTT, vm);
	struct drm_vttm_submit_bo used[] = {
		use(&fresh, 0), use(&pages, 0), use(&touched, 0),
	};

	fill(&touched, 1);
	keep_busy_in(vm, &busy, VTTM_BO_WRITE, fence_at(line, 1));
	check_eq(submit(vm, used, ARRAY_SIZE(used), NULL, 0), 0);
	check_eq(info(fresh.handle).domain, VTTM_DOMAIN_VRAM);
	check_eq(info(pages.handle).domain, VTTM_DOMAIN_GTT);
	check_eq(info(touched.handle).domain, VTTM_DOMAIN_GTT);
	check_eq(vttm_wait(gpu, busy.handle, 0, 0), -ETIME);
	for (__u64 i = 0; i < fresh.size / 8; i++)
		check_eq(fresh.map[i] | pages.map[i], 0);
	check(holds(&touched, 1));
	advance(line, 1);
	check_eq(vttm_finish(gpu, busy.handle), 0);
}

static void wait_times_out(void)
{
	int line = timeline();
	struct bo bo = make_bo(PAGE, ALL_DOMAINS, 0);

	check_eq(vttm_wait(gpu, bo.handle, 0, INT64_MAX), 0);
	keep_busy(&bo, VTTM_BO_WRITE, fence_at(line, 1));
	check_eq(vttm_wait(gpu, bo.handle, 0, 0), -ETIME);
	check_eq(vttm_wait(gpu, bo.handle, 0, -1), -ETIME);
	check_eq(vttm_wait(gpu, bo.handle, VTTM_WAIT_WRITES, 0), -ETIME);
	check_eq(vttm_wait(gpu, bo.handle, 0, now_ns() + 20000000), -ETIME);
	check(info(bo.handle).state & VTTM_STATE_BUSY);
	advance(line, 1);
	check_eq(vttm_wait(gpu, bo.handle, 0, INT64_MAX), 0);
	check_eq(vttm_wait(gpu, bo.handle, 0, 0), 0);
	check(!(info(bo.handle).state & VTTM_STATE_BUSY));
}

static void wait_for_writes(void)
{
	int line = timeline();
	struct bo bo = make_bo(PAGE, ALL_DOMAINS, 0);

	check_eq(vttm_prefetch(gpu, bo.handle, VTTM_DOMAIN_VRAM), 0);
	check_eq(vttm_finish(gpu, bo.handle), 0);
	keep_busy(&bo, 0, fence_at(line, 1));
	check_eq(vttm_wait(gpu, bo.handle, VTTM_WAIT_WRITES, 0), 0);
	check_eq(vttm_wait(gpu, bo.handle, 0, 0), -ETIME);
	advance(line, 1);
	check_eq(vttm_finish(gpu, bo.handle), 0);
}

static void wait_is_killed(void)
{
	int line = timeline(), status;
	struct bo bo = make_bo(PAGE, ALL_DOMAINS, 0);
	pid_t pid;

	keep_busy(&bo, VTTM_BO_WRITE, fence_at(line, 1));
	pid = fork();
	if (!pid) {
		vttm_finish(gpu, bo.handle);
		_exit(0);
	}
	usleep(50000);
	kill(pid, SIGKILL);
	check_eq(waitpid(pid, &status, 0), pid);
	check(WIFSIGNALED(status));
	advance(line, 1);
	check_eq(vttm_finish(gpu, bo.handle), 0);
}

/* A busy buffer is not evicted; one that is idle is. */
static void busy_stays(void)
{
	int line = timeline();
	struct bo busy = make_bo(PAGE, ALL_DOMAINS, 0);
	struct drm_vttm_gem_info before;

	check_eq(vttm_prefetch(gpu, busy.handle, VTTM_DOMAIN_VRAM), 0);
	check_eq(vttm_finish(gpu, busy.handle), 0);
	keep_busy(&busy, VTTM_BO_WRITE, fence_at(line, 1));
	before = info(busy.handle);
	check_eq(before.domain, VTTM_DOMAIN_VRAM);
	drm_close_handle(gpu, busy.handle);
	munmap(busy.map, busy.size);
	check(vttm_get(gpu, VTTM_PARAM_BUFFERS) >= 1);
	advance(line, 1);
	check_eq(vttm_drained(gpu), 0);
}

/* --- The LRU lists --- */

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

/* Where in the list it is; it must be there once. */
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

static void lru_bad(void)
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

static void lru_capacity(void)
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
	/* More than there are: that much room need not exist. */
	args.capacity = 1 << 20;
	args.chunk = 0;
	args.entries = (uintptr_t)malloc(10 * sizeof(entries[0]));
	check_eq(drm_ioctl(gpu, DRM_IOCTL_VTTM_LRU_WALK, &args), 0);
	check_eq(args.count, 10);
}

static void lru_entries(void)
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
static void lru_priorities(void)
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

static void lru_submit_to_tail(void)
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

/* A VM's buffers go to the tail together, those that weren't named as well. */
static void lru_bulk_to_tail(void)
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

static void lru_chunks_agree(void)
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

/* All that isn't used leaves in the list's order when room is needed. */
static void lru_evicts_in_order(void)
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

/* --- Moves that follow from use --- */

/* Bytes that moved buffers have left in a domain, and that aren't free yet. */
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
 * A little more than VRAM holds, used in turn: each comes out of pages, which stay
 * until it has been copied. They must not pile up.
 */
static void move_leaves_little(void)
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

/* Uses @bo, whose content doesn't matter. Returns the domain that it is in. */
static __u32 use_once(const struct bo *bo)
{
	struct drm_vttm_submit_bo used = use(bo, VTTM_BO_WRITE);

	check_eq(submit(0, &used, 1, NULL, 0), 0);
	return info(bo->handle).domain;
}

/* One that isn't used has VRAM, and another one is used where there is room. */
static void move_hot(void)
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

/* Two are used in turn, and VRAM has room for one. They don't drive each other out. */
static void move_both_hot(void)
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
	/* An LRU would move both each time. */
	printf("# %llu of %llu MiB were moved\n", (unsigned long long)(moved / MIB),
	       (unsigned long long)(2 * TIMES * 2 * a.size / MIB));
	check(moved < 2 * TIMES * 2 * a.size / 20);
}

/* One that is used now and then has VRAM, and keeps it beside one that is used more. */
static void move_beside_busy(void)
{
	enum { ROUNDS = 20, TIMES = 20 };
	__u64 vram = vttm_get(gpu, VTTM_PARAM_VRAM_SIZE), moves;
	struct bo slow = make_bo(vram / 4 * 3, GPU_DOMAINS, 0);
	struct bo fast = make_bo(vram / 2, GPU_DOMAINS, 0);
	struct bo other = make_bo(PAGE, GPU_DOMAINS, 0);

	/* So it is known how long its pauses are. */
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

/* --- Sharing --- */

static void prime_bad(void)
{
	struct bo local = make_bo(PAGE, ALL_DOMAINS, make_vm());
	__u32 handle;
	int not_a_buffer = open("/dev/null", O_RDWR);

	check_in(drm_export(gpu, local.handle), -EPERM, -EINVAL);
	check_eq(drm_export(gpu, BAD_HANDLE), -ENOENT);
	check_eq(drm_import(gpu, -1, &handle), -EBADF);
	check_eq(drm_import(gpu, not_a_buffer, &handle), -EINVAL);
}

static void prime_self(void)
{
	__u32 ours = make(PAGE, ALL_DOMAINS, 0), again, theirs;
	int file = drm_open("vttm", 0), dma_buf = drm_export(gpu, ours);
	struct drm_vttm_gem_info what;

	check(dma_buf >= 0);
	check_eq(drm_import(gpu, dma_buf, &again), 0);
	check_eq(again, ours);
	/* Another file of the same GPU has the buffer itself. */
	check_eq(drm_import(file, dma_buf, &theirs), 0);
	check_eq(vttm_info(file, theirs, &what), 0);
	check_eq(what.id, info(ours).id);
	check(!(what.state & VTTM_STATE_IMPORTED));
}

/* The buffer @handle of @from in @to, whose program sees what the first one wrote. */
static void prime_to_vttm(int to, int dma_buf, __u64 *map, __u64 size)
{
	struct drm_vttm_gem_info what;
	struct drm_vttm_submit_bo used[2];
	struct drm_vttm_op op;
	struct bo theirs, copy;
	void *seen;

	check(dma_buf >= 0);
	check_eq(drm_import(to, dma_buf, &theirs.handle), 0);
	theirs.size = size;
	check_eq(vttm_info(to, theirs.handle, &what), 0);
	check_eq(what.size, size);
	check(what.state & VTTM_STATE_IMPORTED);
	check_eq(bo_create(to, &copy, size, ALL_DOMAINS, 0, 0), 0);

	/* The GPU reads it, and writes to it. */
	for (__u64 i = 0; i < size / 8; i++)
		map[i] = 0xabc + i * 0x10001;
	used[0] = use(&theirs, 0);
	used[1] = use(&copy, VTTM_BO_WRITE);
	op = copy_op(1, 0, size);
	check_eq(vttm_submit(to, 0, used, 2, &op, 1), 0);
	check_eq(vttm_finish(to, copy.handle), 0);
	check(holds(&copy, 0xabc));
	used[0].flags = VTTM_BO_WRITE;
	op = fill_op(0, 0, size, 0xdef);
	check_eq(vttm_submit(to, 0, used, 1, &op, 1), 0);
	check_eq(vttm_finish(to, theirs.handle), 0);
	check_eq(map[0], 0xdef);
	check_eq(map[size / 8 - 1], 0xdef + (size / 8 - 1) * 0x10001);

	/* If it can be mapped there, it is the same memory. */
	if (!vttm_map(to, theirs.handle, size, &seen)) {
		theirs.map = seen;
		check(holds(&theirs, 0xdef));
		munmap(seen, size);
	}
	bo_destroy(to, &copy);
	/* Nothing of this takes it where it can't be. */
	vttm_evict(to, theirs.handle, VTTM_EVICT_SWAP_OUT);
	vttm_evict(to, theirs.handle, 0);
	check_eq(map[0], 0xdef);
	check(vttm_prefetch(to, theirs.handle, VTTM_DOMAIN_VRAM) < 0);
	check_eq(drm_close_handle(to, theirs.handle), 0);
	check_eq(map[0], 0xdef);
}

static void prime_between(void)
{
	struct bo bo = make_bo(16 * PAGE, ALL_DOMAINS, 0);

	prime_to_vttm(other, drm_export(gpu, bo.handle), bo.map, bo.size);
	/* It is pinned until the other GPU has given it back. */
	check_eq(vttm_drained(other), 0);
	/* The same in VRAM, from where it has to come first. */
	check_eq(vttm_prefetch(gpu, bo.handle, VTTM_DOMAIN_VRAM), 0);
	prime_to_vttm(other, drm_export(gpu, bo.handle), bo.map, bo.size);
}

/* What another GPU uses stays where it is, and is of use there. */
static void prime_stays(void)
{
	struct bo bo = make_bo(4 * PAGE, ALL_DOMAINS, 0);
	struct drm_vttm_submit_bo used = use(&bo, VTTM_BO_WRITE);
	struct drm_vttm_op op = fill_op(0, 0, bo.size, 5);
	struct drm_vttm_gem_info what;
	__u32 theirs;

	check_eq(drm_import(other, drm_export(gpu, bo.handle), &theirs), 0);
	check_eq(vttm_info(gpu, bo.handle, &what), 0);
	check_eq(what.domain, VTTM_DOMAIN_GTT);
	check_eq(vttm_prefetch(gpu, bo.handle, VTTM_DOMAIN_VRAM), -EBUSY);
	check_eq(vttm_evict(gpu, bo.handle, 0), -EBUSY);
	check_eq(vttm_prefetch(gpu, bo.handle, 0), 0);
	check_eq(vttm_submit(gpu, 0, &used, 1, &op, 1), 0);
	check_eq(vttm_finish(gpu, bo.handle), 0);
	check(holds(&bo, 5));
	check_eq(drm_close_handle(other, theirs), 0);
}

static void prime_outlives(void)
{
	__u32 handle, theirs;
	int file = drm_open("vttm", 0), dma_buf;
	struct bo bo = { .size = 4 * PAGE };
	void *map;

	check_eq(vttm_create(file, bo.size, ALL_DOMAINS, 0, 0, &handle), 0);
	check_eq(vttm_map(file, handle, bo.size, &map), 0);
	bo.map = map;
	fill(&bo, 4);
	munmap(map, bo.size);
	dma_buf = drm_export(file, handle);
	check(dma_buf >= 0);
	check_eq(drm_import(other, dma_buf, &theirs), 0);
	close(file);
	bo.map = mmap(NULL, bo.size, PROT_READ, MAP_SHARED, dma_buf, 0);
	if (bo.map != MAP_FAILED)
		check(holds(&bo, 4));
	close(dma_buf);
	check_eq(drm_close_handle(other, theirs), 0);
}

static void prime_udmabuf(void)
{
	struct udmabuf_create args = { .flags = UDMABUF_FLAGS_CLOEXEC, .size = 8 * PAGE };
	int dev = open("/dev/udmabuf", O_RDWR);
	__u64 *map;

	if (dev < 0)
		ktap_skip("there is no udmabuf");
	args.memfd = memfd_create("vttm-test", MFD_ALLOW_SEALING);
	check_eq(ftruncate(args.memfd, args.size), 0);
	check_eq(fcntl(args.memfd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	map = mmap(NULL, args.size, PROT_READ | PROT_WRITE, MAP_SHARED, args.memfd, 0);
	check(map != MAP_FAILED);
	prime_to_vttm(gpu, ioctl(dev, UDMABUF_CREATE, &args), map, args.size);
}

static void prime_heap(void)
{
	struct dma_heap_allocation_data args = {
		.len = 8 * PAGE,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	int heap = open("/dev/dma_heap/system", O_RDWR);
	__u64 *map;

	if (heap < 0)
		ktap_skip("there is no heap");
	check_eq(ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &args), 0);
	map = mmap(NULL, args.len, PROT_READ | PROT_WRITE, MAP_SHARED, args.fd, 0);
	check(map != MAP_FAILED);
	prime_to_vttm(gpu, args.fd, map, args.len);
}

static int open_vgem(void)
{
	int vgem = drm_open_card("vgem");

	if (vgem < 0)
		ktap_skip("there is no vgem");
	return vgem;
}

static void prime_from_vgem(void)
{
	int vgem = open_vgem(), dma_buf;
	struct drm_mode_create_dumb args = { .width = 1024, .height = 8, .bpp = 32 };
	__u64 *map;

	check_eq(drm_ioctl(vgem, DRM_IOCTL_MODE_CREATE_DUMB, &args), 0);
	dma_buf = drm_export(vgem, args.handle);
	check(dma_buf >= 0);
	map = mmap(NULL, args.size, PROT_READ | PROT_WRITE, MAP_SHARED, dma_buf, 0);
	check(map != MAP_FAILED);
	prime_to_vttm(gpu, dma_buf, map, args.size);
}

static void prime_to_vgem(void)
{
	int vgem = open_vgem(), dma_buf;
	struct bo bo = make_bo(4 * PAGE, ALL_DOMAINS, 0);
	__u32 handle;

	fill(&bo, 8);
	dma_buf = drm_export(gpu, bo.handle);
	check(dma_buf >= 0);
	check_eq(drm_import(vgem, dma_buf, &handle), 0);
	check(holds(&bo, 8));
	check_eq(drm_close_handle(vgem, handle), 0);
	check_eq(vttm_prefetch(gpu, bo.handle, VTTM_DOMAIN_VRAM), 0);
	check(holds(&bo, 8));
}

/* --- What is told of it elsewhere --- */

/* The sum of the lines that begin with @key, in KiB, in the fdinfo of @fd. */
static long long fdinfo(int fd, const char *key)
{
	char path[64], line[256];
	long long sum = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "r");
	check(file);
	while (fgets(line, sizeof(line), file)) {
		unsigned long long value;
		char unit[8] = "";

		if (strncmp(line, key, strlen(key)) || line[strlen(key)] != ':')
			continue;
		check(sscanf(line + strlen(key) + 1, "%llu %7s", &value, unit) >= 1);
		if (!strcmp(unit, "MiB"))
			value <<= 10;
		else if (strcmp(unit, "KiB"))
			value >>= 10;
		sum = (sum < 0 ? 0 : sum) + value;
	}
	fclose(file);
	return sum;
}

static bool fdinfo_says(int fd, const char *wanted)
{
	char path[64], line[256];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "r");
	check(file);
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		found = found || !strcmp(line, wanted);
	}
	fclose(file);
	return found;
}

static void fdinfo_adds_up(void)
{
	const int count = 8;
	long long kib = 16 * PAGE / 1024;
	struct bo bos[8];
	int file = drm_open("vttm", 0);

	check(fdinfo_says(gpu, "drm-driver:\tvttm"));
	for (int i = 0; i < count; i++) {
		bos[i] = make_bo(16 * PAGE, ALL_DOMAINS, 0);
		check_eq(vttm_prefetch(gpu, bos[i].handle, VTTM_DOMAIN_VRAM), 0);
		check_eq(vttm_finish(gpu, bos[i].handle), 0);
	}
	check_eq(fdinfo(gpu, "drm-total-vram"), count * kib);
	check_eq(fdinfo(gpu, "drm-resident-vram"), count * kib);
	/* A client has only what is its own. */
	check(fdinfo(file, "drm-total-vram") <= 0);
	for (int i = 0; i < count / 2; i++)
		check_eq(vttm_prefetch(gpu, bos[i].handle, VTTM_DOMAIN_GTT), 0);
	check_eq(fdinfo(gpu, "drm-resident-vram"), count / 2 * kib);
	check_eq(fdinfo(gpu, "drm-resident-gtt"), count / 2 * kib);
	check(drm_export(gpu, bos[count - 1].handle) >= 0);
	check_eq(fdinfo(gpu, "drm-shared-vram"), kib);
}

static void debugfs_shows(void)
{
	static const char format[] = "buddy: %llu of %llu bytes free";
	__u64 size = vttm_get(gpu, VTTM_PARAM_VRAM_SIZE), free = 0, all = 0;
	__u32 handle = make(PAGE, ALL_DOMAINS, 0);
	/* VRAM is TTM's memory type 2. */
	FILE *file = fopen("/sys/kernel/debug/vttm.0/managers/memory2", "r");
	bool found = false;
	char line[256];

	check(file);
	check_eq(vttm_prefetch(gpu, handle, VTTM_DOMAIN_VRAM), 0);
	while (fgets(line, sizeof(line), file))
		found = found || sscanf(line, format, &free, &all) == 2;
	check(found);
	check_eq(all, size);
	check_eq(free, size - PAGE);
}

/* --- Going away --- */

static int rmmod(void)
{
	return syscall(SYS_delete_module, "vttm", O_NONBLOCK) ? -errno : 0;
}

static void rmmod_refused(void)
{
	struct bo bo = make_bo(PAGE, ALL_DOMAINS, 0);
	int dma_buf = drm_export(gpu, bo.handle);

	check_in(rmmod(), -EBUSY, -EAGAIN);
	/* A map and a dma-buf are reasons of their own. */
	close(gpu);
	close(other);
	check_in(rmmod(), -EBUSY, -EAGAIN);
	munmap(bo.map, bo.size);
	check_in(rmmod(), -EBUSY, -EAGAIN);
	close(dma_buf);
}

/* A GPU goes when its driver and its device are parted, and comes back. */
static void write_driver(const char *file)
{
	static const char device[] = "vttm.1";
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/platform/drivers/vttm/%s", file);
	fd = open(path, O_WRONLY);
	check(fd >= 0);
	check_eq(write(fd, device, strlen(device)), strlen(device));
	close(fd);
}

static void *wait_forever(void *bo)
{
	/* Whatever it gets, it gets it some day. */
	vttm_finish(other, ((struct bo *)bo)->handle);
	return NULL;
}

static void unplug_with_files_open(void)
{
	int line = timeline(), dma_buf;
	struct bo bo, busy;
	struct drm_vttm_submit_bo used;
	struct drm_vttm_submit args = {
		.flags = VTTM_SUBMIT_FENCE_IN,
		.bos = (uintptr_t)&used,
		.bo_count = 1,
		.fence_fd = fence_at(line, 1),
	};
	volatile __u64 seen;
	pthread_t waiter;

	check_eq(bo_create(other, &bo, 16 * PAGE, ALL_DOMAINS, 0, 0), 0);
	check_eq(vttm_prefetch(other, bo.handle, VTTM_DOMAIN_VRAM), 0);
	check_eq(bo_create(other, &busy, PAGE, ALL_DOMAINS, 0, 0), 0);
	fill(&bo, 5);
	dma_buf = drm_export(other, bo.handle);
	check(dma_buf >= 0);
	used = use(&busy, VTTM_BO_WRITE);
	check_eq(drm_ioctl(other, DRM_IOCTL_VTTM_SUBMIT, &args), 0);
	check_eq(pthread_create(&waiter, NULL, wait_forever, &busy), 0);
	usleep(50000);

	/* It does not wait for who waits. */
	write_driver("unbind");
	gpu = other;
	for (int i = 0; i < IOCTLS; i++) {
		union args nothing = {};

		check_eq(call(i, &nothing), -ENODEV);
	}
	/* The map is there, whatever is behind it. */
	for (__u64 i = 0; i < bo.size / 8; i += 64) {
		seen = bo.map[i];
		bo.map[i] = seen + 1;
	}
	advance(line, 1);
	pthread_join(waiter, NULL);
	munmap(bo.map, bo.size);
	close(dma_buf);
	check_eq(drm_open("vttm", 1), -ENODEV);

	/* A new one, though the old one is still held. */
	write_driver("bind");
	gpu = drm_open("vttm", 1);
	check(gpu >= 0);
	check_eq(vttm_get(gpu, VTTM_PARAM_BUFFERS), 0);
	check_eq(vttm_prefetch(gpu, make(PAGE, ALL_DOMAINS, 0), VTTM_DOMAIN_VRAM), 0);
	close(other);
}

static sigjmp_buf no_such_page;

static void on_sigbus(int signal)
{
	siglongjmp(no_such_page, 1);
}

/* Touching @word is an error. */
static bool is_gone(volatile __u64 *word)
{
	if (sigsetjmp(no_such_page, 1))
		return true;
	*word = *word;
	return false;
}

/*
 * Others have its buffer mapped when a GPU is unplugged: each in its way, all of
 * them through the DMA-buf. They don't get to see another page.
 */
static void unplug_exporter(void)
{
	struct bo bo;
	__u64 *maps[3];
	void *map;
	int dma_buf;
	__u32 handle;

	check_eq(bo_create(other, &bo, 4 * PAGE, ALL_DOMAINS, 0, 0), 0);
	fill(&bo, 6);
	dma_buf = drm_export(other, bo.handle);
	check_eq(drm_import(gpu, dma_buf, &handle), 0);
	check_eq(vttm_map(gpu, handle, bo.size, &map), 0);
	maps[0] = map;
	for (int i = 1; i < 3; i++) {
		maps[i] = mmap(NULL, bo.size, PROT_READ | PROT_WRITE, MAP_SHARED,
			       dma_buf, 0);
		check(maps[i] != MAP_FAILED);
	}
	/* One was never touched. */
	for (int i = 0; i < 2; i++) {
		struct bo theirs = { .size = bo.size, .map = maps[i] };

		check(holds(&theirs, 6));
	}

	write_driver("unbind");
	signal(SIGBUS, on_sigbus);
	for (int i = 0; i < 3; i++)
		check(is_gone(maps[i]));
	check(!is_gone(bo.map));
	check_eq(mmap(NULL, bo.size, PROT_READ, MAP_SHARED, dma_buf, 0) == MAP_FAILED ?
		 -errno : 0, -ENODEV);
	close(dma_buf);
	munmap(bo.map, bo.size);
	for (int i = 0; i < 3; i++)
		munmap(maps[i], bo.size);
	check_eq(drm_close_handle(gpu, handle), 0);
	close(other);
	write_driver("bind");
}

/* Busy processes, and the GPU comes and goes. */
static void unplug_while_busy(void)
{
	enum { PROCESSES = 4, TIMES = 10 };
	pid_t pids[PROCESSES];

	for (int i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (pids[i])
			continue;
		for (;;) {
			struct drm_vttm_submit_bo used;
			struct bo bo;
			int fd = drm_open("vttm", 1);

			if (fd < 0)
				continue;
			while (!bo_create(fd, &bo, 16 * PAGE, ALL_DOMAINS, 0, 0)) {
				used = use(&bo, VTTM_BO_WRITE);
				vttm_submit(fd, 0, &used, 1, NULL, 0);
				bo.map[0] = 1;
				bo_destroy(fd, &bo);
			}
			close(fd);
		}
	}
	close(other);
	for (int i = 0; i < TIMES; i++) {
		usleep(20000);
		write_driver("unbind");
		write_driver("bind");
	}
	for (int i = 0; i < PROCESSES; i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
}

static const struct ktap_case cases[] = {
#define CASE(name) { #name, name }
	CASE(args_right),
	CASE(args_bad_pointer),
	CASE(args_unknown_ioctl),
	CASE(args_unknown_bits),
	CASE(args_unknown_handle),
	CASE(args_sizes),
	CASE(params),
	CASE(params_count),
	CASE(vms),
	CASE(vms_many),
	CASE(vms_of_others),
	CASE(create_bad),
	CASE(create_too_large),
	CASE(create_says),
	CASE(create_zeroed),
	CASE(create_in_domains),
	CASE(map_bounds),
	CASE(map_partly),
	CASE(move_first_choice),
	CASE(move_bad),
	CASE(move_round_trip),
	CASE(move_round_trip_unseen),
	CASE(move_round_trip_gpu),
	CASE(move_round_trip_vm),
	CASE(move_swap_prefetch),
	CASE(move_swap_submit),
	CASE(move_swap_touch),
	CASE(move_evict_counts),
	CASE(move_overcommit),
	CASE(move_under_map),
	CASE(move_under_writer),
	CASE(move_leaves_little),
	CASE(move_hot),
	CASE(move_both_hot),
	CASE(move_beside_busy),
	CASE(madvise_kept),
	CASE(madvise_purged),
	CASE(submit_bad_bos),
	CASE(submit_foreign),
	CASE(submit_bad_ops),
	CASE(submit_fill),
	CASE(submit_in_order),
	CASE(submit_implicit_order),
	CASE(submit_many),
	CASE(submit_too_much),
	CASE(submit_scattered_loose),
	CASE(submit_scattered_vm),
	CASE(fence_bad),
	CASE(fence_out),
	CASE(fence_of_closed),
	CASE(fence_of_others),
	CASE(fence_room_of_others),
	CASE(fence_late_in_order),
	CASE(fence_of_vm),
	CASE(wait_times_out),
	CASE(wait_for_writes),
	CASE(wait_is_killed),
	CASE(busy_stays),
	CASE(lru_bad),
	CASE(lru_capacity),
	CASE(lru_entries),
	CASE(lru_priorities),
	CASE(lru_submit_to_tail),
	CASE(lru_bulk_to_tail),
	CASE(lru_chunks_agree),
	CASE(lru_evicts_in_order),
	CASE(prime_bad),
	CASE(prime_self),
	CASE(prime_between),
	CASE(prime_stays),
	CASE(prime_outlives),
	CASE(prime_udmabuf),
	CASE(prime_heap),
	CASE(prime_from_vgem),
	CASE(prime_to_vgem),
	CASE(fdinfo_adds_up),
	CASE(debugfs_shows),
	CASE(rmmod_refused),
	CASE(unplug_with_files_open),
	CASE(unplug_exporter),
	CASE(unplug_while_busy),
};

/* Nothing of the case is left. */
static const char *after(void)
{
	const char *wrong = NULL;
	int fd = drm_open("vttm", 0);

	if (fd < 0)
		return "the GPU is gone";
	if (vttm_drained(fd))
		wrong = "buffers are left";
	else if (vttm_get(fd, VTTM_PARAM_VRAM_USED) || vttm_get(fd, VTTM_PARAM_GTT_USED))
		wrong = "memory is left";
	close(fd);
	return wrong;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	return ktap_run(cases, ARRAY_SIZE(cases), argv + 1, open_gpus, after) != 0;
}
