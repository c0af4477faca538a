/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What an address in a bench's world belongs to. */
#ifndef _BENCH_H_
#define _BENCH_H_

#include <stdbool.h>

/* Is this the lru_lock? */
bool bench_is_lock(const void *addr);

/*
 * Is this the state word of a resource's node? Code that reads it looks at the resource,
 * @res.
 */
bool bench_is_kind(const void *addr, unsigned long *res);

#endif
