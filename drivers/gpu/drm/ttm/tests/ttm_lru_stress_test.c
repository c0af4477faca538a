// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite that runs all users of TTM's LRU lists at once, on buffers with
 * content: submitters, evictors and shrinkers. In the end every buffer must
 * have its content, nothing may be left, and no pass that claims to have met
 * all buffers may have missed one (P1, P10).
 */

#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/swap.h>
#include <linux/vmstat.h>

#include <drm/drm_gem.h>
#include <drm/ttm/ttm_shrinker.h>
#include <drm/ttm/ttm_tt.h>

#include "ttm_lru_stress.h"

static unsigned long stress_ops = 500;
module_param(stress_ops, ulong, 0444);
MODULE_PARM_DESC(stress_ops, "Submissions of each thread in the stress case");

static unsigned long stress_seed = 1;
module_param(stress_seed, ulong, 0444);
MODULE_PARM_DESC(stress_seed, "Seed of the stress case");

/*
 * No more CPUs than the host has: a lock's holder must not have to wait for a
 * host CPU.
 */
static unsigned int stress_cpus = 2;
module_param(stress_cpus, uint, 0444);
MODULE_PARM_DESC(stress_cpus, "CPUs that the stress case's threads run on");

/*
 * Passes over all buffers of a manager
 */

/* Was the buffer there when the pass began, and untouched since? */
static bool is_owed(const struct stress_slot *slot, u32 mem_type, u64 began)
{
	const struct ttm_buffer_object *bo = slot->b ? &slot->b->ttm : NULL;

	return bo && bo->resource->mem_type == mem_type && stress_is_evictable(bo) &&
	       slot->b->since < began;
}

/* These slots share a reservation. */
static void check_slots(struct stress_worker *w, struct stress_slot *slot,
			unsigned int n,
			u32 mem_type, u64 began)
{
	dma_resv_lock(slot->resv, NULL);
	for (int i = 0; i < n; i++)
		if (is_owed(&slot[i], mem_type, began) &&
		    slot[i].met[w->i] != w->passes)
			mock_gpu_broken(&w->s->gpu, "a pass missed a buffer");
	dma_resv_unlock(slot->resv);
}

/* Check a pass that claims to be complete. */
static void check_pass(struct stress_worker *w, u32 mem_type, u64 began)
{
	w->complete++;
	for (int i = 0; i < STRESS_VMS; i++)
		check_slots(w, w->s->vm[i].slot, STRESS_VM_BUFFERS, mem_type, began);
	for (int i = 0; i < STRESS_SHARED; i++)
		check_slots(w, &w->s->shared[i], 1, mem_type, began);
	check_slots(w, &w->s->large, 1, mem_type, began);
}

static u64 begin_pass(struct stress_worker *w)
{
	w->passes++;
	return mock_gpu_tick(&w->s->gpu);
}

static bool is_alive(struct ttm_buffer_object *bo)
{
	struct mock_gpu_bo *b = to_mock_gpu_bo(bo);

	return b && b->owner;
}

static struct ttm_resource_manager *some_manager(struct stress_worker *w)
{
	u32 mem_type = stress_dice(w, 2) ? TTM_PL_VRAM : TTM_PL_TT;

	return ttm_manager_type(&w->s->gpu.bdev, mem_type);
}

/*
 * Evictors
 */

static void evict_all(struct stress_worker *w)
{
	u32 mem_type = stress_dice(w, 2) ? TTM_PL_VRAM : TTM_PL_TT;
	struct ttm_device *bdev = &w->s->gpu.bdev;
	u64 began = begin_pass(w);

	if (ttm_resource_manager_evict_all(bdev,
					   ttm_manager_type(bdev, mem_type)))
		mock_gpu_broken(&w->s->gpu, "evicting all failed");
	else
		check_pass(w, mem_type, began);
}

/* Make room for a large buffer, in a transaction. */
static void evict_alloc(struct stress_worker *w)
{
	struct stress_slot *slot = &w->s->large;
	struct stress_submission sub = { .resvs = 1, .resv = { slot->resv } };
	int ret;

	ww_acquire_init(&sub.ticket, &reservation_ww_class);
	stress_lock(&sub);
	if (slot->b) {
		ret = stress_verify(slot);
		stress_free(slot);
	} else {
		ret = stress_make(w, slot, MOCK_GPU_PAGES,
				  stress_dice(w, 2) ? &stress_in_vram : &stress_in_tt);
		if (!ret)
			ret = stress_use_content(w, slot);
	}
	stress_unlock(&sub);
	ww_acquire_fini(&sub.ticket);

	if (stress_may_retry(ret))
		w->retries++;
	else if (ret)
		mock_gpu_broken(&w->s->gpu, "making room failed");
}

/* Move half of the buffers that a walk meets to system memory. */
static void evict_walk(struct stress_worker *w)
{
	struct ttm_resource_manager *man = some_manager(w);
	bool in_vram = man == ttm_manager_type(man->bdev, TTM_PL_VRAM);
	struct ttm_operation_ctx ctx = {};
	struct ttm_lru_walk_arg arg = { .ctx = &ctx };
	struct ttm_bo_lru_cursor curs;
	struct ttm_buffer_object *bo;
	u64 began = begin_pass(w);
	int ret = 0;

	arg.sleeping_lock = stress_dice(w, 2);
	arg.trylock_only = !arg.sleeping_lock;
	ttm_bo_lru_for_each_reserved_guarded(&curs, man, &arg, bo) {
		if (!is_alive(bo))
			continue;
		((struct stress_slot *)to_mock_gpu_bo(bo)->owner)->met[w->i] = w->passes;
		/* It may have been pinned while the walk waited for it. */
		if (!bo->pin_count && stress_dice(w, 2))
			ret = ttm_bo_validate(bo, &stress_in_system, &ctx);
		if (ret && !stress_may_retry(ret))
			mock_gpu_broken(&w->s->gpu, "moving to system failed");
	}
	if (IS_ERR(bo))
		mock_gpu_broken(&w->s->gpu, "a walk failed");
	else if (!curs.left_out.busy && !curs.left_out.zombies)
		check_pass(w, in_vram ? TTM_PL_VRAM : TTM_PL_TT, began);
}

static void evict_swap(struct stress_worker *w)
{
	struct ttm_operation_ctx ctx = { .no_wait_gpu = stress_dice(w, 2) };
	struct ttm_device *bdev = &w->s->gpu.bdev;
	u32 mem_type = stress_dice(w, 2) ? TTM_PL_SYSTEM : TTM_PL_TT;
	s64 ret;

	if (!stress_dice(w, 4))
		ret = ttm_device_swapout_all(bdev, &ctx, GFP_KERNEL);
	else if (!stress_dice(w, 4))
		ret = ttm_global_swapout(&ctx, GFP_KERNEL);
	else
		ret = ttm_bo_swapout(bdev, &ctx, ttm_manager_type(bdev, mem_type),
				     GFP_KERNEL, 1 + stress_dice(w, 16));
	if (ret < 0)
		mock_gpu_broken(&w->s->gpu, "swapping out failed");
}

/*
 * Shrinkers, both in the context of memory reclaim
 */

/* Shrink as Xe does. */
static void shrink_manager(struct stress_worker *w, u32 mem_type, long target)
{
	struct ttm_device *bdev = &w->s->gpu.bdev;
	struct ttm_operation_ctx ctx = { .no_wait_gpu = stress_dice(w, 2) };
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

static void shrink_walk(struct stress_worker *w)
{
	unsigned int flags;

	fs_reclaim_acquire(GFP_KERNEL);
	flags = memalloc_noreclaim_save();
	shrink_manager(w, stress_dice(w, 2) ? TTM_PL_SYSTEM : TTM_PL_TT,
		       1 + stress_dice(w, 64));
	memalloc_noreclaim_restore(flags);
	fs_reclaim_release(GFP_KERNEL);
}

/* Call all shrinkers of the system, and so the device's. */
static void shrink_reclaim(struct stress_worker *w)
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
	void (*work)(struct stress_worker *w);
	/* One turn for so many submissions of each VM. */
	unsigned int share;
} work_kinds[STRESS_WORKERS] = {
	{ "submit", stress_submit, 1 },
	{ "submit", stress_submit, 1 },
	{ "submit", stress_submit, 1 },
	{ "submit", stress_submit, 1 },
	{ "evict-all", evict_all, 2 },
	{ "evict-alloc", evict_alloc, 1 },
	{ "evict-walk", evict_walk, 2 },
	{ "evict-swap", evict_swap, 1 },
	{ "shrink-reclaim", shrink_reclaim, 2 },
	{ "shrink-walk", shrink_walk, 1 },
};

/* Keep all threads at work until the end, however little they find to do. */
static void wait_for_submissions(struct stress *s, unsigned long n)
{
	while (atomic_long_read(&s->submissions) < n && !stress_is_broken(s))
		schedule_timeout_uninterruptible(1);
}

static int work_thread(void *data)
{
	struct stress_worker *w = data;
	unsigned int share = w->kind->share;

	for (unsigned long i = 0; i < stress_ops && !stress_is_broken(w->s); i += share) {
		if (!w->vm)
			wait_for_submissions(w->s, i * STRESS_VMS);
		w->kind->work(w);
		cond_resched();
	}
	complete(&w->finished);
	return 0;
}

static int stress_start(struct stress *s, unsigned int i)
{
	struct stress_worker *w = &s->worker[i];

	w->s = s;
	w->i = i;
	w->kind = &work_kinds[i];
	w->vm = i < STRESS_VMS ? &s->vm[i] : NULL;
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

	while (n < STRESS_WORKERS && !ret)
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

/* Pretend that there is swap space: backups stay in shmem. */
static void pretend_swap_space(long pages)
{
#ifdef CONFIG_SWAP
	atomic_long_add(pages, &nr_swap_pages);
#endif
}

/* Pages of all GPUs, with the counts that CPUs still have to add. */
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

static void slot_init(struct stress_slot *slot, struct dma_resv *resv)
{
	dma_resv_init(&slot->own);
	slot->resv = resv ?: &slot->own;
}

static void stress_init_slots(struct stress *s)
{
	for (int i = 0; i < STRESS_VMS; i++) {
		dma_resv_init(&s->vm[i].resv);
		ttm_lru_bulk_move_init(&s->vm[i].bulk);
		for (int j = 0; j < STRESS_VM_BUFFERS; j++)
			slot_init(&s->vm[i].slot[j], &s->vm[i].resv);
	}
	for (int i = 0; i < STRESS_SHARED; i++)
		slot_init(&s->shared[i], NULL);
	slot_init(&s->large, NULL);
}

/* Check a buffer for the last time. */
static void slot_end(struct stress *s, struct stress_slot *slot)
{
	dma_resv_lock(slot->resv, NULL);
	if (slot->b) {
		if (stress_verify(slot))
			mock_gpu_broken(&s->gpu, "a buffer can't be had back");
		stress_free(slot);
	}
	dma_resv_unlock(slot->resv);
	dma_resv_fini(&slot->own);
}

static void stress_end_slots(struct stress *s)
{
	for (int i = 0; i < STRESS_VMS; i++) {
		for (int j = 0; j < STRESS_VM_BUFFERS; j++)
			slot_end(s, &s->vm[i].slot[j]);
		ttm_lru_bulk_move_fini(&s->gpu.bdev, &s->vm[i].bulk);
		dma_resv_fini(&s->vm[i].resv);
	}
	for (int i = 0; i < STRESS_SHARED; i++)
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
	for (int i = 0; i < STRESS_WORKERS; i++) {
		struct stress_worker *w = &s->worker[i];

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
	if (mock_gpu_init(&s->gpu, c->devs->drm, STRESS_VRAM_PAGES, STRESS_TT_PAGES)) {
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

MODULE_DESCRIPTION("KUnit test of all users of TTM's LRU lists at once");
MODULE_LICENSE("Dual MIT/GPL");
