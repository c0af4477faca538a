// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The library of the programs in this folder. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "vttm.h"

#define FIRST_RENDER 128
#define MOST_NODES 64

void die(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	_exit(1);
}

/* splitmix64 */
__u64 rng_next(struct rng *rng)
{
	__u64 z = rng->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

__u64 rng_below(struct rng *rng, __u64 n)
{
	return rng_next(rng) % n;
}

__u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

int drm_ioctl(int fd, unsigned long request, void *arg)
{
	int ret;

	do {
		ret = ioctl(fd, request, arg);
	} while (ret < 0 && (errno == EINTR || errno == EAGAIN));
	return ret < 0 ? -errno : ret;
}

static bool is_driver(int fd, const char *driver)
{
	char name[64] = "";
	struct drm_version version = {
		.name = name,
		.name_len = sizeof(name) - 1,
	};

	return !drm_ioctl(fd, DRM_IOCTL_VERSION, &version) && !strcmp(name, driver);
}

static int open_node(const char *kind, int first, const char *driver, unsigned int n)
{
	for (int minor = first; minor < first + MOST_NODES; minor++) {
		char path[64];
		int fd;

		snprintf(path, sizeof(path), "/dev/dri/%s%d", kind, minor);
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (is_driver(fd, driver) && !n--)
			return fd;
		close(fd);
	}
	return -ENODEV;
}

int drm_open(const char *driver, unsigned int n)
{
	return open_node("renderD", FIRST_RENDER, driver, n);
}

int drm_open_card(const char *driver)
{
	return open_node("card", 0, driver, 0);
}

int drm_close_handle(int fd, __u32 handle)
{
	struct drm_gem_close args = { .handle = handle };

	return drm_ioctl(fd, DRM_IOCTL_GEM_CLOSE, &args);
}

int drm_export(int fd, __u32 handle)
{
	struct drm_prime_handle args = {
		.handle = handle,
		.flags = DRM_CLOEXEC | DRM_RDWR,
	};
	int ret = drm_ioctl(fd, DRM_IOCTL_PRIME_HANDLE_TO_FD, &args);

	return ret < 0 ? ret : args.fd;
}

int drm_import(int fd, int dma_buf, __u32 *handle)
{
	struct drm_prime_handle args = { .fd = dma_buf };
	int ret = drm_ioctl(fd, DRM_IOCTL_PRIME_FD_TO_HANDLE, &args);

	*handle = args.handle;
	return ret;
}

int vttm_param(int fd, __u64 param, __u64 *value)
{
	struct drm_vttm_get_param args = { .param = param };
	int ret = drm_ioctl(fd, DRM_IOCTL_VTTM_GET_PARAM, &args);

	*value = args.value;
	return ret;
}

__u64 vttm_get(int fd, __u64 param)
{
	__u64 value;
	int ret = vttm_param(fd, param, &value);

	if (ret < 0)
		die("parameter %llu: %s", param, strerror(-ret));
	return value;
}

int vttm_vm_create(int fd, __u32 *vm)
{
	struct drm_vttm_vm_create args = {};
	int ret = drm_ioctl(fd, DRM_IOCTL_VTTM_VM_CREATE, &args);

	*vm = args.vm_id;
	return ret;
}

int vttm_vm_destroy(int fd, __u32 vm)
{
	struct drm_vttm_vm_destroy args = { .vm_id = vm };

	return drm_ioctl(fd, DRM_IOCTL_VTTM_VM_DESTROY, &args);
}

int vttm_create(int fd, __u64 size, __u32 domains, __u32 priority, __u32 vm,
		__u32 *handle)
{
	struct drm_vttm_gem_create args = {
		.size = size,
		.domains = domains,
		.priority = priority,
		.vm_id = vm,
	};
	int ret = drm_ioctl(fd, DRM_IOCTL_VTTM_GEM_CREATE, &args);

	*handle = args.handle;
	return ret;
}

int vttm_info(int fd, __u32 handle, struct drm_vttm_gem_info *info)
{
	*info = (struct drm_vttm_gem_info){ .handle = handle };
	return drm_ioctl(fd, DRM_IOCTL_VTTM_GEM_INFO, info);
}

int vttm_map(int fd, __u32 handle, __u64 size, void **map)
{
	struct drm_vttm_gem_mmap_offset args = { .handle = handle };
	int ret = drm_ioctl(fd, DRM_IOCTL_VTTM_GEM_MMAP_OFFSET, &args);

	if (ret < 0)
		return ret;
	*map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, args.offset);
	return *map == MAP_FAILED ? -errno : 0;
}

int vttm_prefetch(int fd, __u32 handle, __u32 domains)
{
	struct drm_vttm_gem_prefetch args = { .handle = handle, .domains = domains };

	return drm_ioctl(fd, DRM_IOCTL_VTTM_GEM_PREFETCH, &args);
}

int vttm_evict(int fd, __u32 handle, __u32 flags)
{
	struct drm_vttm_gem_evict args = { .handle = handle, .flags = flags };

	return drm_ioctl(fd, DRM_IOCTL_VTTM_GEM_EVICT, &args);
}

int vttm_madvise(int fd, __u32 handle, __u32 advice, __u32 *retained)
{
	struct drm_vttm_gem_madvise args = { .handle = handle, .advice = advice };
	int ret = drm_ioctl(fd, DRM_IOCTL_VTTM_GEM_MADVISE, &args);

	*retained = args.retained;
	return ret;
}

int vttm_submit(int fd, __u32 vm, const struct drm_vttm_submit_bo *bos, __u32 bo_count,
		const struct drm_vttm_op *ops, __u32 op_count)
{
	struct drm_vttm_submit args = {
		.vm_id = vm,
		.bos = (uintptr_t)bos,
		.ops = (uintptr_t)ops,
		.bo_count = bo_count,
		.op_count = op_count,
	};

	return drm_ioctl(fd, DRM_IOCTL_VTTM_SUBMIT, &args);
}

int vttm_wait(int fd, __u32 handle, __u32 flags, __s64 until_ns)
{
	struct drm_vttm_wait args = {
		.handle = handle,
		.flags = flags,
		.timeout_ns = until_ns,
	};

	return drm_ioctl(fd, DRM_IOCTL_VTTM_WAIT, &args);
}

int vttm_finish(int fd, __u32 handle)
{
	return vttm_wait(fd, handle, 0, INT64_MAX);
}

int bo_create(int fd, struct bo *bo, __u64 size, __u32 domains, __u32 priority,
	      __u32 vm)
{
	void *map;
	int ret = vttm_create(fd, size, domains, priority, vm, &bo->handle);

	if (ret < 0)
		return ret;
	bo->size = size;
	ret = vttm_map(fd, bo->handle, size, &map);
	if (ret < 0) {
		drm_close_handle(fd, bo->handle);
		return ret;
	}
	bo->map = map;
	return 0;
}

void bo_destroy(int fd, struct bo *bo)
{
	munmap(bo->map, bo->size);
	drm_close_handle(fd, bo->handle);
}

__u64 vttm_drained(int fd)
{
	/* The engine of a PC in QEMU takes minutes of the guest's time. */
	const int tries = 30000;
	__u64 left = 0;

	for (int i = 0; i < tries; i++) {
		left = vttm_get(fd, VTTM_PARAM_BUFFERS);
		if (!left)
			break;
		usleep(10000);
	}
	return left;
}
