// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The worlds that are explored: resources x bulks x walks, and what more there
 * is of priorities (p) and memory types (t). Where a name ends in "flags", each
 * reason for which a buffer can be unevictable is a flag of its own, pins are
 * counted and buffers without resource have flags, too; "holds" has lock holds
 * of every shape, not only the short ones.
 */

#include "worlds.h"

#ifdef PRISTINE

#define CALLERS	(RULES_CALLERS | RULES_ONE_WALK)

const struct explored_world explored_worlds[] = {
	{ "1x1x1 any walk", "quick", { 1, 1, 1, 1, 1 }, RULES_CALLERS },
	{ "3x1x1", "quick", { 3, 1, 1, 1, 1 }, CALLERS },
	{ "2p 2x1x1", "full", { 2, 1, 1, 2, 1 }, CALLERS },
	{ "2t 3x1x1", "full", { 3, 1, 1, 1, 2 }, CALLERS },
	{ "2x2x2", "full", { 2, 2, 2, 1, 1 }, CALLERS, .enough = 100000 },
	{}
};

#else

#define FLAGS	RULES_ALL_FLAGS
#define HOLDS	RULES_LONG_HOLDS
#define ONE	RULES_ONE_BOUNDED

const struct explored_world explored_worlds[] = {
	{ "2x1x1 flags holds", "quick", { 2, 1, 1, 1, 1 }, FLAGS | HOLDS, 2 },
	{ "2x2x2", "quick", { 2, 2, 2, 1, 1 } },
	{ "3x1x1 holds", "quick", { 3, 1, 1, 1, 1 }, HOLDS },
	{ "3x1x2", "quick", { 3, 1, 2, 1, 1 }, ONE },
	{ "2p 2x1x2", "quick", { 2, 1, 2, 2, 1 } },
	{ "2t 2x1x1", "quick", { 2, 1, 1, 1, 2 } },
	{ "3x2x2", "full", { 3, 2, 2, 1, 1 } },
	{ "3x1x3", "full", { 3, 1, 3, 1, 1 }, ONE },
	{ "2p 3x1x2", "full", { 3, 1, 2, 2, 1 }, ONE },
	{ "2t 3x1x1", "full", { 3, 1, 1, 1, 2 } },
	{ "4x1x2", "full", { 4, 1, 2, 1, 1 }, ONE },
	{}
};

#endif
