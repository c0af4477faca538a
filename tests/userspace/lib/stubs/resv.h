/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Reservations know whether they are held. Nothing is ever in flight. */
#ifndef _STUB_RESV_H_
#define _STUB_RESV_H_

struct dma_fence;

struct ww_acquire_ctx {
	int unused;
};

/*
 * @ctx: The transaction that holds it, if any.
 * @lets_go: The holder releases it as soon as another thread waits for it.
 */
struct dma_resv {
	bool held;
	bool lets_go;
	struct ww_acquire_ctx *ctx;
	struct ww_mutex {
	} lock;
};

enum dma_resv_usage {
	DMA_RESV_USAGE_KERNEL,
	DMA_RESV_USAGE_BOOKKEEP = 3
};

#ifdef UNCHECKED
#define dma_resv_assert_held(resv)	((void)(resv))
#else
#define dma_resv_assert_held(resv)	((void)WARN_ON(!(resv)->held))
#endif

static inline void dma_resv_init(struct dma_resv *resv)
{
	*resv = (struct dma_resv) {};
}

static inline void dma_resv_fini(struct dma_resv *resv)
{
}

#ifdef WATCHED
void stub_tried(void);
#else
static inline void stub_tried(void)
{
}
#endif

/* To look, and see that it's taken, is to have tried. */
static inline bool dma_resv_is_locked(const struct dma_resv *resv)
{
	if (resv->held)
		stub_tried();
	return resv->held;
}

static inline bool dma_resv_trylock(struct dma_resv *resv)
{
	stub_tried();
	if (resv->held)
		return false;
	resv->held = true;
	return true;
}

static inline bool ww_mutex_trylock(struct ww_mutex *lock,
				    struct ww_acquire_ctx *ctx)
{
	struct dma_resv *resv = container_of(lock, struct dma_resv, lock);

	if (!dma_resv_trylock(resv))
		return false;
	resv->ctx = ctx;
	return true;
}

static inline int dma_resv_lock(struct dma_resv *resv,
				struct ww_acquire_ctx *ctx)
{
	WARN_ON(resv->held && !resv->lets_go);
	resv->held = true;
	resv->ctx = ctx;
	return 0;
}

#define dma_resv_lock_interruptible		dma_resv_lock
#define dma_resv_lock_slow			(void)dma_resv_lock
#define dma_resv_lock_slow_interruptible	dma_resv_lock

static inline void dma_resv_unlock(struct dma_resv *resv)
{
	dma_resv_assert_held(resv);
	*resv = (struct dma_resv) {};
}

static inline struct ww_acquire_ctx *
dma_resv_locking_ctx(const struct dma_resv *resv)
{
	return resv->ctx;
}

static inline int dma_resv_reserve_fences(struct dma_resv *resv,
					  unsigned int num)
{
	return 0;
}

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

#endif
