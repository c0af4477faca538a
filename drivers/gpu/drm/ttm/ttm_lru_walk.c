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
#include "ttm_lru_debug.h"

/**
 * DOC: Walks over reserved buffers
 *
 * Who evicts, swaps out or shrinks wants buffers, not resources: referenced,
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
 * with &ttm_lru_walk_arg.sleeping_lock. Else the buffer is passed by, and
 * counted in &ttm_lru_walk_arg.skipped.
 *
 * **Busy bulks.** The buffers of a VM share one reservation. Where it can't be
 * had, all of a bulk's range is passed by in one step, however long it is. That
 * the lock was taken for a moment is enough to hide the whole VM from the walk.
 * So only a walk that skipped nothing has seen everything, and only from such a
 * one may be concluded that there is no more to get.
 *
 * **Short holds.** After TTM_LRU_WALK_HOLD resources the lock is dropped, found
 * or not. In between, nothing is written to the list: the hitch is parked when
 * the lock is about to be dropped, and not before.
 *
 * **An end.** Walks are bounded: they return what was on the list when they
 * began and has not moved since. What others, or the caller, move to the tail
 * does not prolong them. &ttm_lru_walk_arg.unbounded asks for the contrary.
 */

/* Resources that are looked at before the lru_lock is dropped. */
#define TTM_LRU_WALK_HOLD	32

/* Is the reservation of @bo held by the transaction of the walk itself? */
static bool ttm_lru_walk_owns(const struct ttm_lru_walk_arg *arg,
			      struct ttm_buffer_object *bo)
{
	return arg->ticket && dma_resv_locking_ctx(bo->base.resv) == arg->ticket;
}

/*
 * Each lock that is waited for in a transaction may end that, for all that the
 * caller did in it. So it is not risked more often than asked for.
 */
static bool ttm_lru_walk_may_wait(const struct ttm_bo_lru_cursor *curs)
{
	const struct ttm_lru_walk_arg *arg = curs->arg;

	if (arg->trylock_only || arg->ctx->no_wait_gpu)
		return false;
	return arg->sleeping_lock ||
	       (arg->ticket && (arg->keep_ticket || !curs->waited));
}

static bool ttm_lru_walk_trylock(struct ttm_bo_lru_cursor *curs,
				 struct ttm_buffer_object *bo)
{
	const struct ttm_operation_ctx *ctx = curs->arg->ctx;

	curs->needs_unlock = dma_resv_trylock(bo->base.resv);
	ttm_lru_debug_trylock(curs->man);
	if (curs->needs_unlock)
		return true;

	/* The caller has it, and lends it. */
	return ctx->allow_res_evict && ctx->resv == bo->base.resv;
}

/* Is there nothing to try with a buffer whose reservation is taken? */
static bool ttm_lru_walk_passes_busy(const struct ttm_bo_lru_cursor *curs)
{
	const struct ttm_lru_walk_arg *arg = curs->arg;

	return !arg->ticket && !arg->ctx->allow_res_evict &&
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

	if (ret != -EDEADLK)
		return ret;
	/* The caller can only give up the transaction, as for want of space. */
	if (arg->ctx->contended && !*arg->ctx->contended) {
		ttm_bo_get(bo);
		*arg->ctx->contended = bo;
	}
	return -ENOSPC;
}

/* Pass by @res, where the walk stands: its buffer's reservation is not free. */
static void ttm_lru_walk_pass(struct ttm_bo_lru_cursor *curs,
			      const struct ttm_resource *res, bool owned)
{
	/* What the caller itself holds will not be free before it is done. */
	if (!owned)
		curs->arg->skipped++;
	if (ttm_lru_item_in_range(&res->lru) && ttm_resource_in_shared_bulk(res))
		ttm_resource_cursor_skip_bulk(&curs->res_curs);
}

/*
 * Take a reference to the buffer of @res, and its reservation if that is free;
 * if not, the walk may wait for it. Returns false if @res was passed by.
 */
static bool ttm_lru_walk_take(struct ttm_bo_lru_cursor *curs,
			      struct ttm_resource *res)
{
	struct ttm_lru_walk_arg *arg = curs->arg;
	struct ttm_buffer_object *bo = res->bo;
	bool owned;

	/* Being released: who does that needs the lock to take it off. */
	if (!kref_read(&bo->kref)) {
		arg->dying++;
		return false;
	}

	if (curs->passes_busy && dma_resv_is_locked(bo->base.resv)) {
		ttm_lru_debug_trylock(curs->man);
		ttm_lru_walk_pass(curs, res, false);
		return false;
	}

	curs->locked = ttm_lru_walk_trylock(curs, bo);
	if (!curs->locked) {
		owned = ttm_lru_walk_owns(arg, bo);
		if (owned || !ttm_lru_walk_may_wait(curs)) {
			ttm_lru_walk_pass(curs, res, owned);
			return false;
		}
	}
	if (!ttm_bo_get_unless_zero(bo)) {
		if (curs->needs_unlock)
			dma_resv_unlock(bo->base.resv);
		arg->dying++;
		return false;
	}
	curs->bo = bo;
	return true;
}

/*
 * Is the next node, @item, simply a resource that last moved before @since? Else
 * the core is to look at it. Of ranges only one is known here: that which the
 * hitch is inside of, so that the next resource is a member.
 */
static __always_inline bool
ttm_lru_walk_takes(const struct ttm_resource_cursor *cursor,
		   const struct ttm_lru_item *item, u64 since)
{
	const u64 kind = TTM_LRU_TYPE_MASK | TTM_LRU_PLACE_MASK;
	const u64 loose = TTM_LRU_RESOURCE |
			  TTM_LRU_LOOSE << TTM_LRU_PLACE_SHIFT;
	const u64 member = TTM_LRU_RESOURCE |
			   TTM_LRU_RANGE << TTM_LRU_PLACE_SHIFT;

	if (IS_ENABLED(CONFIG_DRM_TTM_LRU_DEBUG) ||
	    unlikely(&item->link == cursor->list) ||
	    unlikely(item->state >= since))
		return false;
	if (likely((item->state & kind) == loose))
		return true;
	return (item->state & kind) == member && cursor->range &&
	       cursor->at == &cursor->hitch.link &&
	       cursor->range->first->lru.state < since;
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
		struct ttm_lru_item *item = list_entry(res_curs->at->next,
						       struct ttm_lru_item, link);

		if (ttm_lru_walk_takes(res_curs, item, since)) {
			res_curs->at = &item->link;
			res = ttm_lru_item_to_res(item);
			left--;
		} else {
			unsigned long budget = left;

			res = ttm_resource_cursor_advance_within(res_curs,
								 &budget);
			left = budget;
			if (IS_ERR_OR_NULL(res))
				break;
		}
		if (ttm_lru_walk_take(curs, res))
			break;
		res = ERR_PTR(-EAGAIN);
	} while (left);

	ttm_resource_cursor_pause(res_curs);
	ttm_lru_debug_hold(curs->man, TTM_LRU_WALK_HOLD - left);
	return res;
}

/* The walk ends before its end. */
static void ttm_bo_lru_cursor_end(struct ttm_bo_lru_cursor *curs)
{
	guard(spinlock)(&curs->man->bdev->lru_lock);
	ttm_resource_cursor_fini(&curs->res_curs);
}

/**
 * ttm_bo_lru_cursor_release() - give back the buffer that the walk is at
 * @curs: The cursor.
 *
 * Unreserves the buffer that the last step returned, if there is one, and drops
 * the reference to it. The walk keeps its place, so that it can be left for
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
	if (curs->needs_unlock)
		dma_resv_unlock(bo->base.resv);
	ttm_bo_put(bo);
}
EXPORT_SYMBOL(ttm_bo_lru_cursor_release);

/**
 * ttm_bo_lru_cursor_init() - make a cursor that is in no walk
 * @curs: The cursor. Must not move in memory until ttm_bo_lru_cursor_fini().
 * @man: The manager whose buffers will be walked.
 * @arg: How to lock them. Must live as long as @curs, and say the same; what it
 * counts starts at zero.
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
	curs->passes_busy = ttm_lru_walk_passes_busy(curs);
	arg->skipped = 0;
	arg->dying = 0;
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
 * error pointer ends the walk: -ENOSPC if waiting for a reservation could
 * deadlock, so that the caller's transaction must be given up; -EINTR or
 * -ERESTARTSYS if the wait was interrupted. After any end it goes on returning
 * %NULL.
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
			cond_resched();
			continue;
		}

		bo = curs->bo;
		if (likely(curs->locked && bo->resource == res))
			return bo;

		ret = curs->locked ? 0 : ttm_lru_walk_lock(curs, bo);
		/* While it was waited for, it may have got another resource. */
		if (!ret && bo->resource == res &&
		    ttm_manager_type(man->bdev, res->mem_type) == man)
			return bo;

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
	scoped_guard(spinlock, &curs->man->bdev->lru_lock) {
		ttm_resource_cursor_pause(ttm_resource_cursor_restart(&curs->res_curs));
		curs->since = ttm_resource_cursor_since(&curs->res_curs);
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
 * The progress up to then is in &ttm_lru_walk.progress in any case.
 */
s64 ttm_lru_walk_for_evict(struct ttm_lru_walk *walk, struct ttm_device *bdev,
			   struct ttm_resource_manager *man, s64 target)
{
	struct ttm_bo_lru_cursor cursor;
	struct ttm_buffer_object *bo;

	walk->progress = 0;
	ttm_bo_lru_for_each_reserved_guarded(&cursor, man, &walk->arg, bo) {
		s64 done = walk->ops->process_bo(walk, bo);

		if (done > 0)
			walk->progress += done;
		else if (done && !ttm_lru_walk_goes_on(done))
			return done;
		if (walk->progress >= target)
			break;
	}
	return IS_ERR(bo) ? PTR_ERR(bo) : walk->progress;
}
EXPORT_SYMBOL(ttm_lru_walk_for_evict);
