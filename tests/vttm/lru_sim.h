/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What a plain LRU would move: the limit that vttm-compete holds the kernel to.
 *
 * One submit is simulated after the other. Each brings its buffers to their
 * domains, as include/uapi/drm/vttm_drm.h says, and evicts the buffers that were
 * used the longest time ago until there is room. In a simulation without pieces only
 * sizes count, so no kernel can do with less. In one with pieces each buffer needs its
 * room in one piece, as vttm's managers give it.
 */
#ifndef LRU_SIM_H
#define LRU_SIM_H

#include <stdbool.h>
#include <linux/types.h>

struct lru_sim;

struct lru_sim *lru_sim_new(__u64 vram, __u64 gtt, __u32 most_buffers, bool pieces);
void lru_sim_destroy(struct lru_sim *sim);

/* Add a buffer, which is in system memory. Buffers are numbered from 0 on. */
__u32 lru_sim_add(struct lru_sim *sim, __u64 size, __u32 domains);
/* Buffers @first to @first + @count - 1 are used by one submit. Do they fit? */
bool lru_sim_use(struct lru_sim *sim, __u32 first, __u32 count);
/* They are freed. */
void lru_sim_drop(struct lru_sim *sim, __u32 first, __u32 count);

/* Bytes that were given a place so far: brought to one, or evicted to one. */
__u64 lru_sim_moved(const struct lru_sim *sim);

/* What is wrong with the simulation, or NULL. */
const char *lru_sim_self_test(void);

#endif
