/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* All states found so far, each with the one that it was first reached from. */
#ifndef _STATES_H_
#define _STATES_H_

#include "state_codec.h"

struct state {
	struct packed packed;
	u32 parent;
} __packed __aligned(4);

struct states {
	struct state *state;	/* in the order in which they were found */
	u32 *index;		/* hash table of numbers of states, plus one */
	size_t n, room;
	size_t slots;		/* a power of two */
};

void states_init(struct states *states, size_t room);
void states_free(struct states *states);

/* Fetch what states_add() will want to look at. */
void states_prefetch(const struct states *states, const struct packed *packed);

/* False if the state was known. */
bool states_add(struct states *states, const struct packed *packed, u32 parent);

#endif
