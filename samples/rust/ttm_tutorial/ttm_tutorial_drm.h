/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/* The ioctls of ttm_tutorial, as in the module uapi of ttm_tutorial.rs. */
#ifndef TTM_TUTORIAL_DRM_H
#define TTM_TUTORIAL_DRM_H

#include <assert.h>
#include <drm/drm.h>

struct drm_tutorial_buffer {
	__u64 size;
	__u64 offset;	/* for mmap() */
	__u32 handle;
	__u32 in_vram;	/* 0 or 1 */
};

static_assert(sizeof(struct drm_tutorial_buffer) == 24, "as in ttm_tutorial.rs");

/* Make a buffer of @size bytes in VRAM, which may evict others. Returns @handle and @offset. */
#define DRM_IOCTL_TUTORIAL_CREATE \
	DRM_IOWR(DRM_COMMAND_BASE + 0, struct drm_tutorial_buffer)
/* Move the buffer @handle to VRAM, or to system memory. */
#define DRM_IOCTL_TUTORIAL_MOVE \
	DRM_IOWR(DRM_COMMAND_BASE + 1, struct drm_tutorial_buffer)
/* Evict all buffers from VRAM. Returns the @size that is still in use there. */
#define DRM_IOCTL_TUTORIAL_EVICT \
	DRM_IOWR(DRM_COMMAND_BASE + 2, struct drm_tutorial_buffer)

#endif
