/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Walks over reserved buffers that note the buffers they meet. */
#ifndef _TTM_LRU_MEETING_H_
#define _TTM_LRU_MEETING_H_

#include <drm/ttm/ttm_bo.h>

#include "ttm_lru_mock_driver.h"

struct lru_meeting {
	struct ttm_lru_walk walk;
	struct ttm_operation_ctx ctx;
	struct lru_world *w;
	struct lru_letters met;
	/* Buffers that fail to be processed, and the error. */
	const char *fail;
	s64 error;
	/* Called with the buffer reserved. */
	void (*at)(struct lru_world *w, char letter);
};

void lru_meeting_init(struct lru_meeting *m, struct lru_world *w);
s64 lru_go(struct lru_meeting *m);
s64 lru_go_while_busy(struct lru_meeting *m, const char *letters);
s64 lru_go_waiting(struct lru_meeting *m, struct lru_holder *holder,
		   char letter);
char lru_step(struct ttm_bo_lru_cursor *curs, struct lru_world *w, bool first);

void lru_make_busy(struct dma_resv *resv);
void lru_to_tail(struct lru_world *w, char letter);

#endif
