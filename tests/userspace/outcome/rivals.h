/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* A caller that needs room, and others that use the same memory. */
#ifndef _RIVALS_H_
#define _RIVALS_H_

#include <setjmp.h>

#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_placement.h>
#include <drm/ttm/ttm_resource.h>
#include <drm/ttm/ttm_tt.h>

#include "outcome.h"
#include "ttm_bo_internal.h"

#ifdef PRISTINE
#define IS_PRISTINE	true
#else
#define IS_PRISTINE	false
#endif

/* Two for each buffer: one may be moving. And ghosts. */
#define NODES		(2 * BOS + 4)
#define MOMENTS		256

/*
 * @own: Reserved by the caller before, in the same transaction.
 * @fresh: Created meanwhile, in no VM.
 * @put: Others have dropped their reference.
 * @dying: The last reference is gone, and the release is in progress.
 */
struct rival {
	struct ttm_buffer_object bo;
	struct ttm_tt tt;
	u8 size;
	bool live, put, dying, queued;
	bool own, worthless, fresh;
};

struct node {
	struct ttm_resource res;
	bool used;
	u8 owner;		/* the buffer; kept when a ghost takes the resource */
};

/* What the oracle knows about a moment. */
struct moment {
	struct {
		u8 pool, owner, size;
	} node[NODES];
	u8 nodes;
	u8 stay;		/* bits of buffers that can't be evicted */
	u8 held;		/* bits of those that others hold, */
	u8 held_older;		/* older ones; */
	u8 dying;		/* and of those being released */
	bool told;
	unsigned long at;	/* jiffies */
};

struct rivals {
	struct ttm_device bdev;
	struct ttm_resource_manager man[POOLS];
	struct ttm_lru_bulk_move bulk;
	struct dma_resv vm;
	struct rival rival[BOS];
	struct node node[NODES];
	struct ww_acquire_ctx ticket[CALLER + 1];	/* by enum holder */
	u8 used[POOLS];
	unsigned long now;

	struct schedule *schedule;
	struct dice *dice;
	struct outcome *outcome;
	FILE *story;
	unsigned int told;	/* points */
	unsigned int next;	/* event */
	u8 times[AT_POINTS][BOS];
	u32 label;
	bool others;		/* they are at work */
	bool killed;		/* while it waited: an older one came */
	bool signalled;
	u8 doubtful;		/* bits of buffers that were worthless at times */
	int freed;		/* pages of VRAM, by the caller */
	bool stuck;		/* x itself cannot move, whatever room there is */
	u8 short_of;		/* pages that a victim had no memory for; 0 for none */
	struct ww_mutex *waited_for;
	struct ttm_buffer_object *told_of;
	jmp_buf abandoned;

	unsigned int moments;
	/* Last, and not cleared. */
	struct moment moment[MOMENTS];
};

extern struct rivals rivals;

static inline struct rival *rival(unsigned int i)
{
	return &rivals.rival[i];
}

static inline unsigned int rival_nr(const struct ttm_buffer_object *bo)
{
	return container_of(bo, struct rival, bo) - rivals.rival;
}

static inline const struct scenario *scenario(void)
{
	return rivals.schedule->scenario;
}

/* Its reservation, or the one that it had before it was released: the VM's. */
static inline struct dma_resv *rival_resv(struct rival *r)
{
	unsigned int i = r - rivals.rival;

	return scenario()->bo[i].member && !r->fresh ? &rivals.vm : r->bo.base.resv;
}

/* Buffers that a drain is to find are charged to this. */
static inline struct dmem_cgroup_pool_state *rivals_cgroup(void)
{
	return scenario()->call == DRAIN ? (void *)&rivals : NULL;
}

enum holder rival_holder(const struct dma_resv *resv);
void rival_hold(struct dma_resv *resv, enum holder holder);

/* The caller can be interrupted here. */
void rivals_point(enum point point, unsigned int what);
void rivals_broken(enum verdict verdict, const char *why);
void rivals_abandon(enum verdict verdict, const char *why) __attribute__((noreturn));

/* @bo is now in @to, with pages or without. */
void rivals_settle(struct ttm_buffer_object *bo, struct ttm_resource *to);

/* @dice says whether something happens here, and what. */
bool rivals_roll(struct event *event);

/* A buffer that is nowhere yet, nor reserved. */
void rivals_make(struct rival *r);

/* Let others do it. Returns false if it isn't possible. */
bool rivals_act(const struct event *event);
void rivals_end_releases(void);

void rivals_moment(void);
u32 rivals_state(u32 h);
void rivals_judge(void);

void rivals_picture(FILE *out);

/* What eviction.c has of TTM's. */
void rival_release(struct ttm_buffer_object *bo);
void rival_delayed_delete(struct ttm_buffer_object *bo);

#endif
