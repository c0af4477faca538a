// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Swap-out: move the pages of buffers of a manager, a device, or all devices to shmem.
 */

#include <linux/atomic.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/wait_bit.h>

#include <drm/drm_util.h>
#include <drm/ttm/ttm_backup.h>
#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_device.h>
#include <drm/ttm/ttm_placement.h>
#include <drm/ttm/ttm_resource.h>
#include <drm/ttm/ttm_tt.h>

#include "ttm_bo_internal.h"
#include "ttm_module.h"
#include "ttm_reclaim.h"

/* A walk that swaps out buffers. */
struct ttm_swapout_walk {
	struct ttm_lru_walk walk;
	/* How shmem allocates its pages. */
	gfp_t gfp_flags;
	/* Also back up buffers with a backup. TTM's limit does not count their pages. */
	bool back_up;
};

static bool ttm_swapout_has_backup(const struct ttm_buffer_object *bo)
{
	return bo->ttm && !IS_ERR_OR_NULL(bo->ttm->backup);
}

static bool ttm_swapout_valuable(struct ttm_buffer_object *bo, u32 not_to_swap)
{
	struct ttm_place place = {};

	if (!bo->resource)
		return false;
	place.mem_type = bo->resource->mem_type;

	return !bo->pin_count && bo->ttm && ttm_tt_is_populated(bo->ttm) &&
	       !(bo->ttm->page_flags & not_to_swap) &&
	       bo->bdev->funcs->eviction_valuable(bo, &place);
}

/* Free the pages of a zombie: nobody needs its content. */
static s64 ttm_swapout_zombie(struct ttm_buffer_object *bo,
			      struct ttm_operation_ctx *ctx)
{
	s64 pages = bo->ttm->num_pages;
	int ret = ttm_bo_evict_zombie(bo, ctx);

	return ret ?: pages;
}

/* Only a buffer in system memory can be swapped out: the device can't reach it there. */
static int ttm_swapout_move_to_system(struct ttm_buffer_object *bo,
				      struct ttm_operation_ctx *ctx)
{
	const struct ttm_place place = { .mem_type = TTM_PL_SYSTEM };
	struct ttm_resource *res;
	struct ttm_place hop = {};
	int ret;

	if (bo->resource->mem_type == TTM_PL_SYSTEM)
		return 0;

	ret = ttm_resource_alloc(bo, &place, &res, NULL);
	if (ret)
		return ret;
	ret = ttm_bo_handle_move_mem(bo, res, true, ctx, &hop);
	if (ret) {
		/* A move from other memory with a ttm_tt to system memory needs no hop. */
		WARN_ON_ONCE(ret == -EMULTIHOP);
		ttm_resource_free(bo, &res);
	}
	return ret;
}

/* Notify the driver. Return true if it has left the pages of @bo in place. */
static bool ttm_swapout_notify(struct ttm_buffer_object *bo)
{
	ttm_bo_unmap_virtual(bo);
	if (bo->bdev->funcs->swap_notify)
		bo->bdev->funcs->swap_notify(bo);
	return bo->resource && bo->ttm && ttm_tt_is_populated(bo->ttm);
}

static s64 ttm_swapout_bo(struct ttm_buffer_object *bo,
			  struct ttm_operation_ctx *ctx, gfp_t gfp_flags)
{
	struct ttm_device *bdev = bo->bdev;
	int ret;

	ret = ttm_swapout_move_to_system(bo, ctx);
	if (!ret)
		ret = ttm_bo_wait_ctx(bo, ctx);
	if (ret)
		return ret;

	if (!ttm_swapout_notify(bo))
		return 0;

	ret = ttm_tt_swapout(bdev, bo->ttm, gfp_flags);
	/* A swapped-out buffer is unevictable: bring its list in line with that. */
	if (ret > 0)
		ttm_bo_move_to_lru_tail_unlocked(bo);
	return ret;
}

/**
 * ttm_bo_swapout_reserved() - swap out one buffer
 * @bo: The buffer.
 * @ctx: How to wait.
 * @gfp_flags: How shmem is to allocate its pages.
 *
 * Context: May sleep. The caller must hold @bo's reservation and a reference to
 * @bo. Takes &ttm_device.lru_lock.
 *
 * Return: Pages that were swapped out, or freed as @bo is a zombie; -EBUSY if @bo
 * has no pages to swap out, is pinned or not valuable; or another negative error.
 */
s64 ttm_bo_swapout_reserved(struct ttm_buffer_object *bo,
			    struct ttm_operation_ctx *ctx, gfp_t gfp_flags)
{
	dma_resv_assert_held(bo->base.resv);

	if (!ttm_swapout_valuable(bo, TTM_TT_FLAG_EXTERNAL | TTM_TT_FLAG_SWAPPED))
		return -EBUSY;
	if (bo->deleted)
		return ttm_swapout_zombie(bo, ctx);
	return ttm_swapout_bo(bo, ctx, gfp_flags);
}
EXPORT_SYMBOL(ttm_bo_swapout_reserved);

/* Back up the pages of @bo, as a shrinker does. */
static s64 ttm_swapout_to_backup(struct ttm_buffer_object *bo,
				 struct ttm_operation_ctx *ctx)
{
	const struct ttm_bo_shrink_flags flags = { .allow_move = true };
	int ret;

	if (!ttm_swapout_valuable(bo, 0))
		return -EBUSY;
	if (bo->deleted)
		return ttm_swapout_zombie(bo, ctx);
	if (!ttm_backup_bytes_avail())
		return -ENOSPC;

	ret = ttm_bo_wait_ctx(bo, ctx);
	if (ret)
		return ret;
	return ttm_swapout_notify(bo) ? ttm_bo_shrink(ctx, bo, flags) : 0;
}

static s64 ttm_swapout_process_bo(struct ttm_lru_walk *walk,
				  struct ttm_buffer_object *bo)
{
	struct ttm_swapout_walk *swapout =
		container_of(walk, struct ttm_swapout_walk, walk);

	if (swapout->back_up && ttm_swapout_has_backup(bo))
		return ttm_swapout_to_backup(bo, walk->arg.ctx);
	return ttm_bo_swapout_reserved(bo, walk->arg.ctx, swapout->gfp_flags);
}

static const struct ttm_lru_walk_ops ttm_swapout_ops = {
	.process_bo = ttm_swapout_process_bo,
};

/*
 * Swap out buffers of a manager until *@left pages are swapped out, and lower *@left.
 * Walk again while a walk left out something and made progress.
 */
static int ttm_manager_swapout(struct ttm_resource_manager *man,
			       struct ttm_operation_ctx *ctx, gfp_t gfp_flags,
			       bool back_up, s64 *left)
{
	struct ttm_swapout_walk swapout = {
		.walk = {
			.ops = &ttm_swapout_ops,
			.arg = { .ctx = ctx, .trylock_only = true },
		},
		.gfp_flags = gfp_flags,
		.back_up = back_up,
	};
	struct ttm_lru_walk *walk = &swapout.walk;
	s64 ret;

	do {
		ret = ttm_lru_walk_for_evict(walk, man->bdev, man, *left);
		*left -= walk->progress;
	} while (ret > 0 && *left > 0 && ttm_lru_left_out_any(&walk->left_out));

	return ret < 0 ? ret : 0;
}

/* The same for all managers of a device whose buffers have a ttm_tt. */
static int __ttm_device_swapout(struct ttm_device *bdev,
				struct ttm_operation_ctx *ctx, gfp_t gfp_flags,
				bool back_up, s64 *left)
{
	int ret = 0;

	for (int i = TTM_PL_SYSTEM; i < TTM_NUM_MEM_TYPES; i++) {
		/* Another device may be adding its managers right now. */
		struct ttm_resource_manager *man = READ_ONCE(bdev->man_drv[i]);

		if (!man || !man->use_tt)
			continue;
		ret = ttm_manager_swapout(man, ctx, gfp_flags, back_up, left);
		if (ret || *left <= 0)
			break;
	}
	return ret;
}

/* Return the progress if there was any, else 0 or an error. */
static s64 ttm_swapout_result(s64 target, s64 left, int ret)
{
	return left < target ? target - left : ret;
}

/**
 * ttm_bo_swapout() - swap out buffers of a manager
 * @bdev: The device.
 * @ctx: How to wait.
 * @man: The manager, whose buffers have a ttm_tt.
 * @gfp_flags: How shmem is to allocate its pages.
 * @target: How many pages to swap out.
 *
 * A buffer that can't be swapped out, for instance for lack of space, does not
 * stop the walk.
 *
 * Context: May sleep. Tries reservations, and takes &ttm_device.lru_lock.
 *
 * Return: Pages that were swapped out or freed; if none, 0 or a negative error.
 */
s64 ttm_bo_swapout(struct ttm_device *bdev, struct ttm_operation_ctx *ctx,
		   struct ttm_resource_manager *man, gfp_t gfp_flags,
		   s64 target)
{
	s64 left = target;
	int ret = ttm_manager_swapout(man, ctx, gfp_flags, false, &left);

	return ttm_swapout_result(target, left, ret);
}
EXPORT_SYMBOL_FOR_TESTS_ONLY(ttm_bo_swapout);

/**
 * ttm_device_swapout() - swap out one buffer of a device
 * @bdev: The device.
 * @ctx: How to wait.
 * @gfp_flags: How shmem is to allocate its pages.
 *
 * Each call starts at the head of the lists. To swap out all buffers, call
 * ttm_device_swapout_all().
 *
 * Context: May sleep. Tries reservations, and takes &ttm_device.lru_lock.
 *
 * Return: Pages that were swapped out or freed, 0 if there are none to be had, or
 * a negative error.
 */
int ttm_device_swapout(struct ttm_device *bdev, struct ttm_operation_ctx *ctx,
		       gfp_t gfp_flags)
{
	s64 left = 1;
	int ret = __ttm_device_swapout(bdev, ctx, gfp_flags, true, &left);

	return ttm_swapout_result(1, left, ret);
}
EXPORT_SYMBOL(ttm_device_swapout);

/**
 * ttm_device_swapout_all() - swap out all buffers of a device
 * @bdev: The device.
 * @ctx: How to wait.
 * @gfp_flags: How shmem is to allocate its pages.
 *
 * Walk each list, however many buffers can't be swapped out, and again while a walk
 * made progress and left out something. Back up buffers with a backup
 * (ttm_tt_setup_backup()), if there is swap space.
 *
 * Context: May sleep. Tries reservations, and takes &ttm_device.lru_lock.
 *
 * Return: 0, also if buffers were busy or could not be swapped out; or the negative
 * error that ended the walk.
 */
int ttm_device_swapout_all(struct ttm_device *bdev,
			   struct ttm_operation_ctx *ctx, gfp_t gfp_flags)
{
	s64 left = S64_MAX;

	return __ttm_device_swapout(bdev, ctx, gfp_flags, true, &left);
}
EXPORT_SYMBOL(ttm_device_swapout_all);

/**
 * ttm_device_prepare_hibernation() - swap out all buffers before hibernation
 * @bdev: The device.
 *
 * The pages in shmem become part of the hibernation image, or are written to swap
 * space before.
 *
 * Context: May sleep.
 *
 * Return: 0, or a negative error.
 */
int ttm_device_prepare_hibernation(struct ttm_device *bdev)
{
	struct ttm_operation_ctx ctx = {};

	return ttm_device_swapout_all(bdev, &ctx, GFP_KERNEL);
}
EXPORT_SYMBOL(ttm_device_prepare_hibernation);

/* Protected by ttm_global_mutex: the last serial, and that of the last device used. */
static u64 ttm_swapout_serials;
static u64 ttm_swapout_last;

/**
 * ttm_swapout_init() - prepare a device for swap-out on behalf of other devices
 * @bdev: The device, which is about to be added to the list.
 *
 * Context: ttm_global_mutex must be held until @bdev is at the list's end.
 */
void ttm_swapout_init(struct ttm_device *bdev)
{
	lockdep_assert_held(&ttm_global_mutex);
	bdev->serial = ++ttm_swapout_serials;
	atomic_set(&bdev->swapping, 0);
}

/**
 * ttm_swapout_fini() - wait for threads that swap out buffers of a device
 * @bdev: The device, which is no longer in the list.
 *
 * Context: May sleep.
 */
void ttm_swapout_fini(struct ttm_device *bdev)
{
	wait_var_event(&bdev->swapping, !atomic_read(&bdev->swapping));
}

/**
 * ttm_device_unlist() - end swap-out from a device on behalf of other devices
 * @bdev: The device, which is about to lose its driver. May be called again.
 *
 * Context: May sleep, to wait for threads that swap out buffers of @bdev.
 */
void ttm_device_unlist(struct ttm_device *bdev)
{
	scoped_guard(mutex, &ttm_global_mutex)
		list_del_init(&bdev->device_list);
	ttm_swapout_fini(bdev);
}
EXPORT_SYMBOL(ttm_device_unlist);

/*
 * The first device whose serial is greater than @after and at most @last, or NULL. It
 * is not freed before ttm_swapout_put().
 */
static struct ttm_device *ttm_swapout_get(u64 after, u64 last)
{
	struct ttm_device *bdev;

	guard(mutex)(&ttm_global_mutex);
	list_for_each_entry(bdev, &ttm_glob.device_list, device_list) {
		if (bdev->serial > after && bdev->serial <= last) {
			atomic_inc(&bdev->swapping);
			return bdev;
		}
	}
	return NULL;
}

static void ttm_swapout_put(struct ttm_device *bdev, bool gave)
{
	if (gave) {
		scoped_guard(mutex, &ttm_global_mutex)
			ttm_swapout_last = bdev->serial;
	}
	/* Afterwards @bdev may be freed: wake_up_var() uses only the address. */
	if (atomic_dec_and_test(&bdev->swapping))
		wake_up_var(&bdev->swapping);
}

/* Swap out buffers of devices whose serial is greater than @after and at most @last. */
static int ttm_devices_swapout(u64 after, u64 last,
			       struct ttm_operation_ctx *ctx, gfp_t gfp_flags,
			       s64 *left)
{
	struct ttm_device *bdev;
	int ret = 0;

	while (*left > 0 && (bdev = ttm_swapout_get(after, last))) {
		s64 before = *left;

		after = bdev->serial;
		ret = __ttm_device_swapout(bdev, ctx, gfp_flags, false, left);
		ttm_swapout_put(bdev, *left < before);
	}
	return ret;
}

/**
 * ttm_global_swapout_pages() - swap out buffers of any device
 * @ctx: How to wait.
 * @gfp_flags: How shmem is to allocate its pages.
 * @target: How many pages to swap out.
 *
 * Devices take turns: begin after the last one whose buffers were swapped out. The
 * list of devices is locked to find a device, not while its buffers are swapped out
 * (E7).
 *
 * Context: May sleep. Takes ttm_global_mutex. Tries reservations, and takes
 * &ttm_device.lru_lock.
 *
 * Return: Pages that were swapped out or freed; if none, 0 or a negative error.
 */
s64 ttm_global_swapout_pages(struct ttm_operation_ctx *ctx, gfp_t gfp_flags,
			     s64 target)
{
	s64 left = target;
	u64 last;
	int ret;

	scoped_guard(mutex, &ttm_global_mutex)
		last = ttm_swapout_last;
	ret = ttm_devices_swapout(last, U64_MAX, ctx, gfp_flags, &left);
	if (left > 0)
		ret = ttm_devices_swapout(0, last, ctx, gfp_flags, &left) ?: ret;
	return ttm_swapout_result(target, left, ret);
}
EXPORT_SYMBOL_FOR_TESTS_ONLY(ttm_global_swapout_pages);

/**
 * ttm_global_swapout() - swap out one buffer of any device
 * @ctx: How to wait.
 * @gfp_flags: How shmem is to allocate its pages.
 *
 * Context: As ttm_global_swapout_pages().
 *
 * Return: Pages that were swapped out or freed, 0 if there are none to be had, or
 * a negative error.
 */
int ttm_global_swapout(struct ttm_operation_ctx *ctx, gfp_t gfp_flags)
{
	return ttm_global_swapout_pages(ctx, gfp_flags, 1);
}
