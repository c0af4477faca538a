/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The clients of vttm-compete: processes, each with a file of its own. They record what
 * they did in memory that all processes share.
 */
#ifndef COMPETE_H
#define COMPETE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <linux/types.h>

/* Sizes are in units of a 64th of the GPU's memory. */
#define UNITS 64
#define MOST_CLIENTS 6

enum what {
	USED,		/* by a submit, or by another ioctl that needs room */
	REFUSED,
	DROPPED,
};

/* An operation of a client on its buffers @first to @first + @count - 1. */
struct entry {
	enum what what;
	__u32 client;
	__u32 first, count;
	bool is_submit;
	__u64 serial;		/* of the submit, or of the last one before */
	int error;
	__u64 wait;		/* nanoseconds */
	__u64 overtaken;	/* submits of other clients that came first */
	__u64 sleeps;		/* how often it slept */
	__u64 restarts;
};

/* Buffers are numbered in the order in which their client makes them. */
struct made {
	__u64 size;
	__u32 domains;
};

struct client {
	struct made *made;
	__u32 made_count, most_made;
	struct entry *entries;
	__u32 entry_count, most_entries;
	__u64 moved;		/* bytes */
	atomic_ullong attempts;
};

/* Shared by all processes while a pattern runs. */
struct run {
	__u64 unit;		/* bytes */
	__u32 domains;
	__u64 seed;
	__u32 client_count;
	/* The run ends after this many attempts of all clients, and of each client. */
	__u64 attempts, attempts_each;
	atomic_uint ready, ended;
	struct client clients[MOST_CLIENTS];
};

/* A client calls @set_up once, and @round in a loop. */
struct role {
	const char *name;
	void (*set_up)(void);
	void (*round)(void);
};

struct pattern {
	const char *name;
	const struct role *roles[MOST_CLIENTS + 1];
};

extern const struct pattern patterns[];
extern const int pattern_count;

/* Run client @number until the run has ended. */
void client_run(struct run *run, __u32 number, const struct role *role);

/* --- Operations of roles. Errors other than a lack of room end the process. --- */

extern struct run *run;
extern int gpu;

__u64 draw(__u64 n);
int must(int ret, const char *what);

/* Make a buffer, or adopt the one with @handle. Return its number. */
__u32 client_make(__u64 size, __u32 domains, __u32 vm);
__u32 client_adopt(__u32 handle, __u64 size, __u32 domains);
void client_drop(__u32 first, __u32 count);
__u32 client_handle(__u32 number);

/* Use the buffers in one submit, and wait for the GPU. */
void client_submit(__u32 vm, __u32 first, __u32 count);

/* Record an operation that isn't a submit: call one before, and one after it. */
void attempt_begin(void);
void attempt_end(int ret, __u32 first, __u32 count);

#endif
