// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Helpers that the cases of vttm-test share. */
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "test.h"

int gpu = -1, other = -1;

void open_gpus(void)
{
	gpu = drm_open("vttm", 0);
	other = drm_open("vttm", 1);
	check(gpu >= 0);
	check(other >= 0);
}

__u32 make(__u64 size, __u32 domains, __u32 vm)
{
	__u32 handle;

	check_eq(vttm_create(gpu, size, domains, 0, vm, &handle), 0);
	check(handle);
	return handle;
}

struct bo make_bo(__u64 size, __u32 domains, __u32 vm)
{
	struct bo bo;

	check_eq(bo_create(gpu, &bo, size, domains, 0, vm), 0);
	return bo;
}

struct drm_vttm_gem_info info(__u32 handle)
{
	struct drm_vttm_gem_info info;

	check_eq(vttm_info(gpu, handle, &info), 0);
	return info;
}

__u32 make_vm(void)
{
	__u32 vm;

	check_eq(vttm_vm_create(gpu, &vm), 0);
	check(vm);
	return vm;
}

void fill(struct bo *bo, __u64 seed)
{
	for (__u64 i = 0; i < bo->size / 8; i++)
		bo->map[i] = seed + i * 0x10001;
}

bool holds(const struct bo *bo, __u64 seed)
{
	for (__u64 i = 0; i < bo->size / 8; i++) {
		if (bo->map[i] != seed + i * 0x10001)
			return false;
	}
	return true;
}

/* A buffer without a handle is freed a moment later. */
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

struct state state(void)
{
	return (struct state){
		.buffers = buffers_settled(),
		.vram = vttm_get(gpu, VTTM_PARAM_VRAM_USED),
		.gtt = vttm_get(gpu, VTTM_PARAM_GTT_USED),
		.submits = vttm_get(gpu, VTTM_PARAM_SUBMITS),
		.moves = vttm_get(gpu, VTTM_PARAM_MOVES),
	};
}

int timeline(void)
{
	int fd = open("/sys/kernel/debug/sync/sw_sync", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		ktap_skip("there is no sw_sync");
	return fd;
}

/* A sync file that is signaled when @timeline reaches @value. */
int fence_at(int timeline, __u32 value)
{
	struct sw_sync_create args = { .value = value, .name = "vttm-test" };

	check_eq(ioctl(timeline, SW_SYNC_CREATE, &args), 0);
	return args.fence;
}

void advance(int timeline, __u32 by)
{
	check_eq(ioctl(timeline, SW_SYNC_INC, &by), 0);
}

bool is_signaled(int fence, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = fence, .events = POLLIN };

	return poll(&poll_fd, 1, timeout_ms) == 1;
}

struct drm_vttm_submit_bo use(const struct bo *bo, __u32 flags)
{
	return (struct drm_vttm_submit_bo){ .handle = bo->handle, .flags = flags };
}

struct drm_vttm_op fill_op(__u32 to, __u64 offset, __u64 size, __u64 value)
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

struct drm_vttm_op copy_op(__u32 to, __u32 from, __u64 size)
{
	return (struct drm_vttm_op){
		.op = VTTM_OP_COPY,
		.to = to,
		.from = from,
		.size = size,
	};
}

int submit(__u32 vm, const struct drm_vttm_submit_bo *bos, __u32 bo_count,
	   const struct drm_vttm_op *ops, __u32 op_count)
{
	return vttm_submit(gpu, vm, bos, bo_count, ops, op_count);
}

/* Keep @bo busy until @fence is signaled. */
void keep_busy_in(__u32 vm, const struct bo *bo, __u32 flags, int fence)
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

void keep_busy(const struct bo *bo, __u32 flags, int fence)
{
	keep_busy_in(0, bo, flags, fence);
}
