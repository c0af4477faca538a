// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Eviction: walks over a manager's buffers to make room in it.
 *
 * One long file: searches, cgroup limits and emptying a manager follow the same rules
 * and share their walks.
 */

#include <linux/bits.h>
#include <linux/cgroup_dmem.h>
#include <linux/delay.h>
#include <linux/dma-fence.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/jiffies.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/time64.h>
#include <linux/ww_mutex.h>

#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_device.h>
#include <drm/ttm/ttm_placement.h>
#include <drm/ttm/ttm_resource.h>
#include <drm/ttm/ttm_tt.h>

#include "ttm_bo_internal.h"
#include "ttm_evict_scope.h"
#include "ttm_lru_internal.h"
#include "ttm_reclaim.h"

/**
 * DOC: Making room
 *
 * ttm_bo_validate() and ttm_bo_mem_space() find a place for a buffer in a list of
 * places. They return %-ENOSPC only if evicting all buffers that may be evicted would
 * not have made room (E1). Within the limits of rule 3, they do not fail because other
 * threads use, move or free buffers meanwhile. The rules, in their order:
 *
 * 1. *Take free space first.* Try all places but fallbacks without evicting anything.
 *    Only a cgroup that is protected by its limits may evict others already now
 *    (ttm_evict_search()).
 * 2. *Look softly before any wait* (E2). Walk all places, now with the fallbacks and
 *    without those that are only desired. Evict only buffers whose reservation is free:
 *    waiting can cost the caller its whole transaction, and a fallback is good enough
 *    for the driver. A search that may not wait repeats this *soft* look, up to
 *    TTM_EVICT_LOOKS times in all, while buffers are just being moved or released.
 *    Evicted buffers stay reserved until the search ends, or pauses as in rule 5 (E4).
 *    Otherwise their owner would take the room again before there is enough. Without a
 *    ticket, at most TTM_EVICT_SCOPE_FEW of them stay reserved
 *    (ttm_evict_look_softly()).
 * 3. *Conclude only from a second look that left out nothing.* A buffer that was not
 *    valuable in the first look may be valuable in the second. While looks leave out
 *    something, the search continues, for TTM_EVICT_KEPT_PATIENCE pauses with a ticket,
 *    or TTM_EVICT_PATIENCE pauses without (ttm_evict_search_on()).
 * 4. *With a ticket, search exhaustively.* Each wait may end with %-EDEADLK. So a first
 *    round waits for one reservation in each place that was not fully seen. A second
 *    round waits for all reservations, with the ticket, and keeps them, whether it
 *    evicts the buffers or not. Buffers that it has seen cannot change, evicted buffers
 *    cannot come back, and the walk returns each buffer once. So the walk ends, and its
 *    conclusion is true. The reservations are given back when the search has ended
 *    (ttm_evict_look_exhaustively()).
 * 5. *Without a ticket, search patiently.* Such a caller must not wait for a
 *    reservation. It repeats soft looks, and gives all reservations back before each
 *    pause (ttm_evict_pause()).
 * 6. *Pass on -EDEADLK* (E3). Nested evictions return it unchanged, and from then on
 *    nothing is locked with the ticket. The outermost call takes a last soft look. If
 *    that finds no room, it returns %-EDEADLK, or %-ENOSPC to callers that can't back off
 *    (&ttm_operation_ctx.contended; ttm_evict_last_look()).
 *
 * A new rule goes into this list and into ttm_evict_search(); a rule of which buffers may
 * be evicted, into ttm_evict_is_valuable(). Its case goes into the suites ttm_lru_room*.
 *
 * So a driver gets room wherever Linux 7.3 finds it, and never gets %-EDEADLK where
 * Linux 7.3 returns %-ENOSPC (E5). Throughout:
 *
 * - *Retry the allocation* after each eviction and at the end of each walk: another
 *   thread may have made room.
 * - *When memory is short* (%-ENOMEM from a victim), from then on try only victims that
 *   need less memory, and do not invoke the OOM killer for them.
 * - *Skip a victim that can't leave* because its own placements have no room. The
 *   search for the victim's place follows the same rules, with the same ticket.
 * - *Wait for a GPU that hangs once* (E7) in a search, for the timeout of TTM's waits. Do not
 *   wait for the GPU for other buffers after that.
 * - *Ask the driver with the buffer reserved* (``ttm_device_funcs.eviction_valuable``), in
 *   a soft look first. Do not wait for a buffer that is not valuable before all others
 *   were tried.
 */

/*
 * The most pauses of a search whose looks leave out something. A pause takes a
 * millisecond or two; the looks themselves are not counted.
 */
#define TTM_EVICT_PATIENCE	MSEC_PER_SEC
/* The same for a search with a ticket, which keeps its reservations meanwhile. */
#define TTM_EVICT_KEPT_PATIENCE	min(TTM_EVICT_PATIENCE, 64)
/* If an eviction fails with -EBUSY after this time, the GPU hangs. */
#define TTM_EVICT_HUNG		(5 * HZ)
/* Soft looks in a row. */
#define TTM_EVICT_LOOKS		4
/* A walk returns at most this many buffers that moved since it began, unless exhaustive. */
#define TTM_EVICT_MAX_MOVED	16

/* How hard a walk tries. */
enum ttm_evict_effort {
	/* Wait for no reservation. */
	TTM_EVICT_TRYLOCK,
	/* Wait for one, with the ticket. Searches for the victims' places are soft. */
	TTM_EVICT_WAIT_ONCE,
	/* Wait for all, without a ticket. */
	TTM_EVICT_WAIT,
	/* Wait for all, with the ticket, and keep them. */
	TTM_EVICT_EXHAUST,
};

/* A search for a place for a buffer. */
struct ttm_evict_search {
	struct ttm_buffer_object *bo;
	struct ttm_placement *placement;
	struct ttm_operation_ctx *ctx;
	/* The transaction in which @bo was reserved, or NULL. */
	struct ww_acquire_ctx *ticket;
	/* The search that evicts @bo, or NULL. */
	struct ttm_evict_scope *outer;
	/* Where to put the new resource of @bo. */
	struct ttm_resource **res;
	bool force_space;
	/* Places where the last round left out buffers, a bit for each. */
	u64 left_out;
	/* The last round left out buffers that were just being moved or released. */
	bool passing;
	/* The round has walked, and the entries to all places before its first walk. */
	bool has_walked;
	u64 entries;
	/*
	 * System memory was short for a victim of this size; U64_MAX if it was not.
	 * Assume that it remains short: another attempt would reclaim in vain.
	 */
	u64 too_large;
};

/* A walk that evicts the buffers that it meets. */
struct ttm_evict_walk {
	struct ttm_lru_walk walk;
	/* The search that needs room, and the place; NULL to free a number of bytes. */
	struct ttm_evict_search *search;
	const struct ttm_place *place;
	struct ttm_bo_alloc_state *alloc_state;
	/* The result of the allocation, if it succeeded or failed for good. */
	int alloc_ret;
	/* How many buffers left the manager, and the last error of an eviction. */
	unsigned long evicted;
	int error;
	/* The walk left out buffers; some of them were just being moved or released. */
	bool left_out;
	bool passing;
	/* Evict buffers that a cgroup's low limit protects; such buffers were skipped. */
	bool try_low;
	bool hit_low;
};

static struct ttm_evict_walk *to_evict_walk(struct ttm_lru_walk *walk)
{
	return container_of(walk, struct ttm_evict_walk, walk);
}

/**
 * ttm_bo_evict_zombie() - free the memory of a zombie
 * @bo: The buffer, reserved. Its last reference is gone.
 * @ctx: How to wait for the GPU.
 *
 * Context: May sleep.
 *
 * Return: 0, or the negative error of the wait.
 */
int ttm_bo_evict_zombie(struct ttm_buffer_object *bo,
			struct ttm_operation_ctx *ctx)
{
	int ret = ttm_bo_wait_ctx(bo, ctx);

	if (!ret)
		ttm_bo_cleanup_memtype_use(bo);
	return ret;
}

/*
 * Evict @bo. After one wait for a GPU that hangs, do not wait for the GPU again: other
 * threads wait for the caller's reservations.
 */
static int ttm_evict_bo(struct ttm_buffer_object *bo,
			struct ttm_operation_ctx *ctx)
{
	unsigned long began = jiffies;
	int ret = bo->deleted ? ttm_bo_evict_zombie(bo, ctx) :
				ttm_bo_evict(bo, ctx);

	if (ret == -EBUSY && time_after(jiffies, began + TTM_EVICT_HUNG))
		ctx->no_wait_gpu = true;
	return ret;
}

/*
 * Did @bo leave the manager? Drivers may evict to another part of the same memory. That
 * can make room, but must not count as progress: it could be repeated for ever.
 */
static bool ttm_evict_has_left(struct ttm_buffer_object *bo, u32 mem_type)
{
	return !bo->resource || bo->resource->mem_type != mem_type;
}

/* Do the limits of cgroups allow to evict @bo? */
static bool ttm_evict_cgroup_allows(struct ttm_evict_walk *evict,
				    struct ttm_buffer_object *bo)
{
	const struct ttm_bo_alloc_state *state = evict->alloc_state;
	struct dmem_cgroup_pool_state *owner = bo->resource->css;
	struct dmem_cgroup_pool_state *top, *common = NULL;
	bool allows;

	/*
	 * A protected cgroup evicts only from unprotected ones, and so not from
	 * itself, which dmem_cgroup_state_evict_valuable() would allow.
	 */
	if (!state->may_try_low && owner == state->charge_pool)
		return false;

	/* Protection is relative to the closest common ancestor of both cgroups. */
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

/* How many bytes of memory an eviction of @bo may have to allocate. */
static u64 ttm_evict_needs_memory(const struct ttm_buffer_object *bo)
{
	if (bo->deleted || (bo->ttm && ttm_tt_is_populated(bo->ttm)))
		return 0;
	return bo->base.size;
}

static bool ttm_evict_is_valuable(struct ttm_evict_walk *evict,
				  struct ttm_buffer_object *bo)
{
	if (evict->search &&
	    ttm_evict_needs_memory(bo) >= evict->search->too_large)
		return false;
	return ttm_evict_cgroup_allows(evict, bo) && !bo->pin_count &&
	       bo->bdev->funcs->eviction_valuable(bo, evict->place);
}

/* Memory was short for the victim @bo: try smaller ones, without the OOM killer. */
static void ttm_evict_lacks_memory(struct ttm_evict_search *search,
				   const struct ttm_buffer_object *bo)
{
	search->too_large = bo->base.size;
	search->ctx->gfp_retry_mayfail = true;
}

static int ttm_evict_alloc_at_place(struct ttm_evict_search *search,
				    const struct ttm_place *place,
				    bool force_space,
				    struct ttm_bo_alloc_state *state)
{
	struct ttm_buffer_object *bo = search->bo;
	struct ttm_resource_manager *man =
		ttm_manager_type(bo->bdev, place->mem_type);
	int ret;

	ttm_resource_has_entered(man, bo);
	ret = ttm_bo_alloc_at_place(bo, place, force_space, search->res, state);
	if (ret)
		ttm_resource_not_entered(man, bo);
	return ret;
}

/* Returns 1 if the walk should end. */
static s64 ttm_evict_try_alloc(struct ttm_evict_walk *evict)
{
	int ret = ttm_evict_alloc_at_place(evict->search, evict->place, false,
					   evict->alloc_state);

	if (ret == -ENOSPC || ret == -EBUSY)
		return 0;

	/* Room was found, or further evictions can't help against the error. */
	evict->alloc_ret = ret;
	return 1;
}

static s64 ttm_evict_process_bo(struct ttm_lru_walk *walk,
				struct ttm_buffer_object *bo)
{
	struct ttm_evict_walk *evict = to_evict_walk(walk);
	u32 mem_type = bo->resource->mem_type;
	s64 size = bo->base.size;
	bool has_left;
	int ret;

	if (!ttm_evict_is_valuable(evict, bo)) {
		ttm_evict_scope_note_worthless(walk->arg.ctx->scope, bo);
		return 0;
	}

	ret = ttm_evict_bo(bo, walk->arg.ctx);
	if (ret == -ENOMEM && evict->search)
		ttm_evict_lacks_memory(evict->search, bo);
	if (ret) {
		evict->error = ret;
		return ret;
	}

	has_left = ttm_evict_has_left(bo, mem_type);
	evict->evicted += has_left;
	if (evict->search)
		return ttm_evict_try_alloc(evict);
	return has_left ? size : 0;
}

static const struct ttm_lru_walk_ops ttm_evict_ops = {
	.process_bo = ttm_evict_process_bo,
};

/* Walk @man once with @effort. */
static s64 ttm_evict_pass(struct ttm_evict_walk *evict,
			  struct ttm_resource_manager *man, s64 target,
			  enum ttm_evict_effort effort)
{
	const struct ttm_lru_left_out *left_out = &evict->walk.left_out;
	struct ttm_lru_walk_arg *arg = &evict->walk.arg;
	struct ttm_evict_scope *scope = arg->ctx->scope;
	s64 ret;

	scope->man = man;
	scope->soft = effort <= TTM_EVICT_WAIT_ONCE;
	scope->left_out = false;
	scope->passing = false;
	arg->trylock_only = effort == TTM_EVICT_TRYLOCK;
	arg->sleeping_lock = effort == TTM_EVICT_WAIT;
	arg->keep_ticket = effort == TTM_EVICT_EXHAUST;
	arg->keep = evict->search && !scope->told;
	arg->unbounded = true;
	arg->max_moved = effort == TTM_EVICT_EXHAUST ? 0 : TTM_EVICT_MAX_MOVED;
	ret = ttm_lru_walk_for_evict(&evict->walk, man->bdev, man, target);

	evict->left_out |= ttm_lru_left_out_any(left_out) | scope->left_out;
	evict->passing |= left_out->moved || left_out->zombies || scope->passing;
	return ret;
}

/* Walk once; if that is not enough, walk again and evict below low limits as well. */
static s64 ttm_evict_low_passes(struct ttm_evict_walk *evict,
				struct ttm_resource_manager *man, s64 target,
				enum ttm_evict_effort effort, bool may_try_low)
{
	s64 freed, ret;

	evict->try_low = false;
	evict->hit_low = false;
	freed = ttm_evict_pass(evict, man, target, effort);
	if (freed < 0 || freed >= target || !evict->hit_low || !may_try_low)
		return freed;

	/* Buffers that a low limit protected are worth a wait now. */
	evict->walk.arg.ctx->scope->num_worthless = 0;
	evict->try_low = true;
	ret = ttm_evict_pass(evict, man, target - freed, effort);
	return ret < 0 ? ret : freed + ret;
}

/* The bit of @place. The places from the 64th on share the last bit. */
static u64 ttm_evict_place_bit(const struct ttm_evict_search *search,
			       const struct ttm_place *place)
{
	return BIT_ULL(min_t(u64, place - search->placement->placement, 63));
}

/* Does this half of the search, without or with eviction, include @place? */
static bool ttm_evict_search_includes(const struct ttm_evict_search *search,
				      const struct ttm_place *place)
{
	struct ttm_resource_manager *man =
		ttm_manager_type(search->bo->bdev, place->mem_type);
	u32 other_half = search->force_space ? TTM_PL_FLAG_DESIRED :
					       TTM_PL_FLAG_FALLBACK;

	return man && ttm_resource_manager_used(man) &&
	       !(place->flags & other_half);
}

/*
 * Remember the entries to all places so far. The walks of this round see the resources
 * that have entered by now.
 */
static void ttm_evict_begin_walks(struct ttm_evict_search *search)
{
	const struct ttm_place *place = search->placement->placement;
	const struct ttm_place *end = place + search->placement->num_placement;
	struct ttm_device *bdev = search->bo->bdev;

	if (search->has_walked)
		return;

	search->has_walked = true;
	search->entries = 0;
	guard(spinlock)(&bdev->lru_lock);
	for (; place < end; place++) {
		struct ttm_resource_manager *man =
			ttm_manager_type(bdev, place->mem_type);

		if (ttm_evict_search_includes(search, place))
			search->entries += ttm_resource_manager_entries(man);
	}
}

/*
 * Have resources entered since the first walk of this round? The read is not locked, and
 * may tear on 32 bits. A result that is only late is that of an earlier moment, after the
 * last walk.
 */
static bool ttm_evict_has_entered(const struct ttm_evict_search *search)
{
	const struct ttm_place *place = search->placement->placement;
	const struct ttm_place *end = place + search->placement->num_placement;
	u64 entries = 0;

	if (!search->has_walked)
		return false;

	for (; place < end; place++) {
		const struct ttm_resource_manager *man =
			ttm_manager_type(search->bo->bdev, place->mem_type);

		if (!ttm_evict_search_includes(search, place))
			continue;
		/* Its writers are plain, and it is only compared. */
		entries += data_race(READ_ONCE(man->lru_entries));
	}
	return entries != search->entries;
}

/* The allocation at @place has failed, with @state: evict for it, and try it again. */
static int ttm_evict_for_place(struct ttm_evict_search *search,
			       const struct ttm_place *place,
			       struct ttm_bo_alloc_state *state,
			       enum ttm_evict_effort effort)
{
	struct ttm_resource_manager *man =
		ttm_manager_type(search->bo->bdev, place->mem_type);
	struct ttm_evict_walk evict = {
		.walk = {
			.ops = &ttm_evict_ops,
			.arg = { .ctx = search->ctx, .ticket = search->ticket },
		},
		.search = search,
		.place = place,
		.alloc_state = state,
	};
	s64 done;

	ttm_evict_begin_walks(search);
	state->in_evict = true;
	done = ttm_evict_low_passes(&evict, man, 1, effort, state->may_try_low);
	/* Other threads may have made room. */
	if (!done)
		done = ttm_evict_try_alloc(&evict);
	state->in_evict = false;
	if (done < 0)
		return done;
	if (done)
		return evict.alloc_ret;

	search->passing |= evict.passing;
	/* After the evictions, other buffers may have become valuable. */
	if (evict.left_out || evict.evicted)
		search->left_out |= ttm_evict_place_bit(search, place);
	return -EBUSY;
}

/* Return -EBUSY or -ENOSPC if there is no room in @place. */
static int ttm_evict_search_place(struct ttm_evict_search *search,
				  const struct ttm_place *place,
				  enum ttm_evict_effort effort)
{
	struct ttm_resource_manager *man =
		ttm_manager_type(search->bo->bdev, place->mem_type);
	struct ttm_buffer_object *bo = search->bo;
	struct ttm_bo_alloc_state state = {};
	int ret;

	ret = ttm_evict_alloc_at_place(search, place, search->force_space,
				       &state);
	if (ret == -EBUSY)
		ret = ttm_evict_for_place(search, place, &state, effort);
	dmem_cgroup_pool_state_put(state.limit_pool);
	if (ret) {
		dmem_cgroup_uncharge(state.charge_pool, bo->base.size);
		return ret;
	}

	/* The attempt at an earlier place may have used up some of the slots. */
	ret = dma_resv_reserve_fences(bo->base.resv, TTM_NUM_MOVE_FENCES) ?:
	      ttm_bo_add_pipelined_eviction_fences(bo, man,
						   search->ctx->no_wait_gpu);
	if (ret)
		ttm_resource_free(bo, search->res);
	return ret;
}

/*
 * Look at all places; with TTM_EVICT_WAIT_ONCE, only at those that the last round did
 * not fully see. Return -ENOSPC or -ENOMEM if none has room.
 */
static int ttm_evict_search_round(struct ttm_evict_search *search,
				  enum ttm_evict_effort effort)
{
	const struct ttm_place *place = search->placement->placement;
	const struct ttm_place *end = place + search->placement->num_placement;
	u64 left_out = search->left_out;
	int result = -ENOSPC;

	search->left_out = 0;
	search->passing = false;
	search->has_walked = false;
	for (; place < end; place++) {
		int ret;

		if (!ttm_evict_search_includes(search, place))
			continue;
		if (effort == TTM_EVICT_WAIT_ONCE &&
		    !(left_out & ttm_evict_place_bit(search, place)))
			continue;
		ret = ttm_evict_search_place(search, place, effort);
		if (ret == -ENOMEM)
			result = ret;
		else if (ret != -ENOSPC && ret != -EBUSY)
			return ret;
	}
	/* Buffers that entered behind the walks took room, and can be evicted as well. */
	if (ttm_evict_has_entered(search)) {
		search->left_out = U64_MAX;
		search->passing = true;
	}
	return search->too_large == U64_MAX ? result : -ENOMEM;
}

static bool ttm_evict_is_refusal(int ret)
{
	return ret == -ENOSPC || ret == -ENOMEM;
}

/*
 * Let other threads run for a moment. Keep the pause short: if a thread holds a
 * reservation most of the time, the search has to try often to find it free.
 */
static int ttm_evict_pause(const struct ttm_operation_ctx *ctx)
{
	if (ctx->no_wait_gpu) {
		cond_resched();
		return 0;
	}
	usleep_range_state(USEC_PER_MSEC, 2 * USEC_PER_MSEC, ctx->interruptible ?
			   TASK_INTERRUPTIBLE : TASK_UNINTERRUPTIBLE);
	return ctx->interruptible && signal_pending(current) ? -ERESTARTSYS : 0;
}

/* The effort of the search after its soft looks. */
static enum ttm_evict_effort
ttm_evict_next_effort(const struct ttm_evict_search *search)
{
	return search->ticket && !search->ctx->no_wait_gpu ?
	       TTM_EVICT_EXHAUST : TTM_EVICT_TRYLOCK;
}

/* May the search wait for reservations after its soft looks? */
static bool ttm_evict_may_wait(const struct ttm_evict_search *search)
{
	return ttm_evict_next_effort(search) == TTM_EVICT_EXHAUST &&
	       !search->ctx->scope->told;
}

/*
 * Look softly. If the search may not wait, repeat that while buffers are just being moved
 * or released.
 */
static int ttm_evict_look_softly(struct ttm_evict_search *search)
{
	int ret = ttm_evict_search_round(search, TTM_EVICT_TRYLOCK);

	for (int looks = 1; looks < TTM_EVICT_LOOKS; looks++) {
		if (!search->force_space || search->outer ||
		    !ttm_evict_is_refusal(ret) || !search->passing ||
		    ttm_evict_may_wait(search))
			break;
		ret = ttm_evict_pause(search->ctx) ?:
		      ttm_evict_search_round(search, TTM_EVICT_TRYLOCK);
	}
	return ret;
}

/*
 * Look exhaustively. A wait can end with -EDEADLK and cost the caller its transaction,
 * while a later place may have room. So the first round waits for only one buffer in
 * each place that the last look did not fully see, and for no buffer that is known not
 * to be valuable. The second round has no such limits.
 */
static int ttm_evict_look_exhaustively(struct ttm_evict_search *search)
{
	int ret = ttm_evict_search_round(search, TTM_EVICT_WAIT_ONCE);

	if (!ttm_evict_is_refusal(ret))
		return ret;

	search->ctx->scope->num_worthless = 0;
	return ttm_evict_search_round(search, TTM_EVICT_EXHAUST);
}

/* Look once more: buffers may have become valuable. */
static int ttm_evict_look_again(struct ttm_evict_search *search,
				enum ttm_evict_effort effort)
{
	if (effort == TTM_EVICT_EXHAUST)
		return ttm_evict_look_exhaustively(search);
	return ttm_evict_search_round(search, effort);
}

/* A search nested in a soft one looks only softly, and leaves the rest to the outer one. */
static bool ttm_evict_may_go_on(const struct ttm_evict_search *search)
{
	return search->force_space && !(search->outer && search->outer->soft);
}

/*
 * The soft looks found no room. Look again, until a look has left out nothing, or the
 * patience ends. A nested search looks only once more, and leaves the rest to the outer one.
 */
static int ttm_evict_search_on(struct ttm_evict_search *search)
{
	enum ttm_evict_effort effort = ttm_evict_next_effort(search);
	int patience = effort == TTM_EVICT_EXHAUST ? TTM_EVICT_KEPT_PATIENCE :
						     TTM_EVICT_PATIENCE;
	int ret = ttm_evict_look_again(search, effort);

	if (search->outer || search->ctx->no_wait_gpu)
		return ret;
	for (int pauses = 0; pauses < patience; pauses++) {
		if (!ttm_evict_is_refusal(ret) || !search->left_out)
			break;
		if (effort == TTM_EVICT_TRYLOCK)
			ttm_evict_scope_end(search->ctx->scope);
		ret = ttm_evict_pause(search->ctx) ?:
		      ttm_evict_look_again(search, effort);
	}
	return ret;
}

/*
 * The ticket must back off: lock nothing with it any more. But take a last soft look: the
 * buffer that the search could not wait for may have left meanwhile, or another one may do.
 */
static int ttm_evict_last_look(struct ttm_evict_search *search)
{
	int ret;

	search->ctx->scope->told = true;
	ret = ttm_evict_look_softly(search);
	return ttm_evict_is_refusal(ret) ? -EDEADLK : ret;
}

/*
 * Apply the rules. Without force_space, apply only rule 1: take free space, and let a
 * protected cgroup evict others softly.
 */
static int ttm_evict_search(struct ttm_evict_search *search)
{
	int ret;

	if (search->ctx->scope->told && !search->outer && search->force_space)
		return ttm_evict_last_look(search);

	ret = ttm_evict_look_softly(search);
	if (ttm_evict_is_refusal(ret) && ttm_evict_may_go_on(search))
		ret = ttm_evict_search_on(search);
	if (ret == -EDEADLK && !search->outer)
		ret = ttm_evict_last_look(search);
	/* The half with eviction may have a place that needs no memory. */
	if (!search->force_space && ret == -ENOMEM)
		ret = -ENOSPC;
	if (search->outer && ttm_evict_is_refusal(ret)) {
		search->outer->left_out |= search->left_out != 0;
		search->outer->passing |= search->passing;
	}
	return ret;
}

/*
 * Does the debugging of ww mutexes allow no more locks with @ticket? If the caller can't
 * back off, an earlier search may have got -EDEADLK, and found a place all the same. Other
 * callers validate after ww_acquire_done(). Without debugging, searches use such a ticket.
 * That can't deadlock: a transaction that got -EDEADLK waits for nothing, and others wait
 * only for younger ones. With debugging, searches use no ticket.
 */
static bool ttm_evict_ticket_is_spent(const struct ww_acquire_ctx *ticket)
{
#ifdef DEBUG_WW_MUTEXES
	return ticket && (ticket->contending_lock || ticket->done_acquire);
#else
	return false;
#endif
}

/**
 * ttm_bo_alloc_resource() - find a place for a buffer
 * @bo: The buffer, reserved.
 * @placement: Where it may be.
 * @ctx: How to wait and lock.
 * @force_space: Evict other buffers, and look at fallbacks.
 * @res: Set to the resource.
 *
 * Context: May sleep. Takes reservations and &ttm_device.lru_lock.
 *
 * Return: 0; -ENOSPC if no place has room; -ENOMEM if memory to evict to was
 * short; -EDEADLK if the ticket must be backed off, or -ENOSPC in that case if this
 * is the outermost call and &ttm_operation_ctx.contended is %NULL; -EINTR or
 * -ERESTARTSYS; or another error of evicting.
 */
int ttm_bo_alloc_resource(struct ttm_buffer_object *bo,
			  struct ttm_placement *placement,
			  struct ttm_operation_ctx *ctx, bool force_space,
			  struct ttm_resource **res)
{
	bool retry_mayfail = ctx->gfp_retry_mayfail;
	bool no_wait_gpu = ctx->no_wait_gpu;
	struct ttm_evict_scope scope __uninitialized;
	struct ttm_evict_search search = {
		.bo = bo,
		.placement = placement,
		.ctx = ctx,
		.ticket = dma_resv_locking_ctx(bo->base.resv),
		.outer = ctx->scope,
		.res = res,
		.force_space = force_space,
		.too_large = U64_MAX,
	};
	int ret;

	ttm_evict_scope_init(&scope);
	scope.outer = ctx->scope;
	scope.bo = bo;
	scope.told = ctx->scope ? ctx->scope->told :
				  ctx->contended && *ctx->contended;
	if (ttm_evict_ticket_is_spent(search.ticket))
		search.ticket = NULL;
	ctx->scope = &scope;
	ret = ttm_evict_search(&search);
	ctx->scope = search.outer;
	ctx->gfp_retry_mayfail = retry_mayfail;
	if (!search.outer)
		ctx->no_wait_gpu = no_wait_gpu;
	ttm_evict_scope_end(&scope);

	if (ret == -EDEADLK && !search.outer && !ctx->contended)
		return -ENOSPC;
	return ret;
}

/**
 * ttm_bo_mem_space() - find a place for a buffer, evicting others if necessary
 * @bo: The buffer, reserved.
 * @placement: Where it may be.
 * @res: Set to the resource.
 * @ctx: How to wait and lock.
 *
 * Context: As ttm_bo_alloc_resource().
 *
 * Return: As ttm_bo_alloc_resource().
 */
int ttm_bo_mem_space(struct ttm_buffer_object *bo,
		     struct ttm_placement *placement,
		     struct ttm_resource **res,
		     struct ttm_operation_ctx *ctx)
{
	int ret = ttm_bo_alloc_resource(bo, placement, ctx, false, res);

	if (ret != -ENOSPC)
		return ret;
	return ttm_bo_alloc_resource(bo, placement, ctx, true, res);
}
EXPORT_SYMBOL(ttm_bo_mem_space);

/*
 * Free @target bytes: walk softly once, then with waits. Repeat the walks as long as
 * buffers leave, and for a limited number of pauses if a walk left out something.
 */
static s64 ttm_evict_drain(struct ttm_evict_walk *evict,
			   struct ttm_resource_manager *man, s64 target)
{
	enum ttm_evict_effort effort = TTM_EVICT_TRYLOCK;
	unsigned int pauses = 0;
	s64 freed = 0, ret;

	for (;;) {
		evict->evicted = 0;
		evict->left_out = false;
		ret = ttm_evict_low_passes(evict, man, target - freed, effort,
					   true);
		if (ret < 0)
			return ret;
		freed += ret;
		if (freed >= target)
			return freed;

		/* Now also wait for buffers that the soft walk found not valuable. */
		if (effort == TTM_EVICT_WAIT)
			evict->walk.arg.ctx->scope->num_worthless = 0;
		if (effort == TTM_EVICT_TRYLOCK) {
			effort = TTM_EVICT_WAIT;
		} else if (!evict->evicted) {
			if (!evict->left_out || pauses++ == TTM_EVICT_PATIENCE)
				return freed;
			ret = ttm_evict_pause(evict->walk.arg.ctx);
			if (ret)
				return ret;
		}
	}
}

/**
 * ttm_bo_evict_cgroup() - evict buffers that are charged to a cgroup
 * @bdev: The device.
 * @man: The manager to free space in.
 * @limit_pool: The cgroup's part of it.
 * @target_bytes: How much to free.
 * @ctx: How to wait and lock.
 *
 * The first walk only tries reservations, the others wait for them, without a
 * ticket: the caller must hold none. Walks are repeated as long as buffers leave
 * the manager, and for TTM_EVICT_PATIENCE pauses while they leave out something.
 *
 * Context: May sleep. Takes reservations and &ttm_device.lru_lock.
 *
 * Return: Bytes that left the manager; less than @target_bytes if no more can be
 * evicted. -ENOMEM if no buffer left the manager, as memory to evict to was short,
 * or another negative error of evicting.
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
			.arg = { .ctx = ctx },
		},
		.alloc_state = &state,
	};
	struct ttm_evict_scope scope __uninitialized;
	bool no_wait_gpu = ctx->no_wait_gpu;
	s64 freed;

	ttm_evict_scope_init(&scope);
	ctx->scope = &scope;
	freed = ttm_evict_drain(&evict, man, target_bytes);
	ctx->scope = NULL;
	ctx->no_wait_gpu = no_wait_gpu;
	return !freed && evict.error == -ENOMEM ? -ENOMEM : freed;
}
EXPORT_SYMBOL(ttm_bo_evict_cgroup);

/**
 * ttm_resource_manager_dmem_reclaim() - make room for a cgroup
 * @pool: The cgroup's part of the region.
 * @target_bytes: How much to free.
 * @priv: The &struct ttm_resource_manager, as registered with the callback.
 *
 * For drivers to use as ``dmem_cgroup_ops.reclaim``.
 *
 * Context: May sleep. Takes reservation locks and &ttm_device.lru_lock.
 *
 * Return: 0 if anything was freed, -ENOSPC if not, or another negative error.
 */
int ttm_resource_manager_dmem_reclaim(struct dmem_cgroup_pool_state *pool,
				      u64 target_bytes, void *priv)
{
	struct ttm_operation_ctx ctx = { .interruptible = true };
	struct ttm_resource_manager *man = priv;
	s64 ret;

	ret = ttm_bo_evict_cgroup(man->bdev, man, pool, target_bytes, &ctx);
	if (ret > 0)
		return 0;
	return ret ?: -ENOSPC;
}
EXPORT_SYMBOL(ttm_resource_manager_dmem_reclaim);

static s64 ttm_evict_all_process_bo(struct ttm_lru_walk *walk,
				    struct ttm_buffer_object *bo)
{
	struct ttm_evict_walk *evict = to_evict_walk(walk);
	u32 mem_type = bo->resource->mem_type;
	int ret;

	/* Pinned while the walk waited for it: it is no longer on the list. */
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

/* Wait until the moves of pipelined evictions have ended. */
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
 * ttm_resource_manager_evict_all() - evict all buffers of a manager
 * @bdev: The device.
 * @man: The manager.
 *
 * Evict buffers until none is left on the manager's lists, and wait until the
 * moves have ended. If a buffer can't be evicted, continue with the others. Wait for
 * a GPU that hangs once, not for each buffer (E7).
 *
 * Context: May sleep. Takes reservations, and waits for them: the caller must
 * hold none. Takes &ttm_device.lru_lock.
 *
 * Return: 0, or the negative error of an eviction if there are buffers left.
 */
int ttm_resource_manager_evict_all(struct ttm_device *bdev,
				   struct ttm_resource_manager *man)
{
	struct ttm_evict_scope scope __uninitialized;
	struct ttm_operation_ctx ctx = { .scope = &scope };
	struct ttm_evict_walk evict = {
		.walk = {
			.ops = &ttm_evict_all_ops,
			.arg = { .ctx = &ctx, .sleeping_lock = true },
		},
	};
	unsigned int pauses = 0;
	s64 ret;

	ttm_evict_scope_init(&scope);
	while (!ttm_resource_manager_is_empty(man)) {
		evict.evicted = 0;
		evict.error = 0;
		ret = ttm_lru_walk_for_evict(&evict.walk, bdev, man, S64_MAX);
		if (ret < 0)
			return ret;
		if (evict.evicted)
			continue;
		if (evict.error &&
		    (!ttm_lru_left_out_any(&evict.walk.left_out) ||
		     pauses++ == TTM_EVICT_PATIENCE))
			return evict.error;
		/* The buffers that are left are in use, being released, or have just entered. */
		usleep_range(USEC_PER_MSEC, 2 * USEC_PER_MSEC);
	}
	return ttm_resource_manager_wait_moves(man);
}
EXPORT_SYMBOL(ttm_resource_manager_evict_all);
