/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The library of the programs in this folder: vttm's ioctls as functions. Each returns
 * 0, or what its name says, or a negative errno. An ioctl that a signal interrupts is
 * called again.
 */
#ifndef VTTM_H
#define VTTM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>
#include <drm/drm.h>
#include <drm/vttm_drm.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define PAGE 4096ULL
#define MIB (1ULL << 20)

#define ALL_DOMAINS (VTTM_DOMAIN_VRAM | VTTM_DOMAIN_GTT | VTTM_DOMAIN_SYSTEM)
#define GPU_DOMAINS (VTTM_DOMAIN_VRAM | VTTM_DOMAIN_GTT)

/* Random numbers from a seed. */
struct rng {
	__u64 state;
};

struct bo {
	__u32 handle;
	__u64 size;
	__u64 *map;
};

/* End the program with a message on stderr. */
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

__u64 rng_next(struct rng *rng);
__u64 rng_below(struct rng *rng, __u64 n);
__u64 now_ns(void);

/* Open the render node number @n, from 0 on, of those whose driver is @driver. */
int drm_open(const char *driver, unsigned int n);
/* Open the first primary node, for calls that a render node does not allow. */
int drm_open_card(const char *driver);
int drm_ioctl(int fd, unsigned long request, void *arg);
int drm_close_handle(int fd, __u32 handle);
int drm_export(int fd, __u32 handle);
int drm_import(int fd, int dma_buf, __u32 *handle);

int vttm_param(int fd, __u64 param, __u64 *value);
/* As vttm_param(), but end the program on failure. */
__u64 vttm_get(int fd, __u64 param);
int vttm_vm_create(int fd, __u32 *vm);
int vttm_vm_destroy(int fd, __u32 vm);
int vttm_create(int fd, __u64 size, __u32 domains, __u32 priority, __u32 vm,
		__u32 *handle);
int vttm_info(int fd, __u32 handle, struct drm_vttm_gem_info *info);
int vttm_map(int fd, __u32 handle, __u64 size, void **map);
int vttm_prefetch(int fd, __u32 handle, __u32 domains);
int vttm_evict(int fd, __u32 handle, __u32 flags);
int vttm_madvise(int fd, __u32 handle, __u32 advice, __u32 *retained);
int vttm_submit(int fd, __u32 vm, const struct drm_vttm_submit_bo *bos, __u32 bo_count,
		const struct drm_vttm_op *ops, __u32 op_count);
int vttm_wait(int fd, __u32 handle, __u32 flags, __s64 until_ns);
/* Wait without a limit. */
int vttm_finish(int fd, __u32 handle);

/* Create a buffer and map it; unmap and close it. */
int bo_create(int fd, struct bo *bo, __u64 size, __u32 domains, __u32 priority,
	      __u32 vm);
void bo_destroy(int fd, struct bo *bo);

/*
 * Wait until the GPU has freed all buffers without a handle. It frees them once its
 * work is done. Return how many are left after a time that is longer than any work.
 */
__u64 vttm_drained(int fd);

#endif
