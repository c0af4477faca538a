/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Keep a driver's module while TTM may still call it.
 */
#ifndef _TTM_OWNER_H_
#define _TTM_OWNER_H_

#include <linux/atomic.h>
#include <linux/list.h>
#include <linux/types.h>
#include <linux/workqueue.h>

struct dma_resv;
struct drm_device;
struct module;
struct ttm_device;

/**
 * struct ttm_owner - the module that a TTM device belongs to
 *
 * Part of the driver's device, like @drm.
 */
struct ttm_owner {
	/** @bdev: The TTM device. */
	struct ttm_device *bdev;
	/** @drm: The DRM device. A reference to it keeps @bdev and the owner. */
	struct drm_device *drm;
	/** @module: The module, or %NULL if the driver is built in. */
	struct module *module;
	/**
	 * @leave: Make the device unreachable without a reference to @module:
	 * unregister it, and end its shrinker. Must not be code of @module. May
	 * sleep, and may be called again.
	 */
	void (*leave)(struct ttm_owner *owner);

	/* private: */
	struct list_head link;
	u64 serial;
	/* Zombies, ghosts, and buffers with a queued ttm_late. */
	atomic_t pending;
	/* The module's buffers are given up: do not call the driver for them. */
	bool gone;
};

/**
 * struct ttm_late - work that is left to do for a buffer
 *
 * Part of the buffer. From ttm_late_init() until the buffer is freed, it has a
 * reference to its DRM device.
 */
struct ttm_late {
	/* private: */
	struct ttm_owner *owner;
	struct dma_resv *resv;
	bool (*func)(struct ttm_late *late);
	struct work_struct work;
	bool going;
	bool holds_module;
};

void ttm_owner_add(struct ttm_owner *owner);
void ttm_owner_del(struct ttm_owner *owner);
void ttm_owner_leave_all(struct module *module, unsigned long patience);
bool ttm_driver_enter(struct ttm_device *bdev, int *idx);
void ttm_driver_exit(int idx);

void ttm_late_init(struct ttm_late *late, struct ttm_owner *owner);
void ttm_late_hold(struct ttm_late *late);
void ttm_late_queue(struct ttm_late *late, struct dma_resv *resv,
		    bool (*func)(struct ttm_late *late));
void ttm_late_queue_alive(struct ttm_late *late, struct dma_resv *resv,
			  bool (*func)(struct ttm_late *late));
void ttm_late_destroy(struct ttm_late *late,
		      bool (*func)(struct ttm_late *late));
void ttm_late_flush(void);

void ttm_ghost_hold(struct ttm_device *bdev);
void ttm_ghost_release(struct ttm_device *bdev);

#endif
