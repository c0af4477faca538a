/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* All states found so far, each with the state from which it was first reached. */
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

/* Prefetch the memory that states_add() reads. */
void states_prefetch(const struct states *states, const struct packed *packed);

/* Return false if the state is known. */
bool states_add(struct states *states, const struct packed *packed, u32 parent);

#endif
