// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Test cases that report in KTAP. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ktap.h"

#define SKIPPED 4

void ktap_fail(const char *file, int line, const char *format, ...)
{
	const char *base = strrchr(file, '/');
	va_list args;

	printf("# %s:%d: ", base ? base + 1 : file, line);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	puts("");
	fflush(stdout);
	_exit(1);
}

void ktap_skip(const char *why)
{
	printf("# %s\n", why);
	fflush(stdout);
	_exit(SKIPPED);
}

static int run(void (*before)(void), void (*what)(void))
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		before();
		what();
		fflush(stdout);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 1;
	if (WIFSIGNALED(status))
		printf("# ended by signal %d\n", WTERMSIG(status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static bool wanted(const char *name, char **names)
{
	if (!*names)
		return true;
	for (; *names; names++) {
		if (!strncmp(name, *names, strlen(*names)))
			return true;
	}
	return false;
}

int ktap_run(const struct ktap_case *cases, int count, char **names,
	     void (*before)(void), const char *(*after)(void))
{
	int failed = 0, number = 0, plan = 0;

	for (int i = 0; i < count; i++)
		plan += wanted(cases[i].name, names);
	printf("KTAP version 1\n1..%d\n", plan);
	for (int i = 0; i < count; i++) {
		const char *wrong;
		int status;

		if (!wanted(cases[i].name, names))
			continue;
		status = run(before, cases[i].run);
		wrong = after();
		if (wrong) {
			printf("# afterwards: %s\n", wrong);
			status = 1;
		}
		if (status && status != SKIPPED) {
			failed++;
			printf("not ");
		}
		printf("ok %d %s", ++number, cases[i].name);
		puts(status == SKIPPED ? " # SKIP" : "");
		fflush(stdout);
	}
	return failed;
}
