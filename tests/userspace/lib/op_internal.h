/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Between the files that do operations. */
#ifndef _OP_INTERNAL_H_
#define _OP_INTERNAL_H_

#include "ops.h"

static inline bool all_flags(void)
{
	return rules & RULES_ALL_FLAGS;
}

/* Where the model has the resource in slot @r. */
static inline unsigned int place_of(unsigned int r)
{
	return world.model.res[r].place;
}

static inline bool has_resource(unsigned int r)
{
	return slot(r)->bo.resource == &slot(r)->res;
}

void op_do_tail(unsigned int r);
void op_do_walk(unsigned int w, const char *word);
void op_do_unevictable(const struct op *op);

#endif
