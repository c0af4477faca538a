/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The kernel, as far as list operations see it, for the model checker. Included
 * ahead of everything; other kernel headers than <linux/list.h> are empty.
 */
#ifndef _PROVE_STUB_H_
#define _PROVE_STUB_H_

#define NULL		((void *)0)
#define bool		_Bool
#define true		1
#define false		0
#define offsetof	__builtin_offsetof

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long s64;
typedef __SIZE_TYPE__ size_t;
typedef u64 phys_addr_t;
typedef u64 resource_size_t;
typedef unsigned long pgoff_t;

void *memset(void *to, int c, size_t size);

struct list_head {
	struct list_head *next, *prev;
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

#define __always_inline		inline
#define noinline
#define __context_unsafe(why)
#define likely(x)		(x)
#define unlikely(x)		(x)
#define READ_ONCE(x)		(x)
#define WRITE_ONCE(x, val)	((x) = (val))
#define smp_store_release(p, v)	(*(p) = (v))
#define smp_load_acquire(p)	(*(p))
#define LIST_POISON1		((void *)0x100)
#define LIST_POISON2		((void *)0x122)
#define BIT(n)			(1UL << (n))
#define BIT_ULL(n)		(1ULL << (n))
#define GENMASK_ULL(h, l)	((~0ULL << (l)) & (~0ULL >> (63 - (h))))
#define __bf_shf(mask)		(__builtin_ffsll(mask) - 1)
#define FIELD_PREP(mask, val)	(((u64)(val) << __bf_shf(mask)) & (mask))
#define FIELD_GET(mask, reg)	(((reg) & (mask)) >> __bf_shf(mask))
#define static_assert(cond)	_Static_assert(cond, #cond)
#define IS_ENABLED(option)	0
#define EXPORT_SYMBOL(sym)
#define EXPORT_SYMBOL_GPL(sym)
#define EXPORT_SYMBOL_FOR_TESTS_ONLY(sym)
#define IS_ERR(ptr)		((unsigned long)(ptr) > -4096UL)
#define IS_ERR_OR_NULL(ptr)	(!(ptr) || IS_ERR(ptr))
#define ERR_PTR(err)		((void *)(long)(err))
#define ULONG_MAX		(~0UL)
#define U64_MAX			(~0ULL)
#define EAGAIN			11
#define ENOSPC			28
#define max(a, b) ((a) > (b) ? (a) : (b))

/*
 * By name of the member. For resources and cursors the same pointer, looked up
 * among the few that there are: the checker then knows it to be one of these.
 */
#define container_of(ptr, type, member)	((type *)stub_of_##member(ptr))
#define stub_of_link(ptr)		((void *)(ptr))
#define stub_of_lru(ptr)		stub_res_of(ptr)
#define stub_of_hitch(ptr)		stub_cursor_of(ptr)
#define stub_of_lists(ptr)		stub_man_of(ptr)
#define stub_of_bulk_link(ptr)		stub_registered(ptr)

void *stub_res_of(void *lru);
void *stub_cursor_of(void *hitch);
void *stub_man_of(struct list_head *lru);
void *stub_registered(void *bulk_link);

#define check(cond, what)	__CPROVER_assert(cond, what)
#define given(cond)		__CPROVER_assume(cond)

/* Warnings are for misuse: the harness decides whether there was any. */
extern bool warned;

static inline bool stub_warn(bool cond)
{
	if (cond)
		warned = true;
	return cond;
}

#define WARN_ON(cond)		stub_warn(cond)
#define WARN_ON_ONCE(cond)	stub_warn(cond)
#define WARN(cond, ...)		stub_warn(cond)

/*
 * There is but one. @scoped: held until the end of the function, which the
 * checker doesn't see.
 */
typedef struct {
	bool held;
	bool scoped;
	bool taken;
} spinlock_t;

extern spinlock_t *const lru_lock;

static inline void spin_lock(spinlock_t *lock)
{
	check(!lru_lock->held, "locked twice");
	lru_lock->held = true;
	lru_lock->taken = true;
}

static inline void spin_unlock(spinlock_t *lock)
{
	check(lru_lock->held && !lru_lock->scoped, "unlocked when not locked");
	lru_lock->held = false;
}

static inline void stub_guard(spinlock_t *lock)
{
	spin_lock(lock);
	lru_lock->scoped = true;
}

#define spin_lock_init(lock)
#define guard(class)			stub_guard
#define scoped_guard(class, lock)
#define lockdep_assert_held(lock)	check(lru_lock->held, "lru_lock held")

struct dma_resv {
	bool held;
};

#define dma_resv_assert_held(resv)	check((resv)->held, "resv held")

struct dma_fence;
struct dma_fence *dma_fence_get(struct dma_fence *fence);
void dma_fence_put(struct dma_fence *fence);
long dma_fence_wait(struct dma_fence *fence, bool intr);

enum ttm_caching {
	ttm_uncached,
	ttm_write_combined,
	ttm_cached
};

struct ttm_kmap_iter {
	int unused;
};

struct iosys_map {
	int unused;
};

struct drm_printer {
	int unused;
};

struct seq_file {
	void *private;
};

#define drm_seq_file_printer(m)	((void)(m), (struct drm_printer) {})
#define drm_printf(p, fmt, ...)	((void)(p))
#define DEFINE_SHOW_ATTRIBUTE(name)					\
	static int (*const name##_fops)(struct seq_file *, void *) = name##_show
#define debugfs_create_file(name, mode, parent, data, fops)		\
	((void)(name), (void)(parent), (void)(data), (void)(fops))

struct dentry;
struct dmem_cgroup_pool_state;
struct dmem_cgroup_region;
int dmem_cgroup_try_charge(struct dmem_cgroup_region *region, u64 size,
			   struct dmem_cgroup_pool_state **pool,
			   struct dmem_cgroup_pool_state **limit);
void dmem_cgroup_uncharge(struct dmem_cgroup_pool_state *pool, u64 size);

#include <drm/ttm/ttm_resource.h>

/* Behind the last cursor, list_for_each_entry() imagines one around the head. */
#undef list_entry_is_head
#define list_entry_is_head(pos, head, member)				\
	(stub_##member##_of(pos) == (head))
#define stub_link_of(item)		(&(item)->link)

struct list_head *stub_bulk_link_of(struct ttm_resource_cursor *cursor);

/* As there; an expression tells the checker more than a call. */
#define ttm_lru_item_is_res(item)	(!((item)->state & TTM_LRU_HITCH))

#define TTM_PL_FLAG_CONTIGUOUS	BIT(0)
#define TTM_PL_FLAG_TEMPORARY	BIT(1)
#define TTM_PL_FLAG_DESIRED	BIT(2)
#define TTM_PL_FLAG_FALLBACK	BIT(3)

struct ttm_place {
	u32 mem_type;
	u32 flags;
};

struct ttm_placement {
	unsigned int num_placement;
	const struct ttm_place *placement;
};

struct ttm_device {
	spinlock_t lru_lock;
	struct list_head unevictable;
	struct ttm_resource_manager *man_drv[TTM_NUM_MEM_TYPES];
};

struct ttm_resource_manager *ttm_manager_type(struct ttm_device *bdev,
					      int mem_type);

struct ttm_tt {
	bool swapped;
};

static inline bool ttm_tt_is_swapped(const struct ttm_tt *tt)
{
	return tt->swapped;
}

struct ttm_buffer_object {
	struct {
		size_t size;
		struct dma_resv *resv;
	} base;
	struct ttm_device *bdev;
	struct ttm_resource *resource;
	struct ttm_tt *ttm;
	struct ttm_lru_bulk_move *bulk_move;
	unsigned int priority;
	unsigned int pin_count;
};

struct ttm_operation_ctx {
	bool interruptible;
};

s64 ttm_bo_evict_cgroup(struct ttm_device *bdev,
			struct ttm_resource_manager *man,
			struct dmem_cgroup_pool_state *limit_pool,
			s64 target_bytes, struct ttm_operation_ctx *ctx);

#endif
