/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The kernel's types and the macros that it is written in. */
#ifndef _STUB_TYPES_H_
#define _STUB_TYPES_H_

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;
typedef u64 phys_addr_t;
typedef u64 resource_size_t;
typedef u64 dma_addr_t;
typedef unsigned long pgoff_t;
typedef unsigned int gfp_t;
typedef unsigned int vm_fault_t;
typedef struct { unsigned long pgprot; } pgprot_t;
typedef struct { int counter; } atomic_t;
typedef struct { long counter; } atomic_long_t;

struct list_head {
	struct list_head *next, *prev;
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

#define fallthrough	__attribute__((fallthrough))
#define noinline	__attribute__((noinline))
#define __user
#define __iomem
#define __cold
#define __packed		__attribute__((packed))
#define __aligned(n)		__attribute__((aligned(n)))
#define __must_check
#define __preserve_most
#define __context_unsafe(why)
#define __uninitialized
#undef __always_inline
#define __always_inline		inline __attribute__((always_inline))
#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#define __CONCAT_(a, b)		a##b
#define __CONCAT2(a, b)		__CONCAT_(a, b)
#define __UNIQUE_ID(prefix)	__CONCAT2(prefix, __COUNTER__)

#define container_of(ptr, type, member)					\
	((type *)((char *)(ptr) - offsetof(type, member)))

#define READ_ONCE(x)		(*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, val)	(*(volatile typeof(x) *)&(x) = (val))
#define data_race(x)		(x)
#define smp_store_release(p, v)	WRITE_ONCE(*(p), v)
#define smp_load_acquire(p)	READ_ONCE(*(p))

#define ULONG_MAX		(~0UL)
#define U64_MAX			(~0ULL)
#define S64_MAX			((s64)(~0ULL >> 1))
#define BIT(n)			(1UL << (n))
#define BIT_ULL(n)		(1ULL << (n))
#define GENMASK_ULL(h, l)	((~0ULL << (l)) & (~0ULL >> (63 - (h))))
#define __bf_shf(mask)		(__builtin_ffsll(mask) - 1)
#define FIELD_PREP(mask, val)	(((u64)(val) << __bf_shf(mask)) & (mask))
#define FIELD_GET(mask, reg)	(((reg) & (mask)) >> __bf_shf(mask))
#define static_assert(cond)	_Static_assert(cond, #cond)
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define min(a, b)		((a) < (b) ? (a) : (b))
#define min_t(type, a, b)	min((type)(a), (type)(b))
#define max(a, b)		((a) > (b) ? (a) : (b))
#define swap(a, b)							\
({									\
	typeof(a) __a = (a);						\
									\
	(a) = (b);							\
	(b) = __a;							\
})
#define BUILD_BUG_ON(cond)	((void)sizeof(char[1 - 2 * !!(cond)]))
#define IS_ENABLED(option)	0
#define PAGE_SHIFT		12
#define PAGE_SIZE		(1UL << PAGE_SHIFT)
#define NR_PAGE_ORDERS		1
#define LIST_POISON1		((void *)0x100)
#define LIST_POISON2		((void *)0x122)

#define ERESTARTSYS		512

/* What is made for a scope ends with it. */
#define DEFINE_CLASS(name, type, exit, init, args...)			\
	typedef type class_##name##_t;					\
	static inline void class_##name##_destructor(type *p)		\
	{								\
		type _T = *p;						\
									\
		exit;							\
	}								\
	static inline type class_##name##_constructor(args)		\
	{								\
		return init;						\
	}
#define __class(name)							\
	__attribute__((cleanup(class_##name##_destructor), unused))
#define guard(name)							\
	class_##name##_t __UNIQUE_ID(guard) __class(name) =		\
		class_##name##_constructor
#define scoped_guard(name, args...)					\
	for (class_##name##_t __scope __class(name) =			\
		class_##name##_constructor(args), *__once = &__scope;	\
	     __once; __once = NULL)

#define EXPORT_SYMBOL(sym)
#define EXPORT_SYMBOL_GPL(sym)
#define EXPORT_SYMBOL_FOR_TESTS_ONLY(sym)

#define ERR_PTR(err)		((void *)(long)(err))
#define PTR_ERR(ptr)		((long)(ptr))
#define IS_ERR(ptr)		((unsigned long)(ptr) > -4096UL)
#define IS_ERR_OR_NULL(ptr)	(!(ptr) || IS_ERR(ptr))
#ifndef JUDGED
#define cond_resched()		((void)0)
#endif

static inline void atomic_inc(atomic_t *v)
{
	v->counter++;
}

static inline void atomic_dec(atomic_t *v)
{
	v->counter--;
}

#endif
