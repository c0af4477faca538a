// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * vttm-storm: several processes make random calls, until they have made a given number
 * together. Now and then a process is killed, and a new one replaces it; some processes
 * have a small memory limit. A process must read what it wrote to a buffer, and a call
 * must not return ENOSPC if its buffers fit into empty memory. At the end, no buffer
 * and no VM must be left.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vttm.h"

#define MOST_PROCESSES 64
#define MOST_BUFFERS 24
#define MOST_VMS 4
#define FEW_PAGES 8
#define SOME_PAGES 256
#define FAILED 2
#define GROUP "/sys/fs/cgroup/little"

enum what {
	CREATE, CLOSE, SUBMIT, WRITE, READ, PREFETCH, EVICT, MADVISE, WALK, SEND, RECEIVE,
	VM_CREATE, VM_DESTROY, WAIT, NONSENSE, REOPEN, WHATS,
};

static const char *const names[WHATS] = {
	"create", "close", "submit", "write", "read", "prefetch", "evict", "madvise",
	"walk", "share", "import", "VM", "VM destroyed", "wait", "nonsense", "reopen",
};

static struct {
	__u64 ops, seed;
	__u32 processes;
	bool abandon, quiet;
} options = {
	.ops = 20000,
	.seed = 1,
	.processes = 8,
};

/* Shared by all processes. */
static struct {
	atomic_ullong ops, done[WHATS], refused, had_to_fit, verified;
} *shared;

/* A buffer of a process. Its content is known only if no other process writes to it. */
struct buffer {
	struct bo bo;
	__u64 seed;
	__u32 domains;
	__u32 vm;
	bool known, imported;
};

static struct rng rng;
static int gpu, gpu_number;
static __u64 vram;
static int mail[2];
static struct buffer buffers[MOST_BUFFERS];
static __u32 buffer_count;
static __u32 vms[MOST_VMS];
static __u32 vm_count;

static __u64 below(__u64 n)
{
	return rng_below(&rng, n);
}

/*
 * A call may fail if memory is short, or if a buffer is pinned for another GPU. Any
 * other error ends the storm, and so does ENOSPC if the buffers of the call fit into
 * empty memory (@fits).
 */
static bool ok_if_fits(int ret, const char *what, bool fits)
{
	if (ret >= 0)
		return true;
	if (ret != -ENOMEM && ret != -EBUSY && (ret != -ENOSPC || fits)) {
		fprintf(stderr, "%s: %s\n", what, strerror(-ret));
		_exit(FAILED);
	}
	atomic_fetch_add(&shared->refused, 1);
	return false;
}

static bool ok(int ret, const char *what)
{
	return ok_if_fits(ret, what, true);
}

/*
 * Do these fit into VRAM together, wherever in VRAM some of them are already? Each
 * buffer overlaps at most two aligned places for the largest one. A single buffer
 * always fits. GTT doesn't count, as buffers that other devices import are pinned
 * there.
 */
static bool fit_in_vram(struct buffer *const *used, __u32 count)
{
	__u64 largest = PAGE;

	for (__u32 i = 0; i < count; i++) {
		if (!(used[i]->domains & VTTM_DOMAIN_VRAM))
			return false;
		while (largest < used[i]->bo.size)
			largest *= 2;
	}
	return count == 1 || 2 * count * largest <= vram;
}

static struct buffer *any(void)
{
	return buffer_count ? &buffers[below(buffer_count)] : NULL;
}

static void open_gpu(void)
{
	gpu_number = below(2);
	gpu = drm_open("vttm", gpu_number);
	if (gpu == -ENODEV && gpu_number)
		gpu = drm_open("vttm", gpu_number = 0);
	if (gpu < 0)
		die("there is no vttm");
	vram = vttm_get(gpu, VTTM_PARAM_VRAM_SIZE);
	vm_count = 0;
	buffer_count = 0;
}

/* --- The calls --- */

static void create(void)
{
	struct buffer *buffer = &buffers[buffer_count];
	/* One in six is large: up to all of VRAM. */
	const __u64 most[] = {
		FEW_PAGES, FEW_PAGES, FEW_PAGES, SOME_PAGES, SOME_PAGES, vram / PAGE,
	};
	__u64 pages = 1 + below(most[below(ARRAY_SIZE(most))]);
	__u32 domains = 1 + below(ALL_DOMAINS);

	if (buffer_count == MOST_BUFFERS)
		return;
	buffer->vm = vm_count && below(3) ? vms[below(vm_count)] : 0;
	buffer->seed = 0;
	buffer->domains = domains;
	buffer->known = false;
	buffer->imported = false;
	if (ok(bo_create(gpu, &buffer->bo, pages * PAGE, domains,
			 below(vttm_get(gpu, VTTM_PARAM_PRIORITIES)), buffer->vm), "create"))
		buffer_count++;
}

static void close_one(void)
{
	struct buffer *buffer = any();

	if (!buffer)
		return;
	if (buffer->bo.map)
		munmap(buffer->bo.map, buffer->bo.size);
	drm_close_handle(gpu, buffer->bo.handle);
	*buffer = buffers[--buffer_count];
}

static __u64 word(const struct buffer *buffer, __u64 n)
{
	return buffer->seed + n * 0x100000001ULL;
}

/*
 * A buffer keeps its content while the CPU writes: nothing marks it as purgeable
 * meanwhile.
 */
static void write_one(void)
{
	struct buffer *buffer = any();

	if (!buffer || !buffer->bo.map || buffer->imported)
		return;
	ok(vttm_finish(gpu, buffer->bo.handle), "wait");
	buffer->seed = rng_next(&rng);
	for (__u64 n = 0; n < buffer->bo.size / 8; n++)
		buffer->bo.map[n] = word(buffer, n);
	buffer->known = true;
}

static void read_one(void)
{
	struct buffer *buffer = any();

	if (!buffer || !buffer->known)
		return;
	ok(vttm_finish(gpu, buffer->bo.handle), "wait");
	for (__u64 n = 0; n < buffer->bo.size / 8; n++) {
		if (buffer->bo.map[n] == word(buffer, n))
			continue;
		fprintf(stderr, "word %llu of %llu is %llx, not %llx\n", n,
			buffer->bo.size / 8, buffer->bo.map[n], word(buffer, n));
		_exit(FAILED);
	}
	atomic_fetch_add(&shared->verified, 1);
}

static void submit(void)
{
	__u32 vm = vm_count ? vms[below(vm_count)] : 0;
	struct drm_vttm_submit_bo bos[MOST_BUFFERS] = {};
	struct drm_vttm_op ops[MOST_BUFFERS];
	struct buffer *used[MOST_BUFFERS];
	__u64 seeds[MOST_BUFFERS];
	struct drm_vttm_submit args = { .vm_id = vm };
	__u32 count = 0, written = 0;
	bool must_fit = below(2);
	int ret;

	for (__u32 i = 0; i < buffer_count; i++) {
		if ((buffers[i].vm && buffers[i].vm != vm) || !below(3) ||
		    !(buffers[i].domains & GPU_DOMAINS))
			continue;
		used[count] = &buffers[i];
		if (must_fit && !fit_in_vram(used, count + 1))
			continue;
		bos[count].handle = buffers[i].bo.handle;
		bos[count].flags = buffers[i].imported ? 0 : VTTM_BO_WRITE;
		count++;
	}
	for (__u32 i = 0; i < count; i++) {
		if (used[i]->imported || below(2))
			continue;
		seeds[written] = rng_next(&rng);
		ops[written] = (struct drm_vttm_op){
			.op = VTTM_OP_FILL,
			.to = i,
			.size = used[i]->bo.size,
			.value = seeds[written],
			.step = 0x100000001ULL,
		};
		written++;
	}
	args.bos = (uintptr_t)bos;
	args.ops = (uintptr_t)ops;
	args.bo_count = count;
	args.op_count = written;
	if (!below(4))
		args.flags = VTTM_SUBMIT_FENCE_OUT;
	ret = drm_ioctl(gpu, DRM_IOCTL_VTTM_SUBMIT, &args);
	must_fit = fit_in_vram(used, count);
	if (!ok_if_fits(ret, "submit", must_fit))
		return;
	atomic_fetch_add(&shared->had_to_fit, must_fit && count);
	for (__u32 i = 0; i < written; i++) {
		used[ops[i].to]->seed = seeds[i];
		used[ops[i].to]->known = used[ops[i].to]->bo.map;
	}
	if (!args.flags)
		return;
	/* A second submit waits for its fence. */
	if (below(2)) {
		struct drm_vttm_submit next = {
			.flags = VTTM_SUBMIT_FENCE_IN,
			.fence_fd = args.fence_fd,
		};

		ok(drm_ioctl(gpu, DRM_IOCTL_VTTM_SUBMIT, &next), "submit after a fence");
	}
	close(args.fence_fd);
}

static void prefetch(void)
{
	struct buffer *buffer = any();

	if (buffer)
		ok_if_fits(vttm_prefetch(gpu, buffer->bo.handle, 0), "prefetch",
			   buffer->domains != VTTM_DOMAIN_GTT);
}

static void evict(void)
{
	struct buffer *buffer = any();

	if (buffer && !buffer->imported)
		ok(vttm_evict(gpu, buffer->bo.handle, below(2) ? VTTM_EVICT_SWAP_OUT : 0),
		   "evict");
}

static void madvise_one(void)
{
	struct buffer *buffer = any();
	__u32 retained;

	if (!buffer || buffer->imported)
		return;
	if (!ok(vttm_madvise(gpu, buffer->bo.handle, VTTM_MADV_DONT_NEED, &retained),
		"madvise"))
		return;
	if (below(2))
		ok(vttm_evict(gpu, buffer->bo.handle, VTTM_EVICT_SWAP_OUT), "evict");
	if (!ok(vttm_madvise(gpu, buffer->bo.handle, VTTM_MADV_WILL_NEED, &retained),
		"madvise") || !retained)
		buffer->known = false;
}

static void walk(void)
{
	struct drm_vttm_lru_entry entries[64];
	struct drm_vttm_lru_walk args = {
		.domain = 1 << below(3),
		.flags = below(2),
		.entries = (uintptr_t)entries,
		.capacity = below(65),
		.chunk = below(33),
	};

	ok(drm_ioctl(gpu, DRM_IOCTL_VTTM_LRU_WALK, &args), "walk");
}

/* Send a DMA-buf to the socket that all processes read: one of them imports it. */
static void send_fd(int fd)
{
	char control[CMSG_SPACE(sizeof(int))] = {}, byte = gpu_number;
	struct iovec data = { &byte, 1 };
	struct msghdr letter = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&letter);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	sendmsg(mail[0], &letter, MSG_DONTWAIT);
}

static int receive_fd(void)
{
	char control[CMSG_SPACE(sizeof(int))] = {}, byte;
	struct iovec data = { &byte, 1 };
	struct msghdr letter = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct cmsghdr *header;
	int fd = -1;

	if (recvmsg(mail[1], &letter, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) < 0)
		return -1;
	header = CMSG_FIRSTHDR(&letter);
	if (header)
		memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

static void share(void)
{
	struct drm_vttm_gem_info info;
	struct buffer *buffer = any();
	int fd;

	if (!buffer || buffer->vm || buffer->imported)
		return;
	/* A buffer that may only be in VRAM can't be shared. */
	if (!ok(vttm_info(gpu, buffer->bo.handle, &info), "info") ||
	    info.domains == VTTM_DOMAIN_VRAM)
		return;
	fd = drm_export(gpu, buffer->bo.handle);
	if (!ok(fd, "export"))
		return;
	send_fd(fd);
	close(fd);
}

static void import(void)
{
	struct buffer *buffer = &buffers[buffer_count];
	struct drm_vttm_gem_info info;
	int fd, ret;

	if (buffer_count == MOST_BUFFERS)
		return;
	fd = receive_fd();
	if (fd < 0)
		return;
	ret = drm_import(gpu, fd, &buffer->bo.handle);
	close(fd);
	if (!ok_if_fits(ret, "import", false))
		return;
	/* The process may have this buffer already. */
	for (__u32 i = 0; i < buffer_count; i++) {
		if (buffers[i].bo.handle == buffer->bo.handle)
			return;
	}
	ok(vttm_info(gpu, buffer->bo.handle, &info), "info");
	buffer->bo.size = info.size;
	buffer->bo.map = NULL;
	buffer->domains = info.domains;
	buffer->vm = 0;
	buffer->known = false;
	buffer->imported = true;
	buffer_count++;
}

static void vm_create(void)
{
	if (vm_count < MOST_VMS && ok(vttm_vm_create(gpu, &vms[vm_count]), "VM"))
		vm_count++;
}

static void vm_destroy(void)
{
	__u32 i = vm_count ? below(vm_count) : 0;

	if (!vm_count)
		return;
	ok(vttm_vm_destroy(gpu, vms[i]), "VM destroyed");
	vms[i] = vms[--vm_count];
}

static void wait_for_one(void)
{
	struct buffer *buffer = any();
	int ret;

	if (!buffer)
		return;
	ret = vttm_wait(gpu, buffer->bo.handle, below(2), below(2) ? 0 : now_ns() + 1000000);
	if (ret != -ETIME)
		ok(ret, "wait");
}

/* An ioctl with random bytes, which may return anything. */
static void nonsense(void)
{
	char bytes[256];
	__u32 nr = DRM_COMMAND_BASE + below(14);

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = below(3) ? 0 : rng_next(&rng);
	/* Only these: others may destroy a buffer of this process, or wait for ever. */
	if (nr == DRM_COMMAND_BASE + DRM_VTTM_GET_PARAM ||
	    nr == DRM_COMMAND_BASE + DRM_VTTM_LRU_WALK ||
	    nr == DRM_COMMAND_BASE + DRM_VTTM_GEM_CREATE)
		drm_ioctl(gpu, DRM_IOWR(nr, char[256]), bytes);
	else
		drm_ioctl(gpu, DRM_IOWR(nr, char[256]), (void *)8);
}

static void reopen(void)
{
	if (below(8))
		return;
	for (__u32 i = 0; i < buffer_count; i++) {
		if (buffers[i].bo.map)
			munmap(buffers[i].bo.map, buffers[i].bo.size);
	}
	close(gpu);
	open_gpu();
}

static void (*const acts[WHATS])(void) = {
	[CREATE] = create, [CLOSE] = close_one, [SUBMIT] = submit, [WRITE] = write_one,
	[READ] = read_one, [PREFETCH] = prefetch, [EVICT] = evict,
	[MADVISE] = madvise_one, [WALK] = walk, [SEND] = share, [RECEIVE] = import,
	[VM_CREATE] = vm_create, [VM_DESTROY] = vm_destroy, [WAIT] = wait_for_one,
	[NONSENSE] = nonsense, [REOPEN] = reopen,
};

/* How often a process makes each call, relative to the sum. */
static const __u32 weights[WHATS] = {
	[CREATE] = 12, [CLOSE] = 8, [SUBMIT] = 20, [WRITE] = 10, [READ] = 15,
	[PREFETCH] = 8, [EVICT] = 8, [MADVISE] = 4, [WALK] = 8, [SEND] = 4,
	[RECEIVE] = 4, [VM_CREATE] = 3, [VM_DESTROY] = 2, [WAIT] = 6, [NONSENSE] = 4,
	[REOPEN] = 2,
};

static enum what draw(void)
{
	__u64 sum = 0, at;
	int what = 0;

	for (int i = 0; i < WHATS; i++)
		sum += weights[i];
	at = below(sum);
	while (at >= weights[what])
		at -= weights[what++];
	return what;
}

/* --- The processes --- */

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	close(fd);
}

static void act(__u32 number, __u64 seed)
{
	rng.state = seed;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Every third process has a small memory limit. */
	if (number % 3 == 2)
		write_file(GROUP "/cgroup.procs", "0");
	open_gpu();
	while (atomic_fetch_add(&shared->ops, 1) < options.ops) {
		enum what what = draw();

		acts[what]();
		atomic_fetch_add(&shared->done[what], 1);
	}
	_exit(0);
}

static pid_t start(__u32 number, __u64 seed)
{
	pid_t pid = fork();

	if (!pid)
		act(number, seed);
	if (pid < 0)
		die("fork: %s", strerror(errno));
	return pid;
}

/* Wait until all processes have ended. Return how many failed. */
static __u32 storm(__u64 *killed)
{
	pid_t pids[MOST_PROCESSES];
	__u64 next_kill, started = 0, told = 0;
	__u32 wrong = 0, alive = options.processes;

	for (__u32 i = 0; i < options.processes; i++)
		pids[i] = start(i, options.seed << 32 | started++);
	next_kill = below(200);
	while (alive) {
		int status;
		pid_t ended = waitpid(-1, &status, WNOHANG);
		__u64 ops = shared->ops;
		__u32 i = below(options.processes);

		if (ended > 0) {
			for (i = 0; pids[i] != ended; i++)
				;
			wrong += WIFEXITED(status) ? WEXITSTATUS(status) != 0 :
						     WTERMSIG(status) != SIGKILL;
			if (ops < options.ops && !(WIFEXITED(status) && WEXITSTATUS(status))) {
				pids[i] = start(i, options.seed << 32 | started++);
			} else {
				pids[i] = 0;
				alive--;
			}
			continue;
		}
		if (!options.quiet && ops >= told + options.ops / 20) {
			told = ops;
			printf("%llu of %llu\n", ops, options.ops);
			fflush(stdout);
		}
		if (ops >= options.ops && options.abandon) {
			for (i = 0; i < options.processes; i++) {
				if (pids[i])
					kill(pids[i], SIGKILL);
			}
		} else if (ops >= next_kill && ops < options.ops && pids[i]) {
			kill(pids[i], SIGKILL);
			++*killed;
			next_kill = ops + below(400);
		}
		usleep(1000);
	}
	return wrong;
}

static void table(__u64 killed)
{
	for (int i = 0; i < WHATS; i++)
		printf("%-26s%12llu\n", names[i], (__u64)shared->done[i]);
	printf("%-26s%12llu\n", "refused", (__u64)shared->refused);
	printf("%-26s%12llu\n", "submits that had to fit", (__u64)shared->had_to_fit);
	printf("%-26s%12llu\n", "buffers verified", (__u64)shared->verified);
	printf("%-26s%12llu\n", "killed", killed);
}

/* Return what is left on all GPUs. */
static __u32 left(void)
{
	__u32 wrong = 0;

	for (unsigned int n = 0; ; n++) {
		__u64 buffers, vram, gtt;

		gpu = drm_open("vttm", n);
		if (gpu < 0)
			return wrong;
		buffers = vttm_drained(gpu);
		vram = vttm_get(gpu, VTTM_PARAM_VRAM_USED);
		gtt = vttm_get(gpu, VTTM_PARAM_GTT_USED);
		if (buffers || vram || gtt) {
			printf("GPU %u has %llu buffers, %llu bytes of VRAM, %llu of GTT left\n",
			       n, buffers, vram, gtt);
			wrong++;
		}
		close(gpu);
	}
}

static void read_options(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "ops", required_argument, NULL, 'o' },
		{ "processes", required_argument, NULL, 'p' },
		{ "seed", required_argument, NULL, 's' },
		{ "abandon", no_argument, NULL, 'a' },
		{ "quiet", no_argument, NULL, 'q' },
		{}
	};
	int option;

	while ((option = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (option) {
		case 'o':
			options.ops = strtoull(optarg, NULL, 0);
			break;
		case 'p':
			options.processes = strtoul(optarg, NULL, 0);
			break;
		case 's':
			options.seed = strtoull(optarg, NULL, 0);
			break;
		case 'a':
			options.abandon = true;
			break;
		case 'q':
			options.quiet = true;
			break;
		default:
			die("%s [--ops N] [--processes N] [--seed N] [--abandon] [--quiet]",
			    argv[0]);
		}
	}
	if (!options.processes || options.processes > MOST_PROCESSES)
		die("--processes is from 1 to %d", MOST_PROCESSES);
}

int main(int argc, char **argv)
{
	__u64 killed = 0;
	__u32 wrong;

	read_options(argc, argv);
	rng.state = ~options.seed;
	if (!options.quiet)
		printf("%llu operations by %u processes; seed %llu\n", options.ops,
		       options.processes, options.seed);
	fflush(stdout);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED ||
	    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, mail))
		die("%s", strerror(errno));
	write_file("/sys/fs/cgroup/cgroup.subtree_control", "+memory");
	mkdir(GROUP, 0755);
	write_file(GROUP "/memory.max", "24M");

	wrong = storm(&killed);
	close(mail[0]);
	close(mail[1]);
	rmdir(GROUP);
	if (!options.quiet)
		table(killed);
	if (wrong)
		printf("%u processes ended with an error\n", wrong);
	return wrong || (!options.abandon && left());
}
