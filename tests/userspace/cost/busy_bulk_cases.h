/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Which buffers walkers pass by, and which they don't. */
#ifndef _SKIPPING_H_
#define _SKIPPING_H_

#include <stdbool.h>

#ifdef PRISTINE
static inline bool skipping_is_right(void)
{
	return true;
}
#else
bool skipping_is_right(void);
#endif

#endif
