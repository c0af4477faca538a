/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The worlds that are explored. */
#ifndef _WORLDS_H_
#define _WORLDS_H_

#include "limits.h"
#include "ops.h"

struct explored_world {
	const char *name;
	/* Which set it belongs to: "quick", for every day, or "full". */
	const char *set;
	struct shape shape;
	unsigned int rules;
	/* How often a buffer can be pinned; only with RULES_ALL_FLAGS. */
	unsigned int pins;
	/* States of a core that breaks promises after which to stop. */
	size_t enough;
};

extern const struct explored_world explored_worlds[];

#endif
