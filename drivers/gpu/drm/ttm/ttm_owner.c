// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Keep a driver's module while TTM may still call it.
 */

#include <linux/cleanup.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/kref.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>
#include <linux/wait.h>

#include <drm/drm_device.h>
#include <drm/drm_drv.h>
#include <drm/ttm/ttm_device.h>
#include <drm/ttm/ttm_owner.h>

/**
 * DOC: Unloading a driver's module
 *
 * When a module is unloaded, nothing refers to it any more (L1), in whatever order a
 * driver drops its values (L2). But a buffer may outlive its last user: TTM waits for
 * the GPU, and then calls the driver to free it. By then the driver's module and the
 * device must still exist. TTM ensures this for a driver that embeds a
 * &struct ttm_owner in its device and a &struct ttm_late in each buffer:
 *
 * - A buffer has a reference to its DRM device, from its creation until it is freed.
 * - When the last GEM reference of a buffer is dropped, the buffer becomes a zombie, and
 *   takes a reference to the module until TTM is done with it. A ghost always has such a
 *   reference. So the module can't be unloaded while a zombie or a ghost waits for the
 *   GPU.
 * - When TTM is done with a buffer, a work item calls the driver, which frees the buffer,
 *   and then drops the reference to the device. That may be the last reference, so the
 *   code that drops it is not part of the module. The thread that drops the last
 *   reference to a buffer may hold locks, or reclaim memory; the work item does neither.
 * - An operation may need a reservation that is not free, or that its own thread holds.
 *   Then the same work item waits for the reservation and runs the operation. Until then,
 *   a buffer that is alive has a reference to the module, too.
 * - When a module's exit has begun, no more references to it can be taken. After its exit
 *   function, TTM unregisters devices that are still registered, ends their shrinkers,
 *   and waits until the buffers that the module dropped are freed. Values that the module
 *   leaked then are memory that nothing refers to.
 * - If a buffer is still in use after TTM_OWNER_PATIENCE, as its fence was never signaled,
 *   or a reference or a lock was forgotten, TTM gives up all buffers of the module that
 *   are not freed yet: it never frees them, and never calls the driver for them.
 */

/* How long the GPU may still use buffers after the exit of their module. */
#define TTM_OWNER_PATIENCE	(15 * HZ)

static DEFINE_SPINLOCK(ttm_owners_lock);
static LIST_HEAD(ttm_owners);
static u64 ttm_owner_serials;
/* Woken when no buffer of an owner is pending any more. */
static DECLARE_WAIT_QUEUE_HEAD(ttm_owners_idle);
/* Read-side sections call drivers to free buffers. */
DEFINE_STATIC_SRCU(ttm_owner_srcu);
static struct workqueue_struct *ttm_late_wq;

/**
 * ttm_owner_add() - register the owner of a device
 * @owner: The owner. Its &ttm_owner.bdev must be initialized, and must not be finalized
 * before ttm_owner_del().
 */
void ttm_owner_add(struct ttm_owner *owner)
{
	atomic_set(&owner->pending, 0);
	owner->gone = false;
	owner->bdev->owner = owner;

	guard(spinlock)(&ttm_owners_lock);
	owner->serial = ++ttm_owner_serials;
	list_add_tail(&owner->link, &ttm_owners);
}
EXPORT_SYMBOL(ttm_owner_add);

/**
 * ttm_owner_del() - remove the owner of a device that is about to be freed
 * @owner: The owner. There is no reference to the device any more.
 */
void ttm_owner_del(struct ttm_owner *owner)
{
	guard(spinlock)(&ttm_owners_lock);
	list_del(&owner->link);
}
EXPORT_SYMBOL(ttm_owner_del);

/* Get the first device of @module whose serial is greater than @after, or NULL. */
static struct ttm_owner *ttm_owner_get(struct module *module, u64 after)
{
	struct ttm_owner *owner;

	guard(spinlock)(&ttm_owners_lock);
	list_for_each_entry(owner, &ttm_owners, link) {
		if (owner->module == module && owner->serial > after &&
		    kref_get_unless_zero(&owner->drm->ref))
			return owner;
	}
	return NULL;
}

/*
 * An exit function runs when there are no references to the module. If a module's init
 * fails, files of a device that it left registered may have references, and the kernel
 * frees the module all the same: so wait for them.
 */
static void ttm_owner_wait_unused(struct module *module)
{
#ifdef CONFIG_MODULE_UNLOAD
	while (module && module_refcount(module) > 0)
		schedule_timeout_idle(1);
#endif
}

static void ttm_owner_leave_each(struct module *module)
{
	struct ttm_owner *owner;
	u64 after = 0;

	while ((owner = ttm_owner_get(module, after))) {
		after = owner->serial;
		owner->leave(owner);
		ttm_owner_wait_unused(module);
		drm_dev_put(owner->drm);
	}
}

static bool ttm_owner_is_idle(struct module *module)
{
	struct ttm_owner *owner;

	guard(spinlock)(&ttm_owners_lock);
	list_for_each_entry(owner, &ttm_owners, link) {
		if (owner->module == module && !owner->gone &&
		    atomic_read(&owner->pending))
			return false;
	}
	return true;
}

static void ttm_owner_give_up(struct module *module)
{
	struct ttm_owner *owner;

	pr_warn("[TTM] buffers of a module that goes are in use, and lost\n");
	scoped_guard(spinlock, &ttm_owners_lock) {
		list_for_each_entry(owner, &ttm_owners, link) {
			if (owner->module == module)
				WRITE_ONCE(owner->gone, true);
		}
	}
	synchronize_srcu(&ttm_owner_srcu);
}

/**
 * ttm_owner_leave_all() - make sure that nothing calls a module any more
 * @module: The module. Its exit function has returned, and try_module_get() fails.
 * @patience: Jiffies after which buffers that are still in use are given up.
 *
 * Freeing a buffer may drop other buffers, and the last reference to a device. Wait
 * for these as well, each time for up to @patience.
 *
 * Context: May sleep, until the GPU is done with the buffers that the module dropped.
 */
void ttm_owner_leave_all(struct module *module, unsigned long patience)
{
	ttm_owner_leave_each(module);
	do {
		if (!wait_event_timeout(ttm_owners_idle,
					ttm_owner_is_idle(module), patience)) {
			ttm_owner_give_up(module);
			return;
		}
		/* The last buffer's work item may free the device, and drop other buffers. */
		synchronize_srcu(&ttm_owner_srcu);
	} while (!ttm_owner_is_idle(module));
}
EXPORT_SYMBOL(ttm_owner_leave_all);

/**
 * ttm_driver_enter() - begin to call the driver for a buffer that is freed
 * @bdev: The device. The buffer has a reference to it.
 * @idx: Set to the argument of ttm_driver_exit().
 *
 * Return: true if the driver may be called; false if its module has given up its buffers.
 * In that case, do not call ttm_driver_exit().
 */
bool ttm_driver_enter(struct ttm_device *bdev, int *idx)
{
	*idx = srcu_read_lock(&ttm_owner_srcu);
	if (!bdev->owner || !READ_ONCE(bdev->owner->gone))
		return true;
	srcu_read_unlock(&ttm_owner_srcu, *idx);
	return false;
}

/**
 * ttm_driver_exit() - end a section that ttm_driver_enter() began
 * @idx: As set by ttm_driver_enter(). The device may be gone.
 */
void ttm_driver_exit(int idx)
{
	srcu_read_unlock(&ttm_owner_srcu, idx);
}

static void ttm_owner_done(struct ttm_owner *owner)
{
	if (atomic_dec_and_test(&owner->pending))
		wake_up_all(&ttm_owners_idle);
}

static void ttm_late_work(struct work_struct *work)
{
	struct ttm_late *late = container_of(work, struct ttm_late, work);
	struct ttm_owner *owner = late->owner;
	struct drm_device *drm = owner->drm;
	struct module *held = NULL;
	int idx;

	/* The reference of a zombie to the module is dropped in ttm_late_destroy(). */
	if (!late->going && late->holds_module)
		held = owner->module;
	if (late->resv)
		dma_resv_lock(late->resv, NULL);
	if (!ttm_driver_enter(owner->bdev, &idx)) {
		if (late->resv)
			dma_resv_unlock(late->resv);
		return;
	}
	/* @late may be gone afterwards, or queued again. */
	if (late->func(late)) {
		ttm_owner_done(owner);
		drm_dev_put(drm);
		module_put(held);
	}
	ttm_driver_exit(idx);
}

/**
 * ttm_late_init() - let a new buffer keep its device
 * @late: Part of the buffer.
 * @owner: The owner of the device.
 */
void ttm_late_init(struct ttm_late *late, struct ttm_owner *owner)
{
	late->owner = owner;
	late->going = false;
	late->holds_module = false;
	INIT_WORK(&late->work, ttm_late_work);
	drm_dev_get(owner->drm);
}
EXPORT_SYMBOL(ttm_late_init);

/* If the module's exit has begun, ttm_owner_leave_all() waits for @pending instead. */
static void ttm_late_keep_module(struct ttm_late *late)
{
	atomic_inc(&late->owner->pending);
	late->holds_module = try_module_get(late->owner->module);
}

/**
 * ttm_late_hold() - let a buffer keep the module, too
 * @late: Part of a buffer whose last GEM reference is gone.
 */
void ttm_late_hold(struct ttm_late *late)
{
	late->going = true;
	ttm_late_keep_module(late);
}
EXPORT_SYMBOL(ttm_late_hold);

/**
 * ttm_late_queue() - call a function for a zombie in a work item
 * @late: Part of the buffer.
 * @resv: The reservation to take before @func, which unlocks it; or %NULL.
 * @func: The function. It is called with no other lock held, and returns true if it has
 *	freed the buffer: the work item then drops the reference to the device. Must not
 *	be code of the module.
 *
 * Context: Any. @func may queue the same buffer again.
 */
void ttm_late_queue(struct ttm_late *late, struct dma_resv *resv,
		    bool (*func)(struct ttm_late *late))
{
	late->resv = resv;
	late->func = func;
	queue_work(ttm_late_wq, &late->work);
}
EXPORT_SYMBOL(ttm_late_queue);

/**
 * ttm_late_queue_alive() - call a function for a buffer that is alive in a work item
 * @late: Part of the buffer. A reference must keep the buffer until @func is called.
 * @resv: The reservation to take before @func, which unlocks it.
 * @func: The function. It is called with no other lock held, may drop the last reference
 *	to the buffer, and returns true. Must not be code of the module.
 *
 * The device and the module are kept until @func has returned.
 *
 * Context: Any. Do not call this again before @func was called.
 */
void ttm_late_queue_alive(struct ttm_late *late, struct dma_resv *resv,
			  bool (*func)(struct ttm_late *late))
{
	drm_dev_get(late->owner->drm);
	ttm_late_keep_module(late);
	ttm_late_queue(late, resv, func);
}
EXPORT_SYMBOL(ttm_late_queue_alive);

/**
 * ttm_late_destroy() - free a buffer that TTM is done with, in a work item
 * @late: Part of the buffer.
 * @func: Frees the buffer, and returns true. As for ttm_late_queue().
 *
 * Drop the buffer's reference to the module. From then on, unloading the module waits
 * for @func.
 *
 * Context: Any. The caller must not be code of the module if only the buffer keeps the
 * module.
 */
void ttm_late_destroy(struct ttm_late *late,
		      bool (*func)(struct ttm_late *late))
{
	struct module *held = late->holds_module ? late->owner->module : NULL;

	if (!late->going)
		atomic_inc(&late->owner->pending);
	/* @late may be gone at once. */
	ttm_late_queue(late, NULL, func);
	module_put(held);
}
EXPORT_SYMBOL(ttm_late_destroy);

/**
 * ttm_late_flush() - wait for all functions that were queued so far
 *
 * Context: May sleep.
 */
void ttm_late_flush(void)
{
	flush_workqueue(ttm_late_wq);
}
EXPORT_SYMBOL(ttm_late_flush);

/**
 * ttm_ghost_hold() - let a ghost keep its module
 * @bdev: The device.
 */
void ttm_ghost_hold(struct ttm_device *bdev)
{
	if (!bdev->owner)
		return;
	atomic_inc(&bdev->owner->pending);
	__module_get(bdev->owner->module);
}

/**
 * ttm_ghost_release() - drop the reference of a ghost to its module
 * @bdev: The device, which the ghost still keeps.
 */
void ttm_ghost_release(struct ttm_device *bdev)
{
	struct module *module;

	if (!bdev->owner)
		return;
	module = bdev->owner->module;
	ttm_owner_done(bdev->owner);
	module_put(module);
}

static int ttm_owner_notify(struct notifier_block *nb, unsigned long state,
			    void *module)
{
	if (state == MODULE_STATE_GOING)
		ttm_owner_leave_all(module, TTM_OWNER_PATIENCE);
	return NOTIFY_OK;
}

static struct notifier_block ttm_owner_notifier = {
	.notifier_call = ttm_owner_notify,
};

static int __init ttm_owner_init(void)
{
	int ret;

	ttm_late_wq = alloc_workqueue("ttm-late", WQ_UNBOUND, 0);
	if (!ttm_late_wq)
		return -ENOMEM;

	ret = register_module_notifier(&ttm_owner_notifier);
	if (ret)
		destroy_workqueue(ttm_late_wq);
	return ret;
}
subsys_initcall(ttm_owner_init);

static void __exit ttm_owner_exit(void)
{
	unregister_module_notifier(&ttm_owner_notifier);
	destroy_workqueue(ttm_late_wq);
}
module_exit(ttm_owner_exit);
