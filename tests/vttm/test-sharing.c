// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Sharing buffers with other GPUs and drivers; what fdinfo and debugfs show. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/dma-heap.h>
#include <linux/udmabuf.h>

#include "test.h"
#include "test-cases.h"

void prime_bad(void)
{
	struct bo local = make_bo(PAGE, ALL_DOMAINS, make_vm());
	__u32 handle;
	int not_a_buffer = open("/dev/null", O_RDWR);

	check_in(drm_export(gpu, local.handle), -EPERM, -EINVAL);
	check_eq(drm_export(gpu, BAD_HANDLE), -ENOENT);
	check_eq(drm_import(gpu, -1, &handle), -EBADF);
	check_eq(drm_import(gpu, not_a_buffer, &handle), -EINVAL);
}

void prime_self(void)
{
	__u32 ours = make(PAGE, ALL_DOMAINS, 0), again, theirs;
	int file = drm_open("vttm", 0), dma_buf = drm_export(gpu, ours);
	struct drm_vttm_gem_info what;

	check(dma_buf >= 0);
	check_eq(drm_import(gpu, dma_buf, &again), 0);
	check_eq(again, ours);
	/* Another file of the same GPU has the buffer itself. */
	check_eq(drm_import(file, dma_buf, &theirs), 0);
	check_eq(vttm_info(file, theirs, &what), 0);
	check_eq(what.id, info(ours).id);
	check(!(what.state & VTTM_STATE_IMPORTED));
}

/* The buffer @handle of @from in @to, whose program sees what the first one wrote. */
static void prime_to_vttm(int to, int dma_buf, __u64 *map, __u64 size)
{
	struct drm_vttm_gem_info what;
	struct drm_vttm_submit_bo used[2];
	struct drm_vttm_op op;
	struct bo theirs, copy;
	void *seen;

	check(dma_buf >= 0);
	check_eq(drm_import(to, dma_buf, &theirs.handle), 0);
	theirs.size = size;
	check_eq(vttm_info(to, theirs.handle, &what), 0);
	check_eq(what.size, size);
	check(what.state & VTTM_STATE_IMPORTED);
	check_eq(bo_create(to, &copy, size, ALL_DOMAINS, 0, 0), 0);

	/* The GPU reads it, and writes to it. */
	for (__u64 i = 0; i < size / 8; i++)
		map[i] = 0xabc + i * 0x10001;
	used[0] = use(&theirs, 0);
	used[1] = use(&copy, VTTM_BO_WRITE);
	op = copy_op(1, 0, size);
	check_eq(vttm_submit(to, 0, used, 2, &op, 1), 0);
	check_eq(vttm_finish(to, copy.handle), 0);
	check(holds(&copy, 0xabc));
	used[0].flags = VTTM_BO_WRITE;
	op = fill_op(0, 0, size, 0xdef);
	check_eq(vttm_submit(to, 0, used, 1, &op, 1), 0);
	check_eq(vttm_finish(to, theirs.handle), 0);
	check_eq(map[0], 0xdef);
	check_eq(map[size / 8 - 1], 0xdef + (size / 8 - 1) * 0x10001);

	/* If the importer can map it, it sees the same memory. */
	if (!vttm_map(to, theirs.handle, size, &seen)) {
		theirs.map = seen;
		check(holds(&theirs, 0xdef));
		munmap(seen, size);
	}
	bo_destroy(to, &copy);
	/* None of these calls moves it to a place where the importer can't reach it. */
	vttm_evict(to, theirs.handle, VTTM_EVICT_SWAP_OUT);
	vttm_evict(to, theirs.handle, 0);
	check_eq(map[0], 0xdef);
	check(vttm_prefetch(to, theirs.handle, VTTM_DOMAIN_VRAM) < 0);
	check_eq(drm_close_handle(to, theirs.handle), 0);
	check_eq(map[0], 0xdef);
}

void prime_between(void)
{
	struct bo bo = make_bo(16 * PAGE, ALL_DOMAINS, 0);

	prime_to_vttm(other, drm_export(gpu, bo.handle), bo.map, bo.size);
	/* It is pinned until the other GPU has released it. */
	check_eq(vttm_drained(other), 0);
	/* The same in VRAM: it must move out first. */
	check_eq(vttm_prefetch(gpu, bo.handle, VTTM_DOMAIN_VRAM), 0);
	prime_to_vttm(other, drm_export(gpu, bo.handle), bo.map, bo.size);
}

/* A buffer that another GPU imports stays in its place, and can be used there. */
void prime_stays(void)
{
	struct bo bo = make_bo(4 * PAGE, ALL_DOMAINS, 0);
	struct drm_vttm_submit_bo used = use(&bo, VTTM_BO_WRITE);
	struct drm_vttm_op op = fill_op(0, 0, bo.size, 5);
	struct drm_vttm_gem_info what;
	__u32 theirs;

	check_eq(drm_import(other, drm_export(gpu, bo.handle), &theirs), 0);
	check_eq(vttm_info(gpu, bo.handle, &what), 0);
	check_eq(what.domain, VTTM_DOMAIN_GTT);
	check_eq(vttm_prefetch(gpu, bo.handle, VTTM_DOMAIN_VRAM), -EBUSY);
	check_eq(vttm_evict(gpu, bo.handle, 0), -EBUSY);
	check_eq(vttm_prefetch(gpu, bo.handle, 0), 0);
	check_eq(vttm_submit(gpu, 0, &used, 1, &op, 1), 0);
	check_eq(vttm_finish(gpu, bo.handle), 0);
	check(holds(&bo, 5));
	check_eq(drm_close_handle(other, theirs), 0);
}

void prime_outlives(void)
{
	__u32 handle, theirs;
	int file = drm_open("vttm", 0), dma_buf;
	struct bo bo = { .size = 4 * PAGE };
	void *map;

	check_eq(vttm_create(file, bo.size, ALL_DOMAINS, 0, 0, &handle), 0);
	check_eq(vttm_map(file, handle, bo.size, &map), 0);
	bo.map = map;
	fill(&bo, 4);
	munmap(map, bo.size);
	dma_buf = drm_export(file, handle);
	check(dma_buf >= 0);
	check_eq(drm_import(other, dma_buf, &theirs), 0);
	close(file);
	bo.map = mmap(NULL, bo.size, PROT_READ, MAP_SHARED, dma_buf, 0);
	if (bo.map != MAP_FAILED)
		check(holds(&bo, 4));
	close(dma_buf);
	check_eq(drm_close_handle(other, theirs), 0);
}

void prime_udmabuf(void)
{
	struct udmabuf_create args = { .flags = UDMABUF_FLAGS_CLOEXEC, .size = 8 * PAGE };
	int dev = open("/dev/udmabuf", O_RDWR);
	__u64 *map;

	if (dev < 0)
		ktap_skip("there is no udmabuf");
	args.memfd = memfd_create("vttm-test", MFD_ALLOW_SEALING);
	check_eq(ftruncate(args.memfd, args.size), 0);
	check_eq(fcntl(args.memfd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	map = mmap(NULL, args.size, PROT_READ | PROT_WRITE, MAP_SHARED, args.memfd, 0);
	check(map != MAP_FAILED);
	prime_to_vttm(gpu, ioctl(dev, UDMABUF_CREATE, &args), map, args.size);
}

void prime_heap(void)
{
	struct dma_heap_allocation_data args = {
		.len = 8 * PAGE,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	int heap = open("/dev/dma_heap/system", O_RDWR);
	__u64 *map;

	if (heap < 0)
		ktap_skip("there is no heap");
	check_eq(ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &args), 0);
	map = mmap(NULL, args.len, PROT_READ | PROT_WRITE, MAP_SHARED, args.fd, 0);
	check(map != MAP_FAILED);
	prime_to_vttm(gpu, args.fd, map, args.len);
}

static int open_vgem(void)
{
	int vgem = drm_open_card("vgem");

	if (vgem < 0)
		ktap_skip("there is no vgem");
	return vgem;
}

void prime_from_vgem(void)
{
	int vgem = open_vgem(), dma_buf;
	struct drm_mode_create_dumb args = { .width = 1024, .height = 8, .bpp = 32 };
	__u64 *map;

	check_eq(drm_ioctl(vgem, DRM_IOCTL_MODE_CREATE_DUMB, &args), 0);
	dma_buf = drm_export(vgem, args.handle);
	check(dma_buf >= 0);
	map = mmap(NULL, args.size, PROT_READ | PROT_WRITE, MAP_SHARED, dma_buf, 0);
	check(map != MAP_FAILED);
	prime_to_vttm(gpu, dma_buf, map, args.size);
}

void prime_to_vgem(void)
{
	int vgem = open_vgem(), dma_buf;
	struct bo bo = make_bo(4 * PAGE, ALL_DOMAINS, 0);
	__u32 handle;

	fill(&bo, 8);
	dma_buf = drm_export(gpu, bo.handle);
	check(dma_buf >= 0);
	check_eq(drm_import(vgem, dma_buf, &handle), 0);
	check(holds(&bo, 8));
	check_eq(drm_close_handle(vgem, handle), 0);
	check_eq(vttm_prefetch(gpu, bo.handle, VTTM_DOMAIN_VRAM), 0);
	check(holds(&bo, 8));
}

/* The sum of the lines that begin with @key, in KiB, in the fdinfo of @fd. */
static long long fdinfo(int fd, const char *key)
{
	char path[64], line[256];
	long long sum = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "r");
	check(file);
	while (fgets(line, sizeof(line), file)) {
		unsigned long long value;
		char unit[8] = "";

		if (strncmp(line, key, strlen(key)) || line[strlen(key)] != ':')
			continue;
		check(sscanf(line + strlen(key) + 1, "%llu %7s", &value, unit) >= 1);
		if (!strcmp(unit, "MiB"))
			value <<= 10;
		else if (strcmp(unit, "KiB"))
			value >>= 10;
		sum = (sum < 0 ? 0 : sum) + value;
	}
	fclose(file);
	return sum;
}

static bool fdinfo_says(int fd, const char *wanted)
{
	char path[64], line[256];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "r");
	check(file);
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		found = found || !strcmp(line, wanted);
	}
	fclose(file);
	return found;
}

void fdinfo_adds_up(void)
{
	const int count = 8;
	long long kib = 16 * PAGE / 1024;
	struct bo bos[8];
	int file = drm_open("vttm", 0);

	check(fdinfo_says(gpu, "drm-driver:\tvttm"));
	for (int i = 0; i < count; i++) {
		bos[i] = make_bo(16 * PAGE, ALL_DOMAINS, 0);
		check_eq(vttm_prefetch(gpu, bos[i].handle, VTTM_DOMAIN_VRAM), 0);
		check_eq(vttm_finish(gpu, bos[i].handle), 0);
	}
	check_eq(fdinfo(gpu, "drm-total-vram"), count * kib);
	check_eq(fdinfo(gpu, "drm-resident-vram"), count * kib);
	/* A client is charged for its own buffers only. */
	check(fdinfo(file, "drm-total-vram") <= 0);
	for (int i = 0; i < count / 2; i++)
		check_eq(vttm_prefetch(gpu, bos[i].handle, VTTM_DOMAIN_GTT), 0);
	check_eq(fdinfo(gpu, "drm-resident-vram"), count / 2 * kib);
	check_eq(fdinfo(gpu, "drm-resident-gtt"), count / 2 * kib);
	check(drm_export(gpu, bos[count - 1].handle) >= 0);
	check_eq(fdinfo(gpu, "drm-shared-vram"), kib);
}

void debugfs_shows(void)
{
	static const char format[] = "buddy: %llu of %llu bytes free";
	__u64 size = vttm_get(gpu, VTTM_PARAM_VRAM_SIZE), free = 0, all = 0;
	__u32 handle = make(PAGE, ALL_DOMAINS, 0);
	/* VRAM is TTM's memory type 2. */
	FILE *file = fopen("/sys/kernel/debug/vttm.0/managers/memory2", "r");
	bool found = false;
	char line[256];

	check(file);
	check_eq(vttm_prefetch(gpu, handle, VTTM_DOMAIN_VRAM), 0);
	while (fgets(line, sizeof(line), file))
		found = found || sscanf(line, format, &free, &all) == 2;
	check(found);
	check_eq(all, size);
	check_eq(free, size - PAGE);
}
