/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What ttm_cost_main.rs calls. */
#ifndef _TTM_COST_H_
#define _TTM_COST_H_

#include <linux/types.h>

struct ttm_resource_manager;

u64 ttm_cost_now(void);
void ttm_cost_loop(u64 instructions);
size_t ttm_cost_held(struct ttm_resource_manager *man);
size_t ttm_cost_unlocked(struct ttm_resource_manager *man);
size_t ttm_cost_referenced(struct ttm_resource_manager *man);
size_t ttm_cost_reserved(struct ttm_resource_manager *man);

#endif /* _TTM_COST_H_ */
