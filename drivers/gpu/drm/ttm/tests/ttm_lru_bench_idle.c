// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * How far the clock goes on while all CPUs sleep. QEMU's clock, which otherwise
 * counts instructions, jumps to the next timer then, though nothing is
 * executed.
 */

#include <linux/cpu.h>
#include <linux/cpumask.h>
#include <linux/init.h>
#include <linux/processor.h>
#include <linux/spinlock.h>
#include <linux/static_call.h>

#include <asm/tsc.h>

#include "ttm_lru_bench_boot.h"

/* The idle function of arch/x86/kernel/process.c. */
DECLARE_STATIC_CALL(x86_idle, default_idle);

/* Protects the variables below. */
static DEFINE_RAW_SPINLOCK(asleep_lock);
static unsigned int asleep;
static u64 all_asleep_since;
static u64 all_asleep;

static void start_sleeping(void)
{
	guard(raw_spinlock)(&asleep_lock);
	if (++asleep == num_online_cpus())
		all_asleep_since = rdtsc();
}

static void stop_sleeping(void)
{
	guard(raw_spinlock)(&asleep_lock);
	if (asleep-- == num_online_cpus())
		all_asleep += rdtsc() - all_asleep_since;
}

/* Interrupts are off except during the sleep. */
static void __cpuidle sleep_and_count(void)
{
	start_sleeping();
	default_idle();
	stop_sleeping();
}

/* Only differences have a meaning. */
u64 lru_bench_idle(void)
{
	return READ_ONCE(all_asleep);
}

static int __init lru_bench_idle_init(void)
{
	static_call_update(x86_idle, &sleep_and_count);
	return 0;
}
device_initcall(lru_bench_idle_init);
