// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Drivers that are modules: what keeps one while TTM may still call it.
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
 * DOC: A module that goes
 *
 * A buffer may outlive all who use it: TTM waits for the GPU, and then calls the
 * driver to free it. By then the driver's module must still be there, and so must
 * the device. A driver that makes its buffers with a &struct ttm_late, and its
 * device with a &struct ttm_owner, need not see to that.
 *
 * - A buffer has a reference to its DRM device, from its creation on until it is
 *   freed.
 * - From the moment that it is no GEM object any more, a zombie has a reference to
 *   the module as well, until TTM is done with it. A ghost always has one. So a
 *   module can't go while anything waits for a GPU.
 * - What is left to do then is done by a work item: to call the driver, which
 *   frees the buffer, and to drop the reference to the device. It may be the last
 *   one: the code that drops it is not the module's. Who drops the last reference
 *   to a buffer may hold locks, or reclaim memory; the work item does not.
 * - The same work item takes a reservation that a thread wants only when it is free,
 *   as it may hold it itself. Meanwhile a buffer that is alive has a reference to
 *   the module, too.
 * - When a module goes nevertheless, that is waited for, after its own exit
 *   function: whatever that dropped. What it forgot is taken away: a device that is
 *   still registered is unregistered, and its shrinker ends. What is then left of it
 *   is memory that nobody reaches.
 * - A buffer that is never done with, as its fence isn't signaled, or somebody has
 *   forgotten a reference or a lock, is given up after a while. It isn't freed, and the
 *   driver isn't called any more.
 */

/* How long a GPU may need with what a module has dropped last. */
#define TTM_OWNER_PATIENCE	(15 * HZ)

static DEFINE_SPINLOCK(ttm_owners_lock);
static LIST_HEAD(ttm_owners);
static u64 ttm_owner_serials;
/* Buffers of a module are gone. */
static DECLARE_WAIT_QUEUE_HEAD(ttm_owners_idle);
/* In its sections, drivers are called for buffers that go. */
DEFINE_STATIC_SRCU(ttm_owner_srcu);
static struct workqueue_struct *ttm_late_wq;

/**
 * ttm_owner_add() - say which module a device belongs to
 * @owner: The device is initialized; @owner goes before it does.
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
 * ttm_owner_del() - a device is about to go
 * @owner: Nobody has a reference to the device any more.
 */
void ttm_owner_del(struct ttm_owner *owner)
{
	guard(spinlock)(&ttm_owners_lock);
	list_del(&owner->link);
}
EXPORT_SYMBOL(ttm_owner_del);

/* The first device of @module after @after, by its serial, or NULL; with a reference. */
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
 * An exit function runs when there are no references. A module whose init fails may have
 * some: of files of a device that it has left registered. The kernel frees it in any case.
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
 * ttm_owner_leave_all() - see that nothing calls a module any more
 * @module: The module, which runs no code of its own. Nobody gets a reference.
 * @patience: Jiffies, after which buffers that are still in use are given up.
 *
 * A buffer that goes may drop others, and the last reference to a device: they are
 * waited for as well.
 *
 * Context: May sleep, until the GPU is done with what the module dropped.
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
		/* With the last buffer, its device goes. */
		synchronize_srcu(&ttm_owner_srcu);
	} while (!ttm_owner_is_idle(module));
}
EXPORT_SYMBOL(ttm_owner_leave_all);

/**
 * ttm_driver_enter() - begin to call the driver for a buffer that goes
 * @bdev: The device, which the buffer keeps.
 * @idx: Where to remember what ttm_driver_exit() wants.
 *
 * Return: false if the driver's module is gone. Then there is nothing to exit.
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
 * ttm_driver_exit() - end what ttm_driver_enter() has begun
 * @idx: What that has remembered. The device may be gone.
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

	/* A buffer that goes keeps the module itself. */
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
 * ttm_late_init() - have a new buffer keep its device
 * @late: Part of the buffer.
 * @owner: That of the device.
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

/* If the module is about to go, it waits instead. */
static void ttm_late_keep_module(struct ttm_late *late)
{
	atomic_inc(&late->owner->pending);
	late->holds_module = try_module_get(late->owner->module);
}

/**
 * ttm_late_hold() - have a buffer keep the module, too
 * @late: That of a buffer whose last GEM reference is gone.
 */
void ttm_late_hold(struct ttm_late *late)
{
	late->going = true;
	ttm_late_keep_module(late);
}
EXPORT_SYMBOL(ttm_late_hold);

/**
 * ttm_late_queue() - have something done for a buffer that goes, later
 * @late: That of the buffer.
 * @resv: The reservation that is taken before, for @func to give back; or %NULL.
 * @func: What is to be done, with nothing else held. Returns true if it has freed the
 *	buffer: then the reference to the device is dropped. Must not be code of the
 *	module.
 *
 * Context: Any. A @func that runs may do so for its own buffer.
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
 * ttm_late_queue_alive() - have something done for a buffer that is in use, later
 * @late: That of the buffer, which doesn't go before @func has begun.
 * @resv: The reservation that is taken before, for @func to give back.
 * @func: What is to be done, with nothing else held. May drop the last reference to
 *	the buffer. Returns true. Must not be code of the module.
 *
 * Until @func has returned, the device and the module are kept.
 *
 * Context: Any. Not again before @func has begun.
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
 * ttm_late_destroy() - have a buffer freed that TTM is done with
 * @late: That of the buffer.
 * @func: As for ttm_late_queue(). Returns true.
 *
 * The reference to the module is dropped: who unloads it waits for @func.
 *
 * Context: Any. Must not be called by code of the module that only the buffer keeps.
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
 * ttm_late_flush() - wait for what ttm_late_queue() was called for so far
 *
 * Context: May sleep.
 */
void ttm_late_flush(void)
{
	flush_workqueue(ttm_late_wq);
}
EXPORT_SYMBOL(ttm_late_flush);

/**
 * ttm_ghost_hold() - have a ghost keep its module
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
 * ttm_ghost_release() - a ghost is gone, but for its memory
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
