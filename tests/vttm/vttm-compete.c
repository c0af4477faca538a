// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * vttm-compete: several clients, each of which fits alone, compete for the GPU's memory.
 * The test fails if
 *
 * - a client is refused for want of room;
 * - a client usually waits more than 20 times the mean: that is the median of the longest
 *   waits in each tenth of its run, as the machine may have stopped meanwhile. The mean is
 *   that of the slowest client, as a small submit may have to wait for a large one;
 * - a client waits as long as that once, while each other client is served 20 times: then
 *   the machine had not stopped;
 * - the bytes moved exceed 1.1 times those that a plain LRU moves for the same submits in
 *   the same order, if it needs contiguous room, as vttm does, by more than 16 times the
 *   size of the memory. The allowance is for short runs, which depend on chance.
 *
 * With --strict, no wait may be longer than 20 times its own client's mean, the LRU needs
 * no contiguous room, and there is no allowance.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compete.h"
#include "lru_sim.h"
#include "vttm.h"

#define MOST_WAIT 20
#define MOST_MOVED_PERCENT 110
#define CHANCE 16
#define BLOCKS 10
#define ALONE 5
/* The run continues until each client has made a twentieth of the submits. */
#define LEAST_SHARE 20
#define MOST_EACH 100
#define PROGRESS 30	/* seconds */

static struct {
	__u64 submits, seed;
	bool strict;
} options = {
	.submits = 10000,
	.seed = 1,
};

static const struct {
	const char *name;
	__u32 bits;
} domains[] = {
	{ "vram", VTTM_DOMAIN_VRAM },
	{ "gtt", VTTM_DOMAIN_GTT },
	{ "both", GPU_DOMAINS },
};

/* --- A run --- */

static void *shared_memory(__u64 size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		die("no memory: %s", strerror(errno));
	return memory;
}

static __u32 count_roles(const struct pattern *pattern)
{
	__u32 count = 0;

	while (pattern->roles[count])
		count++;
	return count;
}

static struct run *new_run(__u32 client_count, __u32 bits, __u64 attempts)
{
	struct run *new = shared_memory(sizeof(*new));
	__u64 vram = vttm_get(gpu, VTTM_PARAM_VRAM_SIZE);
	__u64 gtt = vttm_get(gpu, VTTM_PARAM_GTT_SIZE);

	new->unit = (vram < gtt ? vram : gtt) / UNITS;
	new->domains = bits;
	new->seed = options.seed;
	new->client_count = client_count;
	new->attempts = attempts;
	new->attempts_each = attempts / LEAST_SHARE;
	for (__u32 i = 0; i < client_count; i++) {
		struct client *client = &new->clients[i];

		client->most_made = MOST_EACH * attempts + VTTM_SUBMIT_MAX_BOS + MOST_CLIENTS;
		client->made = shared_memory(client->most_made * sizeof(*client->made));
		client->most_entries = 2 * MOST_EACH * attempts + 2 * MOST_CLIENTS;
		client->entries = shared_memory(client->most_entries *
						sizeof(*client->entries));
	}
	return new;
}

static void free_run(struct run *old)
{
	for (__u32 i = 0; i < old->client_count; i++) {
		struct client *client = &old->clients[i];

		munmap(client->made, client->most_made * sizeof(*client->made));
		munmap(client->entries, client->most_entries * sizeof(*client->entries));
	}
	munmap(old, sizeof(*old));
}

static void interrupt(int signal)
{
	alarm(PROGRESS);
}

/* A long silence looks like a kernel that hangs. So break it, but only if there is progress. */
static void show_progress(const struct run *run, __u64 *shown)
{
	__u64 attempts = 0;

	for (__u32 i = 0; i < run->client_count; i++)
		attempts += atomic_load(&run->clients[i].attempts);
	if (attempts == *shown)
		return;
	*shown = attempts;
	printf("  %llu of %llu\n", attempts, run->attempts);
	fflush(stdout);
}

/* Run all of @roles until they have made all attempts. */
static void compete(struct run *run, const struct role *const *roles)
{
	/* Without SA_RESTART it ends waitpid(). */
	const struct sigaction on_alarm = { .sa_handler = interrupt };
	pid_t pids[MOST_CLIENTS], ended;
	bool wrong = false;
	__u64 shown = 0;
	int status;

	fflush(stdout);
	for (__u32 i = 0; i < run->client_count; i++) {
		pids[i] = fork();
		if (!pids[i])
			client_run(run, i, roles[i]);
		if (pids[i] < 0)
			die("fork: %s", strerror(errno));
	}
	sigaction(SIGALRM, &on_alarm, NULL);
	alarm(PROGRESS);
	while ((ended = waitpid(-1, &status, 0)) > 0 || errno == EINTR) {
		if (ended < 0)
			show_progress(run, &shown);
		if (ended < 0 || !status || wrong)
			continue;
		wrong = true;
		for (__u32 i = 0; i < run->client_count; i++)
			kill(pids[i], SIGKILL);
	}
	alarm(0);
	if (wrong)
		die("a client ended with an error");
	if (vttm_drained(gpu))
		die("buffers are left");
}

/* --- The simulation of a plain LRU --- */

/* Other entries come after the submit with their serial, in the client's order. */
static int compare_entries(const void *a, const void *b)
{
	const struct entry *const *left = a, *const *right = b;

	if ((*left)->serial != (*right)->serial)
		return (*left)->serial < (*right)->serial ? -1 : 1;
	if ((*left)->is_submit != (*right)->is_submit)
		return (*left)->is_submit ? -1 : 1;
	if ((*left)->client != (*right)->client)
		return (*left)->client < (*right)->client ? -1 : 1;
	return *left < *right ? -1 : *left > *right;
}

/* The entries of all clients, in the order in which the GPU took them. */
static const struct entry **in_order(const struct run *run, __u32 *count)
{
	const struct entry **all;
	__u32 sum = 0;

	for (__u32 i = 0; i < run->client_count; i++)
		sum += run->clients[i].entry_count;
	all = calloc(sum, sizeof(*all));
	if (!all)
		die("no memory");
	*count = 0;
	for (__u32 i = 0; i < run->client_count; i++) {
		for (__u32 n = 0; n < run->clients[i].entry_count; n++)
			all[(*count)++] = &run->clients[i].entries[n];
	}
	qsort(all, sum, sizeof(*all), compare_entries);
	return all;
}

static __u64 simulate(const struct run *run, bool pieces)
{
	__u32 first[MOST_CLIENTS], count, sum = 0;
	const struct entry **all = in_order(run, &count);
	struct lru_sim *sim;
	__u64 moved;

	for (__u32 i = 0; i < run->client_count; i++)
		sum += run->clients[i].made_count;
	sim = lru_sim_new(vttm_get(gpu, VTTM_PARAM_VRAM_SIZE),
			  vttm_get(gpu, VTTM_PARAM_GTT_SIZE), sum, pieces);
	for (__u32 i = 0; i < run->client_count; i++) {
		const struct client *client = &run->clients[i];

		for (__u32 n = 0; n < client->made_count; n++) {
			__u32 id = lru_sim_add(sim, client->made[n].size,
					       client->made[n].domains);

			if (!n)
				first[i] = id;
		}
	}
	for (__u32 n = 0; n < count; n++) {
		__u32 at = first[all[n]->client] + all[n]->first;

		if (all[n]->what == DROPPED)
			lru_sim_drop(sim, at, all[n]->count);
		else if (all[n]->what == USED && !lru_sim_use(sim, at, all[n]->count) &&
			 !pieces)
			die("a client does not fit alone");
	}
	moved = lru_sim_moved(sim);
	lru_sim_destroy(sim);
	free(all);
	return moved;
}

/* --- Results --- */

struct result {
	__u64 submits, refused, deadlocks, restarts, overtaken;
	__u64 mean, longest;	/* nanoseconds */
	__u64 usual;		/* the median of the longest waits in each tenth of the run */
	__u64 starved;		/* waits in which too many other submits came first */
};

static int compare_numbers(const void *a, const void *b)
{
	const __u64 *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static struct result result_of(const struct client *client)
{
	__u64 blocks[BLOCKS] = {};
	struct result result = {};
	__u32 n = 0;

	for (__u32 i = 0; i < client->entry_count; i++)
		result.submits += client->entries[i].what != DROPPED;
	for (__u32 i = 0; i < client->entry_count; i++) {
		const struct entry *entry = &client->entries[i];
		__u64 *block = &blocks[n * BLOCKS / (result.submits ?: 1)];

		if (entry->what == DROPPED)
			continue;
		n++;
		if (entry->wait > *block)
			*block = entry->wait;
		if (entry->wait > result.longest)
			result.longest = entry->wait;
		if (entry->overtaken > result.overtaken)
			result.overtaken = entry->overtaken;
		result.mean += entry->wait;
		result.restarts += entry->restarts;
		result.refused += entry->what == REFUSED;
		result.deadlocks += entry->error == -EDEADLK;
	}
	result.mean /= result.submits ?: 1;
	qsort(blocks, BLOCKS, sizeof(blocks[0]), compare_numbers);
	result.usual = blocks[BLOCKS / 2];
	return result;
}

static __u64 count_starved(const struct client *client, __u64 mean, __u32 others)
{
	__u64 starved = 0;

	for (__u32 i = 0; i < client->entry_count; i++) {
		const struct entry *entry = &client->entries[i];

		starved += entry->wait > MOST_WAIT * mean &&
			   entry->overtaken > MOST_WAIT * others;
	}
	return starved;
}

/* Waits of more than 20 times the client's own mean, and those in which it never slept. */
static void print_long_waits(const struct run *run)
{
	__u64 waits = 0, awake = 0;

	for (__u32 i = 0; i < run->client_count; i++) {
		const struct client *client = &run->clients[i];
		__u64 mean = result_of(client).mean;

		for (__u32 n = 0; n < client->entry_count; n++) {
			const struct entry *entry = &client->entries[n];

			if (entry->wait <= MOST_WAIT * mean)
				continue;
			waits++;
			awake += !entry->sleeps;
		}
	}
	printf("  %llu waits of more than %d times the client's mean; it never slept in %llu\n",
	       waits, MOST_WAIT, awake);
}

static double times(__u64 value, __u64 of)
{
	return of ? (double)value / of : 0;
}

static void print_result(const char *name, const struct result *result)
{
	printf("  %-10s%8llu%8llu%9llu%10llu%9.1f%8.1f%8.1f%8llu\n", name, result->submits,
	       result->refused, result->restarts, result->overtaken, result->mean / 1e6,
	       times(result->longest, result->mean), times(result->usual, result->mean),
	       result->starved);
}

/* --- The verdict --- */

static __u64 refused_by(const struct run *run)
{
	__u64 refused = 0;

	for (__u32 i = 0; i < run->client_count; i++)
		refused += result_of(&run->clients[i]).refused;
	return refused;
}

static __u64 deadlocks_of(const struct run *run)
{
	__u64 deadlocks = 0;

	for (__u32 i = 0; i < run->client_count; i++)
		deadlocks += result_of(&run->clients[i]).deadlocks;
	return deadlocks;
}

static __u64 moved_by(const struct run *run)
{
	__u64 moved = 0;

	for (__u32 i = 0; i < run->client_count; i++)
		moved += run->clients[i].moved;
	return moved;
}

static bool moves_too_much(__u64 moved, __u64 limit, __u64 chance)
{
	return moved * 100 > limit * MOST_MOVED_PERCENT + chance * 100;
}

/* Each role alone: does it fit? */
static bool fits_alone(const struct pattern *pattern, __u32 bits)
{
	bool fits = true;

	for (__u32 i = 0; pattern->roles[i]; i++) {
		struct run *run;

		if (i && pattern->roles[i] == pattern->roles[i - 1])
			continue;
		run = new_run(1, bits, ALONE);
		compete(run, &pattern->roles[i]);
		if (refused_by(run) || moves_too_much(moved_by(run), simulate(run, false), 0)) {
			printf("  alone, %s is refused %llu times, and moves %llu MiB\n",
			       pattern->roles[i]->name, refused_by(run),
			       moved_by(run) / MIB);
			fits = false;
		}
		free_run(run);
	}
	return fits;
}

static bool waits_are_fair(const struct pattern *pattern, const struct run *run)
{
	struct result results[MOST_CLIENTS];
	__u64 slowest = 0, longest = 0;
	bool fair = true;

	for (__u32 i = 0; i < run->client_count; i++) {
		results[i] = result_of(&run->clients[i]);
		if (results[i].mean > slowest)
			slowest = results[i].mean;
		if (results[i].longest > longest)
			longest = results[i].longest;
	}
	for (__u32 i = 0; i < run->client_count; i++) {
		struct result *result = &results[i];

		result->starved = count_starved(&run->clients[i], slowest,
						run->client_count - 1);
		print_result(pattern->roles[i]->name, result);
		fair &= !result->starved && result->usual <= MOST_WAIT * slowest;
		if (options.strict)
			fair &= result->longest <= MOST_WAIT * result->mean;
	}
	printf("  the longest wait is %.1f times the mean of the slowest client\n",
	       times(longest, slowest));
	print_long_waits(run);
	return fair;
}

static bool moves_are_few(const struct run *run)
{
	__u64 memory = vttm_get(gpu, VTTM_PARAM_VRAM_SIZE) +
		       vttm_get(gpu, VTTM_PARAM_GTT_SIZE);
	__u64 moved = moved_by(run), sizes = simulate(run, false);
	__u64 pieces = simulate(run, true);

	printf("  moved %llu MiB; a plain LRU %llu MiB: %.3f, by sizes only %llu MiB: %.3f\n",
	       moved / MIB, pieces / MIB, times(moved, pieces), sizes / MIB,
	       times(moved, sizes));
	return options.strict ? !moves_too_much(moved, sizes, 0) :
				!moves_too_much(moved, pieces, CHANCE * memory);
}

static bool judge(const struct pattern *pattern, const struct run *run)
{
	bool good = waits_are_fair(pattern, run);

	good &= moves_are_few(run);
	if (refused_by(run)) {
		printf("  refused: %llu, with EDEADLK: %llu\n", refused_by(run),
		       deadlocks_of(run));
		good = false;
	}
	return good;
}

static bool one(const struct pattern *pattern, __u32 bits, const char *name)
{
	bool good = fits_alone(pattern, bits);
	struct run *run = new_run(count_roles(pattern), bits, options.submits);

	compete(run, pattern->roles);
	good &= judge(pattern, run);
	printf("  %s: %s\n", name, good ? "ok" : "WRONG");
	free_run(run);
	return good;
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

static void read_options(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "submits", required_argument, NULL, 'n' },
		{ "seed", required_argument, NULL, 's' },
		{ "strict", no_argument, NULL, 't' },
		{}
	};
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (option) {
		case 'n':
			options.submits = strtoull(optarg, NULL, 0);
			break;
		case 's':
			options.seed = strtoull(optarg, NULL, 0);
			break;
		case 't':
			options.strict = true;
			break;
		default:
			die("%s [--submits N] [--seed N] [--strict] [PATTERN[-DOMAIN]]...",
			    argv[0]);
		}
	}
}

int main(int argc, char **argv)
{
	const char *wrong = lru_sim_self_test();
	bool good = true;

	read_options(argc, argv);
	if (wrong)
		die("the simulation is wrong: %s", wrong);
	gpu = drm_open("vttm", 0);
	if (gpu < 0)
		die("there is no vttm");
	printf("%llu submits each; a task of the GPU takes %llu us; seed %llu\n",
	       options.submits, vttm_get(gpu, VTTM_PARAM_COPY_DELAY_US), options.seed);

	for (int p = 0; p < pattern_count; p++) {
		for (size_t d = 0; d < ARRAY_SIZE(domains); d++) {
			char name[64];

			snprintf(name, sizeof(name), "%s-%s", patterns[p].name,
				 domains[d].name);
			if (!wanted(name, argv + optind))
				continue;
			printf("\n%-12s%8s%8s%9s%10s%9s%8s%8s%8s\n", name, "submits",
			       "refused", "restarts", "overtaken", "mean ms", "longest",
			       "usually", "starved");
			good &= one(&patterns[p], domains[d].bits, name);
		}
	}
	return !good;
}
