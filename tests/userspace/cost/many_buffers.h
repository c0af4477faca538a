/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * A device with many buffers, and what walks over them do: how many resources
 * the core looks at, and what it writes to the list, in one hold of the lru_lock.
 */
#ifndef _MANY_BUFFERS_H_
#define _MANY_BUFFERS_H_

#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_resource.h>

#include "ttm_bo_internal.h"

#define MANY	10000
#define BULKS	10

struct figures {
	unsigned long examined;	/* resources, in the hold that has most */
	unsigned long holds;
	unsigned long trylocks;
	unsigned long writes;	/* to the list, in the hold that has most */
};

struct crowd {
	struct ttm_device bdev;
	struct ttm_resource_manager man;
	struct ttm_lru_bulk_move bulk[BULKS];
	struct dma_resv resv[BULKS];	/* of the members of each */
	struct ttm_buffer_object bo[MANY + 8];
	struct ttm_resource res[MANY + 8];
	unsigned int n;
	/* Counted since the last crowd_init(), or crowd_count(). */
	struct figures figures;
	unsigned long examined;		/* in all holds */
};

extern struct crowd crowd;

void crowd_init(void);
void crowd_count(void);

/* One more buffer at the list's tail, a member of a bulk or a loose one. */
struct ttm_buffer_object *crowd_add_member(unsigned int bulk);
struct ttm_buffer_object *crowd_add_loose(bool busy);

#endif
