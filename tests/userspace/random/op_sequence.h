/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Decode bytes as a sequence of operations in a large world, and run it. */
#ifndef _OP_SEQUENCE_H_
#define _OP_SEQUENCE_H_

#include "stubs/types.h"

/* Return false, and print the operations, if a promise was broken. */
bool op_sequence_run(const u8 *data, size_t size);

#endif
