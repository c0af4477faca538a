/* SPDX-License-Identifier: MIT */
/*
 * vttm: a virtual GPU whose memory TTM manages.
 *
 * Sizes and offsets are in bytes unless stated otherwise. Padding and
 * unknown flags must be 0. Handles and VM ids belong to the file that made them.
 */
#ifndef _UAPI_VTTM_DRM_H_
#define _UAPI_VTTM_DRM_H_

#include "drm.h"

#if defined(__cplusplus)
extern "C" {
#endif

#define DRM_VTTM_GET_PARAM		0x00
#define DRM_VTTM_VM_CREATE		0x01
#define DRM_VTTM_VM_DESTROY		0x02
#define DRM_VTTM_GEM_CREATE		0x03
#define DRM_VTTM_GEM_INFO		0x04
#define DRM_VTTM_GEM_MMAP_OFFSET	0x05
#define DRM_VTTM_GEM_PREFETCH		0x06
#define DRM_VTTM_GEM_EVICT		0x07
#define DRM_VTTM_GEM_MADVISE		0x08
#define DRM_VTTM_SUBMIT			0x09
#define DRM_VTTM_WAIT			0x0a
#define DRM_VTTM_LRU_WALK		0x0b

/*
 * Domains: where a buffer may be. VRAM is preferred to GTT, and that to system
 * memory: a buffer goes to the first one if that has room. If not, it stays where
 * it is, if it may be there; if not, others are evicted from the first one, and if
 * that fails, it goes to the next.
 */
#define VTTM_DOMAIN_SYSTEM		0x1	/* pages; the GPU can't reach them */
#define VTTM_DOMAIN_GTT			0x2	/* pages that the GPU reaches */
#define VTTM_DOMAIN_VRAM		0x4	/* the GPU's own memory */

/* Properties and counters of a GPU, for &drm_vttm_get_param.param */
#define VTTM_PARAM_VRAM_SIZE		0
#define VTTM_PARAM_GTT_SIZE		1
#define VTTM_PARAM_VRAM_USED		2
#define VTTM_PARAM_GTT_USED		3
#define VTTM_PARAM_PRIORITIES		4	/* how many there are */
#define VTTM_PARAM_COPY_DELAY_US	5	/* delay of each move, in microseconds */
#define VTTM_PARAM_BUFFERS		6	/* buffers that are not freed yet */
/* The following ones count events since the GPU was made. */
#define VTTM_PARAM_MOVES		7
#define VTTM_PARAM_BYTES_MOVED		8
#define VTTM_PARAM_EVICTIONS		9
#define VTTM_PARAM_SWAP_OUTS		10	/* by TTM or its shrinker */
#define VTTM_PARAM_PURGES		11
#define VTTM_PARAM_SUBMITS		12

/**
 * struct drm_vttm_get_param - ask for a number
 */
struct drm_vttm_get_param {
	/** @param: in: one of VTTM_PARAM_* */
	__u64 param;
	/** @value: out: its value */
	__u64 value;
};

/**
 * struct drm_vttm_vm_create - make a VM
 *
 * The buffers of a VM share one reservation, and go to the LRU lists' tails in
 * one step.
 */
struct drm_vttm_vm_create {
	/** @flags: in: 0 */
	__u32 flags;
	/** @vm_id: out: its id, not 0 */
	__u32 vm_id;
};

/**
 * struct drm_vttm_vm_destroy - give a VM up
 *
 * Its buffers stay, and go on sharing their reservation.
 */
struct drm_vttm_vm_destroy {
	/** @vm_id: in */
	__u32 vm_id;
	/** @pad: in: 0 */
	__u32 pad;
};

/**
 * struct drm_vttm_gem_create - make a buffer, zeroed
 *
 * A buffer that belongs to no VM, and may be in GTT or system memory, can be
 * exported. While another device is attached to it, it stays there.
 */
struct drm_vttm_gem_create {
	/** @size: in: rounded up to whole pages; out: the result */
	__u64 size;
	/** @domains: in: where it may be, VTTM_DOMAIN_* */
	__u32 domains;
	/** @priority: in: buffers with a lower priority are evicted first */
	__u32 priority;
	/** @vm_id: in: the VM that it belongs to, or 0: then it may be shared */
	__u32 vm_id;
	/** @flags: in: 0 */
	__u32 flags;
	/** @handle: out */
	__u32 handle;
	/** @pad: in: 0 */
	__u32 pad;
};

/* For &drm_vttm_gem_info.state */
#define VTTM_STATE_BUSY			0x1	/* the GPU uses it */
#define VTTM_STATE_PAGES		0x2	/* it has pages, that aren't swapped out */
#define VTTM_STATE_DONT_NEED		0x4	/* its content may be lost */
#define VTTM_STATE_PURGED		0x8	/* its content is lost */
#define VTTM_STATE_IMPORTED		0x10	/* its pages belong to another device */

/**
 * struct drm_vttm_gem_info - ask for the state of a buffer
 */
struct drm_vttm_gem_info {
	/** @handle: in */
	__u32 handle;
	/** @flags: in: 0 */
	__u32 flags;
	/** @id: out: unique among all buffers of the GPU, never used again */
	__u64 id;
	/** @size: out */
	__u64 size;
	/** @start: out: its offset in its domain; undefined in system memory */
	__u64 start;
	/** @domain: out: where it is, or 0 if it has no place */
	__u32 domain;
	/** @domains: out: where it may be */
	__u32 domains;
	/** @priority: out */
	__u32 priority;
	/** @state: out: VTTM_STATE_* */
	__u32 state;
	/** @moves: out: how often it was given a place */
	__u64 moves;
	/** @evictions: out: how often it was moved to make room */
	__u64 evictions;
	/** @swap_outs: out: how often its pages were swapped out */
	__u64 swap_outs;
};

/**
 * struct drm_vttm_gem_mmap_offset - where to map a buffer
 */
struct drm_vttm_gem_mmap_offset {
	/** @handle: in */
	__u32 handle;
	/** @flags: in: 0 */
	__u32 flags;
	/** @offset: out: for mmap() of the file */
	__u64 offset;
};

/**
 * struct drm_vttm_gem_prefetch - move a buffer to a domain before it is used
 */
struct drm_vttm_gem_prefetch {
	/** @handle: in */
	__u32 handle;
	/** @domains: in: a subset of the buffer's domains, or 0 for all of them */
	__u32 domains;
	/** @flags: in: 0 */
	__u32 flags;
	/** @pad: in: 0 */
	__u32 pad;
};

/* Swap the pages out, too. */
#define VTTM_EVICT_SWAP_OUT		0x1

/**
 * struct drm_vttm_gem_evict - move a buffer to where eviction would move it
 *
 * Waits until the GPU is done with the buffer, if TTM doesn't evict it before that.
 */
struct drm_vttm_gem_evict {
	/** @handle: in */
	__u32 handle;
	/** @flags: in: VTTM_EVICT_* */
	__u32 flags;
};

#define VTTM_MADV_WILL_NEED		0
#define VTTM_MADV_DONT_NEED		1

/**
 * struct drm_vttm_gem_madvise - say whether a buffer's content is needed
 *
 * Content that isn't needed is lost when the system is short of memory.
 */
struct drm_vttm_gem_madvise {
	/** @handle: in */
	__u32 handle;
	/** @advice: in: VTTM_MADV_* */
	__u32 advice;
	/** @retained: out: 0 if its content was lost, else 1 */
	__u32 retained;
	/** @pad: in: 0 */
	__u32 pad;
};

/* The GPU writes to it. */
#define VTTM_BO_WRITE			0x1

/**
 * struct drm_vttm_submit_bo - a buffer that is used
 */
struct drm_vttm_submit_bo {
	/** @handle: in: of a buffer of the VM, or one that belongs to none */
	__u32 handle;
	/** @flags: in: VTTM_BO_* */
	__u32 flags;
	/** @domains: in: as in &drm_vttm_gem_prefetch; not system memory */
	__u32 domains;
	/** @pad: in: 0 */
	__u32 pad;
};

/* Word n of the range, 64 bits wide, becomes value + n * step. */
#define VTTM_OP_FILL			0
/* Copy another range, which must not overlap, to the range. */
#define VTTM_OP_COPY			1

/**
 * struct drm_vttm_op - an operation of the GPU
 *
 * Offsets and sizes are multiples of 8.
 */
struct drm_vttm_op {
	/** @op: in: one of VTTM_OP_* */
	__u32 op;
	/** @flags: in: 0 */
	__u32 flags;
	/** @to: in: index of the buffer to write to */
	__u32 to;
	/** @from: in: for VTTM_OP_COPY, index of the buffer to read; else 0 */
	__u32 from;
	/** @to_offset: in */
	__u64 to_offset;
	/** @from_offset: in: for VTTM_OP_COPY; else 0 */
	__u64 from_offset;
	/** @size: in */
	__u64 size;
	/** @value: in: for VTTM_OP_FILL; else 0 */
	__u64 value;
	/** @step: in: for VTTM_OP_FILL; else 0 */
	__u64 step;
};

/* Begin when the sync file @fence_fd is signaled. Other submits don't wait for it. */
#define VTTM_SUBMIT_FENCE_IN		0x1
/* Make a sync file, and put it into @fence_fd. */
#define VTTM_SUBMIT_FENCE_OUT		0x2

/* The most buffers, and the most operations, of one &drm_vttm_submit. */
#define VTTM_SUBMIT_MAX_BOS		1024
#define VTTM_SUBMIT_MAX_OPS		4096

/**
 * struct drm_vttm_submit - let the GPU work
 *
 * The driver moves all buffers to places that the GPU reaches, where they stay
 * until the GPU is done. The buffers of the VM then move to the tails of their LRU
 * lists, and so do the submit's other buffers.
 */
struct drm_vttm_submit {
	/** @vm_id: in: the VM, or 0 for none */
	__u32 vm_id;
	/** @flags: in: VTTM_SUBMIT_* */
	__u32 flags;
	/** @bos: in: pointer to an array of &struct drm_vttm_submit_bo */
	__u64 bos;
	/** @ops: in: pointer to an array of &struct drm_vttm_op */
	__u64 ops;
	/** @bo_count: in: how many buffers; none twice */
	__u32 bo_count;
	/** @op_count: in: how many operations, done one after the other */
	__u32 op_count;
	/** @fence_fd: in and out: a sync file, see @flags; else 0 */
	__s32 fence_fd;
	/** @pad: in: 0 */
	__u32 pad;
	/**
	 * @serial: out: number of the submit, from 1 on, in the order in which the GPU
	 * works on submits; those that wait for a fence of another device run later
	 */
	__u64 serial;
	/**
	 * @restarts: out: how often it gave up all reservations and started over, as
	 * another transaction had one of them; also set if it failed
	 */
	__u64 restarts;
};

/* Wait only for work that writes to the buffer, as a reader would. */
#define VTTM_WAIT_WRITES		0x1

/**
 * struct drm_vttm_wait - wait until the GPU is done with a buffer
 */
struct drm_vttm_wait {
	/** @handle: in */
	__u32 handle;
	/** @flags: in: VTTM_WAIT_* */
	__u32 flags;
	/** @timeout_ns: in: when to give up, in nanoseconds of CLOCK_MONOTONIC */
	__s64 timeout_ns;
};

/**
 * struct drm_vttm_lru_entry - a buffer on an LRU list
 */
struct drm_vttm_lru_entry {
	/** @id: as in &drm_vttm_gem_info; 0 for the ghost of a moved buffer */
	__u64 id;
	/** @size: */
	__u64 size;
	/** @bulk: the bulk of a VM, unique on the GPU; 0 if the buffer is in none */
	__u64 bulk;
	/** @priority: of the list that it is on */
	__u32 priority;
	/** @state: VTTM_STATE_DONT_NEED, VTTM_STATE_PURGED and VTTM_STATE_IMPORTED */
	__u32 state;
};

/* Skip buffers that were moved since the walk began. */
#define VTTM_LRU_WALK_BOUNDED		0x1

/**
 * struct drm_vttm_lru_walk - list the buffers on a domain's LRU lists, in their order
 *
 * The lists' lock is dropped while each chunk is copied out, and other threads may
 * change the lists. A buffer that stays in its place is listed once, whatever they do.
 */
struct drm_vttm_lru_walk {
	/** @domain: in: one of VTTM_DOMAIN_* */
	__u32 domain;
	/** @flags: in: VTTM_LRU_WALK_* */
	__u32 flags;
	/** @entries: in: pointer to an array of &struct drm_vttm_lru_entry */
	__u64 entries;
	/** @capacity: in: length of the array; further entries are only counted */
	__u64 capacity;
	/** @count: out: how many buffers the walk returned */
	__u64 count;
	/** @chunk: in: buffers for which the lock is held at a time, 1 to 32; 0 for 32 */
	__u32 chunk;
	/** @lock_drops: out: how often the lock was dropped before the end */
	__u32 lock_drops;
};

/* Note: this is an enum so that it can be resolved by Rust bindgen. */
enum {
	DRM_IOCTL_VTTM_GET_PARAM	= DRM_IOWR(DRM_COMMAND_BASE + DRM_VTTM_GET_PARAM,
						   struct drm_vttm_get_param),
	DRM_IOCTL_VTTM_VM_CREATE	= DRM_IOWR(DRM_COMMAND_BASE + DRM_VTTM_VM_CREATE,
						   struct drm_vttm_vm_create),
	DRM_IOCTL_VTTM_VM_DESTROY	= DRM_IOWR(DRM_COMMAND_BASE + DRM_VTTM_VM_DESTROY,
						   struct drm_vttm_vm_destroy),
	DRM_IOCTL_VTTM_GEM_CREATE	= DRM_IOWR(DRM_COMMAND_BASE + DRM_VTTM_GEM_CREATE,
						   struct drm_vttm_gem_create),
	DRM_IOCTL_VTTM_GEM_INFO		= DRM_IOWR(DRM_COMMAND_BASE + DRM_VTTM_GEM_INFO,
						   struct drm_vttm_gem_info),
	DRM_IOCTL_VTTM_GEM_MMAP_OFFSET	= DRM_IOWR(DRM_COMMAND_BASE + DRM_VTTM_GEM_MMAP_OFFSET,
						   struct drm_vttm_gem_mmap_offset),
	DRM_IOCTL_VTTM_GEM_PREFETCH	= DRM_IOWR(DRM_COMMAND_BASE + DRM_VTTM_GEM_PREFETCH,
						   struct drm_vttm_gem_prefetch),
	DRM_IOCTL_VTTM_GEM_EVICT	= DRM_IOWR(DRM_COMMAND_BASE + DRM_VTTM_GEM_EVICT,
						   struct drm_vttm_gem_evict),
	DRM_IOCTL_VTTM_GEM_MADVISE	= DRM_IOWR(DRM_COMMAND_BASE + DRM_VTTM_GEM_MADVISE,
						   struct drm_vttm_gem_madvise),
	DRM_IOCTL_VTTM_SUBMIT		= DRM_IOWR(DRM_COMMAND_BASE + DRM_VTTM_SUBMIT,
						   struct drm_vttm_submit),
	DRM_IOCTL_VTTM_WAIT		= DRM_IOWR(DRM_COMMAND_BASE + DRM_VTTM_WAIT,
						   struct drm_vttm_wait),
	DRM_IOCTL_VTTM_LRU_WALK		= DRM_IOWR(DRM_COMMAND_BASE + DRM_VTTM_LRU_WALK,
						   struct drm_vttm_lru_walk),
};

#if defined(__cplusplus)
}
#endif

#endif /* _UAPI_VTTM_DRM_H_ */
