// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Memory accesses of the core under test, counted. */

#include <string.h>

#include "access.h"

unsigned long access_count;
void (*access_too_many)(void);

static void count(void)
{
	if (!(++access_count % ACCESS_MANY) && access_too_many)
		access_too_many();
}

#define COUNTED(name)							\
void name(void *addr);							\
void name(void *addr)							\
{									\
	count();							\
}

#define COUNTED_SIZES(kind)						\
	COUNTED(kind##1) COUNTED(kind##2) COUNTED(kind##4)		\
	COUNTED(kind##8) COUNTED(kind##16)

COUNTED_SIZES(__tsan_read)
COUNTED_SIZES(__tsan_write)
COUNTED_SIZES(__tsan_unaligned_read)
COUNTED_SIZES(__tsan_unaligned_write)

void __tsan_init(void);
void __tsan_func_entry(void *caller);
void __tsan_func_exit(void);
void *__tsan_memset(void *to, int value, unsigned long size);
void *__tsan_memcpy(void *to, const void *from, unsigned long size);
void __tsan_read_range(void *addr, unsigned long size);
void __tsan_write_range(void *addr, unsigned long size);

void __tsan_init(void)
{
}

void __tsan_func_entry(void *caller)
{
}

void __tsan_func_exit(void)
{
}

/* A whole structure counts as one. */
void *__tsan_memset(void *to, int value, unsigned long size)
{
	count();
	return memset(to, value, size);
}

void *__tsan_memcpy(void *to, const void *from, unsigned long size)
{
	count();
	return memcpy(to, from, size);
}

void __tsan_read_range(void *addr, unsigned long size)
{
	count();
}

void __tsan_write_range(void *addr, unsigned long size)
{
	count();
}
