// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Drivers that are modules: what keeps one while TTM may still call it.
 */

#include <linux/cleanup.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/kref.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>

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
 * - When a module goes nevertheless, that is waited for, after its own exit
 *   function: whatever that dropped. What it forgot is taken away: a device that is
 *   still registered is unregistered, and its shrinker ends. What is then left of it
 *   is memory that nobody reaches.
 */

static DEFINE_MUTEX(ttm_owners_mutex);
static LIST_HEAD(ttm_owners);
static u64 ttm_owner_serials;
static struct workqueue_struct *ttm_late_wq;

/**
 * ttm_owner_add() - say which module a device belongs to
 * @owner: The device is initialized; @owner goes before it does.
 *
 * Context: May sleep.
 */
void ttm_owner_add(struct ttm_owner *owner)
{
	atomic_long_set(&owner->begun, 0);
	owner->bdev->owner = owner;

	guard(mutex)(&ttm_owners_mutex);
	owner->serial = ++ttm_owner_serials;
	list_add_tail(&owner->link, &ttm_owners);
}
EXPORT_SYMBOL(ttm_owner_add);

/**
 * ttm_owner_del() - a device is about to go
 * @owner: Nobody has a reference to the device any more.
 *
 * Context: May sleep.
 */
void ttm_owner_del(struct ttm_owner *owner)
{
	guard(mutex)(&ttm_owners_mutex);
	list_del(&owner->link);
}
EXPORT_SYMBOL(ttm_owner_del);

/*
 * The first device of @module after @after, by its serial, or NULL. There is a
 * reference to it until ttm_owner_put().
 */
static struct ttm_owner *ttm_owner_get(struct module *module, u64 after)
{
	struct ttm_owner *owner;

	guard(mutex)(&ttm_owners_mutex);
	list_for_each_entry(owner, &ttm_owners, link) {
		if (owner->module == module && owner->serial > after &&
		    kref_get_unless_zero(&owner->drm->ref))
			return owner;
	}
	return NULL;
}

static void ttm_owner_put(struct ttm_owner *owner)
{
	drm_dev_put(owner->drm);
}

/* What there is of a module. It is the same only if nothing has happened. */
struct ttm_owner_state {
	u64 devices;
	u64 begun;
};

static struct ttm_owner_state ttm_owner_state(struct module *module)
{
	struct ttm_owner_state state = {};
	struct ttm_owner *owner;

	guard(mutex)(&ttm_owners_mutex);
	list_for_each_entry(owner, &ttm_owners, link) {
		if (owner->module != module)
			continue;
		state.devices++;
		state.begun += atomic_long_read(&owner->begun);
	}
	return state;
}

/* Take the devices of @module away, and wait for the buffers that go. */
static void ttm_owner_leave_once(struct module *module)
{
	struct ttm_owner *owner;
	u64 after = 0;

	while ((owner = ttm_owner_get(module, after))) {
		after = owner->serial;
		owner->leave(owner);
		flush_workqueue(owner->bdev->wq);
		ttm_owner_put(owner);
	}
	ttm_late_flush();
}

/**
 * ttm_owner_leave_all() - see that nothing calls a module any more
 * @module: The module, which runs no code of its own. Nobody gets a reference.
 *
 * A buffer that goes may drop others, which are waited for as well.
 *
 * Context: May sleep, until the GPU is done with what the module dropped.
 */
void ttm_owner_leave_all(struct module *module)
{
	struct ttm_owner_state before, now = ttm_owner_state(module);

	do {
		before = now;
		ttm_owner_leave_once(module);
		now = ttm_owner_state(module);
	} while (now.devices != before.devices || now.begun != before.begun);
}
EXPORT_SYMBOL(ttm_owner_leave_all);

static void ttm_late_work(struct work_struct *work)
{
	struct ttm_late *late = container_of(work, struct ttm_late, work);
	struct drm_device *drm = late->owner->drm;

	if (late->func(late))
		drm_dev_put(drm);
}

/**
 * ttm_late_init() - have a new buffer keep its device
 * @late: Part of the buffer.
 * @owner: That of the device.
 */
void ttm_late_init(struct ttm_late *late, struct ttm_owner *owner)
{
	late->owner = owner;
	late->holds_module = false;
	drm_dev_get(owner->drm);
}
EXPORT_SYMBOL(ttm_late_init);

/**
 * ttm_late_hold() - have a buffer keep the module, too
 * @late: That of a buffer whose last GEM reference is gone.
 *
 * If the module is about to go, it waits for the buffer instead.
 */
void ttm_late_hold(struct ttm_late *late)
{
	atomic_long_inc(&late->owner->begun);
	late->holds_module = try_module_get(late->owner->module);
}
EXPORT_SYMBOL(ttm_late_hold);

/**
 * ttm_late_queue() - have something done for a buffer, without any locks
 * @late: That of the buffer.
 * @func: What is to be done. Returns true if it has freed the buffer: then the
 *	reference to the device is dropped. Must not be code of the module.
 *
 * Context: Any. A @func that runs may do so for its own buffer.
 */
void ttm_late_queue(struct ttm_late *late, bool (*func)(struct ttm_late *late))
{
	atomic_long_inc(&late->owner->begun);
	late->func = func;
	INIT_WORK(&late->work, ttm_late_work);
	queue_work(ttm_late_wq, &late->work);
}
EXPORT_SYMBOL(ttm_late_queue);

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

	/* @late may be gone at once. */
	ttm_late_queue(late, func);
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
 *
 * Return: The module, for module_put() when the ghost is gone, or %NULL.
 */
struct module *ttm_ghost_hold(struct ttm_device *bdev)
{
	if (!bdev->owner)
		return NULL;
	atomic_long_inc(&bdev->owner->begun);
	__module_get(bdev->owner->module);
	return bdev->owner->module;
}

static int ttm_owner_notify(struct notifier_block *nb, unsigned long state,
			    void *module)
{
	if (state == MODULE_STATE_GOING)
		ttm_owner_leave_all(module);
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
