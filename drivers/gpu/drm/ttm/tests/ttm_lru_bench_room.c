// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The cost of making room: a client on each CPU, and VRAM that has room for one
 * client's buffers at a time, but not for two.
 *
 * Clients work in rounds, as for the frames of a screen. In each round, a
 * client submits once: it locks the buffers that it uses, places all of them in
 * VRAM, and unlocks them. It starts over if it must back off, and submits anew
 * if it is refused, so that all cores complete the same work.
 */

#define pr_fmt(fmt) "ttm_lru_bench: " fmt

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>

#include <asm/tsc.h>

#include <drm/drm_device.h>
#include <drm/drm_exec.h>
#include <drm/drm_gem.h>
#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_device.h>
#include <drm/ttm/ttm_placement.h>
#include <drm/ttm/ttm_range_manager.h>
#include <drm/ttm/ttm_resource.h>
#include <drm/ttm/ttm_tt.h>

#include "ttm_lru_bench_boot.h"

/* All buffers have one size, so free space is never fragmented. */
#define BUFFER_PAGES	4
/* The number of buffers for which VRAM has room. */
#define VRAM_BUFFERS	16
/*
 * The buffers of a client, and how many of them it uses at a time; some change
 * each round.
 */
#define CLIENT_BUFFERS	20
#define USED_BUFFERS	10
#define NEXT_BUFFERS	5

#define ROUNDS		50

struct room {
	struct ttm_device bdev;
	void *vram;
	unsigned int clients;
	/* The first error of a client, which ends the others. */
	int error;

	/* The number of rounds in which a client got its room. */
	atomic_t submitted;
	wait_queue_head_t all_submitted;

	atomic_long_t evictions;
	atomic_long_t bytes;
};

/* What happened to a client. */
struct tally {
	unsigned long validations;
	unsigned long refusals;
	unsigned long restarts;
	unsigned long taken;	/* how often a lock was contended */
	unsigned long sleeps;	/* for a lock, or for a moment */
};

struct client {
	struct room *room;
	unsigned int round;
	struct ttm_buffer_object *bo[CLIENT_BUFFERS];
	struct completion finished;
	struct tally tally;
};

static const struct ttm_place vram = { .mem_type = TTM_PL_VRAM };
static const struct ttm_place sys = { .mem_type = TTM_PL_SYSTEM };

/*
 * The driver
 */

static struct room *to_room(struct ttm_device *bdev)
{
	return container_of(bdev, struct room, bdev);
}

static struct ttm_tt *room_tt_create(struct ttm_buffer_object *bo, u32 page_flags)
{
	struct ttm_tt *tt = kzalloc_obj(*tt);

	if (tt && ttm_tt_init(tt, bo, page_flags, ttm_cached, 0)) {
		kfree(tt);
		tt = NULL;
	}
	return tt;
}

static void room_tt_destroy(struct ttm_device *bdev, struct ttm_tt *tt)
{
	ttm_tt_fini(tt);
	kfree(tt);
}

static void room_evict_flags(struct ttm_buffer_object *bo,
			     struct ttm_placement *placement)
{
	*placement = (struct ttm_placement) {
		.placement = &sys,
		.num_placement = 1,
	};
}

static int room_move(struct ttm_buffer_object *bo, bool evict,
		     struct ttm_operation_ctx *ctx, struct ttm_resource *res,
		     struct ttm_place *hop)
{
	struct room *room = to_room(bo->bdev);

	if (!bo->resource) {
		ttm_bo_move_null(bo, res);
		return 0;
	}
	atomic_long_add(evict, &room->evictions);
	atomic_long_add(res->size, &room->bytes);
	return ttm_bo_move_memcpy(bo, ctx, res);
}

static int room_io_mem_reserve(struct ttm_device *bdev, struct ttm_resource *res)
{
	if (res->mem_type != TTM_PL_VRAM)
		return 0;
	res->bus.addr = to_room(bdev)->vram + (res->start << PAGE_SHIFT);
	res->bus.is_iomem = true;
	res->bus.caching = ttm_cached;
	return 0;
}

static const struct ttm_device_funcs room_funcs = {
	.ttm_tt_create = room_tt_create,
	.ttm_tt_destroy = room_tt_destroy,
	.eviction_valuable = ttm_bo_eviction_valuable,
	.evict_flags = room_evict_flags,
	.move = room_move,
	.io_mem_reserve = room_io_mem_reserve,
};

static int room_init(struct room *room, struct drm_device *drm)
{
	unsigned long pages = VRAM_BUFFERS * BUFFER_PAGES;
	int ret;

	init_waitqueue_head(&room->all_submitted);
	room->vram = vzalloc(pages << PAGE_SHIFT);
	if (!room->vram)
		return -ENOMEM;
	ret = ttm_device_init(&room->bdev, &room_funcs, drm->dev,
			      drm->anon_inode->i_mapping,
			      drm->vma_offset_manager, 0);
	return ret ?: ttm_range_man_init(&room->bdev, TTM_PL_VRAM, false, pages);
}

/*
 * A client
 */

static void destroy_bo(struct ttm_buffer_object *bo)
{
	drm_gem_object_release(&bo->base);
	kfree(bo);
}

static struct ttm_buffer_object *create_bo(struct room *room,
					   struct drm_device *drm)
{
	struct ttm_placement placement = { .placement = &sys, .num_placement = 1 };
	struct ttm_buffer_object *bo = kzalloc_obj(*bo);
	struct ttm_operation_ctx ctx = {};

	if (!bo)
		return NULL;
	drm_gem_private_object_init(drm, &bo->base, BUFFER_PAGES << PAGE_SHIFT);
	/* This frees the buffer if it fails. */
	if (ttm_bo_init_reserved(&room->bdev, bo, ttm_bo_type_device, &placement,
				 0, &ctx, NULL, NULL, destroy_bo))
		return NULL;
	ttm_bo_unreserve(bo);
	return bo;
}

/* The @i-th buffer of this round. */
static struct ttm_buffer_object *used_bo(struct client *c, unsigned int i)
{
	return c->bo[(c->round * NEXT_BUFFERS + i) % CLIENT_BUFFERS];
}

static int lock_all(struct client *c, struct drm_exec *exec)
{
	int ret = 0;

	for (unsigned int i = 0; !ret && i < USED_BUFFERS; i++) {
		struct drm_gem_object *obj = &used_bo(c, i)->base;

		c->tally.taken += dma_resv_is_locked(obj->resv);
		ret = drm_exec_lock_obj(exec, obj);
	}
	return ret;
}

/* Linux's own core refuses, instead of telling callers to back off. */
static void can_back_off(struct ttm_operation_ctx *ctx,
			 struct ttm_buffer_object **contended)
{
#ifndef CONFIG_DRM_TTM_LRU_PRISTINE
	ctx->contended = contended;
#endif
}

/* Place the locked buffers. After -EDEADLK none is locked any more. */
static int place_all(struct client *c, struct drm_exec *exec)
{
	struct ttm_placement placement = { .placement = &vram, .num_placement = 1 };
	struct ttm_buffer_object *contended = NULL;
	struct ttm_operation_ctx ctx = {};
	int ret = 0;

	can_back_off(&ctx, &contended);
	for (unsigned int i = 0; !ret && i < USED_BUFFERS; i++) {
		ret = ttm_bo_validate(used_bo(c, i), &placement, &ctx);
		cond_resched();
	}
	if (contended) {
		if (ret == -EDEADLK)
			drm_exec_back_off(exec, contended->base.resv);
		ttm_bo_fini(contended);
	}
	return ret;
}

static void use_all(struct client *c)
{
	for (unsigned int i = 0; i < USED_BUFFERS; i++)
		ttm_bo_move_to_lru_tail_unlocked(used_bo(c, i));
	c->tally.validations += USED_BUFFERS;
}

static int submit(struct client *c)
{
	unsigned int begun = 0;
	struct drm_exec exec;
	int ret = 0;

	drm_exec_init(&exec, 0, USED_BUFFERS);
	drm_exec_until_all_locked(&exec) {
		do {
			begun++;
			ret = lock_all(c, &exec);
			drm_exec_retry_on_contention(&exec);
			if (!ret)
				ret = place_all(c, &exec);
		} while (ret == -EDEADLK);
		if (ret)
			break;
	}
	if (!ret)
		use_all(c);
	drm_exec_fini(&exec);
	c->tally.restarts += begun - 1;
	return ret;
}

static void submit_until_there_is_room(struct client *c)
{
	unsigned long slept = current->nvcsw;
	int ret;

	while (!READ_ONCE(c->room->error)) {
		ret = submit(c);
		if (!ret)
			break;
		if (ret != -ENOSPC && ret != -ENOMEM)
			WRITE_ONCE(c->room->error, ret);
		c->tally.refusals++;
		cond_resched();
	}
	c->tally.sleeps += current->nvcsw - slept;
}

/* Wait for the other clients. */
static void end_round(struct client *c)
{
	struct room *room = c->room;
	int all = ++c->round * room->clients;

	if (atomic_inc_return(&room->submitted) == all)
		wake_up_all(&room->all_submitted);
	else
		wait_event(room->all_submitted,
			   atomic_read(&room->submitted) >= all);
}

static int work(void *data)
{
	struct client *c = data;

	while (c->round < ROUNDS) {
		submit_until_there_is_room(c);
		end_round(c);
	}
	complete(&c->finished);
	return 0;
}

static int create_client(struct client *c, struct room *room,
			 struct drm_device *drm)
{
	c->room = room;
	init_completion(&c->finished);
	for (unsigned int i = 0; i < CLIENT_BUFFERS; i++) {
		c->bo[i] = create_bo(room, drm);
		if (!c->bo[i])
			return -ENOMEM;
	}
	return 0;
}

/*
 * All clients
 */

static void print_sum(const struct room *room, unsigned long validations, u64 sum,
		      const char *name)
{
	pr_info("room %u %lu %llu %s\n", room->clients, validations, sum, name);
}

static void print_tally(const struct room *room, const struct client *client,
			u64 took, u64 idle)
{
	struct tally sum = {};

	for (unsigned int i = 0; i < room->clients; i++) {
		sum.validations += client[i].tally.validations;
		sum.refusals += client[i].tally.refusals;
		sum.restarts += client[i].tally.restarts;
		sum.taken += client[i].tally.taken;
		sum.sleeps += client[i].tally.sleeps;
	}
	print_sum(room, sum.validations, sum.refusals, "refusals");
	print_sum(room, sum.validations, atomic_long_read(&room->evictions),
		  "evictions");
	print_sum(room, sum.validations, atomic_long_read(&room->bytes),
		  "bytes moved");
	print_sum(room, sum.validations, sum.restarts, "restarts");
	print_sum(room, sum.validations, took - idle, "instructions");
	print_sum(room, sum.validations, idle, "time all CPUs sleep");
	print_sum(room, sum.validations, sum.taken, "own locks taken");
	print_sum(room, sum.validations, sum.sleeps, "sleeps");
}

static int start(struct client *c, unsigned int cpu)
{
	struct task_struct *task;

	task = kthread_create_on_cpu(work, c, cpu, "lru_bench/%u");
	if (IS_ERR(task))
		return PTR_ERR(task);
	wake_up_process(task);
	return 0;
}

static int run_clients(struct room *room, struct client *client)
{
	u64 idle = lru_bench_idle();
	u64 since = rdtsc_ordered();
	int ret = 0;

	for (unsigned int i = 0; !ret && i < room->clients; i++)
		ret = start(&client[i], i);
	if (ret)
		return ret;
	for (unsigned int i = 0; i < room->clients; i++)
		wait_for_completion(&client[i].finished);
	if (!room->error)
		print_tally(room, client, rdtsc_ordered() - since,
			    lru_bench_idle() - idle);
	return room->error;
}

/* What was allocated stays, as nothing follows. */
int lru_bench_room(struct drm_device *drm)
{
	unsigned int clients = num_online_cpus();
	struct client *client = kzalloc_objs(*client, clients);
	struct room *room = kzalloc_obj(*room);
	int ret;

	if (!client || !room)
		return -ENOMEM;
	room->clients = clients;
	ret = room_init(room, drm);
	for (unsigned int i = 0; !ret && i < clients; i++)
		ret = create_client(&client[i], room, drm);
	return ret ?: run_clients(room, client);
}
