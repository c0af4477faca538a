// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A device with many buffers, and what walks over them do. */

#include <drm/ttm/ttm_placement.h>

#include "access_counter.h"
#include "many_buffers.h"
#include "ttm_bo_internal.h"

struct crowd crowd;

/* In the current hold; @last is the resource that was looked at last. */
static struct {
	unsigned long examined, writes;
	unsigned int last;
} hold;

/* Never called: nobody is transferred here. */
void *stub_alloc(size_t size)
{
	return NULL;
}

void ttm_bo_put(struct ttm_buffer_object *bo)
{
	WARN_ON(!bo->kref.refs);
	bo->kref.refs--;
}

#define NOT_RES	(~0U)

/* The resource that @addr is in, and @addr's offset there. */
static unsigned int res_at(const void *addr, size_t *offset)
{
	size_t at = (char *)addr - (char *)crowd.res;

	*offset = at % sizeof(*crowd.res);
	return at < sizeof(crowd.res) ? at / sizeof(*crowd.res) : NOT_RES;
}

/* A node's state word follows its link. Code that reads it looks at the resource. */
static bool is_kind(size_t offset)
{
	return offset >= offsetof(struct ttm_resource, lru) +
			 sizeof(struct list_head) &&
	       offset < offsetof(struct ttm_resource, lru) +
			sizeof(struct ttm_lru_item);
}

static bool is_link(size_t offset)
{
	return offset >= offsetof(struct ttm_resource, lru) &&
	       offset < offsetof(struct ttm_resource, lru) +
			sizeof(struct list_head);
}

static bool is_head(const void *addr)
{
	return (size_t)((char *)addr - (char *)crowd.man.lru) <
	       sizeof(crowd.man.lru);
}

static void see(const void *addr, bool write)
{
	size_t offset;
	unsigned int r = res_at(addr, &offset);

	if (write) {
		hold.writes += r == NOT_RES ? is_head(addr) : is_link(offset);
	} else if (r != NOT_RES && is_kind(offset) && r != hold.last) {
		hold.examined++;
		hold.last = r;
	}
}

void stub_hold_begins(void)
{
	hold.examined = 0;
	hold.writes = 0;
	hold.last = NOT_RES;
}

void stub_hold_ends(void)
{
	struct figures *f = &crowd.figures;

	f->holds++;
	f->examined = max(f->examined, hold.examined);
	f->writes = max(f->writes, hold.writes);
	crowd.examined += hold.examined;
}

void stub_tried(void)
{
	crowd.figures.trylocks++;
}

void crowd_count(void)
{
	crowd.figures = (struct figures) {};
	crowd.examined = 0;
}

void crowd_init(void)
{
	access_seen = see;
	memset(&crowd, 0, sizeof(crowd));
	INIT_LIST_HEAD(&crowd.bdev.unevictable);
	ttm_set_driver_manager(&crowd.bdev, 0, &crowd.man);
	ttm_resource_manager_init(&crowd.man, &crowd.bdev, 0);
	for (unsigned int b = 0; b < BULKS; b++)
		ttm_lru_bulk_move_init(&crowd.bulk[b]);
	crowd_count();
}

static struct ttm_buffer_object *add(struct ttm_lru_bulk_move *bulk,
				     struct dma_resv *resv)
{
	struct ttm_buffer_object *bo = &crowd.bo[crowd.n];
	struct ttm_resource *res = &crowd.res[crowd.n++];
	const struct ttm_place place = {};

	bo->bdev = &crowd.bdev;
	bo->bulk_move = bulk;
	bo->base.resv = resv ?: &bo->base._resv;
	kref_init(&bo->kref);
	ttm_resource_init(bo, &place, res);
	bo->resource = res;
	return bo;
}

struct ttm_buffer_object *crowd_add_member(unsigned int bulk)
{
	return add(&crowd.bulk[bulk], &crowd.resv[bulk]);
}

struct ttm_buffer_object *crowd_add_loose(bool busy)
{
	struct ttm_buffer_object *bo = add(NULL, NULL);

	bo->base.resv->held = busy;
	return bo;
}
