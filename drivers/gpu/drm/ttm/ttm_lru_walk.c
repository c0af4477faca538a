// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Walks over the buffers of a manager, each handed out reserved.
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
 * Eviction, swap-out and shrinking need buffers, not resources: referenced,
 * reserved, and with no spinlock held. A &struct ttm_bo_lru_cursor is a
 * &struct ttm_resource_cursor that sees to this; its hitch keeps the place while
 * the caller works on a buffer, whatever that does to the buffer::
 *
 *	struct ttm_lru_walk_arg arg = { .ctx = ctx, .trylock_only = true };
 *
 *	ttm_bo_lru_for_each_reserved_guarded(&curs, man, &arg, bo)
 *		freed += shrink(bo);
 *	if (IS_ERR(bo))
 *		return PTR_ERR(bo);
 *
 * **Locking.** A reservation is first tried. If that fails, and the walk may
 * sleep, it is waited for: with &ttm_lru_walk_arg.ticket for one buffer of the
 * walk, or for all with &ttm_lru_walk_arg.keep_ticket; without a ticket, for all
 * with &ttm_lru_walk_arg.sleeping_lock. Else the walk leaves the buffer out. Where
 * waiting could deadlock, the walk ends with -EDEADLK: the ticket must be backed
 * off, and nothing may be locked with it before.
 *
 * **Keeping.** With &ttm_lru_walk_arg.keep the reservations stay locked when the
 * walk goes on, until the allocation that walks has ended, or pauses. What such a walk has
 * seen can't change behind it: nobody else moves, pins, or brings back a buffer
 * whose reservation is kept. A walk that only tries keeps those of buffers that have
 * left the manager, and gives back the others.
 *
 * **What was left out** (P10). A walk may leave out buffers: it did not get their
 * reservations; they moved, or came, after it began; their last reference was
 * being dropped; or they were replaced while the walk waited for them. It counts
 * each reason in &ttm_bo_lru_cursor.left_out. Only from a walk that left out
 * nothing may a caller conclude that there is no more to get.
 *
 * **Busy bulks.** The buffers of a VM share one reservation. Where the walk can't
 * get it, it skips the VM's whole range in one step, however long it is. So a
 * lock that somebody takes for a moment hides the whole VM from the walk.
 *
 * **Short holds** (P9). After TTM_LRU_WALK_HOLD resources the lock is dropped, found
 * or not. In between, nothing is written to the list: the hitch is parked when
 * the lock is about to be dropped, and not before.
 *
 * **In memory reclaim** a last reference is not dropped: the device's workqueue does
 * that. With &ttm_lru_walk_arg.reclaim the walk doesn't sleep at all, and comes back
 * to the caller after each hold.
 *
 * **An end.** Walks are bounded: they return what was on the list when they
 * began and has not moved since. What others, or the caller, move to the tail
 * does not prolong them. &ttm_lru_walk_arg.unbounded asks for the contrary, and
 * &ttm_lru_walk_arg.max_moved for something in between.
 */

/* P9: resources that are looked at before the lru_lock is dropped. */
#define TTM_LRU_WALK_HOLD	32

/* Is the reservation of @bo held by the caller of the walk itself? */
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
 * Does the caller have the reservation of @res, where the walk stands, and lend it? A
 * victim that is just being evicted must not be evicted for its own place. If the walk
 * keeps what it meets, nobody but the walk itself moved @res since it began: it has met it
 * before.
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
	 * A lock that is kept is held while others are waited for, so it must
	 * be the ticket's, if there is one: else nothing is waited for.
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
 * Is there nothing to try with a buffer whose reservation is taken? Searches, and those
 * that lend a reservation, have to see whose it is.
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

/* P10: leave out @res, where the walk stands: its buffer's reservation is not free. */
static void ttm_lru_walk_skip(struct ttm_bo_lru_cursor *curs,
			      const struct ttm_resource *res, bool owned)
{
	/* What the caller itself holds will not be free before it is done. */
	if (!owned)
		curs->left_out.busy++;
	if (ttm_resource_in_shared_bulk(res))
		ttm_resource_cursor_skip_bulk(&curs->res_curs);
}

/* Was the lock of @bo taken for the allocation that the walk is for? */
static bool ttm_lru_walk_keeps(const struct ttm_bo_lru_cursor *curs,
			       struct ttm_buffer_object *bo)
{
	const struct ttm_evict_scope *scope = curs->arg->ctx->scope;

	return scope && ttm_evict_scope_keeps(scope, bo);
}

/* Waiting can cost the whole transaction: not for what is not valuable. */
static bool ttm_lru_walk_is_worth_a_wait(const struct ttm_bo_lru_cursor *curs,
					 const struct ttm_buffer_object *bo)
{
	const struct ttm_evict_scope *scope = curs->arg->ctx->scope;

	return !scope || !ttm_evict_scope_is_worthless(scope, bo);
}

/*
 * The reservation of @res, where the walk stands, is not free. Returns true if
 * the walk takes the buffer all the same: it has the lock, or may wait for it.
 */
static noinline bool
ttm_lru_walk_accepts_busy(struct ttm_bo_lru_cursor *curs,
			  const struct ttm_resource *res)
{
	struct ttm_buffer_object *bo = res->bo;
	bool owned = ttm_lru_walk_owns(curs->arg, bo);

	if (ttm_lru_walk_keeps(curs, bo)) {
		/* Nobody but the walk itself moved it: it has met it before. */
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
 * if not, the walk may wait for it. Returns false if @res was left out.
 */
static bool ttm_lru_walk_try_reserve(struct ttm_bo_lru_cursor *curs,
				     struct ttm_resource *res)
{
	struct ttm_buffer_object *bo = res->bo;

	/* Being released: that needs the lru_lock to take it off the list. */
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
 * Has the walk met as many as it may that have moved since it began? If there is a
 * limit, these are none that it simply takes.
 */
static bool ttm_lru_walk_met_enough(struct ttm_bo_lru_cursor *curs,
				    const struct ttm_resource *res)
{
	return curs->arg->max_moved && ttm_resource_moved(res) >= curs->began &&
	       curs->met_moved++ == curs->arg->max_moved;
}

/*
 * Let the core look at what comes next, which isn't simply a resource that has not
 * moved. Returns as ttm_resource_cursor_advance_within().
 */
static struct ttm_resource *ttm_lru_walk_advance(struct ttm_bo_lru_cursor *curs,
						 unsigned long *left)
{
	unsigned long budget = *left;
	struct ttm_resource *res;

	res = ttm_resource_cursor_advance_within(&curs->res_curs, &budget);
	/* The walk looked at the others, and ignored them: they had moved. */
	curs->left_out.moved += *left - budget - !IS_ERR_OR_NULL(res);
	*left = budget;
	if (IS_ERR_OR_NULL(res) || !ttm_lru_walk_met_enough(curs, res))
		return res;

	ttm_resource_cursor_fini(&curs->res_curs);
	curs->left_out.moved++;
	return NULL;
}

/*
 * One hold of the lru_lock. Returns a resource whose buffer was taken, NULL at
 * the walk's end, or -EAGAIN if the hold was long enough. The hitch is parked.
 */
static struct ttm_resource *ttm_lru_walk_hold(struct ttm_bo_lru_cursor *curs)
{
	struct ttm_resource_cursor *res_curs = &curs->res_curs;
	unsigned long left = TTM_LRU_WALK_HOLD;
	const u64 since = curs->since;
	struct ttm_resource *res;

	do {
		res = ttm_resource_cursor_step_plain(res_curs, since);
		if (likely(res)) {
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

	/* What entered may stand where the walk has been already. */
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

/* Is @bo, which is reserved, where the walk looks for buffers? */
static bool ttm_lru_walk_is_in(const struct ttm_buffer_object *bo,
			       const struct ttm_resource_manager *man)
{
	return bo->resource &&
	       ttm_manager_type(man->bdev, bo->resource->mem_type) == man;
}

/* Leave @bo, reserved, to the allocation. With its last reference its room goes. */
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
 * ttm_bo_lru_cursor_release() - give back the buffer that the walk is at
 * @curs: The cursor.
 *
 * Unreserves the buffer that the last step returned, if there is one, and drops
 * the reference to it; or leaves both to the allocation, if the walk is to keep
 * them. The walk keeps its place, so that it can be left for
 * long. Implied by all that goes on with the walk, or ends it.
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
 * @arg: How to lock them. Must live as long as @curs, and say the same.
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
 * Gives back the buffer of the step before.
 *
 * Context: May sleep. Takes &ttm_device.lru_lock, each time for no more than a
 * constant number of resources. As @curs's arg says, takes reservations.
 *
 * Return: The buffer, referenced and reserved until the next step. It has a
 * resource of the manager. %NULL if the walk has ended or @curs is in none. An
 * error pointer ends the walk: -EDEADLK if waiting for a reservation could
 * deadlock, so that the ticket must be backed off; -EINTR or -ERESTARTSYS if the
 * wait was interrupted. After any end it goes on returning %NULL. With
 * &ttm_lru_walk_arg.reclaim, -EAGAIN says that none was found in one hold of the
 * lock, and the next call goes on.
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
		/* While it was waited for, it may have got another resource. */
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
		curs->entries = curs->man->lru_entries;
	}

	return ttm_bo_lru_cursor_next(curs);
}
EXPORT_SYMBOL(ttm_bo_lru_cursor_first);

/* Is @err of this one buffer alone, so that the next may fare better? */
static bool ttm_lru_walk_goes_on(s64 err)
{
	return err == -EBUSY || err == -EALREADY || err == -ENOMEM ||
	       err == -ENOSPC;
}

/**
 * ttm_lru_walk_for_evict() - do something with buffers until it is enough
 * @walk: What to do, and how to lock.
 * @bdev: The device.
 * @man: The manager whose buffers are walked.
 * @target: How much is enough, in what &ttm_lru_walk_ops.process_bo counts.
 *
 * Calls process_bo on one buffer after the other, until what it returned adds up
 * to @target or all were met. A buffer that fails does not end the walk, unless
 * with an error other than -EBUSY, -EALREADY, -ENOMEM and -ENOSPC.
 *
 * Context: May sleep. Takes what ttm_bo_lru_cursor_next() takes.
 *
 * Return: The progress that was made, or the negative error that ended the walk.
 * The progress up to then is in &ttm_lru_walk.progress in any case, and what the
 * walk did not return in &ttm_lru_walk.left_out.
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
