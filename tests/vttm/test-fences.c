// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Fences, and waiting for the GPU. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/sync_file.h>

#include "test.h"
#include "test-cases.h"

void fence_bad(void)
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
	/* The submit did nothing. */
	check_eq(vttm_wait(gpu, bo.handle, 0, 0), 0);
}

void fence_out(void)
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

/* A file that is closed before the GPU is done. */
void fence_of_closed(void)
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
 * Another client waits for a fence that isn't signaled. That must not hold up this client,
 * which allocates and frees buffers, and needs all memory.
 */
void fence_of_others(void)
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
	/* More such work, queued behind the first. */
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
	/*
	 * If there is no other room, eviction waits for busy buffers, but not for ever.
	 */
	gpu = mine;
	bo = make_bo(vram / 8 * 7, VTTM_DOMAIN_VRAM, 0);
	check_eq(vttm_prefetch(gpu, bo.handle, 0), -ENOSPC);
	bo_destroy(gpu, &bo);
	/* The other client's buffers are still busy. */
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

/* Another client's late work ends, and its room becomes free. */
void fence_room_of_others(void)
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

/* Late work is done in order, and may wait for other late work. */
void fence_late_in_order(void)
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
 * A VM has long work to do. A buffer that was not used yet must be placed without
 * waiting for that work.
 */
void fence_of_vm(void)
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

void wait_times_out(void)
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

void wait_for_writes(void)
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

void wait_is_killed(void)
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

/* A busy buffer is not evicted; an idle one is. */
void busy_stays(void)
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
