/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Worlds with many buffers. */
#ifndef _TTM_LRU_MASS_H_
#define _TTM_LRU_MASS_H_

#include "ttm_lru_fixture.h"

/*
 * @n buffers, loose or in @bulks bulks. Each bulk has one reservation, and so
 * have all loose buffers, as lockdep can't count more.
 */
struct lru_mass {
	struct ttm_buffer_object *bo;
	struct ttm_lru_bulk_move *bulk;
	struct dma_resv *resv;
	unsigned int n, bulks;
};

void lru_mass_init(struct lru_mass *mass, struct lru_world *w, unsigned int n,
		   unsigned int bulks);
void lru_mass_fini(struct lru_mass *mass, struct lru_world *w);

#endif
