// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Memory accesses of the core under test, counted. */

#include <string.h>

#include "access_counter.h"

unsigned long access_count;
void (*access_too_many)(void);
void (*access_seen)(const void *addr, bool write);

static void count(void)
{
	if (!(++access_count % ACCESS_MANY) && access_too_many)
		access_too_many();
}

static void see(const void *addr, bool write)
{
	count();
	if (access_seen)
		access_seen(addr, write);
}

#define COUNTED(name, write)						\
void name(void *addr);							\
void name(void *addr)							\
{									\
	see(addr, write);						\
}

#define COUNTED_SIZES(kind, write)					\
	COUNTED(kind##1, write) COUNTED(kind##2, write)			\
	COUNTED(kind##4, write) COUNTED(kind##8, write)			\
	COUNTED(kind##16, write)

COUNTED_SIZES(__tsan_read, false)
COUNTED_SIZES(__tsan_write, true)
COUNTED_SIZES(__tsan_unaligned_read, false)
COUNTED_SIZES(__tsan_unaligned_write, true)

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
