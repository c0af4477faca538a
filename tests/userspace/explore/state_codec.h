/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * A world in 96 bits, in a canonical form: slots, walks and bulks are numbered in their
 * order on the lists, so two worlds that differ only in names are the same.
 */
#ifndef _STATE_CODEC_H_
#define _STATE_CODEC_H_

#include "list_snapshot.h"

struct packed {
	u64 low;
	u32 high;
} __packed __aligned(4);

static inline bool packed_equal(const struct packed *a, const struct packed *b)
{
	return a->low == b->low && a->high == b->high;
}

/* Call this after the shape is set. */
void pack_init(void);

struct packed pack(const struct view *view);
void unpack(struct packed packed);

#endif
