/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * A simulation of a plain LRU. vttm-compete compares the bytes that it moves with
 * those that the kernel moves.
 *
 * One submit is simulated after the other. Each brings its buffers to their
 * domains, as include/uapi/drm/vttm_drm.h says, and evicts the least recently used
 * buffers until there is room. Without @pieces only sizes count. With @pieces each
 * buffer needs contiguous room, as in vttm's managers.
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
/* Use buffers @first to @first + @count - 1 in one submit. Return whether they fit. */
bool lru_sim_use(struct lru_sim *sim, __u32 first, __u32 count);
/* Free these buffers. */
void lru_sim_drop(struct lru_sim *sim, __u32 first, __u32 count);

/* The bytes moved so far: all that were given a place, also by evictions. */
__u64 lru_sim_moved(const struct lru_sim *sim);

/* Test the simulation. Return what is wrong, or NULL. */
const char *lru_sim_self_test(void);

#endif
