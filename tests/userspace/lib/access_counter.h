/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Count the memory accesses of the core under test. The core is compiled with the thread
 * sanitizer's instrumentation, whose calls for each access come here.
 */
#ifndef _ACCESS_COUNTER_H_
#define _ACCESS_COUNTER_H_

#include <stdbool.h>

extern unsigned long access_count;
/* More than any operation in a small world makes; the hook is called at each multiple. */
#define ACCESS_MANY	(1UL << 14)
extern void (*access_too_many)(void);
/* Called for each access with a single address. */
extern void (*access_seen)(const void *addr, bool write);

#endif
