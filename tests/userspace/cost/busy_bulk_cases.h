/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Which busy buffers a walk skips, and which it tries. */
#ifndef _BUSY_BULK_CASES_H_
#define _BUSY_BULK_CASES_H_

#include <stdbool.h>

#ifdef PRISTINE
static inline bool busy_bulk_cases_are_right(void)
{
	return true;
}
#else
bool busy_bulk_cases_are_right(void);
#endif

#endif
