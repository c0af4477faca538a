/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Run operations that may crash, or never return. */
#ifndef _CRASH_GUARD_H_
#define _CRASH_GUARD_H_

#include "ops.h"

/* Catch crashes and endless loops from now on. */
void crash_guard_init(void);

/* As op_do(). Return false, and judge NO_CRASH, if it crashes or never returns. */
bool crash_guard_op_do(const struct op *op);

#endif
