/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Functions for buffers in memory reclaim, and for zombies: buffers whose last
 * reference is gone.
 */
#ifndef _TTM_RECLAIM_H_
#define _TTM_RECLAIM_H_

#include <linux/types.h>

#include <drm/ttm/ttm_owner.h>

struct ttm_buffer_object;
struct ttm_device;
struct ttm_operation_ctx;

/* ttm_release.c */
bool ttm_in_reclaim(void);
void ttm_bo_put_in_reclaim(struct ttm_buffer_object *bo);
void ttm_bo_wait_released(struct ttm_buffer_object *bo);

/* ttm_purgeable.c */
void ttm_purgeable_init(struct ttm_device *bdev);
void ttm_purgeable_add_zombie(struct ttm_buffer_object *bo);
void ttm_purgeable_forget(struct ttm_buffer_object *bo);
struct ttm_buffer_object *ttm_purgeable_take(struct ttm_device *bdev);
u64 ttm_pages_available(void);
bool ttm_pages_left(unsigned long pages);

/* ttm_evict.c */
int ttm_bo_evict_zombie(struct ttm_buffer_object *bo,
			struct ttm_operation_ctx *ctx);

/* ttm_swapout.c */
void ttm_swapout_init(struct ttm_device *bdev);
void ttm_swapout_fini(struct ttm_device *bdev);

#endif
