// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Many buffers, see ttm_lru_mass.h. */

#include <linux/slab.h>

#include <drm/ttm/ttm_tt.h>

#include "ttm_lru_mass.h"

void lru_mass_init(struct lru_mass *mass, struct lru_world *w,
		   unsigned int n, unsigned int bulks)
{
	struct ttm_place place = { .mem_type = w->mem_type };
	struct kunit *test = w->test;

	*mass = (struct lru_mass) { .n = n, .bulks = bulks };
	mass->bo = kvcalloc(n, sizeof(*mass->bo), GFP_KERNEL);
	mass->bulk = kvcalloc(bulks + 1, sizeof(*mass->bulk), GFP_KERNEL);
	mass->resv = kvcalloc(bulks + 1, sizeof(*mass->resv), GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, mass->bo && mass->bulk && mass->resv);

	for (unsigned int i = 0; i <= bulks; i++) {
		dma_resv_init(&mass->resv[i]);
		ttm_lru_bulk_move_init(&mass->bulk[i]);
	}
	for (unsigned int i = 0; i < n; i++) {
		struct ttm_buffer_object *bo = &mass->bo[i];
		unsigned int bulk = bulks ? i / (n / bulks) : 0;

		bo->base.resv = &mass->resv[bulk];
		drm_gem_private_object_init(w->devs.drm, &bo->base, PAGE_SIZE);
		bo->bdev = w->bdev;
		bo->destroy = dummy_ttm_bo_destroy;
		kref_init(&bo->kref);
		dma_resv_lock(bo->base.resv, NULL);
		ttm_bo_set_bulk_move(bo, bulks ? &mass->bulk[bulk] : NULL);
		if (!ttm_resource_alloc(bo, &place, &bo->resource, NULL))
			mass->n = i + 1;
		dma_resv_unlock(bo->base.resv);
	}
	KUNIT_ASSERT_EQ(test, mass->n, n);
}

void lru_mass_fini(struct lru_mass *mass, struct lru_world *w)
{
	for (unsigned int i = 0; i < mass->n; i++) {
		struct ttm_buffer_object *bo = &mass->bo[i];

		dma_resv_lock(bo->base.resv, NULL);
		ttm_bo_set_bulk_move(bo, NULL);
		ttm_resource_free(bo, &bo->resource);
		/* The mock device does not do this when it frees a tt. */
		if (bo->ttm) {
			ttm_tt_unpopulate(w->bdev, bo->ttm);
			ttm_tt_fini(bo->ttm);
		}
		dma_resv_unlock(bo->base.resv);
		ttm_bo_fini(bo);
	}
	flush_workqueue(w->bdev->wq);
	for (unsigned int i = 0; i <= mass->bulks; i++) {
		ttm_lru_bulk_move_fini(w->bdev, &mass->bulk[i]);
		dma_resv_fini(&mass->resv[i]);
	}
	kvfree(mass->bo);
	kvfree(mass->bulk);
	kvfree(mass->resv);
}
