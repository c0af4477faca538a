/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Reservations that several threads want. There is one real thread, the caller;
 * what the others do is scripted, and happens wherever the caller can be
 * interrupted. Transactions wait and die: one that meets the reservation of an
 * older one is told -EDEADLK at once.
 */
#ifndef _STUB_CONTENDED_H_
#define _STUB_CONTENDED_H_

struct dma_fence;
struct ttm_buffer_object;

struct ww_acquire_ctx {
	unsigned long stamp;	/* its age: the lowest is the oldest */
};

struct ww_mutex {
	bool held;
	bool callers;		/* held by the caller, else by another */
	struct ww_acquire_ctx *ctx;
	unsigned int since;	/* which moment; 0 if before the call */
};

/* @busy: The GPU still works on it. */
struct dma_resv {
	struct ww_mutex lock;
	bool busy;
};

enum dma_resv_usage {
	DMA_RESV_USAGE_KERNEL,
	DMA_RESV_USAGE_BOOKKEEP = 3
};

#define HZ				5
/* A millisecond is a jiffy. */
#define MSEC_PER_SEC			HZ
#define USEC_PER_MSEC			1000L
#define MAX_SCHEDULE_TIMEOUT		((long)(~0UL >> 1))
#define jiffies				(stub_jiffies())
#define time_after(a, b)		((long)((b) - (a)) < 0)
#define time_before(a, b)		time_after(b, a)
#define time_after_eq(a, b)		((long)((a) - (b)) >= 0)
#define time_before_eq(a, b)		time_after_eq(b, a)
#define msecs_to_jiffies(ms)		max((ms) * HZ / 1000, 1UL)

unsigned long stub_jiffies(void);
long stub_sleep(long timeout);
void stub_resched(void);
bool stub_signalled(void);

#define schedule_timeout_uninterruptible	stub_sleep
#define schedule_timeout_interruptible		stub_sleep
#define schedule_timeout_killable		stub_sleep
#define schedule_timeout_idle			stub_sleep
#define msleep(ms)				stub_sleep(msecs_to_jiffies(ms))
#define fsleep(us)				stub_sleep(1)
#define usleep_range(min, max)			stub_sleep(1)
#define usleep_range_state(min, max, state)	stub_sleep(1)
#define TASK_INTERRUPTIBLE			1
#define TASK_UNINTERRUPTIBLE			2
#define cond_resched()				stub_resched()
#define might_sleep()				((void)0)
#define signal_pending(task)			((void)(task), stub_signalled())
#define fatal_signal_pending(task)		((void)(task), stub_signalled())
#define current					NULL

bool ww_mutex_trylock(struct ww_mutex *lock, struct ww_acquire_ctx *ctx);
int ww_mutex_lock(struct ww_mutex *lock, struct ww_acquire_ctx *ctx);
int ww_mutex_lock_interruptible(struct ww_mutex *lock, struct ww_acquire_ctx *ctx);
void ww_mutex_unlock(struct ww_mutex *lock);

#define ww_mutex_is_locked(lock)		((lock)->held)

#define dma_resv_assert_held(resv)		((void)WARN_ON(!(resv)->lock.held))
#define dma_resv_is_locked(resv)		((resv)->lock.held)
#define dma_resv_trylock(resv)			ww_mutex_trylock(&(resv)->lock, NULL)
#define dma_resv_lock(resv, ctx)		ww_mutex_lock(&(resv)->lock, ctx)
#define dma_resv_lock_interruptible(resv, ctx)					\
	ww_mutex_lock_interruptible(&(resv)->lock, ctx)
#define dma_resv_lock_slow			(void)dma_resv_lock
#define dma_resv_lock_slow_interruptible	dma_resv_lock_interruptible
#define dma_resv_unlock(resv)			ww_mutex_unlock(&(resv)->lock)

static inline struct ww_acquire_ctx *
dma_resv_locking_ctx(const struct dma_resv *resv)
{
	return resv->lock.ctx;
}

static inline void dma_resv_init(struct dma_resv *resv)
{
	*resv = (struct dma_resv) {};
}

static inline void dma_resv_fini(struct dma_resv *resv)
{
}

static inline int dma_resv_reserve_fences(struct dma_resv *resv,
					  unsigned int num)
{
	return 0;
}

static inline int dma_resv_copy_fences(struct dma_resv *to,
				       const struct dma_resv *from)
{
	to->busy = from->busy;
	return 0;
}

static inline bool dma_resv_test_signaled(const struct dma_resv *resv,
					  enum dma_resv_usage usage)
{
	return !resv->busy;
}

long dma_resv_wait_timeout(struct dma_resv *resv, enum dma_resv_usage usage,
			   bool intr, unsigned long timeout);

#define dma_resv_add_fence(resv, fence, usage)	((void)(resv), (void)(fence))

/* Managers have no fences: moves are over when they return. */
static inline struct dma_fence *dma_fence_get(struct dma_fence *fence)
{
	return fence;
}

static inline void dma_fence_put(struct dma_fence *fence)
{
}

static inline long dma_fence_wait(struct dma_fence *fence, bool intr)
{
	return 0;
}

static inline bool dma_fence_is_signaled(struct dma_fence *fence)
{
	return true;
}

#define queue_work_node(node, wq, work)		stub_queue(work)
struct work_struct;
bool stub_queue(struct work_struct *work);

#endif
