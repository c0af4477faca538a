/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Functions that are static in ttm_bo_util.c. */
#ifndef _CALLERS_H_
#define _CALLERS_H_

struct ttm_buffer_object;

int caller_transfer(struct ttm_buffer_object *bo,
		    struct ttm_buffer_object **ghost);

#endif
