// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * vttm-scarce MIB: ask for that many buffers of a MiB, more than the system's memory.
 * The program must get errors, no process may be killed, and other programs must run.
 * Memory that is freed, or whose content may be lost, must be available again. Needs a
 * kernel without swap space.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vttm.h"

#define BYSTANDER_MIB 16
#define CROWD 4

/* A process that has no buffers, and that the OOM killer would kill first. */
static pid_t bystander(void)
{
	static const char first[] = "1000";
	int ready[2];
	pid_t pid;
	char *memory, c;

	if (pipe(ready))
		die("pipe: %m");
	pid = fork();
	if (!pid) {
		int fd = open("/proc/self/oom_score_adj", O_WRONLY);

		if (fd < 0 || write(fd, first, strlen(first)) < 0)
			_exit(1);
		memory = malloc(BYSTANDER_MIB * MIB);
		if (!memory)
			_exit(1);
		memset(memory, 1, BYSTANDER_MIB * MIB);
		if (write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (pid < 0 || read(ready[0], &c, 1) != 1)
		die("there is no bystander");
	return pid;
}

static __u64 oom_kills(void)
{
	FILE *file = fopen("/proc/vmstat", "r");
	unsigned long long n, kills = 0;
	char name[64];

	if (!file)
		die("/proc/vmstat: %m");
	while (fscanf(file, "%63s %llu", name, &n) == 2) {
		if (!strcmp(name, "oom_kill"))
			kills = n;
	}
	fclose(file);
	return kills;
}

/* Other programs can be run, and no process was killed. */
static void expect_peace(pid_t pid)
{
	if (system("exec true"))
		die("no other program can be run");
	if (oom_kills() || waitpid(pid, NULL, WNOHANG))
		die("a process was killed");
}

/* A buffer of a MiB, which may have no pages yet. */
static __u32 create(int gpu)
{
	__u32 handle;
	int ret = vttm_create(gpu, MIB, VTTM_DOMAIN_SYSTEM, 0, 0, &handle);

	if (ret)
		die("no buffer: %s", strerror(-ret));
	return handle;
}

static int prefetch(int gpu, __u32 handle)
{
	return vttm_prefetch(gpu, handle, 0);
}

static sigjmp_buf fault;

static void on_sigbus(int sig)
{
	siglongjmp(fault, sig);
}

/* A page fault that fails raises SIGBUS. */
static int write_to(void *map)
{
	if (sigsetjmp(fault, 1))
		return -ENOMEM;
	memset(map, 1, MIB);
	return 0;
}

static int touch(int gpu, __u32 handle)
{
	void *map;
	int ret = vttm_map(gpu, handle, MIB, &map);

	if (!ret) {
		ret = write_to(map);
		munmap(map, MIB);
	}
	return ret;
}

/* Make buffers until one does not get its pages. Return how many got them. */
static __u64 take(int gpu, __u64 count, int (*get)(int gpu, __u32 handle))
{
	__u64 n;
	int ret;

	for (n = 0; n < count; n++) {
		ret = get(gpu, create(gpu));
		if (ret == -ENOMEM)
			return n;
		if (ret)
			die("allocate pages: %s", strerror(-ret));
	}
	die("there was enough memory");
}

static int open_gpu(void)
{
	int gpu = drm_open("vttm", 0);

	if (gpu < 0)
		die("there is no vttm");
	return gpu;
}

/* The same, and free all of them. */
static __u64 take_for_a_while(__u64 count, int (*get)(int gpu, __u32 handle),
			      pid_t pid)
{
	int gpu = open_gpu();
	__u64 taken = take(gpu, count, get);

	expect_peace(pid);
	close(gpu);
	return taken;
}

/* Let the content of all buffers be lost, and ask for half of the memory again. */
static void take_what_may_be_lost(__u64 count, pid_t pid)
{
	int gpu = open_gpu(), ret;
	__u64 taken = take(gpu, count, prefetch);
	__u32 retained;

	/* Handles start at 1. */
	for (__u32 handle = 1; handle <= taken; handle++) {
		ret = vttm_madvise(gpu, handle, VTTM_MADV_DONT_NEED, &retained);
		if (ret)
			die("madvise: %s", strerror(-ret));
	}
	for (__u64 n = 0; n < taken / 2; n++) {
		ret = prefetch(gpu, create(gpu));
		if (ret)
			die("%llu of %llu MiB beside purgeable buffers: %s",
			    (unsigned long long)n, (unsigned long long)taken,
			    strerror(-ret));
	}
	expect_peace(pid);
	close(gpu);
}

/* Several processes at once. */
static void take_in_a_crowd(__u64 count, pid_t pid)
{
	pid_t crowd[CROWD];
	int status;

	for (int i = 0; i < CROWD; i++) {
		crowd[i] = fork();
		if (!crowd[i]) {
			take(open_gpu(), count, prefetch);
			_exit(0);
		}
	}
	for (int i = 0; i < CROWD; i++) {
		if (waitpid(crowd[i], &status, 0) < 0 || status)
			die("a process of the crowd failed");
	}
	expect_peace(pid);
}

int main(int argc, char **argv)
{
	__u64 count = argc > 1 ? strtoull(argv[1], NULL, 0) : 400;
	pid_t pid = bystander();
	__u64 taken, again;

	signal(SIGBUS, on_sigbus);
	taken = take_for_a_while(count, prefetch, pid);
	printf("%llu of %llu MiB\n", (unsigned long long)taken,
	       (unsigned long long)count);
	take_in_a_crowd(count, pid);
	take_what_may_be_lost(count, pid);
	take_for_a_while(count, touch, pid);

	again = take_for_a_while(count, prefetch, pid);
	printf("%llu MiB again\n", (unsigned long long)again);
	if (again < taken - taken / 4)
		die("memory that was freed is not available again");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	puts("ok");
	return 0;
}
