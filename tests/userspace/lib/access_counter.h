/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Memory accesses of the core under test, counted: it is compiled as if for the
 * thread sanitizer, which reports each one, and these reports end here.
 */
#ifndef _ACCESS_H_
#define _ACCESS_H_

#include <stdbool.h>

extern unsigned long access_count;
/* No operation in a small world has so many; called at each multiple. */
#define ACCESS_MANY	(1UL << 14)
extern void (*access_too_many)(void);
/* Called for each that has a single address. */
extern void (*access_seen)(const void *addr, bool write);

#endif
