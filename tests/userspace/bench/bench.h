/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What is where in a bench's world. */
#ifndef _BENCH_H_
#define _BENCH_H_

#include <stdbool.h>

/* Is this the lru_lock? */
bool bench_is_lock(const void *addr);

/*
 * Is this where a resource's node says what it is? Who reads that looks at the
 * resource, @res.
 */
bool bench_is_kind(const void *addr, unsigned long *res);

#endif
