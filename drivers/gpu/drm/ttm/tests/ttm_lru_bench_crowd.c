// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Throughput of concurrent users of an LRU list: submitters, each of which
 * moves its VM's bulk to the tail, and evictors, which look for buffers that
 * they can reserve. One of them runs on each CPU, and half of the VMs are busy.
 */

#define pr_fmt(fmt) "ttm_lru_bench: " fmt

#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/err.h>
#include <linux/i8253.h>
#include <linux/interrupt.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/minmax.h>
#include <linux/slab.h>

#include <asm/tsc.h>

#include <drm/ttm/ttm_device.h>

#include "ttm_lru_bench_boot.h"

#define CROWD_VMS	40
#define CROWD_MEMBERS	250
#define CROWD_TIME	50000000ULL

/* The work of a thread. */
struct tally {
	unsigned long moves;
	unsigned long taken;	/* how often the lock was contended */
	u64 waited;
	u64 longest;
	unsigned long returned;
	unsigned long walks;
};

struct worker {
	struct lru_bench_list *l;
	struct lru_bench_vm *vm;	/* NULL for an evictor */
	struct completion finished;
	u64 end;
	struct tally tally;
};

static void wait_for(spinlock_t *lock, struct tally *tally)
{
	u64 since = rdtsc();
	u64 waited;

	spin_lock(lock);
	waited = rdtsc() - since;
	tally->taken++;
	tally->waited += waited;
	tally->longest = max(tally->longest, waited);
}

static void submit(struct worker *w)
{
	spinlock_t *lock = &w->l->b.man->bdev->lru_lock;

	if (!spin_trylock(lock))
		wait_for(lock, &w->tally);
	ttm_lru_bulk_move_tail(&w->vm->bulk);
	spin_unlock(lock);
	w->tally.moves++;
}

static void evict(struct worker *w)
{
	struct ttm_operation_ctx ctx = {};
	struct ttm_lru_walk_arg arg = { .ctx = &ctx, .trylock_only = true };
	struct ttm_bo_lru_cursor cursor;
	struct ttm_buffer_object *bo;

	ttm_bo_lru_for_each_reserved_guarded(&cursor, w->l->b.man, &arg, bo) {
		w->tally.returned++;
		if (rdtsc() >= w->end)
			return;
	}
	w->tally.walks++;
}

static int work(void *data)
{
	struct worker *w = data;

	while (rdtsc() < w->end) {
		if (w->vm)
			submit(w);
		else
			evict(w);
	}
	complete(&w->finished);
	return 0;
}

/* Every other VM is busy: the submitters' VMs are. */
static struct lru_bench_vm *busy_vm(struct lru_bench_list *l, unsigned int i)
{
	return &l->vm[2 * i + 1];
}

static int start(struct worker *w, unsigned int cpu)
{
	struct task_struct *task;

	init_completion(&w->finished);
	task = kthread_create_on_cpu(work, w, cpu, "lru_bench/%u");
	if (IS_ERR(task))
		return PTR_ERR(task);
	wake_up_process(task);
	return 0;
}

static void print_done(unsigned int cpus, u64 done, const char *name)
{
	pr_info("crowd %u %llu %llu %s\n", cpus, CROWD_TIME, done, name);
}

static void print_tally(const struct worker *worker, unsigned int cpus)
{
	struct tally sum = {};

	for (unsigned int i = 0; i < cpus; i++) {
		sum.moves += worker[i].tally.moves;
		sum.taken += worker[i].tally.taken;
		sum.waited += worker[i].tally.waited;
		sum.longest = max(sum.longest, worker[i].tally.longest);
		sum.returned += worker[i].tally.returned;
		sum.walks += worker[i].tally.walks;
	}
	print_done(cpus, sum.moves, "bulk moves");
	print_done(cpus, sum.taken, "bulk moves that waited");
	print_done(cpus, sum.waited, "instructions waited");
	print_done(cpus, sum.longest, "instructions, longest wait");
	print_done(cpus, sum.returned, "buffers returned");
	print_done(cpus, sum.walks, "walks finished");
}

/*
 * QEMU emulates the CPUs in turns, and a turn ends when a timer of the machine
 * expires. For CPUs to contend, turns must be short compared with the time that
 * a lock is held: let the PIT, which nobody listens to, expire all the time.
 */
static void shorten_turns(void)
{
	disable_irq(0);
	outb(0x34, PIT_MODE);
	outb(2, PIT_CH0);
	outb(0, PIT_CH0);
}

static int run_workers(struct lru_bench_list *l, struct worker *worker,
		       unsigned int cpus)
{
	u64 end = rdtsc() + CROWD_TIME;
	int ret = 0;

	for (unsigned int i = 0; !ret && i < cpus; i++) {
		worker[i].l = l;
		worker[i].vm = i % 2 ? NULL : busy_vm(l, i / 2);
		worker[i].end = end;
		ret = start(&worker[i], i);
	}
	for (unsigned int i = 0; !ret && i < cpus; i++)
		wait_for_completion(&worker[i].finished);
	return ret;
}

int lru_bench_crowd(struct lru_bench_list *l)
{
	unsigned int cpus = num_online_cpus();
	struct worker *worker = kzalloc_objs(*worker, cpus);
	int ret;

	l->vms = CROWD_VMS;
	l->members = CROWD_MEMBERS;
	l->b.n = CROWD_VMS * CROWD_MEMBERS;
	ret = worker ? lru_bench_fill(l) : -ENOMEM;
	if (ret)
		return ret;

	for (unsigned int i = 0; i < CROWD_VMS / 2; i++)
		dma_resv_lock(&busy_vm(l, i)->resv, NULL);
	shorten_turns();
	ret = run_workers(l, worker, cpus);
	if (ret)
		return ret;
	print_tally(worker, cpus);
	for (unsigned int i = 0; i < CROWD_VMS / 2; i++)
		dma_resv_unlock(&busy_vm(l, i)->resv);
	lru_bench_empty(l);
	kfree(worker);
	return 0;
}
