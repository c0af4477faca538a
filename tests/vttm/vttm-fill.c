// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * vttm-fill: use four times as many bytes of buffers as the GPU has VRAM.
 *
 * A thread works on each VM. It submits a slowly changing set of the VM's buffers, which
 * the GPU fills and copies, writes and reads them through mappings, prefetches and evicts
 * them. Meanwhile another thread walks the LRU lists, and checks each walk: it owes each
 * buffer once that wasn't moved during the walk, and whose VM wasn't submitted.
 *
 * The amount of work is fixed. The time that it takes is not judged. On a machine whose
 * clock waits for its CPUs, let the walks pause.
 */
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vttm.h"

#define WORDS (PAGE / 8)
#define MOST_VMS 16
#define LEAST_PAGES 16
#define MOST_PAGES 128
#define MOST_CHUNK 32
#define MOST_USED 12
#define BAR 48

/*
 * Word n of a page is its base + n. The base has the buffer's number in its upper 16
 * bits, then a 16-bit count of the writes to the buffer, then the number of the page's
 * first word in the buffer.
 */
struct buffer {
	struct bo bo;
	__u64 *bases;
	__u64 id;
	__u32 number;
	__u16 generation;
	/* The buffer's state before and after the walk. */
	struct drm_vttm_gem_info before;
	struct drm_vttm_gem_info after;
	__u32 met;
};

struct vm {
	__u32 id;
	pthread_t thread;
	struct rng rng;
	struct buffer *buffers;
	__u32 count;
	/* Odd during an ioctl that may change the order. */
	atomic_ulong changes;
	unsigned long before;
	__u64 submits, written, refused;
};

static struct {
	__u64 mib, seed, rounds, pages, pause_ms;
	__u32 vms;
	bool is_short;
} options = {
	.seed = 1,
	.rounds = 250,
	.pages = MOST_PAGES,
	.vms = 6,
};

static struct vm vms[MOST_VMS];
static int gpu;
static atomic_uint working;
static atomic_ullong rounds_done, pages_verified, pages_wrong;
static __u64 buffers_total;

/* The results of the walks. */
static struct {
	__u64 walks, steps, drops, most, twice, owed, returned, missed, repeated;
} seen;

/* Where the buffers' bytes were at the last walk. */
static struct {
	__u64 system, swapped;
} where;

/* --- The content of pages --- */

static __u64 base_of(const struct buffer *buffer, __u64 page)
{
	return (__u64)buffer->number << 48 | (__u64)buffer->generation << 32 | page * WORDS;
}

static void verify_page(const struct buffer *buffer, __u64 page)
{
	const __u64 *word = buffer->bo.map + page * WORDS;
	__u64 base = buffer->bases[page];

	atomic_fetch_add(&pages_verified, 1);
	for (__u64 n = 0; n < WORDS; n++) {
		if (word[n] == base + n)
			continue;
		if (atomic_fetch_add(&pages_wrong, 1) < 10)
			fprintf(stderr,
				"buffer %u, page %llu, word %llu: holds %016llx, not %016llx\n",
				buffer->number, page, n, word[n], base + n);
		return;
	}
}

static void verify(const struct buffer *buffer)
{
	for (__u64 page = 0; page < buffer->bo.size / PAGE; page++)
		verify_page(buffer, page);
}

static void finish(const struct buffer *buffer)
{
	int ret = vttm_finish(gpu, buffer->bo.handle);

	if (ret < 0)
		die("wait: %s", strerror(-ret));
}

static void write_by_cpu(struct buffer *buffer, struct vm *vm)
{
	__u64 pages = buffer->bo.size / PAGE;
	__u64 first = rng_below(&vm->rng, pages);
	__u64 count = 1 + rng_below(&vm->rng, pages - first);

	finish(buffer);
	buffer->generation++;
	for (__u64 page = first; page < first + count; page++) {
		__u64 *word = buffer->bo.map + page * WORDS;
		__u64 base = base_of(buffer, page);

		for (__u64 n = 0; n < WORDS; n++)
			word[n] = base + n;
		buffer->bases[page] = base;
	}
	vm->written += count * PAGE;
}

/* --- The work --- */

/*
 * If swap space is short, an operation may be refused, and then changes nothing. But there
 * is room for each VM's submits.
 */
static bool was_done(struct vm *vm, int ret, const char *what)
{
	if (ret >= 0)
		return true;
	if (!options.is_short || (ret != -EBUSY && ret != -ENOMEM))
		die("%s: %s", what, strerror(-ret));
	vm->refused++;
	return false;
}

static void begin_change(struct vm *vm)
{
	atomic_fetch_add(&vm->changes, 1);
}

static void end_change(struct vm *vm)
{
	atomic_fetch_add(&vm->changes, 1);
}

/* Pick a buffer in a window, which moves over all buffers of the VM. */
static struct buffer *pick(struct vm *vm, __u64 round)
{
	__u32 window = vm->count / 4 + 1;
	__u64 at = round * vm->count / 60 + rng_below(&vm->rng, window);

	return &vm->buffers[at % vm->count];
}

static void submit(struct vm *vm, __u64 round)
{
	struct buffer *used[MOST_USED];
	struct drm_vttm_submit_bo bos[MOST_USED] = {};
	struct drm_vttm_op ops[MOST_USED];
	__u32 bo_count = 0, op_count = 0;
	int ret;

	for (int i = 0; i < MOST_USED; i++) {
		struct buffer *buffer = pick(vm, round);
		__u32 j = 0;

		while (j < bo_count && used[j] != buffer)
			j++;
		if (j < bo_count)
			continue;
		used[bo_count] = buffer;
		bos[bo_count++] = (struct drm_vttm_submit_bo){
			.handle = buffer->bo.handle,
			.flags = VTTM_BO_WRITE,
			.domains = rng_below(&vm->rng, 4) ? VTTM_DOMAIN_VRAM : GPU_DOMAINS,
		};
	}
	/* Fill a third of them; copy the neighbours of as many others to these. */
	for (__u32 i = 0; i < bo_count / 3; i++)
		ops[op_count++] = (struct drm_vttm_op){
			.op = VTTM_OP_FILL,
			.to = i,
			.size = used[i]->bo.size,
			.value = (__u64)used[i]->number << 48 |
				 (__u64)(__u16)(used[i]->generation + 1) << 32,
			.step = 1,
		};
	for (__u32 i = bo_count / 3; i < 2 * (bo_count / 3); i++) {
		__u64 size = used[i]->bo.size, other = used[i + 1]->bo.size;

		ops[op_count++] = (struct drm_vttm_op){
			.op = VTTM_OP_COPY,
			.to = i,
			.from = i + 1,
			.size = size < other ? size : other,
		};
	}

	begin_change(vm);
	ret = vttm_submit(gpu, vm->id, bos, bo_count, ops, op_count);
	end_change(vm);
	if (!was_done(vm, ret, "submit"))
		return;
	vm->submits++;
	for (__u32 i = 0; i < op_count; i++) {
		struct buffer *to = used[ops[i].to], *from = used[ops[i].from];

		if (ops[i].op == VTTM_OP_FILL)
			to->generation++;
		for (__u64 page = 0; page < ops[i].size / PAGE; page++)
			to->bases[page] = ops[i].op == VTTM_OP_FILL ? base_of(to, page) :
								      from->bases[page];
		vm->written += ops[i].size;
	}
}

static void move(struct vm *vm)
{
	struct buffer *buffer = &vm->buffers[rng_below(&vm->rng, vm->count)];
	int ret;

	begin_change(vm);
	switch (rng_below(&vm->rng, 4)) {
	case 0:
		ret = vttm_evict(gpu, buffer->bo.handle, VTTM_EVICT_SWAP_OUT);
		break;
	case 1:
		ret = vttm_evict(gpu, buffer->bo.handle, 0);
		break;
	default:
		ret = vttm_prefetch(gpu, buffer->bo.handle, 0);
		break;
	}
	end_change(vm);
	was_done(vm, ret, "move");
}

/* Swap out all buffers, though space is short: buffers that fail stay where they are. */
static void swap_out_all(struct vm *vm)
{
	begin_change(vm);
	for (struct buffer *buffer = vm->buffers; buffer < vm->buffers + vm->count; buffer++)
		was_done(vm, vttm_evict(gpu, buffer->bo.handle, VTTM_EVICT_SWAP_OUT),
			 "swap out");
	end_change(vm);
}

static void *work(void *arg)
{
	struct vm *vm = arg;

	if (options.is_short)
		swap_out_all(vm);
	for (__u64 round = 0; round < options.rounds; round++) {
		struct buffer *buffer;

		submit(vm, round);
		buffer = pick(vm, round + 30);
		write_by_cpu(buffer, vm);
		buffer = pick(vm, round);
		finish(buffer);
		verify_page(buffer, rng_below(&vm->rng, buffer->bo.size / PAGE));
		if (round % 3 == 0)
			move(vm);
		atomic_fetch_add(&rounds_done, 1);
	}
	atomic_fetch_sub(&working, 1);
	return NULL;
}

/* --- The walks --- */

#define for_each_buffer(vm, buffer)						\
	for (struct vm *vm = vms; vm < vms + options.vms; vm++)			\
		for (struct buffer *buffer = vm->buffers;			\
		     buffer < vm->buffers + vm->count; buffer++)

static void look(struct buffer *buffer, struct drm_vttm_gem_info *info)
{
	int ret = vttm_info(gpu, buffer->bo.handle, info);

	if (ret < 0)
		die("info: %s", strerror(-ret));
}

/* Was it on @domain's list all the time? A swapped-out buffer is on none. */
static bool stayed(const struct vm *vm, const struct buffer *buffer, __u32 domain)
{
	const struct drm_vttm_gem_info *before = &buffer->before;
	const struct drm_vttm_gem_info *after = &buffer->after;
	bool pages = before->state & after->state & VTTM_STATE_PAGES;

	return !(vm->before & 1) && atomic_load(&vm->changes) == vm->before &&
	       before->domain == domain && after->domain == domain &&
	       before->moves == after->moves && before->swap_outs == after->swap_outs &&
	       (pages || domain == VTTM_DOMAIN_VRAM);
}

static struct buffer **by_id;

static int compare_ids(const void *a, const void *b)
{
	const struct buffer *const *left = a, *const *right = b;

	return ((*left)->id > (*right)->id) - ((*left)->id < (*right)->id);
}

static struct buffer *find(__u64 id)
{
	struct buffer key = { .id = id }, *pointer = &key, **found;

	found = bsearch(&pointer, by_id, buffers_total, sizeof(*by_id), compare_ids);
	return found ? *found : NULL;
}

static void index_buffers(void)
{
	__u64 n = 0;

	by_id = calloc(buffers_total, sizeof(*by_id));
	if (!by_id)
		die("no memory");
	for_each_buffer(vm, buffer)
		by_id[n++] = buffer;
	qsort(by_id, buffers_total, sizeof(*by_id), compare_ids);
}

static void walk(__u32 domain, struct drm_vttm_lru_entry *entries, __u64 capacity,
		 struct rng *rng)
{
	struct drm_vttm_lru_walk args = {
		.domain = domain,
		.flags = rng_below(rng, 2) ? VTTM_LRU_WALK_BOUNDED : 0,
		.entries = (uintptr_t)entries,
		.capacity = capacity,
		.chunk = 1 + rng_below(rng, MOST_CHUNK),
	};
	__u64 most;
	int ret;

	for (__u32 v = 0; v < options.vms; v++)
		vms[v].before = atomic_load(&vms[v].changes);
	for_each_buffer(vm, buffer) {
		look(buffer, &buffer->before);
		buffer->met = 0;
	}
	ret = drm_ioctl(gpu, DRM_IOCTL_VTTM_LRU_WALK, &args);
	if (ret < 0)
		die("walk: %s", strerror(-ret));
	for_each_buffer(vm, buffer)
		look(buffer, &buffer->after);

	if (args.count > capacity)
		die("a walk met %llu of %llu buffers", args.count, buffers_total);
	for (__u64 i = 0; i < args.count; i++) {
		struct buffer *buffer = find(entries[i].id);

		if (buffer && buffer->met++)
			seen.twice++;
	}
	for_each_buffer(vm, buffer) {
		if (!stayed(vm, buffer, domain))
			continue;
		seen.owed++;
		seen.returned += buffer->met == 1;
		seen.missed += !buffer->met;
		seen.repeated += buffer->met > 1;
	}
	seen.walks++;
	seen.steps += args.count;
	seen.drops += args.lock_drops;
	/* The walk drops the lock after each chunk. */
	most = args.lock_drops ? (args.count + args.lock_drops - 1) / args.lock_drops :
				 args.count;
	if (most > args.chunk)
		die("%llu resources in one hold, not %u", most, args.chunk);
	if (most > seen.most)
		seen.most = most;
}

static void count_memory(void)
{
	where.system = 0;
	where.swapped = 0;
	for_each_buffer(vm, buffer) {
		const struct drm_vttm_gem_info *info = &buffer->after;

		if (info->domain & GPU_DOMAINS)
			continue;
		if (info->state & VTTM_STATE_PAGES)
			where.system += info->size;
		else if (info->swap_outs)
			where.swapped += info->size;
	}
}

/* --- Output --- */

static void bar(const char *name, __u64 used, __u64 size)
{
	int full = size ? used * BAR / size : 0;
	char cells[BAR + 1];

	if (full > BAR)
		full = BAR;
	memset(cells, '#', full);
	memset(cells + full, '.', BAR - full);
	cells[BAR] = '\0';
	printf("%-8s %s %4llu of %4llu MiB\033[K\n", name, cells, used / MIB, size / MIB);
}

static bool on_terminal(void)
{
	const char *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && term && strcmp(term, "dumb");
}

static void picture(void)
{
	static bool drawn;
	__u64 total = options.mib * MIB;

	if (drawn)
		printf("\033[7A");
	drawn = true;
	bar("VRAM", vttm_get(gpu, VTTM_PARAM_VRAM_USED), vttm_get(gpu, VTTM_PARAM_VRAM_SIZE));
	bar("GTT", vttm_get(gpu, VTTM_PARAM_GTT_USED), vttm_get(gpu, VTTM_PARAM_GTT_SIZE));
	bar("system", where.system, total);
	bar("swapped", where.swapped, total);
	printf("evictions %llu, swap-outs %llu, %llu MiB moved\033[K\n",
	       vttm_get(gpu, VTTM_PARAM_EVICTIONS), vttm_get(gpu, VTTM_PARAM_SWAP_OUTS),
	       vttm_get(gpu, VTTM_PARAM_BYTES_MOVED) / MIB);
	printf("walks %llu: owed %llu, returned %llu, missed %llu\033[K\n", seen.walks,
	       seen.owed, seen.returned, seen.missed);
	printf("work %llu of %llu, pages verified %llu, wrong %llu\033[K\n",
	       (__u64)rounds_done, options.rounds * options.vms, (__u64)pages_verified,
	       (__u64)pages_wrong);
	fflush(stdout);
}

static void line(void)
{
	printf("%3llu %%  VRAM %llu GTT %llu system %llu swapped %llu MiB  walks %llu\n",
	       (__u64)rounds_done * 100 / (options.rounds * options.vms),
	       vttm_get(gpu, VTTM_PARAM_VRAM_USED) / MIB,
	       vttm_get(gpu, VTTM_PARAM_GTT_USED) / MIB, where.system / MIB,
	       where.swapped / MIB, seen.walks);
	fflush(stdout);
}

static void *walk_all(void *unused)
{
	static const __u32 domains[] = {
		VTTM_DOMAIN_VRAM, VTTM_DOMAIN_GTT, VTTM_DOMAIN_SYSTEM,
	};
	/* A walk may return a buffer that moves more than once. */
	__u64 capacity = 16 * buffers_total, shown = 0;
	struct drm_vttm_lru_entry *entries = calloc(capacity, sizeof(*entries));
	struct rng rng = { options.seed ^ 0x77a1c };
	bool live = on_terminal(), more;

	if (!entries)
		die("no memory");
	/*
	 * A walk that begins when the work is done owes all buffers. On a busy machine, each
	 * VM changes during all walks before.
	 */
	do {
		more = atomic_load(&working);
		for (size_t i = 0; i < ARRAY_SIZE(domains); i++)
			walk(domains[i], entries, capacity, &rng);
		count_memory();
		if (now_ns() - shown > (live ? 100000000ULL : 3000000000ULL)) {
			live ? picture() : line();
			shown = now_ns();
		}
		if (more)
			usleep(options.pause_ms * 1000);
	} while (more);
	if (live)
		picture();
	free(entries);
	return NULL;
}

static void row(const char *name, __u64 value)
{
	printf("%-26s%12llu\n", name, value);
}

/* Print the table. Return how many operations were refused. */
static __u64 table(void)
{
	__u64 submits = 0, written = 0, refused = 0;

	for (__u32 v = 0; v < options.vms; v++) {
		submits += vms[v].submits;
		written += vms[v].written;
		refused += vms[v].refused;
	}
	puts("");
	row("buffers", buffers_total);
	row("submits", submits);
	row("refused", refused);
	row("MiB written", written / MIB);
	row("moves", vttm_get(gpu, VTTM_PARAM_MOVES));
	row("MiB moved", vttm_get(gpu, VTTM_PARAM_BYTES_MOVED) / MIB);
	row("evictions", vttm_get(gpu, VTTM_PARAM_EVICTIONS));
	row("swap-outs", vttm_get(gpu, VTTM_PARAM_SWAP_OUTS));
	row("walks", seen.walks);
	row("steps", seen.steps);
	row("met again, having moved", seen.twice - seen.repeated);
	row("lock drops", seen.drops);
	row("most in one hold", seen.most);
	row("owed", seen.owed);
	row("returned", seen.returned);
	row("missed", seen.missed);
	row("met twice", seen.repeated);
	row("pages verified", pages_verified);
	row("pages wrong", pages_wrong);
	return refused;
}

/* --- The program --- */

static void make_buffers(struct vm *vm, __u64 bytes)
{
	__u64 most = bytes / (LEAST_PAGES * PAGE) + 1;
	int ret = vttm_vm_create(gpu, &vm->id);

	if (ret < 0)
		die("VM: %s", strerror(-ret));
	vm->buffers = calloc(most, sizeof(*vm->buffers));
	if (!vm->buffers)
		die("no memory");
	while (bytes) {
		__u64 pages = LEAST_PAGES + rng_below(&vm->rng, options.pages - LEAST_PAGES + 1);
		struct buffer *buffer = &vm->buffers[vm->count];
		/* One in eight belongs to no VM. */
		__u32 id = vm->count % 8 == 7 ? 0 : vm->id;
		struct drm_vttm_gem_info info;

		if (bytes / PAGE < pages + LEAST_PAGES)
			pages = bytes / PAGE;
		ret = bo_create(gpu, &buffer->bo, pages * PAGE, ALL_DOMAINS,
				rng_below(&vm->rng, vttm_get(gpu, VTTM_PARAM_PRIORITIES)), id);
		if (ret < 0)
			die("buffer: %s", strerror(-ret));
		look(buffer, &info);
		buffer->id = info.id;
		buffer->number = buffers_total++;
		buffer->bases = calloc(pages, sizeof(*buffer->bases));
		if (!buffer->bases)
			die("no memory");
		for (__u64 page = 0; page < pages; page++) {
			__u64 *word = buffer->bo.map + page * WORDS;

			buffer->bases[page] = base_of(buffer, page);
			for (__u64 n = 0; n < WORDS; n++)
				word[n] = buffer->bases[page] + n;
		}
		vm->count++;
		bytes -= pages * PAGE;
	}
}

static const char usage[] =
	"%s [--mib N] [--vms N] [--rounds N] [--pages N] [--pause MS] [--seed N] [--short]";

static void read_options(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "mib", required_argument, NULL, 'm' },
		{ "vms", required_argument, NULL, 'v' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "seed", required_argument, NULL, 's' },
		{ "pages", required_argument, NULL, 'p' },
		{ "pause", required_argument, NULL, 'w' },
		{ "short", no_argument, NULL, 'f' },
		{}
	};
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (option) {
		case 'm':
			options.mib = strtoull(optarg, NULL, 0);
			break;
		case 'v':
			options.vms = strtoul(optarg, NULL, 0);
			break;
		case 'r':
			options.rounds = strtoull(optarg, NULL, 0);
			break;
		case 's':
			options.seed = strtoull(optarg, NULL, 0);
			break;
		case 'p':
			options.pages = strtoull(optarg, NULL, 0);
			break;
		case 'w':
			options.pause_ms = strtoull(optarg, NULL, 0);
			break;
		case 'f':
			options.is_short = true;
			break;
		default:
			die(usage, argv[0]);
		}
	}
	if (!options.vms || options.vms > MOST_VMS || !options.rounds)
		die("--vms is from 1 to %d, --rounds from 1 on", MOST_VMS);
	if (options.pages < LEAST_PAGES || options.pages > MOST_PAGES)
		die("--pages is from %d to %d", LEAST_PAGES, MOST_PAGES);
}

int main(int argc, char **argv)
{
	pthread_t walker;
	__u64 pages, refused;

	read_options(argc, argv);
	gpu = drm_open("vttm", 0);
	if (gpu < 0)
		die("there is no vttm");
	if (!options.mib)
		options.mib = 4 * vttm_get(gpu, VTTM_PARAM_VRAM_SIZE) / MIB;
	printf("%llu MiB of buffers in %u VMs; VRAM has %llu MiB, GTT has %llu MiB; seed %llu\n",
	       options.mib, options.vms, vttm_get(gpu, VTTM_PARAM_VRAM_SIZE) / MIB,
	       vttm_get(gpu, VTTM_PARAM_GTT_SIZE) / MIB, options.seed);
	fflush(stdout);

	for (__u32 v = 0; v < options.vms; v++) {
		vms[v].rng.state = options.seed * MOST_VMS + v;
		make_buffers(&vms[v], options.mib * MIB / options.vms / PAGE * PAGE);
	}
	index_buffers();
	atomic_store(&working, options.vms);
	if (pthread_create(&walker, NULL, walk_all, NULL))
		die("no thread");
	for (__u32 v = 0; v < options.vms; v++) {
		if (pthread_create(&vms[v].thread, NULL, work, &vms[v]))
			die("no thread");
	}
	for (__u32 v = 0; v < options.vms; v++)
		pthread_join(vms[v].thread, NULL);
	pthread_join(walker, NULL);

	pages = pages_verified;
	for_each_buffer(vm, buffer) {
		finish(buffer);
		verify(buffer);
	}
	refused = table();
	pages = pages_verified - pages;
	if (pages * PAGE < options.mib * MIB - options.vms * PAGE)
		die("only %llu pages were verified at the end", pages);
	if (!seen.owed)
		die("no walk owed a buffer");
	if (options.is_short && !refused)
		die("nothing was refused");
	return seen.missed || seen.repeated || pages_wrong ||
	       seen.owed != seen.returned;
}
