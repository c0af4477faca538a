// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A client of vttm-compete: runs its role, and records the results. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "compete.h"
#include "vttm.h"

#define MOST_HELD 4096

/* The client's buffers: number n is at n % MOST_HELD. */
static struct {
	__u32 handle;
	__u64 moves;
} held[MOST_HELD];

struct run *run;
int gpu;

static struct client *client;
static struct rng rng;
static __u32 first_held;

static struct {
	__u64 begun, granted, serial, restarts, sleeps;
} attempt;

__u64 draw(__u64 n)
{
	return rng_below(&rng, n);
}

int must(int ret, const char *what)
{
	if (ret < 0)
		die("client %td: %s: %s", client - run->clients, what, strerror(-ret));
	return ret;
}

__u32 client_handle(__u32 number)
{
	return held[number % MOST_HELD].handle;
}

static __u64 moves_of(__u32 number)
{
	struct drm_vttm_gem_info info;

	must(vttm_info(gpu, client_handle(number), &info), "info");
	return info.moves;
}

__u32 client_adopt(__u32 handle, __u64 size, __u32 domains)
{
	__u32 number = client->made_count++;

	if (number == client->most_made || number - first_held == MOST_HELD)
		die("too many buffers");
	client->made[number] = (struct made){ .size = size, .domains = domains };
	held[number % MOST_HELD].handle = handle;
	held[number % MOST_HELD].moves = moves_of(number);
	return number;
}

__u32 client_make(__u64 size, __u32 domains, __u32 vm)
{
	__u32 handle;

	must(vttm_create(gpu, size, domains, 0, vm, &handle), "create");
	return client_adopt(handle, size, domains);
}

static void note(struct entry entry)
{
	if (client->entry_count == client->most_entries)
		die("too many entries");
	entry.client = client - run->clients;
	client->entries[client->entry_count++] = entry;
}

/* Drop the oldest buffers. A plain LRU has their room once all of them are closed. */
void client_drop(__u32 first, __u32 count)
{
	__u64 granted;

	for (__u32 n = first; n < first + count; n++) {
		client->moved += (moves_of(n) - held[n % MOST_HELD].moves) *
				 client->made[n].size;
		must(drm_close_handle(gpu, client_handle(n)), "close");
	}
	granted = vttm_get(gpu, VTTM_PARAM_SUBMITS);
	first_held = first + count;
	note((struct entry){
		.what = DROPPED,
		.first = first,
		.count = count,
		.serial = granted,
	});
}

static __u64 count_sleeps(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage))
		die("getrusage: %s", strerror(errno));
	return usage.ru_nvcsw;
}

void attempt_begin(void)
{
	attempt.restarts = 0;
	attempt.serial = 0;
	attempt.granted = vttm_get(gpu, VTTM_PARAM_SUBMITS);
	attempt.sleeps = count_sleeps();
	attempt.begun = now_ns();
}

void attempt_end(int ret, __u32 first, __u32 count)
{
	struct entry entry = {
		.what = USED,
		.first = first,
		.count = count,
		.wait = now_ns() - attempt.begun,
		.sleeps = count_sleeps() - attempt.sleeps,
		.is_submit = attempt.serial,
		.serial = attempt.serial,
		.restarts = attempt.restarts,
		.error = ret,
	};
	__u64 last = attempt.serial ? attempt.serial - 1 : vttm_get(gpu, VTTM_PARAM_SUBMITS);

	if (!entry.serial)
		entry.serial = last;
	if (last > attempt.granted)
		entry.overtaken = last - attempt.granted;
	/* The kernel must start over, not the program. */
	if (ret == -ENOSPC || ret == -EDEADLK)
		entry.what = REFUSED;
	else
		must(ret, "make room");
	note(entry);
	atomic_fetch_add(&client->attempts, 1);
}

void client_submit(__u32 vm, __u32 first, __u32 count)
{
	static struct drm_vttm_submit_bo bos[VTTM_SUBMIT_MAX_BOS];
	const struct drm_vttm_op op = { .op = VTTM_OP_FILL, .size = PAGE, .step = 1 };
	struct drm_vttm_submit args = {
		.vm_id = vm,
		.bos = (uintptr_t)bos,
		.ops = (uintptr_t)&op,
		.bo_count = count,
		.op_count = 1,
	};
	int ret;

	for (__u32 i = 0; i < count; i++) {
		bos[i].handle = client_handle(first + i);
		bos[i].flags = i ? 0 : VTTM_BO_WRITE;
	}
	attempt_begin();
	ret = drm_ioctl(gpu, DRM_IOCTL_VTTM_SUBMIT, &args);
	attempt.serial = args.serial;
	attempt.restarts = args.restarts;
	attempt_end(ret, first, count);
	must(vttm_finish(gpu, client_handle(first)), "wait");
}

static void wait_for_all(atomic_uint *count)
{
	atomic_fetch_add(count, 1);
	while (atomic_load(count) < run->client_count)
		usleep(1000);
}

static bool has_ended(void)
{
	__u64 attempts = 0;

	for (__u32 i = 0; i < run->client_count; i++) {
		__u64 its = atomic_load(&run->clients[i].attempts);

		if (its < run->attempts_each)
			return false;
		attempts += its;
	}
	return attempts >= run->attempts;
}

void client_run(struct run *of, __u32 number, const struct role *role)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	run = of;
	client = &run->clients[number];
	rng.state = run->seed * MOST_CLIENTS + number;
	gpu = drm_open("vttm", 0);
	if (gpu < 0)
		die("there is no vttm");

	role->set_up();
	wait_for_all(&run->ready);
	while (!has_ended())
		role->round();
	wait_for_all(&run->ended);
	client_drop(first_held, client->made_count - first_held);
	_exit(0);
}
