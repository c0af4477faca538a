/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Operations that may crash, or never come back. */
#ifndef _GUARD_H_
#define _GUARD_H_

#include "ops.h"

/* From here on crashes and endless loops are caught. */
void guard_init(void);

/* op_do(). False, and NO_CRASH judged, if it doesn't come back by itself. */
bool guard_op_do(const struct op *op);

#endif
