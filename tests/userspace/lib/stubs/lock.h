/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Locks of a single thread: they check that they are held where they should be,
 * and that nobody waits for himself.
 */
#ifndef _STUB_LOCK_H_
#define _STUB_LOCK_H_

#include <setjmp.h>

typedef struct {
	bool held;
	unsigned int pins;
} spinlock_t;

/*
 * What happens between two lock holds of one function is the explorer's to
 * choose: it can have the function abandoned where it would take a lock.
 * @left: lock holds until then, 0 for none.
 */
struct stub_stop {
	unsigned int left;
	jmp_buf to;
};

extern struct stub_stop stub_stop;

/* Programs that count lock holds are told of them. */
#ifdef WATCHED
void stub_hold_begins(void);
void stub_hold_ends(void);
#else
static inline void stub_hold_begins(void)
{
}

static inline void stub_hold_ends(void)
{
}
#endif

/* Where others get a chance to run when a lock was dropped. */
#ifdef JUDGED
void stub_dropped(spinlock_t *lock);
#else
static inline void stub_dropped(spinlock_t *lock)
{
}
#endif

static inline void spin_lock_init(spinlock_t *lock)
{
	*lock = (spinlock_t) {};
}

/*
 * Programs that count instructions have locks that are no more than that; those that
 * count holds have none.
 */
#if defined(UNCHECKED) && defined(WATCHED)
static inline void spin_lock(spinlock_t *lock)
{
	stub_hold_begins();
}

static inline void spin_unlock(spinlock_t *lock)
{
	stub_hold_ends();
}

#define lockdep_assert_held(lock)	((void)(lock))
#elif defined(UNCHECKED)
static inline void spin_lock(spinlock_t *lock)
{
	while (__atomic_exchange_n(&lock->held, true, __ATOMIC_ACQUIRE))
		;
}

static inline void spin_unlock(spinlock_t *lock)
{
	__atomic_store_n(&lock->held, false, __ATOMIC_RELEASE);
}

#define lockdep_assert_held(lock)	((void)(lock))
#else

static inline void spin_lock(spinlock_t *lock)
{
	if (unlikely(stub_stop.left) && !--stub_stop.left)
		longjmp(stub_stop.to, 1);
	WARN_ON(lock->held);
	lock->held = true;
	stub_hold_begins();
}

static inline void spin_unlock(spinlock_t *lock)
{
	WARN_ON(!lock->held);
	WARN_ON(lock->pins);
	stub_hold_ends();
	lock->held = false;
	stub_dropped(lock);
}

#define lockdep_assert_held(lock)	((void)WARN_ON(!(lock)->held))
#endif

struct pin_cookie {
	int unused;
};

static inline struct pin_cookie lockdep_pin_lock(spinlock_t *lock)
{
	WARN_ON(!lock->held);
	lock->pins++;
	return (struct pin_cookie) {};
}

static inline void lockdep_unpin_lock(spinlock_t *lock,
				      struct pin_cookie cookie)
{
	WARN_ON(!lock->pins);
	lock->pins--;
}

static inline spinlock_t *stub_locked(spinlock_t *lock)
{
	spin_lock(lock);
	return lock;
}

DEFINE_CLASS(spinlock, spinlock_t *, spin_unlock(_T), stub_locked(lock),
	     spinlock_t *lock)

#endif
