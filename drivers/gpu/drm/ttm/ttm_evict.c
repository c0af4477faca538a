// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Eviction: walks over a manager's buffers to make room in it.
 */

#include <linux/cgroup_dmem.h>
#include <linux/dma-fence.h>
#include <linux/export.h>
#include <linux/sched.h>

#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_device.h>
#include <drm/ttm/ttm_placement.h>
#include <drm/ttm/ttm_resource.h>

#include "ttm_bo_internal.h"

/**
 * DOC: Exhaustive eviction
 *
 * Room is made in passes over the manager's LRU lists, each more insistent than
 * the one before:
 *
 * 1. Reservations are only tried. Buffers that are in use are passed by, a VM's
 *    all at once.
 * 2. With a transaction's ticket, one reservation a pass is waited for.
 * 3. With the ticket, each reservation that isn't free is waited for, so that
 *    nothing is passed by.
 *
 * A pass is bounded: it ends, however fast others move buffers to the tail. It
 * is repeated as long as buffers were evicted. Then there is no more to get if
 * nothing was passed by; else the next kind follows. So the last pass has seen
 * all that there is.
 */

/* A walk that evicts what it meets. */
struct ttm_evict_walk {
	struct ttm_lru_walk walk;
	/* Where room is needed; NULL for anywhere. */
	const struct ttm_place *place;
	/* Who needs it, and what he gets; NULL to free as many bytes as there are. */
	struct ttm_buffer_object *evictor;
	struct ttm_resource **res;
	struct ttm_bo_alloc_state *alloc_state;
	/* What allocating for @evictor came to, once that is settled. */
	int alloc_ret;
	/* In one pass: buffers that left the manager, and why the last did not. */
	unsigned long evicted;
	int error;
	/* A buffer stayed as there was no memory for what moving it takes. */
	bool no_memory;
	/* Take what a cgroup's low limit protects; some was left for that. */
	bool try_low;
	bool hit_low;
};

static struct ttm_evict_walk *to_evict_walk(struct ttm_lru_walk *walk)
{
	return container_of(walk, struct ttm_evict_walk, walk);
}

/* A buffer whose last reference is gone needs no other place. */
static int ttm_evict_bo(struct ttm_buffer_object *bo,
			struct ttm_operation_ctx *ctx)
{
	int ret;

	if (!bo->deleted)
		return ttm_bo_evict(bo, ctx);

	ret = ttm_bo_wait_ctx(bo, ctx);
	if (!ret)
		ttm_bo_cleanup_memtype_use(bo);
	return ret;
}

/*
 * Drivers may evict to another part of the same memory. That can make room, but it
 * is no progress: it could go on for ever.
 */
static bool ttm_evict_has_left(struct ttm_buffer_object *bo, u32 mem_type)
{
	return !bo->resource || bo->resource->mem_type != mem_type;
}

/* Do the limits of cgroups let the evictor have the space of @bo? */
static bool ttm_evict_cgroup_allows(struct ttm_evict_walk *evict,
				    struct ttm_buffer_object *bo)
{
	const struct ttm_bo_alloc_state *state = evict->alloc_state;
	struct dmem_cgroup_pool_state *owner = bo->resource->css;
	struct dmem_cgroup_pool_state *top, *common = NULL;
	bool allows;

	/*
	 * The evictor is protected and may displace those who are not. Its own
	 * cgroup is protected as well, though it may always evict from itself.
	 */
	if (!state->may_try_low && owner == state->charge_pool)
		return false;

	/* Protection is measured from where the two cgroups part. */
	top = state->limit_pool;
	if (!top) {
		common = dmem_cgroup_get_common_ancestor(owner,
							 state->charge_pool);
		top = common;
	}
	allows = dmem_cgroup_state_evict_valuable(top, owner, evict->try_low,
						  &evict->hit_low);
	if (common)
		dmem_cgroup_pool_state_put(common);
	return allows;
}

static bool ttm_evict_worth_it(struct ttm_evict_walk *evict,
			       struct ttm_buffer_object *bo)
{
	return ttm_evict_cgroup_allows(evict, bo) && !bo->pin_count &&
	       bo->bdev->funcs->eviction_valuable(bo, evict->place);
}

/* Returns 1 when there is nothing to be gained from going on. */
static s64 ttm_evict_retry_alloc(struct ttm_evict_walk *evict)
{
	int ret = ttm_bo_alloc_at_place(evict->evictor, evict->place, false,
					evict->res, evict->alloc_state);

	if (ret == -ENOSPC || ret == -EBUSY)
		return 0;

	/* Room was found, or evicting others doesn't help against the error. */
	evict->alloc_ret = ret;
	return 1;
}

static s64 ttm_evict_process_bo(struct ttm_lru_walk *walk,
				struct ttm_buffer_object *bo)
{
	struct ttm_evict_walk *evict = to_evict_walk(walk);
	u32 mem_type = bo->resource->mem_type;
	s64 size = bo->base.size;
	int ret;

	if (!ttm_evict_worth_it(evict, bo))
		return 0;

	ret = ttm_evict_bo(bo, walk->arg.ctx);
	if (ret) {
		evict->no_memory |= ret == -ENOMEM;
		return ret;
	}
	if (ttm_evict_has_left(bo, mem_type))
		evict->evicted++;
	return evict->evictor ? ttm_evict_retry_alloc(evict) : size;
}

static const struct ttm_lru_walk_ops ttm_evict_ops = {
	.process_bo = ttm_evict_process_bo,
};

/* How passes lock. */
enum ttm_evict_locking {
	TTM_EVICT_TRYLOCK,
	TTM_EVICT_WAIT_ONCE,
	TTM_EVICT_WAIT,
};

static bool ttm_evict_may_wait(const struct ttm_lru_walk_arg *arg)
{
	return (arg->ticket || arg->sleeping_lock) && !arg->ctx->no_wait_gpu;
}

/*
 * Passes with one way of locking, until @target is reached or one has evicted
 * nothing. If reservations are only ever tried, another's short hold of one may
 * have hidden what there is: that is given a second chance.
 */
static s64 ttm_evict_passes(struct ttm_evict_walk *evict,
			    struct ttm_resource_manager *man, s64 target,
			    enum ttm_evict_locking locking)
{
	struct ttm_lru_walk_arg *arg = &evict->walk.arg;
	bool second_chance = !ttm_evict_may_wait(arg);
	s64 freed = 0, ret;

	arg->trylock_only = locking == TTM_EVICT_TRYLOCK;
	arg->keep_ticket = locking == TTM_EVICT_WAIT;
	for (;;) {
		evict->evicted = 0;
		ret = ttm_lru_walk_for_evict(&evict->walk, man->bdev, man,
					     target - freed);
		freed += evict->walk.progress;
		if (ret < 0)
			return ret;
		if (freed >= target)
			return freed;
		if (evict->evicted)
			continue;
		if (!second_chance || !arg->skipped)
			return freed;
		second_chance = false;
	}
}

/* As above; if it takes that, buffers under their cgroup's low limit as well. */
static s64 ttm_evict_low_passes(struct ttm_evict_walk *evict,
				struct ttm_resource_manager *man, s64 target,
				enum ttm_evict_locking locking, bool may_try_low)
{
	s64 freed, ret;

	evict->try_low = false;
	evict->hit_low = false;
	freed = ttm_evict_passes(evict, man, target, locking);
	if (freed < 0 || freed >= target || !evict->hit_low || !may_try_low)
		return freed;

	evict->try_low = true;
	ret = ttm_evict_passes(evict, man, target - freed, locking);
	return ret < 0 ? ret : freed + ret;
}

/**
 * ttm_bo_evict_alloc() - make room for a buffer, and take it
 * @bdev: The device.
 * @man: The manager that has no room.
 * @place: Where in it.
 * @evictor: The buffer, reserved.
 * @ctx: How to wait and lock.
 * @ticket: The transaction in which @evictor was reserved, or %NULL. Without one
 * other reservations are only tried.
 * @res: Set to the resource.
 * @state: What the allocation is charged to.
 *
 * Context: May sleep. Takes reservations and &ttm_device.lru_lock.
 *
 * Return: 0; -EBUSY if all that there is to evict was evicted, to no avail;
 * -ENOSPC if the transaction must be given up; -ENOMEM if memory to evict to ran
 * out; -EINTR or -ERESTARTSYS; or another error of evicting.
 */
int ttm_bo_evict_alloc(struct ttm_device *bdev,
		       struct ttm_resource_manager *man,
		       const struct ttm_place *place,
		       struct ttm_buffer_object *evictor,
		       struct ttm_operation_ctx *ctx,
		       struct ww_acquire_ctx *ticket,
		       struct ttm_resource **res,
		       struct ttm_bo_alloc_state *state)
{
	static const enum ttm_evict_locking kinds[] = {
		TTM_EVICT_TRYLOCK, TTM_EVICT_WAIT_ONCE, TTM_EVICT_WAIT,
	};
	struct ttm_evict_walk evict = {
		.walk = {
			.ops = &ttm_evict_ops,
			.arg = { .ctx = ctx, .ticket = ticket },
		},
		.place = place,
		.evictor = evictor,
		.res = res,
		.alloc_state = state,
	};
	s64 ret = 0;

	state->in_evict = true;
	for (int i = 0; i < ARRAY_SIZE(kinds); i++) {
		ret = ttm_evict_low_passes(&evict, man, 1, kinds[i],
					   state->may_try_low);
		if (ret || !ttm_evict_may_wait(&evict.walk.arg) ||
		    (i && !evict.walk.arg.skipped))
			break;
	}
	state->in_evict = false;

	if (ret > 0)
		return evict.alloc_ret;
	if (!ret)
		return evict.no_memory ? -ENOMEM : -EBUSY;
	return ret;
}

/**
 * ttm_bo_evict_cgroup() - evict buffers that are charged to a cgroup
 * @bdev: The device.
 * @man: The manager to free space in.
 * @limit_pool: The cgroup's part of it.
 * @target_bytes: How much to free.
 * @ctx: How to wait and lock.
 *
 * Reservations are tried first, then waited for, without a ticket: the caller
 * must hold none.
 *
 * Context: May sleep. Takes reservations and &ttm_device.lru_lock.
 *
 * Return: Bytes that were freed; less than @target_bytes if there are no more to
 * get. A negative error if evicting failed.
 */
s64 ttm_bo_evict_cgroup(struct ttm_device *bdev,
			struct ttm_resource_manager *man,
			struct dmem_cgroup_pool_state *limit_pool,
			s64 target_bytes,
			struct ttm_operation_ctx *ctx)
{
	struct ttm_bo_alloc_state state = {
		.limit_pool = limit_pool,
		.in_evict = true,
	};
	struct ttm_evict_walk evict = {
		.walk = {
			.ops = &ttm_evict_ops,
			.arg = { .ctx = ctx, .sleeping_lock = true },
		},
		.alloc_state = &state,
	};
	s64 freed, ret;

	freed = ttm_evict_low_passes(&evict, man, target_bytes,
				     TTM_EVICT_TRYLOCK, true);
	if (freed < 0 || freed >= target_bytes)
		return freed;

	ret = ttm_evict_low_passes(&evict, man, target_bytes - freed,
				   TTM_EVICT_WAIT, true);
	if (ret < 0)
		return ret;
	freed += ret;
	return !freed && evict.no_memory ? -ENOMEM : freed;
}
EXPORT_SYMBOL(ttm_bo_evict_cgroup);

static s64 ttm_evict_all_process_bo(struct ttm_lru_walk *walk,
				    struct ttm_buffer_object *bo)
{
	struct ttm_evict_walk *evict = to_evict_walk(walk);
	u32 mem_type = bo->resource->mem_type;
	int ret;

	/* While the walk waited for it: it is no longer on the list. */
	if (bo->pin_count)
		return 0;

	ret = ttm_evict_bo(bo, walk->arg.ctx);
	if (!ret && !ttm_evict_has_left(bo, mem_type))
		ret = -EBUSY;
	if (ret)
		evict->error = ret;
	else
		evict->evicted++;
	return ret;
}

static const struct ttm_lru_walk_ops ttm_evict_all_ops = {
	.process_bo = ttm_evict_all_process_bo,
};

static bool ttm_resource_manager_is_empty(struct ttm_resource_manager *man)
{
	guard(spinlock)(&man->bdev->lru_lock);
	for (int i = 0; i < TTM_MAX_BO_PRIORITY; i++)
		if (ttm_lru_first_res_or_null(&man->lru[i]))
			return false;
	return true;
}

/* Wait until what pipelined evictions move has arrived. */
static int ttm_resource_manager_wait_moves(struct ttm_resource_manager *man)
{
	for (int i = 0; i < TTM_NUM_MOVE_FENCES; i++) {
		struct dma_fence *fence;
		long ret = 0;

		scoped_guard(spinlock, &man->eviction_lock)
			fence = dma_fence_get(man->eviction_fences[i]);
		if (fence)
			ret = dma_fence_wait(fence, false);
		dma_fence_put(fence);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * ttm_resource_manager_evict_all() - empty a manager before it goes
 * @bdev: The device.
 * @man: The manager.
 *
 * Evicts buffers until none is left on the manager's lists, and waits for the
 * moves to end. Buffers that can't be evicted don't keep the others from it.
 *
 * Context: May sleep. Takes reservations, and waits for them: the caller must
 * hold none. Takes &ttm_device.lru_lock.
 *
 * Return: 0, or the negative error of an eviction if there are buffers left.
 */
int ttm_resource_manager_evict_all(struct ttm_device *bdev,
				   struct ttm_resource_manager *man)
{
	struct ttm_operation_ctx ctx = {};
	struct ttm_evict_walk evict = {
		.walk = {
			.ops = &ttm_evict_all_ops,
			.arg = { .ctx = &ctx, .sleeping_lock = true },
		},
	};
	s64 ret;

	while (!ttm_resource_manager_is_empty(man)) {
		evict.evicted = 0;
		evict.error = 0;
		ret = ttm_lru_walk_for_evict(&evict.walk, bdev, man, S64_MAX);
		if (ret < 0)
			return ret;
		if (evict.evicted)
			continue;
		if (evict.error)
			return evict.error;
		/* What is left is being released, or came just now. */
		schedule_timeout_uninterruptible(1);
	}
	return ttm_resource_manager_wait_moves(man);
}
EXPORT_SYMBOL(ttm_resource_manager_evict_all);
