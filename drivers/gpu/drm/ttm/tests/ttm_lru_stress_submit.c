// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Buffers and submitters of the stress suite.
 */

#include <linux/dma-resv.h>
#include <linux/sched.h>

#include <drm/drm_gem.h>
#include <drm/ttm/ttm_tt.h>

#include "ttm_lru_stress.h"

static const struct ttm_place vram_place = { .mem_type = TTM_PL_VRAM };
static const struct ttm_place tt_place = { .mem_type = TTM_PL_TT };
static const struct ttm_place system_place = { .mem_type = TTM_PL_SYSTEM };
static const struct ttm_place any_places[] = {
	{ .mem_type = TTM_PL_VRAM, .flags = TTM_PL_FLAG_DESIRED },
	{ .mem_type = TTM_PL_TT },
};

struct ttm_placement stress_in_vram = {
	.num_placement = 1, .placement = &vram_place,
};

struct ttm_placement stress_in_tt = {
	.num_placement = 1, .placement = &tt_place,
};

struct ttm_placement stress_in_system = {
	.num_placement = 1, .placement = &system_place,
};

static struct ttm_placement stress_in_any = {
	.num_placement = ARRAY_SIZE(any_places), .placement = any_places,
};

unsigned int stress_dice(struct stress_worker *w, unsigned int sides)
{
	return prandom_u32_state(&w->rnd) % sides;
}

bool stress_is_broken(struct stress *s)
{
	return READ_ONCE(s->gpu.broken);
}

/*
 * Buffers, with their reservation held
 */

int stress_make(struct stress_worker *w, struct stress_slot *slot,
		unsigned int pages, struct ttm_placement *placement)
{
	struct ttm_operation_ctx ctx = {};
	struct mock_gpu_bo *b;

	b = mock_gpu_bo(&w->s->gpu, slot->resv, pages, stress_dice(w, 2), placement,
			&ctx);
	if (IS_ERR(b))
		return PTR_ERR(b);
	b->owner = slot;
	slot->b = b;
	return 0;
}

/* The engine may still use the buffer, and a walk may just meet it. */
void stress_free(struct stress_slot *slot)
{
	struct mock_gpu_bo *b = slot->b;

	while (b->ttm.pin_count)
		ttm_bo_unpin(&b->ttm);
	ttm_bo_set_bulk_move(&b->ttm, NULL);
	b->owner = NULL;
	slot->b = NULL;
	drm_gem_object_put(&b->ttm.base);
}

static int slot_wait(struct stress_slot *slot)
{
	long left = dma_resv_wait_timeout(slot->resv, DMA_RESV_USAGE_BOOKKEEP,
					  false, 60 * HZ);

	return left > 0 ? 0 : left ?: -ETIMEDOUT;
}

/* Bring the pages back from wherever they are, and check them. */
int stress_verify(struct stress_slot *slot)
{
	struct mock_gpu_bo *b = slot->b;
	struct ttm_operation_ctx ctx = {};
	int ret = 0;

	if (b->ttm.resource->mem_type != TTM_PL_VRAM) {
		ret = ttm_bo_populate(&b->ttm, &ctx);
		mock_gpu_moved(b);
	}
	if (!ret)
		ret = slot_wait(slot);
	if (!ret)
		mock_gpu_verify(b);
	return ret;
}

/* The GPU writes later, the CPU at once. */
int stress_use_content(struct stress_worker *w, struct stress_slot *slot)
{
	struct mock_gpu_bo *b = slot->b;
	int ret;

	/* The content is needed again. */
	mock_gpu_set_purgeable(b, false);
	ret = stress_verify(slot);
	if (ret)
		return ret;
	if (stress_dice(w, 2))
		mock_gpu_fill(b);
	else
		ret = mock_gpu_fill_later(b, stress_dice(w, 2) ? DMA_RESV_USAGE_WRITE :
						DMA_RESV_USAGE_BOOKKEEP);
	mock_gpu_set_purgeable(b, !stress_dice(w, 4));
	return ret;
}

static void slot_to_tail(struct stress_slot *slot)
{
	struct mock_gpu_bo *b = slot->b;

	scoped_guard(spinlock, &b->ttm.bdev->lru_lock)
		ttm_bo_move_to_lru_tail(&b->ttm);
	mock_gpu_moved(b);
}

/* Pin only one buffer of a VM, to leave room for others. */
static void slot_pin(struct stress_slot *slot)
{
	if (slot->b->ttm.pin_count)
		ttm_bo_unpin(&slot->b->ttm);
	else
		ttm_bo_pin(&slot->b->ttm);
	mock_gpu_moved(slot->b);
}

static void slot_list_op(struct stress_worker *w, struct stress_slot *slot)
{
	struct stress_vm *vm = slot->resv == &w->vm->resv ? w->vm : NULL;
	struct ttm_buffer_object *bo = &slot->b->ttm;
	unsigned int n = stress_dice(w, 8);

	if (slot == w->vm->slot && n < 3)
		slot_pin(slot);
	else if (vm && n < 3)
		ttm_bo_set_bulk_move(bo, n ? &vm->bulk : NULL);
	else if (n < 3)
		bo->priority = n;
	else if (n < 5)
		slot_to_tail(slot);
	mock_gpu_moved(slot->b);
}

bool stress_is_evictable(const struct ttm_buffer_object *bo)
{
	return !bo->pin_count && !(bo->ttm && ttm_tt_is_swapped(bo->ttm));
}

/* Other threads may have moved the buffer, but not to a wrong list. */
static void slot_check_place(struct stress_worker *w, struct stress_slot *slot)
{
	struct ttm_buffer_object *bo = &slot->b->ttm;
	enum ttm_lru_place place = TTM_LRU_UNEVICTABLE;

	if (stress_is_evictable(bo))
		place = bo->bulk_move ? TTM_LRU_RANGE : TTM_LRU_LOOSE;
	guard(spinlock)(&bo->bdev->lru_lock);
	if (ttm_lru_item_place(&bo->resource->lru) != place)
		mock_gpu_broken(&w->s->gpu, "a buffer is on the wrong list");
}

/*
 * Submitters
 */

void stress_unlock(struct stress_submission *sub)
{
	while (sub->held)
		dma_resv_unlock(sub->resv[--sub->held]);
}

/* After -EDEADLK, lock the contended reservation first. */
void stress_lock(struct stress_submission *sub)
{
	while (sub->held < sub->resvs) {
		struct dma_resv **resv = &sub->resv[sub->held];
		int ret = dma_resv_lock(*resv, &sub->ticket);

		if (!ret) {
			sub->held++;
			continue;
		}
		stress_unlock(sub);
		swap(*resv, sub->resv[0]);
		dma_resv_lock_slow(sub->resv[0], &sub->ticket);
		sub->held = 1;
	}
}

static void submission_make(struct stress_worker *w, struct stress_submission *sub)
{
	unsigned int first = stress_dice(w, STRESS_VM_BUFFERS);
	unsigned int shared = stress_dice(w, STRESS_SHARED);
	unsigned int more = stress_dice(w, STRESS_USED_SHARED + 1);

	sub->resv[sub->resvs++] = &w->vm->resv;
	for (int i = 0; i < STRESS_USED; i++)
		sub->slot[sub->slots++] = &w->vm->slot[(first + i) % STRESS_VM_BUFFERS];
	for (int i = 0; i < more; i++) {
		struct stress_slot *slot = &w->s->shared[(shared + 3 * i) % STRESS_SHARED];

		sub->resv[sub->resvs++] = slot->resv;
		sub->slot[sub->slots++] = slot;
	}
	/*
	 * Locks taken in any order cause deadlocks, which submissions must
	 * resolve.
	 */
	if (stress_dice(w, 2))
		swap(sub->resv[0], sub->resv[sub->resvs - 1]);
}

static struct ttm_placement *dice_placement(struct stress_worker *w)
{
	struct ttm_placement *placements[] = {
		&stress_in_vram, &stress_in_vram, &stress_in_tt,
		&stress_in_any, &stress_in_any, &stress_in_system,
	};

	return placements[stress_dice(w, ARRAY_SIZE(placements))];
}

static int use_slot(struct stress_worker *w, struct stress_slot *slot)
{
	struct ttm_operation_ctx ctx = { .no_wait_gpu = !stress_dice(w, 16) };
	int ret = 0;

	if (slot->b)
		slot_check_place(w, slot);
	if (slot->b && !stress_dice(w, 16))
		stress_free(slot);
	if (!slot->b) {
		ret = stress_make(w, slot, 1 + stress_dice(w, STRESS_BUFFER_PAGES),
				  dice_placement(w));
		if (ret)
			return ret;
		if (slot->resv == &w->vm->resv)
			ttm_bo_set_bulk_move(&slot->b->ttm, &w->vm->bulk);
	} else if (!slot->b->ttm.pin_count) {
		ret = ttm_bo_validate(&slot->b->ttm, dice_placement(w), &ctx);
		if (ret)
			return ret;
	}
	mock_gpu_moved(slot->b);
	slot_list_op(w, slot);
	return stress_dice(w, 4) ? stress_use_content(w, slot) : 0;
}

static void bulk_to_tail(struct stress_vm *vm, struct mock_gpu *gpu)
{
	scoped_guard(spinlock, &gpu->bdev.lru_lock)
		ttm_lru_bulk_move_tail(&vm->bulk);
	for (int i = 0; i < STRESS_VM_BUFFERS; i++)
		if (vm->slot[i].b)
			mock_gpu_moved(vm->slot[i].b);
}

static int submission_try(struct stress_worker *w, struct stress_submission *sub)
{
	int ret = 0;

	ww_acquire_init(&sub->ticket, &reservation_ww_class);
	stress_lock(sub);
	for (int i = 0; i < sub->slots && !ret; i++)
		ret = use_slot(w, sub->slot[i]);
	if (!ret && stress_dice(w, 4))
		bulk_to_tail(w->vm, &w->s->gpu);
	stress_unlock(sub);
	ww_acquire_fini(&sub->ticket);
	return ret;
}

bool stress_may_retry(int err)
{
	return err == -ENOSPC || err == -EBUSY || err == -EDEADLK;
}

static bool try_to_submit(struct stress_worker *w, struct stress_submission *sub)
{
	for (int i = 0; i < STRESS_TRIES && !stress_is_broken(w->s); i++) {
		int ret = submission_try(w, sub);

		if (!ret)
			return true;
		if (!stress_may_retry(ret))
			mock_gpu_broken(&w->s->gpu, "a submission failed");
		w->retries++;
		cond_resched();
	}
	return false;
}

void stress_submit(struct stress_worker *w)
{
	struct stress_submission sub = {};

	submission_make(w, &sub);
	if (!try_to_submit(w, &sub))
		w->gave_up++;
	atomic_long_inc(&w->s->submissions);
	/* While it sleeps, other threads can lock its VM. */
	if (stress_dice(w, 2))
		schedule_timeout_uninterruptible(1);
}
