// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The arguments of the ioctls; parameters; VMs. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "test.h"
#include "test-cases.h"

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

/* Correct arguments of an ioctl. The cases spoil them. */
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

int call(int ioctl, union args *args)
{
	return drm_ioctl(gpu, requests[ioctl], args);
}

void args_right(void)
{
	for (int i = 0; i < IOCTLS; i++) {
		union args args = right(i);

		check_eq(call(i, &args), 0);
	}
}

void args_bad_pointer(void)
{
	for (int i = 0; i < IOCTLS; i++) {
		struct state before = state();

		check_eq(drm_ioctl(gpu, requests[i], NULL), -EFAULT);
		check_eq(drm_ioctl(gpu, requests[i], (void *)BAD_POINTER), -EFAULT);
		check_unchanged(before);
	}
}

void args_unknown_ioctl(void)
{
	union args args = {};

	for (int nr = DRM_VTTM_LRU_WALK + 1; nr < DRM_COMMAND_END - DRM_COMMAND_BASE; nr++)
		check_eq(drm_ioctl(gpu, DRM_IOWR(DRM_COMMAND_BASE + nr, union args),
				   &args), -EINVAL);
}

/* Each bit of flags and padding that means nothing. */
void args_unknown_bits(void)
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

void args_unknown_handle(void)
{
	static const int ioctls[] = {
		DRM_VTTM_GEM_INFO, DRM_VTTM_GEM_MMAP_OFFSET, DRM_VTTM_GEM_PREFETCH,
		DRM_VTTM_GEM_EVICT, DRM_VTTM_GEM_MADVISE, DRM_VTTM_WAIT,
	};

	for (size_t i = 0; i < ARRAY_SIZE(ioctls); i++) {
		union args args = right(ioctls[i]);
		__u32 good;

		/* The handle is the first word of each argument. */
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

/*
 * Programs built with an older or a newer header: missing bytes are 0, bytes beyond the
 * structure are ignored.
 */
void args_sizes(void)
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
		/* An evict call without the flags. */
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

void params(void)
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

void params_count(void)
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

void vms(void)
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
	/* Its buffers remain. */
	check(holds(&bo, 3));
	check_eq(vttm_evict(gpu, bo.handle, 0), 0);
	check(holds(&bo, 3));
	check_eq(submit(second, NULL, 0, NULL, 0), 0);
}

void vms_many(void)
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

/* A file can't use the VMs of another file. */
void vms_of_others(void)
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
