// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * vttm-scarce MIB: ask for so many buffers, of which there is not enough memory for
 * all, beside a process that has nothing to do with them. Whoever asks is told so;
 * nobody is killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vttm.h"

#define BYSTANDER_MIB 16

/* One that the kernel would kill first. */
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

/* How many buffers got their pages, of at most @count; @ret is what the last one got. */
static __u64 take(int gpu, __u64 count, int *ret)
{
	__u64 n;

	for (n = 0; n < count; n++) {
		__u32 handle;

		*ret = vttm_create(gpu, MIB, VTTM_DOMAIN_SYSTEM, 0, 0, &handle);
		if (!*ret)
			*ret = vttm_prefetch(gpu, handle, 0);
		if (*ret < 0)
			break;
	}
	return n;
}

int main(int argc, char **argv)
{
	__u64 count = argc > 1 ? strtoull(argv[1], NULL, 0) : 400;
	int gpu = drm_open("vttm", 0), ret = 0;
	pid_t pid = bystander();
	__u64 taken;

	if (gpu < 0)
		die("there is no vttm");
	taken = take(gpu, count, &ret);
	close(gpu);
	printf("%llu of %llu MiB, then: %s\n", (unsigned long long)taken,
	       (unsigned long long)count, strerror(-ret));
	if (ret != -ENOMEM)
		die("there was enough memory");
	if (oom_kills() || waitpid(pid, NULL, WNOHANG))
		die("a process was killed");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	puts("ok");
	return 0;
}
