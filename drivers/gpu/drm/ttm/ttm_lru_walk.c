// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Walks over the buffers of a manager, which return each buffer reserved.
 */

#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/sched.h>

#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_resource.h>

#include "ttm_bo_internal.h"
#include "ttm_evict_scope.h"
#include "ttm_lru_debug.h"
#include "ttm_lru_internal.h"
#include "ttm_reclaim.h"

/**
 * DOC: Walks over reserved buffers
 *
 * Eviction, swap-out and shrinking need buffers that are referenced and reserved,
 * with no spinlock held. A &struct ttm_bo_lru_cursor does this on top of a
 * &struct ttm_resource_cursor, whose hitch keeps the place while the caller works
 * on a buffer::
 *
 *	struct ttm_lru_walk_arg arg = { .ctx = ctx, .trylock_only = true };
 *
 *	ttm_bo_lru_for_each_reserved_guarded(&curs, man, &arg, bo)
 *		freed += shrink(bo);
 *	if (IS_ERR(bo))
 *		return PTR_ERR(bo);
 *
 * **Locking.** The walk first tries a reservation. If that fails, it may wait: for
 * one buffer with &ttm_lru_walk_arg.ticket, for all with a ticket and
 * &ttm_lru_walk_arg.keep_ticket, or for all with &ttm_lru_walk_arg.sleeping_lock.
 * Otherwise it leaves the buffer out. If waiting could deadlock, the walk ends with
 * %-EDEADLK: back off the ticket before anything else is locked with it.
 *
 * **Keeping.** With &ttm_lru_walk_arg.keep the reservations stay locked when the
 * walk continues, until the allocation that needs them has ended or pauses. No other
 * thread can move, pin, or bring back a buffer whose reservation is kept. With
 * &ttm_lru_walk_arg.trylock_only the walk keeps only buffers that have left the
 * manager.
 *
 * **What was left out** (P10). A walk may leave out buffers: it did not get their
 * reservations; they moved or entered after it began; they are zombies, whose last
 * reference was being dropped; or they were replaced while the walk waited for them.
 * It counts each reason in &ttm_bo_lru_cursor.left_out. A caller may conclude that
 * there is nothing more to get only from a walk that left out nothing.
 *
 * **Busy bulks.** The buffers of a VM share one reservation. If the walk can't get
 * it, it skips the VM's whole range in one step. So a lock that another thread takes
 * for a moment hides the whole VM from the walk.
 *
 * **Short holds** (P9). The walk drops the lock after TTM_LRU_WALK_HOLD resources at
 * most. It writes to the list only when it parks the hitch before that.
 *
 * **In memory reclaim** the walk leaves a last reference to the device's workqueue.
 * With &ttm_lru_walk_arg.reclaim it does not sleep at all, and returns to the caller
 * after each hold.
 *
 * **Bounds.** Walks are bounded: they ignore buffers that have entered or moved to the
 * tail since they began, and so end. &ttm_lru_walk_arg.unbounded makes a walk return
 * these as well; &ttm_lru_walk_arg.max_moved limits their number.
 */

/* P9: resources that are looked at before the lru_lock is dropped. */
#define TTM_LRU_WALK_HOLD	32

/* Does the caller of the walk hold the reservation of @bo? */
static bool ttm_lru_walk_owns(const struct ttm_lru_walk_arg *arg,
			      struct ttm_buffer_object *bo)
{
	const struct dma_resv *resv = bo->base.resv;

	return (arg->ticket && dma_resv_locking_ctx(bo->base.resv) == arg->ticket) ||
	       arg->ctx->resv == resv ||
	       ttm_evict_scope_owns(arg->ctx->scope, resv);
}

/*
 * Waiting may return -EDEADLK and abort the caller's transaction, so wait only as
 * often as asked.
 */
static bool ttm_lru_walk_may_wait(const struct ttm_bo_lru_cursor *curs)
{
	const struct ttm_lru_walk_arg *arg = curs->arg;

	if (arg->trylock_only || arg->ctx->no_wait_gpu)
		return false;
	return arg->sleeping_lock ||
	       (arg->ticket && (arg->keep_ticket || !curs->waited));
}

/*
 * Does the caller hold the reservation of @res and allow the walk to use it? A victim
 * that is just being evicted must not be evicted for its own place. A walk that keeps
 * reservations skips resources that moved since it began: only the walk itself can have
 * moved them.
 */
static noinline bool ttm_lru_walk_is_lent(const struct ttm_bo_lru_cursor *curs,
					  const struct ttm_resource *res)
{
	return curs->arg->ctx->resv == res->bo->base.resv &&
	       !ttm_evict_scope_is_victim(curs->arg->ctx->scope, res->bo) &&
	       !(curs->keep && ttm_resource_moved(res) >= curs->began);
}

static bool ttm_lru_walk_trylock(struct ttm_bo_lru_cursor *curs,
				 struct ttm_buffer_object *bo,
				 const struct ttm_resource *res)
{
	/*
	 * A kept lock is held while the walk waits for others, so take it with
	 * the ticket. Without a ticket, a walk that keeps locks does not wait.
	 */
	curs->needs_unlock = unlikely(curs->keep) ?
		ww_mutex_trylock(&bo->base.resv->lock, curs->arg->ticket) :
		dma_resv_trylock(bo->base.resv);
	ttm_lru_debug_trylock(curs->man);
	if (curs->needs_unlock)
		return true;

	return curs->arg->ctx->allow_res_evict && ttm_lru_walk_is_lent(curs, res);
}

/*
 * Can the walk skip each buffer whose reservation is taken, without a look at its
 * holder? Not if it may wait, or if the caller or its search may be the holder.
 */
static bool ttm_lru_walk_never_waits(const struct ttm_bo_lru_cursor *curs)
{
	const struct ttm_lru_walk_arg *arg = curs->arg;
	const struct ttm_evict_scope *scope = arg->ctx->scope;

	return !arg->ticket && !arg->ctx->resv && !(scope && scope->bo) &&
	       !ttm_lru_walk_may_wait(curs);
}

/* Wait for the reservation of @bo. The lru_lock isn't held. */
static int ttm_lru_walk_lock(struct ttm_bo_lru_cursor *curs,
			     struct ttm_buffer_object *bo)
{
	struct ttm_lru_walk_arg *arg = curs->arg;
	int ret;

	ret = arg->ctx->interruptible ?
	      dma_resv_lock_interruptible(bo->base.resv, arg->ticket) :
	      dma_resv_lock(bo->base.resv, arg->ticket);
	curs->needs_unlock = !ret;
	curs->waited = true;

	if (ret == -EDEADLK && arg->ctx->contended && !*arg->ctx->contended) {
		ttm_bo_get(bo);
		*arg->ctx->contended = bo;
	}
	return ret;
}

/* P10: leave out @res, the current resource, as its reservation is taken. */
static void ttm_lru_walk_skip(struct ttm_bo_lru_cursor *curs,
			      const struct ttm_resource *res, bool owned)
{
	/* A reservation of the caller does not become free: another look won't help. */
	if (!owned)
		curs->left_out.busy++;
	if (ttm_resource_in_shared_bulk(res))
		ttm_resource_cursor_skip_bulk(&curs->res_curs);
}

/* Does the allocation that walks keep the reservation of @bo? */
static bool ttm_lru_walk_keeps(const struct ttm_bo_lru_cursor *curs,
			       struct ttm_buffer_object *bo)
{
	const struct ttm_evict_scope *scope = curs->arg->ctx->scope;

	return scope && ttm_evict_scope_keeps(scope, bo);
}

/* Waiting can cost the whole transaction, so do not wait for a worthless buffer. */
static bool ttm_lru_walk_is_worth_a_wait(const struct ttm_bo_lru_cursor *curs,
					 const struct ttm_buffer_object *bo)
{
	const struct ttm_evict_scope *scope = curs->arg->ctx->scope;

	return !scope || !ttm_evict_scope_is_worthless(scope, bo);
}

/*
 * The reservation of @res, the current resource, is taken. Return true if the walk
 * takes the buffer all the same: the allocation keeps the lock, or the walk may wait.
 */
static noinline bool
ttm_lru_walk_accepts_busy(struct ttm_bo_lru_cursor *curs,
			  const struct ttm_resource *res)
{
	struct ttm_buffer_object *bo = res->bo;
	bool owned = ttm_lru_walk_owns(curs->arg, bo);

	if (ttm_lru_walk_keeps(curs, bo)) {
		/* Only this allocation can have moved it: don't return it again. */
		curs->locked = ttm_resource_moved(res) < curs->began;
		return curs->locked;
	}
	if (!owned && ttm_lru_walk_may_wait(curs) &&
	    ttm_lru_walk_is_worth_a_wait(curs, bo))
		return true;
	ttm_lru_walk_skip(curs, res, owned);
	return false;
}

/*
 * Take a reference to the buffer of @res, and its reservation if that is free;
 * if not, the walk may wait for it later. Return false if @res was left out.
 */
static bool ttm_lru_walk_try_reserve(struct ttm_bo_lru_cursor *curs,
				     struct ttm_resource *res)
{
	struct ttm_buffer_object *bo = res->bo;

	/* A zombie, being released. It can't leave the list before we unlock. */
	if (!kref_read(&bo->kref)) {
		curs->left_out.zombies++;
		return false;
	}

	if (curs->never_waits && dma_resv_is_locked(bo->base.resv)) {
		ttm_lru_debug_trylock(curs->man);
		ttm_lru_walk_skip(curs, res, false);
		return false;
	}

	curs->locked = ttm_lru_walk_trylock(curs, bo, res);
	if (!curs->locked && !ttm_lru_walk_accepts_busy(curs, res))
		return false;
	if (!ttm_bo_get_unless_zero(bo)) {
		if (curs->needs_unlock)
			dma_resv_unlock(bo->base.resv);
		curs->left_out.zombies++;
		return false;
	}
	curs->bo = bo;
	return true;
}

/*
 * Has the walk returned as many resources as it may that have moved since it began?
 * With such a limit, plain steps never return resources that have moved.
 */
static bool ttm_lru_walk_met_enough(struct ttm_bo_lru_cursor *curs,
				    const struct ttm_resource *res)
{
	return curs->arg->max_moved && ttm_resource_moved(res) >= curs->began &&
	       curs->met_moved++ == curs->arg->max_moved;
}

/* Step with ttm_resource_cursor_advance_within() where a plain step is impossible. */
static struct ttm_resource *ttm_lru_walk_advance(struct ttm_bo_lru_cursor *curs,
						 unsigned long *left)
{
	unsigned long budget = *left;
	struct ttm_resource *res;

	res = ttm_resource_cursor_advance_within(&curs->res_curs, &budget);
	/* The step ignored the others, as they had moved. */
	curs->left_out.moved += *left - budget - !IS_ERR_OR_NULL(res);
	*left = budget;
	if (IS_ERR_OR_NULL(res) || !ttm_lru_walk_met_enough(curs, res))
		return res;

	ttm_resource_cursor_fini(&curs->res_curs);
	curs->left_out.moved++;
	return NULL;
}

/*
 * Walk during one hold of the lru_lock. Return a resource whose buffer was taken,
 * NULL at the walk's end, or -EAGAIN after TTM_LRU_WALK_HOLD resources. The hitch is
 * parked.
 */
static struct ttm_resource *ttm_lru_walk_hold(struct ttm_bo_lru_cursor *curs)
{
	struct ttm_resource_cursor *res_curs = &curs->res_curs;
	unsigned long left = TTM_LRU_WALK_HOLD;
	const u64 since = curs->since;
	struct ttm_resource *res;

	do {
		if (ttm_resource_cursor_step_plain(res_curs, since, &res)) {
			left--;
		} else {
			res = ttm_lru_walk_advance(curs, &left);
			if (IS_ERR_OR_NULL(res))
				break;
		}
		if (ttm_lru_walk_try_reserve(curs, res))
			break;
		res = ERR_PTR(-EAGAIN);
	} while (left);

	/* A resource that entered may be behind the hitch, unseen. */
	if (!res && curs->man->lru_entries != curs->entries)
		curs->left_out.moved++;
	ttm_resource_cursor_pause(res_curs);
	ttm_lru_debug_hold(curs->man, TTM_LRU_WALK_HOLD - left);
	return res;
}

/* Abort the walk. */
static void ttm_bo_lru_cursor_end(struct ttm_bo_lru_cursor *curs)
{
	guard(spinlock)(&curs->man->bdev->lru_lock);
	ttm_resource_cursor_fini(&curs->res_curs);
}

/* Is @bo, which is reserved, in the memory of @man? */
static bool ttm_lru_walk_is_in(const struct ttm_buffer_object *bo,
			       const struct ttm_resource_manager *man)
{
	return bo->resource &&
	       ttm_manager_type(man->bdev, bo->resource->mem_type) == man;
}

/*
 * Leave @bo, reserved, to the allocation. A last reference is not kept: dropping it
 * frees the buffer's room.
 */
static noinline bool ttm_lru_walk_keep(struct ttm_bo_lru_cursor *curs,
				       struct ttm_buffer_object *bo)
{
	const struct ttm_lru_walk_arg *arg = curs->arg;

	if (kref_read(&bo->kref) == 1)
		return false;
	if (arg->trylock_only && ttm_lru_walk_is_in(bo, curs->man))
		return false;
	if (!arg->ticket && arg->ctx->scope->num == TTM_EVICT_SCOPE_FEW)
		return false;
	return ttm_evict_scope_keep(arg->ctx->scope, bo);
}

/**
 * ttm_bo_lru_cursor_release() - release the buffer that the last step returned
 * @curs: The cursor.
 *
 * Unreserve that buffer, if there is one, and drop the reference to it; with
 * &ttm_lru_walk_arg.keep, leave both to the allocation. The walk keeps its place,
 * and may be continued much later. The functions that continue or end the walk call
 * this.
 *
 * Context: May sleep: the reference may be the last one.
 */
void ttm_bo_lru_cursor_release(struct ttm_bo_lru_cursor *curs)
{
	struct ttm_buffer_object *bo = curs->bo;

	if (!bo)
		return;

	curs->bo = NULL;
	if (curs->needs_unlock) {
		if (unlikely(curs->keep) && ttm_lru_walk_keep(curs, bo))
			return;
		dma_resv_unlock(bo->base.resv);
	}
	if (unlikely(curs->in_reclaim))
		ttm_bo_put_in_reclaim(bo);
	else if (curs->arg->ctx->scope)
		ttm_evict_scope_put(bo);
	else
		ttm_bo_put(bo);
}
EXPORT_SYMBOL(ttm_bo_lru_cursor_release);

/**
 * ttm_bo_lru_cursor_init() - make a cursor that is in no walk
 * @curs: The cursor. Must not move in memory until ttm_bo_lru_cursor_fini().
 * @man: The manager whose buffers will be walked.
 * @arg: How to lock them. Must live as long as @curs, and must not change.
 *
 * Context: No lock needed.
 *
 * Return: @curs.
 */
struct ttm_bo_lru_cursor *
ttm_bo_lru_cursor_init(struct ttm_bo_lru_cursor *curs,
		       struct ttm_resource_manager *man,
		       struct ttm_lru_walk_arg *arg)
{
	*curs = (struct ttm_bo_lru_cursor) { .arg = arg, .man = man };
	if (arg->unbounded)
		ttm_resource_cursor_init(&curs->res_curs, man);
	else
		ttm_resource_cursor_init_bounded(&curs->res_curs, man);
	curs->never_waits = ttm_lru_walk_never_waits(curs);
	curs->keep = arg->keep;
	curs->in_reclaim = arg->reclaim || ttm_in_reclaim();
	return curs;
}
EXPORT_SYMBOL(ttm_bo_lru_cursor_init);

/**
 * ttm_bo_lru_cursor_fini() - end a walk
 * @curs: The cursor, in any state. Idempotent.
 *
 * Context: May sleep. Takes &ttm_device.lru_lock.
 */
void ttm_bo_lru_cursor_fini(struct ttm_bo_lru_cursor *curs)
{
	ttm_bo_lru_cursor_release(curs);
	ttm_bo_lru_cursor_end(curs);
}
EXPORT_SYMBOL(ttm_bo_lru_cursor_fini);

/**
 * ttm_bo_lru_cursor_next() - step to the next buffer that can be reserved
 * @curs: The cursor.
 *
 * Release the buffer of the step before.
 *
 * Context: May sleep. Takes &ttm_device.lru_lock, each time for at most a constant
 * number of resources. Takes reservations as the cursor's arg says.
 *
 * Return: The buffer, referenced and reserved until the next step; its resource is
 * one of the manager. %NULL if the walk has ended or @curs is in none. An error
 * pointer ends the walk: -EDEADLK if waiting for a reservation could deadlock, so
 * that the ticket must be backed off; -EINTR or -ERESTARTSYS if the wait was
 * interrupted. After the end, further calls return %NULL. With
 * &ttm_lru_walk_arg.reclaim, -EAGAIN means that one hold of the lock found no buffer;
 * the walk has not ended, and the next call continues it.
 */
struct ttm_buffer_object *ttm_bo_lru_cursor_next(struct ttm_bo_lru_cursor *curs)
{
	struct ttm_resource_manager *man = curs->man;
	struct ttm_buffer_object *bo;
	struct ttm_resource *res;
	int ret;

	ttm_bo_lru_cursor_release(curs);
	for (;;) {
		scoped_guard(spinlock, &man->bdev->lru_lock)
			res = ttm_lru_walk_hold(curs);
		if (!res)
			return NULL;
		if (IS_ERR(res)) {
			if (curs->arg->reclaim)
				return ERR_PTR(-EAGAIN);
			cond_resched();
			continue;
		}

		bo = curs->bo;
		if (likely(curs->locked && bo->resource == res))
			return bo;

		ret = curs->locked ? 0 : ttm_lru_walk_lock(curs, bo);
		/* It may have got another resource during the wait. */
		if (!ret && ttm_lru_walk_is_in(bo, man))
			return bo;

		if (!ret && !curs->locked)
			curs->left_out.replaced++;
		ttm_bo_lru_cursor_release(curs);
		if (ret && ret != -EALREADY) {
			ttm_bo_lru_cursor_end(curs);
			return ERR_PTR(ret);
		}
	}
}
EXPORT_SYMBOL(ttm_bo_lru_cursor_next);

/**
 * ttm_bo_lru_cursor_first() - start a walk, or start it over
 * @curs: The cursor, in any state.
 *
 * Context: As ttm_bo_lru_cursor_next().
 *
 * Return: As ttm_bo_lru_cursor_next().
 */
struct ttm_buffer_object *ttm_bo_lru_cursor_first(struct ttm_bo_lru_cursor *curs)
{
	ttm_bo_lru_cursor_release(curs);
	curs->waited = false;
	curs->met_moved = 0;
	curs->left_out = (struct ttm_lru_left_out) {};
	scoped_guard(spinlock, &curs->man->bdev->lru_lock) {
		ttm_resource_cursor_pause(ttm_resource_cursor_restart(&curs->res_curs));
		curs->since = ttm_resource_cursor_since(&curs->res_curs);
		curs->began = curs->arg->unbounded ?
			ttm_resource_manager_tick(curs->man) : curs->since;
		if (curs->arg->max_moved)
			curs->since = curs->began;
		curs->entries = ttm_resource_manager_entries(curs->man);
	}

	return ttm_bo_lru_cursor_next(curs);
}
EXPORT_SYMBOL(ttm_bo_lru_cursor_first);

/* Does @err concern only this buffer, so that the walk tries the next one? */
static bool ttm_lru_walk_goes_on(s64 err)
{
	return err == -EBUSY || err == -EALREADY || err == -ENOMEM ||
	       err == -ENOSPC;
}

/**
 * ttm_lru_walk_for_evict() - process buffers until a target is reached
 * @walk: What to do, and how to lock.
 * @bdev: The device.
 * @man: The manager whose buffers are walked.
 * @target: When to stop, in units of the results of ``ttm_lru_walk_ops.process_bo``.
 *
 * Call process_bo on one buffer after the other, until the sum of its results
 * reaches @target or the walk ends. The errors -EBUSY, -EALREADY, -ENOMEM and -ENOSPC
 * of a buffer do not end the walk; others do.
 *
 * Context: May sleep. Takes the locks that ttm_bo_lru_cursor_next() takes.
 *
 * Return: The progress, or the negative error that ended the walk. In any case
 * &ttm_lru_walk.progress has the progress, and &ttm_lru_walk.left_out the buffers
 * that the walk left out.
 */
s64 ttm_lru_walk_for_evict(struct ttm_lru_walk *walk, struct ttm_device *bdev,
			   struct ttm_resource_manager *man, s64 target)
{
	struct ttm_bo_lru_cursor cursor __uninitialized;
	struct ttm_buffer_object *bo;
	s64 ret = 0;

	walk->progress = 0;
	ttm_bo_lru_cursor_init(&cursor, man, &walk->arg);
	for (bo = ttm_bo_lru_cursor_first(&cursor); !IS_ERR_OR_NULL(bo);
	     bo = ttm_bo_lru_cursor_next(&cursor)) {
		ret = walk->ops->process_bo(walk, bo);
		if (ret > 0)
			walk->progress += ret;
		else if (ret && !ttm_lru_walk_goes_on(ret))
			break;
		ret = 0;
		if (walk->progress >= target)
			break;
	}
	walk->left_out = cursor.left_out;
	ttm_bo_lru_cursor_fini(&cursor);
	if (IS_ERR(bo))
		return PTR_ERR(bo);
	return ret ?: walk->progress;
}
EXPORT_SYMBOL(ttm_lru_walk_for_evict);
