/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* A row of bytes as a history of operations in a large world. */
#ifndef _HISTORY_H_
#define _HISTORY_H_

#include "stubs/types.h"

/* False, and the story is printed, if a promise was broken. */
bool history_run(const u8 *data, size_t size);

#endif
