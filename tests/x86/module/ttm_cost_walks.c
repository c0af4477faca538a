// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The walks in C; each returns the bytes of the buffers it met. */

#include <linux/kref.h>
#include <linux/spinlock.h>

#include <asm/tsc.h>

#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_device.h>
#include <drm/ttm/ttm_resource.h>

#include "ttm_cost.h"

/* QEMU's -icount shift=0 has this go on by one for each instruction. */
u64 ttm_cost_now(void)
{
	return rdtsc();
}

/* For comparison, a known number of instructions; must be even, and not 0. */
void ttm_cost_loop(u64 instructions)
{
	u64 n = instructions / 2;

	asm volatile("1: dec %0\n\tjnz 1b" : "+r" (n) : : "cc");
}

/* The lock is held for the whole walk. */
size_t ttm_cost_held(struct ttm_resource_manager *man)
{
	struct ttm_resource_cursor cursor;
	struct ttm_resource *res;
	size_t sum = 0;

	ttm_resource_cursor_init(&cursor, man);
	spin_lock(&man->bdev->lru_lock);
	ttm_resource_cursor_restart(&cursor);
	ttm_resource_cursor_for_each(&cursor, res)
		sum += res->size;
	ttm_resource_cursor_fini(&cursor);
	spin_unlock(&man->bdev->lru_lock);

	return sum;
}

/* The lock is dropped at each step. */
size_t ttm_cost_unlocked(struct ttm_resource_manager *man)
{
	struct ttm_resource_cursor cursor;
	struct ttm_resource *res;
	size_t sum = 0;

	ttm_resource_cursor_init(&cursor, man);
	spin_lock(&man->bdev->lru_lock);
	ttm_resource_cursor_restart(&cursor);
	ttm_resource_cursor_for_each(&cursor, res) {
		sum += res->size;
		ttm_resource_cursor_pause(&cursor);
		spin_unlock(&man->bdev->lru_lock);
		spin_lock(&man->bdev->lru_lock);
	}
	ttm_resource_cursor_fini(&cursor);
	spin_unlock(&man->bdev->lru_lock);

	return sum;
}

/* Meanwhile there is a reference to the buffer, if it isn't being freed. */
size_t ttm_cost_referenced(struct ttm_resource_manager *man)
{
	struct ttm_resource_cursor cursor;
	struct ttm_resource *res;
	size_t sum = 0;

	ttm_resource_cursor_init(&cursor, man);
	spin_lock(&man->bdev->lru_lock);
	ttm_resource_cursor_restart(&cursor);
	ttm_resource_cursor_for_each(&cursor, res) {
		struct ttm_buffer_object *bo = res->bo;

		if (!bo || !kref_get_unless_zero(&bo->kref))
			continue;
		ttm_resource_cursor_pause(&cursor);
		spin_unlock(&man->bdev->lru_lock);
		sum += bo->base.size;
		ttm_bo_fini(bo);
		spin_lock(&man->bdev->lru_lock);
	}
	ttm_resource_cursor_fini(&cursor);
	spin_unlock(&man->bdev->lru_lock);

	return sum;
}

/* And its reservation is held, if that is free. */
size_t ttm_cost_reserved(struct ttm_resource_manager *man)
{
	struct ttm_operation_ctx ctx = {};
	struct ttm_lru_walk_arg arg = { .ctx = &ctx, .trylock_only = true };
	struct ttm_bo_lru_cursor cursor;
	struct ttm_buffer_object *bo;
	size_t sum = 0;

	ttm_bo_lru_for_each_reserved_guarded(&cursor, man, &arg, bo)
		sum += bo->base.size;

	return sum;
}
