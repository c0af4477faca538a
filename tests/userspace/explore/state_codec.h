/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * A world in 96 bits, in a canonical form: slots, walks and bulks are numbered
 * in the order in which the lists have them, so that worlds which differ only
 * in names are one.
 */
#ifndef _PACK_H_
#define _PACK_H_

#include "list_snapshot.h"

struct packed {
	u64 low;
	u32 high;
} __packed __aligned(4);

static inline bool packed_equal(const struct packed *a, const struct packed *b)
{
	return a->low == b->low && a->high == b->high;
}

/* To be called once the shape is set. */
void pack_init(void);

struct packed pack(const struct view *view);
void unpack(struct packed packed);

#endif
