// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite that has all users of TTM's LRU lists at work at once, on buffers
 * with content: submitters, evictors and shrinkers. In the end every buffer
 * holds what it should, nothing is left, and no pass that claims to have met
 * all buffers has missed one.
 */

#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/dma-resv.h>
#include <linux/kthread.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/sched/mm.h>
#include <linux/swap.h>
#include <linux/vmstat.h>

#include <drm/drm_gem.h>
#include <drm/ttm/ttm_shrinker.h>
#include <drm/ttm/ttm_tt.h>

#include "lib/ttm_lru_mock_gpu.h"
#include "lib/ttm_lru_fixture.h"

static unsigned long stress_ops = 500;
module_param(stress_ops, ulong, 0444);
MODULE_PARM_DESC(stress_ops, "Submissions of each thread in the stress case");

static unsigned long stress_seed = 1;
module_param(stress_seed, ulong, 0444);
MODULE_PARM_DESC(stress_seed, "What the stress case's dice begin with");

/* No more than the host has: who waits for a lock would wait for the host. */
static unsigned int stress_cpus = 2;
module_param(stress_cpus, uint, 0444);
MODULE_PARM_DESC(stress_cpus, "CPUs that the stress case's threads run on");

/* Pages. All buffers together are about twice as large. */
#define VRAM_PAGES	48
#define TT_PAGES	48
#define BUFFER_PAGES	8

#define VMS		4
#define VM_BUFFERS	10
/* Buffers with a reservation of their own, that all VMs use. */
#define SHARED		8
/* At most so many of each are used in one submission. */
#define USED		4
#define USED_SHARED	2
/* Who doesn't get his memory after so many tries goes without. */
#define TRIES		20

#define WORKERS		10

/* What others find a buffer by; protected by the reservation. */
struct slot {
	struct dma_resv own;
	struct dma_resv *resv;
	struct mock_gpu_bo *b;
	/* The pass of each worker that met it last. */
	unsigned long met[WORKERS];
};

struct vm {
	struct dma_resv resv;
	struct ttm_lru_bulk_move bulk;
	struct slot slot[VM_BUFFERS];
};

struct worker {
	struct stress *s;
	const struct work_kind *kind;
	unsigned int i;
	struct rnd_state rnd;
	struct task_struct *task;
	struct completion finished;

	/* Submitters */
	struct vm *vm;
	unsigned long retries;
	unsigned long gave_up;
	/* Walks of all buffers */
	unsigned long passes;
	unsigned long complete;
};

struct stress {
	struct kunit *test;
	struct mock_gpu gpu;
	struct ttm_shrinker *shrinker;
	struct vm vm[VMS];
	struct slot shared[SHARED];
	/* Who evicts as he needs room for a large one. */
	struct slot large;
	struct worker worker[WORKERS];
	atomic_long_t submissions;
	int buffers_before;
	long pages_before;
};

static const struct ttm_place vram_place = { .mem_type = TTM_PL_VRAM };
static const struct ttm_place tt_place = { .mem_type = TTM_PL_TT };
static const struct ttm_place system_place = { .mem_type = TTM_PL_SYSTEM };
static const struct ttm_place any_places[] = {
	{ .mem_type = TTM_PL_VRAM, .flags = TTM_PL_FLAG_DESIRED },
	{ .mem_type = TTM_PL_TT },
};

static struct ttm_placement in_vram = {
	.num_placement = 1, .placement = &vram_place,
};

static struct ttm_placement in_tt = {
	.num_placement = 1, .placement = &tt_place,
};

static struct ttm_placement in_system = {
	.num_placement = 1, .placement = &system_place,
};

static struct ttm_placement in_any = {
	.num_placement = ARRAY_SIZE(any_places), .placement = any_places,
};

static unsigned int dice(struct worker *w, unsigned int sides)
{
	return prandom_u32_state(&w->rnd) % sides;
}

static bool is_broken(struct stress *s)
{
	return READ_ONCE(s->gpu.broken);
}

/*
 * Buffers, with their reservation held
 */

static int slot_make(struct worker *w, struct slot *slot, unsigned int pages,
		     struct ttm_placement *placement)
{
	struct ttm_operation_ctx ctx = {};
	struct mock_gpu_bo *b;

	b = mock_gpu_bo(&w->s->gpu, slot->resv, pages, dice(w, 2), placement,
			&ctx);
	if (IS_ERR(b))
		return PTR_ERR(b);
	b->owner = slot;
	slot->b = b;
	return 0;
}

/* The engine may be at it, and somebody walking be just there. */
static void slot_free(struct slot *slot)
{
	struct mock_gpu_bo *b = slot->b;

	while (b->ttm.pin_count)
		ttm_bo_unpin(&b->ttm);
	ttm_bo_set_bulk_move(&b->ttm, NULL);
	b->owner = NULL;
	slot->b = NULL;
	drm_gem_object_put(&b->ttm.base);
}

static int slot_wait(struct slot *slot)
{
	long left = dma_resv_wait_timeout(slot->resv, DMA_RESV_USAGE_BOOKKEEP,
					  false, 60 * HZ);

	return left > 0 ? 0 : left ?: -ETIMEDOUT;
}

/* Get the pages back, wherever they were put, and look at them. */
static int slot_verify(struct slot *slot)
{
	struct mock_gpu_bo *b = slot->b;
	struct ttm_operation_ctx ctx = {};
	int ret = 0;

	if (b->ttm.resource->mem_type != TTM_PL_VRAM) {
		ret = ttm_bo_populate(&b->ttm, &ctx);
		mock_gpu_moved(b);
	}
	if (!ret)
		ret = slot_wait(slot);
	if (!ret)
		mock_gpu_verify(b);
	return ret;
}

/* What the GPU writes is there in time, what the CPU does is at once. */
static int slot_use_content(struct worker *w, struct slot *slot)
{
	struct mock_gpu_bo *b = slot->b;
	int ret;

	/* It is needed again. */
	mock_gpu_set_purgeable(b, false);
	ret = slot_verify(slot);
	if (ret)
		return ret;
	if (dice(w, 2))
		mock_gpu_fill(b);
	else
		ret = mock_gpu_fill_later(b, dice(w, 2) ? DMA_RESV_USAGE_WRITE :
						DMA_RESV_USAGE_BOOKKEEP);
	mock_gpu_set_purgeable(b, !dice(w, 4));
	return ret;
}

static void slot_to_tail(struct slot *slot)
{
	struct mock_gpu_bo *b = slot->b;

	scoped_guard(spinlock, &b->ttm.bdev->lru_lock)
		ttm_bo_move_to_lru_tail(&b->ttm);
	mock_gpu_moved(b);
}

/* Only one of a VM's is pinned, so that there is room for the others. */
static void slot_pin(struct slot *slot)
{
	if (slot->b->ttm.pin_count)
		ttm_bo_unpin(&slot->b->ttm);
	else
		ttm_bo_pin(&slot->b->ttm);
	mock_gpu_moved(slot->b);
}

static void slot_list_op(struct worker *w, struct slot *slot)
{
	struct vm *vm = slot->resv == &w->vm->resv ? w->vm : NULL;
	struct ttm_buffer_object *bo = &slot->b->ttm;
	unsigned int n = dice(w, 8);

	if (slot == w->vm->slot && n < 3)
		slot_pin(slot);
	else if (vm && n < 3)
		ttm_bo_set_bulk_move(bo, n ? &vm->bulk : NULL);
	else if (n < 3)
		bo->priority = n;
	else if (n < 5)
		slot_to_tail(slot);
	mock_gpu_moved(slot->b);
}

static bool is_evictable(const struct ttm_buffer_object *bo)
{
	return !bo->pin_count && !(bo->ttm && ttm_tt_is_swapped(bo->ttm));
}

/* Others may have moved it, but not to where it doesn't belong. */
static void slot_check_place(struct worker *w, struct slot *slot)
{
	struct ttm_buffer_object *bo = &slot->b->ttm;
	enum ttm_lru_place place = TTM_LRU_UNEVICTABLE;

	if (is_evictable(bo))
		place = bo->bulk_move ? TTM_LRU_RANGE : TTM_LRU_LOOSE;
	guard(spinlock)(&bo->bdev->lru_lock);
	if (ttm_lru_item_place(&bo->resource->lru) != place)
		mock_gpu_broken(&w->s->gpu, "a buffer is on the wrong list");
}

/*
 * Submitters
 */

struct submission {
	struct ww_acquire_ctx ticket;
	unsigned int slots;
	struct slot *slot[USED + USED_SHARED];
	/* The VM's first; as many as are held. */
	unsigned int resvs;
	unsigned int held;
	struct dma_resv *resv[1 + USED_SHARED];
};

static void submission_unlock(struct submission *sub)
{
	while (sub->held)
		dma_resv_unlock(sub->resv[--sub->held]);
}

/* Who waited for it meanwhile goes first. */
static void submission_lock(struct submission *sub)
{
	while (sub->held < sub->resvs) {
		struct dma_resv **resv = &sub->resv[sub->held];
		int ret = dma_resv_lock(*resv, &sub->ticket);

		if (!ret) {
			sub->held++;
			continue;
		}
		submission_unlock(sub);
		swap(*resv, sub->resv[0]);
		dma_resv_lock_slow(sub->resv[0], &sub->ticket);
		sub->held = 1;
	}
}

static void submission_make(struct worker *w, struct submission *sub)
{
	unsigned int first = dice(w, VM_BUFFERS), shared = dice(w, SHARED);
	unsigned int more = dice(w, USED_SHARED + 1);

	sub->resv[sub->resvs++] = &w->vm->resv;
	for (int i = 0; i < USED; i++)
		sub->slot[sub->slots++] = &w->vm->slot[(first + i) % VM_BUFFERS];
	for (int i = 0; i < more; i++) {
		struct slot *slot = &w->s->shared[(shared + 3 * i) % SHARED];

		sub->resv[sub->resvs++] = slot->resv;
		sub->slot[sub->slots++] = slot;
	}
	/* Without an order there are deadlocks to get out of. */
	if (dice(w, 2))
		swap(sub->resv[0], sub->resv[sub->resvs - 1]);
}

static struct ttm_placement *dice_placement(struct worker *w)
{
	struct ttm_placement *placements[] = {
		&in_vram, &in_vram, &in_tt, &in_any, &in_any, &in_system,
	};

	return placements[dice(w, ARRAY_SIZE(placements))];
}

static int use_slot(struct worker *w, struct slot *slot)
{
	struct ttm_operation_ctx ctx = { .no_wait_gpu = !dice(w, 16) };
	int ret = 0;

	if (slot->b)
		slot_check_place(w, slot);
	if (slot->b && !dice(w, 16))
		slot_free(slot);
	if (!slot->b) {
		ret = slot_make(w, slot, 1 + dice(w, BUFFER_PAGES),
				dice_placement(w));
		if (ret)
			return ret;
		if (slot->resv == &w->vm->resv)
			ttm_bo_set_bulk_move(&slot->b->ttm, &w->vm->bulk);
	} else if (!slot->b->ttm.pin_count) {
		ret = ttm_bo_validate(&slot->b->ttm, dice_placement(w), &ctx);
		if (ret)
			return ret;
	}
	mock_gpu_moved(slot->b);
	slot_list_op(w, slot);
	return dice(w, 4) ? slot_use_content(w, slot) : 0;
}

static void bulk_to_tail(struct vm *vm, struct mock_gpu *gpu)
{
	scoped_guard(spinlock, &gpu->bdev.lru_lock)
		ttm_lru_bulk_move_tail(&vm->bulk);
	for (int i = 0; i < VM_BUFFERS; i++)
		if (vm->slot[i].b)
			mock_gpu_moved(vm->slot[i].b);
}

static int submission_try(struct worker *w, struct submission *sub)
{
	int ret = 0;

	ww_acquire_init(&sub->ticket, &reservation_ww_class);
	submission_lock(sub);
	for (int i = 0; i < sub->slots && !ret; i++)
		ret = use_slot(w, sub->slot[i]);
	if (!ret && dice(w, 4))
		bulk_to_tail(w->vm, &w->s->gpu);
	submission_unlock(sub);
	ww_acquire_fini(&sub->ticket);
	return ret;
}

static bool may_retry(int err)
{
	return err == -ENOSPC || err == -EBUSY || err == -EDEADLK;
}

static bool try_to_submit(struct worker *w, struct submission *sub)
{
	for (int i = 0; i < TRIES && !is_broken(w->s); i++) {
		int ret = submission_try(w, sub);

		if (!ret)
			return true;
		if (!may_retry(ret))
			mock_gpu_broken(&w->s->gpu, "a submission failed");
		w->retries++;
		cond_resched();
	}
	return false;
}

static void submit(struct worker *w)
{
	struct submission sub = {};

	submission_make(w, &sub);
	if (!try_to_submit(w, &sub))
		w->gave_up++;
	atomic_long_inc(&w->s->submissions);
	/* Others only try to get the VM. */
	if (dice(w, 2))
		schedule_timeout_uninterruptible(1);
}

/*
 * Passes over all buffers of a manager
 */

/* Was it there when the pass began, and did nobody touch it since? */
static bool is_owed(const struct slot *slot, u32 mem_type, u64 began)
{
	const struct ttm_buffer_object *bo = slot->b ? &slot->b->ttm : NULL;

	return bo && bo->resource->mem_type == mem_type && is_evictable(bo) &&
	       slot->b->since < began;
}

/* These share a reservation. */
static void check_slots(struct worker *w, struct slot *slot, unsigned int n,
			u32 mem_type, u64 began)
{
	dma_resv_lock(slot->resv, NULL);
	for (int i = 0; i < n; i++)
		if (is_owed(&slot[i], mem_type, began) &&
		    slot[i].met[w->i] != w->passes)
			mock_gpu_broken(&w->s->gpu, "a pass missed a buffer");
	dma_resv_unlock(slot->resv);
}

/* The pass that ended just now claims to be complete. */
static void check_pass(struct worker *w, u32 mem_type, u64 began)
{
	w->complete++;
	for (int i = 0; i < VMS; i++)
		check_slots(w, w->s->vm[i].slot, VM_BUFFERS, mem_type, began);
	for (int i = 0; i < SHARED; i++)
		check_slots(w, &w->s->shared[i], 1, mem_type, began);
	check_slots(w, &w->s->large, 1, mem_type, began);
}

static u64 begin_pass(struct worker *w)
{
	w->passes++;
	return mock_gpu_tick(&w->s->gpu);
}

static bool is_alive(struct ttm_buffer_object *bo)
{
	struct mock_gpu_bo *b = to_mock_gpu_bo(bo);

	return b && b->owner;
}

static struct ttm_resource_manager *some_manager(struct worker *w)
{
	u32 mem_type = dice(w, 2) ? TTM_PL_VRAM : TTM_PL_TT;

	return ttm_manager_type(&w->s->gpu.bdev, mem_type);
}

/*
 * Evictors
 */

static void evict_all(struct worker *w)
{
	u32 mem_type = dice(w, 2) ? TTM_PL_VRAM : TTM_PL_TT;
	struct ttm_device *bdev = &w->s->gpu.bdev;
	u64 began = begin_pass(w);

	if (ttm_resource_manager_evict_all(bdev,
					   ttm_manager_type(bdev, mem_type)))
		mock_gpu_broken(&w->s->gpu, "evicting all failed");
	else
		check_pass(w, mem_type, began);
}

/* Make room for a large buffer, in a transaction. */
static void evict_alloc(struct worker *w)
{
	struct slot *slot = &w->s->large;
	struct submission sub = { .resvs = 1, .resv = { slot->resv } };
	int ret;

	ww_acquire_init(&sub.ticket, &reservation_ww_class);
	submission_lock(&sub);
	if (slot->b) {
		ret = slot_verify(slot);
		slot_free(slot);
	} else {
		ret = slot_make(w, slot, MOCK_GPU_PAGES,
				dice(w, 2) ? &in_vram : &in_tt);
		if (!ret)
			ret = slot_use_content(w, slot);
	}
	submission_unlock(&sub);
	ww_acquire_fini(&sub.ticket);

	if (may_retry(ret))
		w->retries++;
	else if (ret)
		mock_gpu_broken(&w->s->gpu, "making room failed");
}

/* Move half of all that is met to system memory. */
static void evict_walk(struct worker *w)
{
	struct ttm_resource_manager *man = some_manager(w);
	bool in_vram = man == ttm_manager_type(man->bdev, TTM_PL_VRAM);
	struct ttm_operation_ctx ctx = {};
	struct ttm_lru_walk_arg arg = { .ctx = &ctx };
	struct ttm_bo_lru_cursor curs;
	struct ttm_buffer_object *bo;
	u64 began = begin_pass(w);
	int ret = 0;

	arg.sleeping_lock = dice(w, 2);
	arg.trylock_only = !arg.sleeping_lock;
	ttm_bo_lru_for_each_reserved_guarded(&curs, man, &arg, bo) {
		if (!is_alive(bo))
			continue;
		((struct slot *)to_mock_gpu_bo(bo)->owner)->met[w->i] = w->passes;
		/* It may have been pinned while the walk waited for it. */
		if (!bo->pin_count && dice(w, 2))
			ret = ttm_bo_validate(bo, &in_system, &ctx);
		if (ret && !may_retry(ret))
			mock_gpu_broken(&w->s->gpu, "moving to system failed");
	}
	if (IS_ERR(bo))
		mock_gpu_broken(&w->s->gpu, "a walk failed");
	else if (!curs.left_out.busy && !curs.left_out.dying)
		check_pass(w, in_vram ? TTM_PL_VRAM : TTM_PL_TT, began);
}

static void evict_swap(struct worker *w)
{
	struct ttm_operation_ctx ctx = { .no_wait_gpu = dice(w, 2) };
	struct ttm_device *bdev = &w->s->gpu.bdev;
	u32 mem_type = dice(w, 2) ? TTM_PL_SYSTEM : TTM_PL_TT;
	s64 ret;

	if (!dice(w, 4))
		ret = ttm_device_swapout_all(bdev, &ctx, GFP_KERNEL);
	else if (!dice(w, 4))
		ret = ttm_global_swapout(&ctx, GFP_KERNEL);
	else
		ret = ttm_bo_swapout(bdev, &ctx, ttm_manager_type(bdev, mem_type),
				     GFP_KERNEL, 1 + dice(w, 16));
	if (ret < 0)
		mock_gpu_broken(&w->s->gpu, "swapping out failed");
}

/*
 * Shrinkers. Both run as in memory reclaim.
 */

/* As Xe's. */
static void shrink_manager(struct worker *w, u32 mem_type, long target)
{
	struct ttm_device *bdev = &w->s->gpu.bdev;
	struct ttm_operation_ctx ctx = { .no_wait_gpu = dice(w, 2) };
	struct ttm_lru_walk_arg arg = { .ctx = &ctx, .trylock_only = true };
	struct ttm_bo_lru_cursor curs;
	struct ttm_buffer_object *bo;

	ttm_bo_lru_for_each_reserved_guarded(&curs,
					     ttm_manager_type(bdev, mem_type),
					     &arg, bo) {
		bool alive = is_alive(bo);
		struct ttm_bo_shrink_flags flags = {
			.purge = !alive || mock_gpu_purgeable(bo),
			.allow_move = alive,
		};
		long ret;

		if (!ttm_bo_shrink_suitable(bo, &ctx) || !bo->ttm->backup)
			continue;
		ret = ttm_bo_shrink(&ctx, bo, flags);
		if (ret > 0 && alive)
			mock_gpu_shrunk(bo, flags.purge);
		target -= max(ret, 0);
		if (target <= 0)
			break;
	}
}

static void shrink_walk(struct worker *w)
{
	unsigned int flags;

	fs_reclaim_acquire(GFP_KERNEL);
	flags = memalloc_noreclaim_save();
	shrink_manager(w, dice(w, 2) ? TTM_PL_SYSTEM : TTM_PL_TT,
		       1 + dice(w, 64));
	memalloc_noreclaim_restore(flags);
	fs_reclaim_release(GFP_KERNEL);
}

/* All shrinkers of the system, and so the one of the device. */
static void shrink_reclaim(struct worker *w)
{
	unsigned int flags;

	fs_reclaim_acquire(GFP_KERNEL);
	flags = memalloc_noreclaim_save();
	drop_slab();
	memalloc_noreclaim_restore(flags);
	fs_reclaim_release(GFP_KERNEL);
}

static const struct ttm_shrinker_funcs stress_shrinker_funcs = {
	.shrunk = mock_gpu_shrunk,
};

/*
 * Threads
 */

static const struct work_kind {
	const char *name;
	void (*work)(struct worker *w);
	/* One for so many submissions of each VM. */
	unsigned int share;
} work_kinds[WORKERS] = {
	{ "submit", submit, 1 },
	{ "submit", submit, 1 },
	{ "submit", submit, 1 },
	{ "submit", submit, 1 },
	{ "evict-all", evict_all, 2 },
	{ "evict-alloc", evict_alloc, 1 },
	{ "evict-walk", evict_walk, 2 },
	{ "evict-swap", evict_swap, 1 },
	{ "shrink-reclaim", shrink_reclaim, 2 },
	{ "shrink-walk", shrink_walk, 1 },
};

/* All are at it until the end, however little the others find to do. */
static void wait_for_submissions(struct stress *s, unsigned long n)
{
	while (atomic_long_read(&s->submissions) < n && !is_broken(s))
		schedule_timeout_uninterruptible(1);
}

static int work_thread(void *data)
{
	struct worker *w = data;
	unsigned int share = w->kind->share;

	for (unsigned long i = 0; i < stress_ops && !is_broken(w->s); i += share) {
		if (!w->vm)
			wait_for_submissions(w->s, i * VMS);
		w->kind->work(w);
		cond_resched();
	}
	complete(&w->finished);
	return 0;
}

static int stress_start(struct stress *s, unsigned int i)
{
	struct worker *w = &s->worker[i];

	w->s = s;
	w->i = i;
	w->kind = &work_kinds[i];
	w->vm = i < VMS ? &s->vm[i] : NULL;
	init_completion(&w->finished);
	prandom_seed_state(&w->rnd, stress_seed + i);
	w->task = kthread_create(work_thread, w, "ttm-%s", w->kind->name);
	if (IS_ERR(w->task))
		return PTR_ERR(w->task);
	kthread_bind(w->task,
		     cpumask_nth(i % clamp(stress_cpus, 1U, num_online_cpus()),
				 cpu_online_mask));
	get_task_struct(w->task);
	wake_up_process(w->task);
	return 0;
}

/* Nothing is asserted while a thread runs. */
static int stress_run(struct stress *s)
{
	unsigned int n = 0;
	int ret = 0;

	while (n < WORKERS && !ret)
		ret = stress_start(s, n++);
	if (ret)
		n--;
	for (unsigned int i = 0; i < n; i++)
		wait_for_completion(&s->worker[i].finished);
	while (n--)
		kthread_stop_put(s->worker[n].task);
	return ret;
}

/*
 * The world
 */

/* There is none here. What is backed up stays in shmem. */
static void pretend_swap_space(long pages)
{
#ifdef CONFIG_SWAP
	atomic_long_add(pages, &nr_swap_pages);
#endif
}

/* Pages of all GPUs, with what the CPUs haven't added up yet. */
static long gpu_pages(void)
{
	long pages = atomic_long_read(&vm_node_stat[NR_GPU_ACTIVE]);
	struct pglist_data *node;
	unsigned int cpu;

	for_each_online_pgdat(node)
		for_each_online_cpu(cpu)
			pages += per_cpu_ptr(node->per_cpu_nodestats, cpu)
				 ->vm_node_stat_diff[NR_GPU_ACTIVE];
	return pages;
}

static void slot_init(struct slot *slot, struct dma_resv *resv)
{
	dma_resv_init(&slot->own);
	slot->resv = resv ?: &slot->own;
}

static void stress_init_slots(struct stress *s)
{
	for (int i = 0; i < VMS; i++) {
		dma_resv_init(&s->vm[i].resv);
		ttm_lru_bulk_move_init(&s->vm[i].bulk);
		for (int j = 0; j < VM_BUFFERS; j++)
			slot_init(&s->vm[i].slot[j], &s->vm[i].resv);
	}
	for (int i = 0; i < SHARED; i++)
		slot_init(&s->shared[i], NULL);
	slot_init(&s->large, NULL);
}

/* The last look at a buffer. */
static void slot_end(struct stress *s, struct slot *slot)
{
	dma_resv_lock(slot->resv, NULL);
	if (slot->b) {
		if (slot_verify(slot))
			mock_gpu_broken(&s->gpu, "a buffer can't be had back");
		slot_free(slot);
	}
	dma_resv_unlock(slot->resv);
	dma_resv_fini(&slot->own);
}

static void stress_end_slots(struct stress *s)
{
	for (int i = 0; i < VMS; i++) {
		for (int j = 0; j < VM_BUFFERS; j++)
			slot_end(s, &s->vm[i].slot[j]);
		ttm_lru_bulk_move_fini(&s->gpu.bdev, &s->vm[i].bulk);
		dma_resv_fini(&s->vm[i].resv);
	}
	for (int i = 0; i < SHARED; i++)
		slot_end(s, &s->shared[i]);
	slot_end(s, &s->large);
}

static void expect_empty(struct kunit *test, struct ttm_device *bdev)
{
	for (int i = TTM_PL_SYSTEM; i <= TTM_PL_VRAM; i++) {
		struct ttm_resource_manager *man = ttm_manager_type(bdev, i);

		KUNIT_EXPECT_EQ(test, ttm_resource_manager_usage(man), 0);
		for (int j = 0; j < TTM_MAX_BO_PRIORITY; j++)
			KUNIT_EXPECT_TRUE(test, list_empty(&man->lru[j]));
	}
	KUNIT_EXPECT_TRUE(test, list_empty(&bdev->unevictable));
	KUNIT_EXPECT_EQ(test, atomic_long_read(&bdev->shrinkable_pages), 0);
}

static void stress_report(struct stress *s)
{
	kunit_info(s->test, "ops=%lu seed=%lu cpus=%u\n", stress_ops,
		   stress_seed, stress_cpus);
	for (int i = 0; i < MOCK_GPU_STATS; i++)
		kunit_info(s->test, "%d %s\n", atomic_read(&s->gpu.stat[i]),
			   mock_gpu_stat_name(i));
	for (int i = 0; i < WORKERS; i++) {
		struct worker *w = &s->worker[i];

		kunit_info(s->test,
			   "%s: %lu retries, %lu gave up, %lu passes, %lu complete\n",
			   w->kind->name, w->retries, w->gave_up, w->passes,
			   w->complete);
	}
}

static void ttm_lru_stress_all_at_once(struct kunit *test)
{
	struct stress *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);
	struct lru_case *c = test->priv;

	if (!IS_ENABLED(CONFIG_SWAP))
		kunit_skip(test, "nothing is backed up without CONFIG_SWAP");
	KUNIT_ASSERT_NOT_NULL(test, s);
	s->test = test;
	s->buffers_before = atomic_read(&ttm_glob.bo_count);
	s->pages_before = gpu_pages();
	if (mock_gpu_init(&s->gpu, c->devs->drm, VRAM_PAGES, TT_PAGES)) {
		mock_gpu_fini(&s->gpu);
		KUNIT_FAIL_AND_ABORT(test, "no GPU");
	}
	stress_init_slots(s);
	pretend_swap_space(SZ_1M);
	s->shrinker = ttm_shrinker_create(&s->gpu.bdev, &stress_shrinker_funcs,
					  "stress");

	if (IS_ERR(s->shrinker) || stress_run(s))
		KUNIT_FAIL(test, "no threads");
	else
		stress_report(s);
	stress_end_slots(s);
	if (!IS_ERR(s->shrinker))
		ttm_shrinker_destroy(s->shrinker);
	pretend_swap_space(-SZ_1M);
	mock_gpu_idle(&s->gpu);

	KUNIT_EXPECT_STREQ(test, s->gpu.broken ?: "", "");
	for (int i = 0; i < MOCK_GPU_STATS && !s->gpu.broken; i++)
		KUNIT_EXPECT_GT_MSG(test, atomic_read(&s->gpu.stat[i]), 0, "%s",
				    mock_gpu_stat_name(i));
	expect_empty(test, &s->gpu.bdev);
	KUNIT_EXPECT_EQ(test, atomic_read(&s->gpu.jobs), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&ttm_glob.bo_count),
			s->buffers_before);
	KUNIT_EXPECT_EQ(test, gpu_pages(), s->pages_before);
	mock_gpu_fini(&s->gpu);
}

static struct kunit_case ttm_lru_stress_cases[] = {
	KUNIT_CASE_SLOW(ttm_lru_stress_all_at_once),
	{}
};

static struct kunit_suite ttm_lru_stress_suite = {
	.name = "ttm_lru_stress",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_stress_cases,
};

kunit_test_suites(&ttm_lru_stress_suite);
