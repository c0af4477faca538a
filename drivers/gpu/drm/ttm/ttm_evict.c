// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Eviction: walks over a manager's buffers to make room in it.
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
#include "ttm_reclaim.h"

/**
 * DOC: Making room
 *
 * ttm_bo_validate() and ttm_bo_mem_space() find a place for a buffer in a list of
 * places. They fail for want of room only if there is none to be had: that others
 * use, move or free buffers meanwhile is no reason. The rules, in the order in which
 * they apply:
 *
 * 1. *What is free is taken first.* All places but fallbacks are tried without
 *    evicting anything. A cgroup that is protected may evict others already now.
 * 2. *Cheap before dear.* Then walks evict what they get without waiting for a
 *    reservation, for one place after the other, fallbacks included. A fallback is
 *    good enough for the driver, and waiting can cost the caller its whole
 *    transaction. So all places are tried softly before anything waits. Where nothing
 *    may wait, they are tried again, TTM_EVICT_LOOKS times at most, while buffers are
 *    just being moved or released.
 *    What a look has evicted stays reserved until it ends: else its owner would take
 *    the room again before there is enough.
 * 3. *A conclusion needs a second look that left out nothing.* What was not valuable
 *    may be so by now. While there is something that a look did not see, the search
 *    goes on, for so many pauses at most (TTM_EVICT_PATIENCE, TTM_EVICT_KEPT_PATIENCE).
 * 4. *With a ticket: exhaustively.* Each wait may come to -EDEADLK, so the first round
 *    waits for one reservation in each place. In the second a walk waits for all of
 *    them, with the ticket, and keeps them, whether the buffers were worth evicting or
 *    not. What it has seen can't change behind it, what it has evicted can't come back,
 *    and it meets each buffer once. So it ends, and what it concludes is true. The
 *    reservations are given back when the buffer has its place.
 * 5. *Without a ticket: patiently.* Such a caller must not wait for a reservation. It
 *    looks softly again and again, and keeps nothing in between.
 * 6. *-EDEADLK comes unchanged out of nested evictions*, and from then on nothing is
 *    locked with the ticket. After a last soft look the outermost call returns it,
 *    or converts it for callers that can't back off (&ttm_operation_ctx.contended).
 *
 * Throughout:
 *
 * - *The allocation is tried again* after each eviction and at the end of each walk:
 *   room may have appeared by itself.
 * - *Where memory is short* (-ENOMEM from a victim), only victims that need less of
 *   it are tried from then on, and nothing is killed for them.
 * - *A victim that can't leave* for want of room where it would go is passed over.
 *   Its own search follows the same rules, with the same ticket.
 * - *A GPU that hangs is waited for once* in a search, for the time that a wait of
 *   TTM's takes, and then not for other buffers.
 * - *The driver is asked with the buffer reserved*
 *   (&ttm_device_funcs.eviction_valuable), softly first. What is not valuable is not
 *   waited for as long as there is something else.
 */

/*
 * The most pauses, of a millisecond or two, of a search that others keep from seeing
 * everything. The time in which it looks does not count.
 */
#define TTM_EVICT_PATIENCE	MSEC_PER_SEC
/* The same for a search with a ticket, which keeps its reservations meanwhile. */
#define TTM_EVICT_KEPT_PATIENCE	min(TTM_EVICT_PATIENCE, 64)
/* An eviction that fails after this time has waited for a GPU that hangs. */
#define TTM_EVICT_HUNG		(5 * HZ)
/* Soft looks in a row. */
#define TTM_EVICT_LOOKS		4
/* The most buffers that a soft walk meets which were moved since it began. */
#define TTM_EVICT_MAX_MOVED	16

/* How hard a walk tries. */
enum ttm_evict_effort {
	/* It waits for no reservation. */
	TTM_EVICT_TRYLOCK,
	/* For one, with the ticket. Searches for the victims' places are soft. */
	TTM_EVICT_WAIT_ONCE,
	/* For all, without a ticket. */
	TTM_EVICT_WAIT,
	/* For all, with the ticket, and it keeps them. */
	TTM_EVICT_EXHAUST,
};

/* A buffer looks for a place. */
struct ttm_evict_search {
	struct ttm_buffer_object *bo;
	struct ttm_placement *placement;
	struct ttm_operation_ctx *ctx;
	/* The transaction in which @bo was reserved, or NULL. */
	struct ww_acquire_ctx *ticket;
	/* What @bo is evicted for, or NULL. */
	struct ttm_evict_scope *outer;
	/* What it gets. */
	struct ttm_resource **res;
	bool force_space;
	/* Places where the last round did not see everything, a bit for each. */
	u64 left_out;
	/* What it did not see, others will soon be done with. */
	bool passing;
	/*
	 * Memory to evict to was short for a buffer of this size. It remains so: each
	 * new attempt would reclaim, and be in vain.
	 */
	u64 too_large;
};

/* A walk that evicts what it meets. */
struct ttm_evict_walk {
	struct ttm_lru_walk walk;
	/* For whom, and where; NULL to free as many bytes as there are. */
	struct ttm_evict_search *search;
	const struct ttm_place *place;
	struct ttm_bo_alloc_state *alloc_state;
	/* What the allocation came to, once that is settled. */
	int alloc_ret;
	/* Buffers that left the manager, and why the last one that didn't did not. */
	unsigned long evicted;
	int error;
	/* Some walk did not see everything; what others will soon be done with. */
	bool left_out;
	bool passing;
	/* Take what a cgroup's low limit protects; some was left for that. */
	bool try_low;
	bool hit_low;
};

static struct ttm_evict_walk *to_evict_walk(struct ttm_lru_walk *walk)
{
	return container_of(walk, struct ttm_evict_walk, walk);
}

/**
 * ttm_bo_evict_zombie() - free what a buffer has whose last reference is gone
 * @bo: The buffer, reserved.
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
 * Evict @bo. Wait for a GPU that hangs once, not for each buffer: others wait for the
 * caller.
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

/* Memory that @bo may have to get to leave its place, in bytes. */
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

/* A victim lacked memory: try what needs less, and kill nothing for it. */
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

/* Returns 1 when there is nothing to be gained from going on. */
static s64 ttm_evict_try_alloc(struct ttm_evict_walk *evict)
{
	int ret = ttm_evict_alloc_at_place(evict->search, evict->place, false,
					   evict->alloc_state);

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

/* One walk. */
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
	evict->passing |= left_out->moved || left_out->dying ||
			  left_out->replaced || scope->passing;
	return ret;
}

/* One walk; if it takes that, one over buffers under their low limit as well. */
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

	/* What its low limit protected is worth a wait now. */
	evict->walk.arg.ctx->scope->num_worthless = 0;
	evict->try_low = true;
	ret = ttm_evict_pass(evict, man, target - freed, effort);
	return ret < 0 ? ret : freed + ret;
}

/* The bit of @place; places beyond have the last one in common. */
static u64 ttm_evict_place_bit(const struct ttm_evict_search *search,
			       const struct ttm_place *place)
{
	return BIT_ULL(min_t(u64, place - search->placement->placement, 63));
}

/* Evict for the allocation at @place that @state is of, and try that again. */
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

	state->in_evict = true;
	done = ttm_evict_low_passes(&evict, man, 1, effort, state->may_try_low);
	/* Others may have made room; or taken it, and can be evicted themselves. */
	if (!done)
		done = ttm_evict_try_alloc(&evict);
	state->in_evict = false;
	if (done < 0)
		return done;
	if (done)
		return evict.alloc_ret;

	search->passing |= evict.passing;
	/* When others are gone, a buffer may be valuable that was not before. */
	if (evict.left_out || evict.evicted)
		search->left_out |= ttm_evict_place_bit(search, place);
	return -EBUSY;
}

/* Returns -EBUSY or -ENOSPC if there is no room in @place. */
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

	/* The place before may have used up some of the slots. */
	ret = dma_resv_reserve_fences(bo->base.resv, TTM_NUM_MOVE_FENCES) ?:
	      ttm_bo_add_pipelined_eviction_fences(bo, man,
						   search->ctx->no_wait_gpu);
	if (ret)
		ttm_resource_free(bo, search->res);
	return ret;
}

/* Is @place one to look at, in this half of the search? */
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

/* What has entered all the places so far. Only compared: it may be read torn. */
static u64 ttm_evict_entries(const struct ttm_evict_search *search)
{
	const struct ttm_place *place = search->placement->placement;
	const struct ttm_place *end = place + search->placement->num_placement;
	u64 entries = 0;

	for (; place < end; place++) {
		const struct ttm_resource_manager *man =
			ttm_manager_type(search->bo->bdev, place->mem_type);

		if (ttm_evict_search_includes(search, place))
			entries += READ_ONCE(man->lru_entries);
	}
	return entries;
}

/*
 * Look at all places; where it waits once, only at those that the last round did not
 * fully see. Returns -ENOSPC or -ENOMEM if none has room.
 */
static int ttm_evict_search_round(struct ttm_evict_search *search,
				  enum ttm_evict_effort effort)
{
	const struct ttm_place *place = search->placement->placement;
	const struct ttm_place *end = place + search->placement->num_placement;
	u64 entries = ttm_evict_entries(search);
	u64 left_out = search->left_out;
	int result = -ENOSPC;

	search->left_out = 0;
	search->passing = false;
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
	/* What entered behind the walks took room that they made, and can go as well. */
	if (ttm_evict_entries(search) != entries) {
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
 * Let others go on for a moment. That is short: somebody may hold a reservation for
 * most of the time, and the search has to come when it is free.
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

/* How a search goes on that did not see everything softly. */
static enum ttm_evict_effort
ttm_evict_next_effort(const struct ttm_evict_search *search)
{
	return search->ticket && !search->ctx->no_wait_gpu ?
	       TTM_EVICT_EXHAUST : TTM_EVICT_TRYLOCK;
}

/* May the search wait for reservations, if it finds no room softly? */
static bool ttm_evict_may_wait(const struct ttm_evict_search *search)
{
	return ttm_evict_next_effort(search) == TTM_EVICT_EXHAUST &&
	       !search->ctx->scope->told;
}

/*
 * Look softly; and again while others are just about to be done with something, if that
 * can't be waited for.
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
 * Look exhaustively. A wait can come to -EDEADLK, and cost the caller its transaction.
 * So the first round waits for one buffer in each place that the soft look did not fully
 * see, and for none that is known not to be valuable: a later place may have room yet.
 * The second round does without these limits.
 */
static int ttm_evict_look_exhaustively(struct ttm_evict_search *search)
{
	int ret = ttm_evict_search_round(search, TTM_EVICT_WAIT_ONCE);

	if (!ttm_evict_is_refusal(ret))
		return ret;

	search->ctx->scope->num_worthless = 0;
	return ttm_evict_search_round(search, TTM_EVICT_EXHAUST);
}

/* Look once more: what was not valuable may be so by now. */
static int ttm_evict_look_again(struct ttm_evict_search *search,
				enum ttm_evict_effort effort)
{
	if (effort == TTM_EVICT_EXHAUST)
		return ttm_evict_look_exhaustively(search);
	return ttm_evict_search_round(search, effort);
}

/* A search nested in a soft one is soft as well, and leaves the rest to that. */
static bool ttm_evict_may_go_on(const struct ttm_evict_search *search)
{
	return search->force_space && !(search->outer && search->outer->soft);
}

/*
 * The soft looks found no room. Look again, and until a look has seen everything, or
 * for long enough. A nested search leaves that to the one that it is nested in.
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
 * Nothing may be locked with the ticket any more. But the wait that was not to be may
 * have been for a buffer that has left meanwhile, or is not needed.
 */
static int ttm_evict_last_look(struct ttm_evict_search *search)
{
	int ret;

	search->ctx->scope->told = true;
	ret = ttm_evict_look_softly(search);
	return ttm_evict_is_refusal(ret) ? -EDEADLK : ret;
}

/*
 * The rules. If force_space is not set, what is free is taken, and a protected
 * cgroup evicts others softly.
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
	/* The other half may have a place that needs no memory. */
	if (!search->force_space && ret == -ENOMEM)
		ret = -ENOSPC;
	if (search->outer && ttm_evict_is_refusal(ret)) {
		search->outer->left_out |= search->left_out != 0;
		search->outer->passing |= search->passing;
	}
	return ret;
}

/*
 * An earlier search may have died, and found a place all the same, for a caller that
 * can't back off. Others validate after ww_acquire_done(). They go on with the ticket.
 * That can't deadlock: a transaction that dies waits for nothing, and others wait only
 * for those that are younger. But ww mutexes that are checked want none to be locked
 * with such a ticket, so there the search does without.
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
 * short; -EDEADLK if the ticket must be backed off, from a nested call or if
 * @ctx can tell what to wait for, else -ENOSPC; -EINTR or -ERESTARTSYS; or
 * another error of evicting.
 */
int ttm_bo_alloc_resource(struct ttm_buffer_object *bo,
			  struct ttm_placement *placement,
			  struct ttm_operation_ctx *ctx, bool force_space,
			  struct ttm_resource **res)
{
	bool retry_mayfail = ctx->gfp_retry_mayfail;
	bool no_wait_gpu = ctx->no_wait_gpu;
	struct ttm_evict_scope scope = {
		.outer = ctx->scope,
		.bo = bo,
		.told = ctx->scope ? ctx->scope->told :
				     ctx->contended && *ctx->contended,
	};
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
 * ttm_bo_mem_space() - find a place for a buffer, evicting others if need be
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

/* Free @target bytes, first softly; as long as that helps, or not all was seen. */
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

		/* What was not valuable softly was not waited for once; now it is. */
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
 * Reservations are tried first, then waited for, without a ticket: the caller
 * must hold none. That is repeated as long as it evicts something, and for
 * TTM_EVICT_PATIENCE while others keep buffers from being seen.
 *
 * Context: May sleep. Takes reservations and &ttm_device.lru_lock.
 *
 * Return: Bytes that left the manager; less than @target_bytes if there are no
 * more to get. A negative error if evicting failed.
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
	struct ttm_evict_scope scope = {};
	bool no_wait_gpu = ctx->no_wait_gpu;
	s64 freed;

	ctx->scope = &scope;
	freed = ttm_evict_drain(&evict, man, target_bytes);
	ctx->scope = NULL;
	ctx->no_wait_gpu = no_wait_gpu;
	return !freed && evict.error == -ENOMEM ? -ENOMEM : freed;
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
 * moves to end. Buffers that can't be evicted don't keep the others from it. A GPU
 * that hangs is waited for once, not for each buffer.
 *
 * Context: May sleep. Takes reservations, and waits for them: the caller must
 * hold none. Takes &ttm_device.lru_lock.
 *
 * Return: 0, or the negative error of an eviction if there are buffers left.
 */
int ttm_resource_manager_evict_all(struct ttm_device *bdev,
				   struct ttm_resource_manager *man)
{
	struct ttm_evict_scope scope = {};
	struct ttm_operation_ctx ctx = { .scope = &scope };
	struct ttm_evict_walk evict = {
		.walk = {
			.ops = &ttm_evict_all_ops,
			.arg = { .ctx = &ctx, .sleeping_lock = true },
		},
	};
	unsigned int pauses = 0;
	s64 ret;

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
		/* What is left is being released or used, or came just now. */
		usleep_range(USEC_PER_MSEC, 2 * USEC_PER_MSEC);
	}
	return ttm_resource_manager_wait_moves(man);
}
EXPORT_SYMBOL(ttm_resource_manager_evict_all);
