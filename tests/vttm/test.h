/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What the files of vttm-test share. */
#ifndef TEST_H
#define TEST_H

#include <stdbool.h>

#include "ktap.h"
#include "vttm.h"

#define BAD_HANDLE 0xdead
#define BAD_POINTER 8
#define IOCTLS 12

/* The two GPUs. Each case opens them anew. */
extern int gpu, other;

void open_gpus(void);

/* Create a buffer: its handle, or all of it. */
__u32 make(__u64 size, __u32 domains, __u32 vm);
struct bo make_bo(__u64 size, __u32 domains, __u32 vm);

struct drm_vttm_gem_info info(__u32 handle);
__u32 make_vm(void);

/* Fill a buffer with words made from @seed, and check them. */
void fill(struct bo *bo, __u64 seed);
bool holds(const struct bo *bo, __u64 seed);

/* Counters that must not change when a call fails. */
struct state {
	__u64 buffers, vram, gtt, submits, moves;
};

struct state state(void);

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

/* Fences that the program signals: sw_sync, in debugfs. */
struct sw_sync_create {
	__u32 value;
	char name[32];
	__s32 fence;
};

#define SW_SYNC_CREATE _IOWR('W', 0, struct sw_sync_create)
#define SW_SYNC_INC _IOW('W', 1, __u32)

int timeline(void);

/* A sync file that is signaled when @timeline reaches @value. */
int fence_at(int timeline, __u32 value);
void advance(int timeline, __u32 by);
bool is_signaled(int fence, int timeout_ms);

/* Submit a job. */
struct drm_vttm_submit_bo use(const struct bo *bo, __u32 flags);
struct drm_vttm_op fill_op(__u32 to, __u64 offset, __u64 size, __u64 value);
struct drm_vttm_op copy_op(__u32 to, __u32 from, __u64 size);
int submit(__u32 vm, const struct drm_vttm_submit_bo *bos, __u32 bo_count,
	   const struct drm_vttm_op *ops, __u32 op_count);

/* Keep @bo busy until @fence is signaled. */
void keep_busy_in(__u32 vm, const struct bo *bo, __u32 flags, int fence);
void keep_busy(const struct bo *bo, __u32 flags, int fence);

/* The argument of any ioctl; @ioctl is its number, less than IOCTLS. */
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

int call(int ioctl, union args *args);

#endif
