// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * vttm-fuzz: histories of ioctls, which libFuzzer finds by KCOV's coverage of vttm and
 * TTM. Most bytes are decoded to valid calls, as the kernel refuses others before they
 * do anything. In some calls one word is then corrupted.
 *
 *	vttm-fuzz -runs=10000 [-seed=1] [other options of libFuzzer]
 *
 * It looks for bugs that the kernel reports, and for buffers that are left.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vttm.h"

#define COUNTERS (1 << 16)
#define TRACE_WORDS (1 << 18)
#define KCOV_INIT_TRACE _IOR('c', 1, unsigned long)
#define KCOV_ENABLE _IO('c', 100)
#define KCOV_TRACE_PC 0

#define SLOTS 8
#define MOST_CALLS 64
#define MOST_BYTES (8 * MIB)
/* The longest wait. */
#define PATIENCE_NS 2000000

/* Coverage of the kernel, which libFuzzer uses in addition to that of the program. */
static __u8 counters[COUNTERS] __attribute__((section("__libfuzzer_extra_counters"), used));

static unsigned long *trace;

/* The bytes that are not decoded yet. */
static const __u8 *at, *end;

static int gpus[2], file;
static __u32 handles[SLOTS], vms[SLOTS];
static int fds[SLOTS];
static struct {
	void *map;
	size_t size;
} maps[SLOTS];
static int timeline;

static __u8 byte(void)
{
	return at < end ? *at++ : 0;
}

static __u64 bytes(int n)
{
	__u64 value = 0;

	while (n--)
		value = value << 8 | byte();
	return value;
}

/* Boundary values, and random numbers. */
static __u64 number(void)
{
	static const __u64 special[] = {
		0, 1, 7, 8, 4095, PAGE, PAGE + 1, 16 * PAGE, MIB, 1ULL << 31, 1ULL << 32,
		1ULL << 40, 1ULL << 52, 1ULL << 63, ~0ULL - PAGE, ~0ULL - 7, ~0ULL,
	};
	__u8 how = byte();

	if (how < ARRAY_SIZE(special))
		return special[how];
	return how < 128 ? how * PAGE / 16 : bytes(how % 8 + 1);
}

static __u32 handle(void)
{
	__u8 which = byte();

	return which < 240 ? handles[which % SLOTS] : bytes(4);
}

static __u32 vm(void)
{
	__u8 which = byte();

	return which < 240 ? (which % 3 ? vms[which % SLOTS] : 0) : bytes(4);
}

static __u32 flags(__u32 known)
{
	__u8 how = byte();

	return how < 240 ? how & known : bytes(4);
}

/* --- Calls --- */

/* Now and then, replace one word by another value. */
static void spoil(void *args, size_t size)
{
	__u8 how = byte();
	__u64 value;
	size_t where;

	if (how < 200)
		return;
	where = byte() % (size / 4) * 4;
	value = number();
	memcpy((char *)args + where, &value, where + 8 <= size && how & 1 ? 8 : 4);
}

static int call(unsigned long request, void *args)
{
	spoil(args, _IOC_SIZE(request));
	return ioctl(file, request, args);
}

static void create(void)
{
	struct drm_vttm_gem_create args = {
		.size = number(),
		.domains = flags(ALL_DOMAINS),
		.priority = flags(3),
		.vm_id = vm(),
	};
	__u8 slot = byte() % SLOTS;

	spoil(&args, sizeof(args));
	/* Keep sizes small: memory does not suffice for large buffers. */
	if (args.size < 1ULL << 40)
		args.size %= MOST_BYTES;
	if (!ioctl(file, DRM_IOCTL_VTTM_GEM_CREATE, &args))
		handles[slot] = args.handle;
}

static void close_handle(void)
{
	struct drm_gem_close args = { .handle = handle() };

	call(DRM_IOCTL_GEM_CLOSE, &args);
}

static void vm_create(void)
{
	struct drm_vttm_vm_create args = {};
	__u8 slot = byte() % SLOTS;

	if (!call(DRM_IOCTL_VTTM_VM_CREATE, &args))
		vms[slot] = args.vm_id;
}

static void vm_destroy(void)
{
	struct drm_vttm_vm_destroy args = { .vm_id = vm() };

	call(DRM_IOCTL_VTTM_VM_DESTROY, &args);
}

static void info(void)
{
	struct drm_vttm_gem_info args = { .handle = handle() };

	call(DRM_IOCTL_VTTM_GEM_INFO, &args);
}

static void get_param(void)
{
	struct drm_vttm_get_param args = { .param = byte() };

	call(DRM_IOCTL_VTTM_GET_PARAM, &args);
}

static void unmap(int slot)
{
	if (maps[slot].map)
		munmap(maps[slot].map, maps[slot].size);
	maps[slot].map = NULL;
}

static void map(void)
{
	struct drm_vttm_gem_mmap_offset args = { .handle = handle() };
	int slot = byte() % SLOTS, protection = byte() % 4;
	size_t size = (1 + byte() % 64) * PAGE;
	void *map;

	if (call(DRM_IOCTL_VTTM_GEM_MMAP_OFFSET, &args))
		return;
	map = mmap(NULL, size, protection, byte() & 1 ? MAP_SHARED : MAP_PRIVATE, file,
		   args.offset + (byte() < 16 ? PAGE : 0));
	if (map == MAP_FAILED)
		return;
	unmap(slot);
	maps[slot].map = map;
	maps[slot].size = size;
}

/* Access a mapping by a system call, which fails where an access would raise a signal. */
static void touch(void)
{
	int slot = byte() % SLOTS, other = open(byte() & 1 ? "/dev/zero" : "/dev/null", O_RDWR);

	if (maps[slot].map && other >= 0) {
		(void)!read(other, maps[slot].map, maps[slot].size);
		(void)!write(other, maps[slot].map, maps[slot].size);
	}
	close(other);
}

static void prefetch(void)
{
	struct drm_vttm_gem_prefetch args = {
		.handle = handle(),
		.domains = flags(ALL_DOMAINS),
	};

	call(DRM_IOCTL_VTTM_GEM_PREFETCH, &args);
}

static void evict(void)
{
	struct drm_vttm_gem_evict args = {
		.handle = handle(),
		.flags = flags(VTTM_EVICT_SWAP_OUT),
	};

	call(DRM_IOCTL_VTTM_GEM_EVICT, &args);
}

static void advise(void)
{
	struct drm_vttm_gem_madvise args = { .handle = handle(), .advice = flags(1) };

	call(DRM_IOCTL_VTTM_GEM_MADVISE, &args);
}

static void submit(void)
{
	struct drm_vttm_submit_bo bos[6] = {};
	struct drm_vttm_op ops[6] = {};
	struct drm_vttm_submit args = {
		.vm_id = vm(),
		.flags = flags(VTTM_SUBMIT_FENCE_IN | VTTM_SUBMIT_FENCE_OUT),
		.bos = (uintptr_t)bos,
		.ops = (uintptr_t)ops,
		.bo_count = byte() % (ARRAY_SIZE(bos) + 1),
		.op_count = byte() % (ARRAY_SIZE(ops) + 1),
	};
	__u8 slot = byte() % SLOTS;

	for (__u32 i = 0; i < args.bo_count; i++)
		bos[i] = (struct drm_vttm_submit_bo){
			.handle = handles[(slot + i) % SLOTS],
			.flags = flags(VTTM_BO_WRITE),
			.domains = flags(GPU_DOMAINS),
		};
	for (__u32 i = 0; i < args.op_count; i++) {
		ops[i] = (struct drm_vttm_op){
			.op = flags(1),
			.to = byte() % ARRAY_SIZE(bos),
			.size = number() & ~7ULL,
			.to_offset = byte() < 200 ? 0 : number(),
		};
		if (ops[i].op == VTTM_OP_COPY)
			ops[i].from = byte() % ARRAY_SIZE(bos);
		else
			ops[i].value = number();
		spoil(&ops[i], sizeof(ops[i]));
	}
	if (args.flags & VTTM_SUBMIT_FENCE_IN)
		args.fence_fd = fds[slot];
	spoil(bos, sizeof(bos));
	if (!call(DRM_IOCTL_VTTM_SUBMIT, &args) && args.flags & VTTM_SUBMIT_FENCE_OUT) {
		if (fds[slot] > 0)
			close(fds[slot]);
		fds[slot] = args.fence_fd;
	}
}

static void wait_idle(void)
{
	struct drm_vttm_wait args = {
		.handle = handle(),
		.flags = flags(VTTM_WAIT_WRITES),
		.timeout_ns = byte() & 1 ? INT64_MAX : (__s64)number(),
	};

	spoil(&args, sizeof(args));
	if (args.timeout_ns > (__s64)now_ns() + PATIENCE_NS)
		args.timeout_ns = now_ns() + PATIENCE_NS;
	ioctl(file, DRM_IOCTL_VTTM_WAIT, &args);
}

static void walk(void)
{
	struct drm_vttm_lru_entry entries[32];
	struct drm_vttm_lru_walk args = {
		.domain = byte() < 240 ? 1 << byte() % 3 : flags(ALL_DOMAINS),
		.flags = flags(VTTM_LRU_WALK_BOUNDED),
		.entries = (uintptr_t)entries,
		.capacity = byte() % 33,
		.chunk = byte() % 34,
	};

	/* Bad addresses, but none of our own memory. */
	if (byte() < 16) {
		args.entries = number() % PAGE;
		args.capacity = number();
	}
	ioctl(file, DRM_IOCTL_VTTM_LRU_WALK, &args);
}

static void export(void)
{
	struct drm_prime_handle args = { .handle = handle(), .flags = flags(DRM_RDWR) };
	int slot = byte() % SLOTS;

	if (call(DRM_IOCTL_PRIME_HANDLE_TO_FD, &args))
		return;
	if (fds[slot] > 0)
		close(fds[slot]);
	fds[slot] = args.fd;
}

static void import(void)
{
	struct drm_prime_handle args = { .fd = fds[byte() % SLOTS] };
	int slot = byte() % SLOTS;

	if (!call(DRM_IOCTL_PRIME_FD_TO_HANDLE, &args))
		handles[slot] = args.handle;
}

/* Switch between the GPUs, whose handles and VMs differ. */
static void other(void)
{
	file = gpus[byte() & 1];
}

/* Make a fence of a sw_sync timeline, or advance the timeline. */
static void fence(void)
{
	struct {
		__u32 value;
		char name[32];
		__s32 fence;
	} args = { .value = 1 + byte() % 4, .name = "fuzz" };
	__u32 one = 1;
	int slot = byte() % SLOTS;

	if (timeline < 0)
		return;
	if (byte() & 1) {
		ioctl(timeline, _IOW('W', 1, __u32), &one);
	} else if (!ioctl(timeline, _IOC(_IOC_READ | _IOC_WRITE, 'W', 0, sizeof(args)), &args)) {
		if (fds[slot] > 0)
			close(fds[slot]);
		fds[slot] = args.fence;
	}
}

static void garbage(void)
{
	char args[128] = {};
	__u32 size = byte() % sizeof(args);
	__u32 nr = byte() & 1 ? DRM_COMMAND_BASE + byte() % 16 : byte();

	for (__u32 i = 0; i < size; i++)
		args[i] = byte();
	/* Ioctls that write to a given address, or wait, have their own calls above. */
	if (nr == DRM_COMMAND_BASE + DRM_VTTM_LRU_WALK ||
	    nr == DRM_COMMAND_BASE + DRM_VTTM_WAIT ||
	    nr == DRM_COMMAND_BASE + DRM_VTTM_GEM_CREATE || nr == 0x0 || nr == 0xb2 ||
	    (nr >= 0xa0 && nr < 0xd0))
		return;
	ioctl(file, _IOC(byte() % 4, 'd', nr, size), args);
}

static void (*const calls[])(void) = {
	create, create, close_handle, vm_create, vm_destroy, info, get_param, map, touch,
	prefetch, evict, advise, submit, submit, wait_idle, walk, export, import, other,
	fence, garbage,
};

/* --- A history --- */

static void begin(void)
{
	for (int i = 0; i < 2; i++) {
		gpus[i] = drm_open("vttm", i);
		if (gpus[i] < 0)
			die("there are fewer than two vttm devices");
	}
	file = gpus[0];
	timeline = open("/sys/kernel/debug/sync/sw_sync", O_RDWR | O_CLOEXEC);
	memset(handles, 0, sizeof(handles));
	memset(vms, 0, sizeof(vms));
	memset(fds, 0, sizeof(fds));
}

static void finish(void)
{
	/* Closing the timeline signals its fences. */
	close(timeline);
	for (int i = 0; i < SLOTS; i++) {
		unmap(i);
		if (fds[i] > 0)
			close(fds[i]);
	}
	for (int i = 0; i < 2; i++)
		close(gpus[i]);
}

static void check_for_leaks(void)
{
	for (int i = 0; i < 2; i++) {
		int gpu = drm_open("vttm", i);

		if (vttm_drained(gpu)) {
			fprintf(stderr, "buffers are left\n");
			abort();
		}
		close(gpu);
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	int kcov = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);

	if (kcov < 0 || ioctl(kcov, KCOV_INIT_TRACE, TRACE_WORDS))
		die("KCOV: %s", strerror(errno));
	trace = mmap(NULL, TRACE_WORDS * sizeof(*trace), PROT_READ | PROT_WRITE, MAP_SHARED,
		     kcov, 0);
	if (trace == MAP_FAILED || ioctl(kcov, KCOV_ENABLE, KCOV_TRACE_PC))
		die("KCOV: %s", strerror(errno));
	return 0;
}

int LLVMFuzzerTestOneInput(const __u8 *data, size_t size)
{
	static __u64 runs;
	unsigned long count;

	at = data;
	end = data + size;
	begin();
	__atomic_store_n(&trace[0], 0, __ATOMIC_RELAXED);
	for (int i = 0; i < MOST_CALLS && at < end; i++)
		calls[byte() % ARRAY_SIZE(calls)]();
	count = __atomic_load_n(&trace[0], __ATOMIC_RELAXED);
	for (unsigned long i = 1; i <= count && i < TRACE_WORDS; i++) {
		__u64 hash = trace[i] * 0x9e3779b97f4a7c15ULL;
		__u8 *counter = &counters[hash >> 48 & (COUNTERS - 1)];

		if (*counter < 255)
			++*counter;
	}
	finish();
	if (++runs % 256 == 0)
		check_for_leaks();
	return 0;
}
