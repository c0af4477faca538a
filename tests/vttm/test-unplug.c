// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Unloading the module and unbinding a device. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"
#include "test-cases.h"

static int rmmod(void)
{
	return syscall(SYS_delete_module, "vttm", O_NONBLOCK) ? -errno : 0;
}

void rmmod_refused(void)
{
	struct bo bo = make_bo(PAGE, ALL_DOMAINS, 0);
	int dma_buf = drm_export(gpu, bo.handle);

	check_in(rmmod(), -EBUSY, -EAGAIN);
	/* A map alone, and a DMA-buf alone, keep the module. */
	close(gpu);
	close(other);
	check_in(rmmod(), -EBUSY, -EAGAIN);
	munmap(bo.map, bo.size);
	check_in(rmmod(), -EBUSY, -EAGAIN);
	close(dma_buf);
}

/* Unbind the driver from the device, or bind it again. */
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
	/* It may return any error, but it must return. */
	vttm_finish(other, ((struct bo *)bo)->handle);
	return NULL;
}

void unplug_with_files_open(void)
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

	/* Unbinding does not wait for the waiting thread. */
	write_driver("unbind");
	gpu = other;
	for (int i = 0; i < IOCTLS; i++) {
		union args nothing = {};

		check_eq(call(i, &nothing), -ENODEV);
	}
	/* The map still works, whatever its pages are now. */
	for (__u64 i = 0; i < bo.size / 8; i += 64) {
		seen = bo.map[i];
		bo.map[i] = seen + 1;
	}
	advance(line, 1);
	pthread_join(waiter, NULL);
	munmap(bo.map, bo.size);
	close(dma_buf);
	check_eq(drm_open("vttm", 1), -ENODEV);

	/* A new device can be bound while files hold the old one. */
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

/* Does access to @word raise SIGBUS? */
static bool is_gone(volatile __u64 *word)
{
	if (sigsetjmp(no_such_page, 1))
		return true;
	*word = *word;
	return false;
}

/*
 * Other drivers have a buffer mapped through its DMA-buf, each in its way, when the GPU
 * is unplugged. They must never see another buffer's page.
 */
void unplug_exporter(void)
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
	/* One map was never accessed. */
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

/* Unbind and bind the GPU while processes use it. */
void unplug_while_busy(void)
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
