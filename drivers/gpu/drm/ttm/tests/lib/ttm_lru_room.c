// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Callers that ask for room, see ttm_lru_room.h. */

#include <linux/cgroup_dmem.h>

#include "ttm_lru_room.h"

/* Do something with a buffer, unless another thread has reserved it. */
void lru_try_do(struct lru_world *w, char letter,
		void (*what)(struct ttm_buffer_object *bo))
{
	struct ttm_buffer_object *bo = lru_bo(w, letter);

	if (!dma_resv_trylock(bo->base.resv))
		return;
	what(bo);
	dma_resv_unlock(bo->base.resv);
}

void lru_bo_to_tail(struct ttm_buffer_object *bo)
{
	scoped_guard(spinlock, &bo->bdev->lru_lock)
		ttm_bo_move_to_lru_tail(bo);
}

void lru_give_up_place(struct ttm_buffer_object *bo)
{
	ttm_resource_free(bo, &bo->resource);
}

/*
 * Place x with a ticket while others hold buffers: with older tickets, or else until
 * the buffers are waited for.
 */
int lru_place_while_held(struct lru_world *w, const char *held,
			 struct ttm_operation_ctx *ctx, bool older)
{
	struct lru_holder holder[3] = {};
	struct ww_acquire_ctx ticket;
	int n = strlen(held), ret;

	if (!older)
		lru_ticket_init(&ticket);
	for (int i = 0; i < n; i++) {
		holder[i].when_waited = !older;
		holder[i].ticket = older;
		lru_hold(&holder[i], w, held[i]);
	}
	if (older)
		lru_ticket_init(&ticket);
	ret = lru_place(w, 'x', ctx, &ticket);
	ww_acquire_fini(&ticket);
	for (int i = 0; i < n; i++)
		lru_let_go(&holder[i]);
	return ret;
}

int lru_place_waiting(struct lru_world *w, const char *held,
		      struct ttm_operation_ctx *ctx)
{
	return lru_place_while_held(w, held, ctx, false);
}

/* Move b to the tail when the driver is first asked about a. */
bool lru_used_once;

void lru_use_b(struct lru_world *w, char letter)
{
	if (letter != 'a' || lru_used_once)
		return;
	lru_used_once = true;
	lru_try_do(w, 'b', lru_bo_to_tail);
}

/* b becomes valuable when c has left, and a when b has left. */
void lru_in_turn(struct lru_world *w, char letter)
{
	if (lru_bo(w, 'c')->resource->mem_type == TTM_PL_TT)
		lru_mock.worthless = "ab";
	else if (lru_bo(w, 'b')->resource->mem_type == TTM_PL_TT)
		lru_mock.worthless = "a";
	else
		lru_mock.worthless = NULL;
}

#ifdef CONFIG_CGROUP_DMEM
/* Charge buffers to a cgroup of the test, and evict @target bytes of it. */
s64 lru_drain(struct lru_world *w, const char *letters, s64 target)
{
	const struct dmem_cgroup_init init = { .size = SZ_1M };
	struct dmem_cgroup_pool_state *pool, *limit, *last = NULL;
	struct ttm_operation_ctx ctx = { .interruptible = true };
	struct dmem_cgroup_region *region;
	s64 freed = -1;

	region = dmem_cgroup_register_region(&init, "ttm-lru-room");
	KUNIT_ASSERT_FALSE(w->test, IS_ERR_OR_NULL(region));
	for (const char *c = letters; *c; c++)
		if (!dmem_cgroup_try_charge(region, PAGE_SIZE, &pool, &limit))
			last = lru_bo(w, *c)->resource->css = pool;
	if (last)
		freed = ttm_bo_evict_cgroup(w->bdev, lru_man(w), last, target,
					    &ctx);
	KUNIT_EXPECT_FALSE(w->test, ctx.no_wait_gpu);
	lru_mock.stay = false;
	for (const char *c = letters; *c; c++)
		if (lru_bo(w, *c)->resource)
			lru_free(w, *c);
	dmem_cgroup_unregister_region(region);
	return freed;
}
#endif
