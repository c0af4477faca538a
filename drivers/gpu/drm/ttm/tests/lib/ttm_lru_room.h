/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Callers that ask for room, and what other threads do at the same time. */
#ifndef _TTM_LRU_ROOM_H_
#define _TTM_LRU_ROOM_H_

#include "ttm_lru_mock_driver.h"

int lru_place_while_held(struct lru_world *w, const char *held,
			 struct ttm_operation_ctx *ctx, bool older);
int lru_place_waiting(struct lru_world *w, const char *held,
		      struct ttm_operation_ctx *ctx);
s64 lru_drain(struct lru_world *w, const char *letters, s64 target);

/* Operations of other threads. */
void lru_try_do(struct lru_world *w, char letter,
		void (*what)(struct ttm_buffer_object *bo));
void lru_bo_to_tail(struct ttm_buffer_object *bo);
void lru_give_up_place(struct ttm_buffer_object *bo);

/* Functions for @at of the mock driver. */
extern bool lru_used_once;
void lru_use_b(struct lru_world *w, char letter);
void lru_in_turn(struct lru_world *w, char letter);

#endif
