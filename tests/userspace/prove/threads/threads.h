/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Locks and counters for models with threads, for CBMC. It tries all interleavings of the
 * threads' accesses. A late value of a single variable is that of an earlier read, so these
 * are all values that an unlocked read can return.
 *
 * FAULT is 0, or the number of a fault that the model must notice: threads.py finds them by
 * their comments.
 */
#ifndef _THREADS_H_
#define _THREADS_H_

#define bool	_Bool
#define true	1
#define false	0

#ifndef FAULT
#define FAULT	0
#endif

bool nondet_bool(void);

#define assert(cond)	__CPROVER_assert(cond, #cond)

/* Start a thread; end it as the last thing that it does; wait for all @n. */
#define THREAD(n, call)	__CPROVER_ASYNC_##n: call
#define end_thread()	atomically(ended++)
#define wait_for(n)	__CPROVER_assume(ended == (n))

static int ended;

#define atomically(...) do {						\
	__CPROVER_atomic_begin();					\
	__VA_ARGS__;							\
	__CPROVER_atomic_end();						\
} while (0)

#define lock(l)		atomically(__CPROVER_assume(!(l)); (l) = true)
#define unlock(l)	atomically((l) = false)
/* Sets @got to whether the lock was free. */
#define trylock(l, got)	atomically((got) = !(l); (l) = true)

/* kref_get_unless_zero(), and kref_put(), which set @got and @last. */
#define get_unless_zero(kref, got) \
	atomically((got) = (kref) > 0; if (got) (kref)++)
#define put(kref, last)	atomically((last) = !--(kref))

#endif
