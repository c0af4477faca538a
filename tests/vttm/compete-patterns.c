// SPDX-License-Identifier: GPL-2.0 OR MIT
/* How the clients of vttm-compete use memory. Each of them fits alone. */
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/dma-heap.h>

#include "compete.h"
#include "vttm.h"

/* --- keep: a large buffer is used in a loop --- */

static void keep_set_up(void)
{
	client_make(40 * run->unit, run->domains, 0);
}

static void keep_round(void)
{
	client_submit(0, 0, 1);
}

static const struct role keep = { "keep", keep_set_up, keep_round };

/* --- churn: buffers are made, used and freed --- */

#define CHURN_HELD 4

static __u32 churn_last;

/* Aligned powers of two, up to an eighth of the memory: five of them always fit. */
static void churn_make(void)
{
	churn_last = client_make(run->unit << draw(4), run->domains, 0);
}

static void churn_set_up(void)
{
	for (int i = 0; i < CHURN_HELD; i++)
		churn_make();
}

static void churn_round(void)
{
	__u32 first;

	churn_make();
	first = churn_last - CHURN_HELD + 1;
	client_drop(first - 1, 1);
	client_submit(0, first, CHURN_HELD);
}

static const struct role churn = { "churn", churn_set_up, churn_round };

/* --- mixed: many small ones and a large one in one submit, beside two others --- */

#define MANY 1000
#define FEW 15

/* They fit beside the large one in a small memory, too. */
static __u32 many_count(void)
{
	__u64 fit = 8 * run->unit / PAGE;

	return fit < MANY ? fit : MANY;
}

static void many_set_up(void)
{
	for (__u32 i = 0; i < many_count(); i++)
		client_make(PAGE, run->domains, 0);
	client_make(40 * run->unit, run->domains, 0);
}

static void many_round(void)
{
	client_submit(0, 0, many_count() + 1);
}

static void few_set_up(void)
{
	for (int i = 0; i < FEW; i++)
		client_make(run->unit, run->domains, 0);
}

static void few_round(void)
{
	client_submit(0, 0, FEW);
}

static const struct role many = { "many", many_set_up, many_round };
static const struct role few = { "few", few_set_up, few_round };

/* --- import: buffers are shared beside a VM that keeps its reservation busy --- */

#define SHARED 12

static __u32 vm_id, vm_used, vm_at;

/*
 * The VM uses one half of its buffers after the other, so that one of its buffers is
 * always in the way. Buffers that are pinned in GTT fit beside one half.
 */
static void vm_set_up(void)
{
	vm_used = run->domains & VTTM_DOMAIN_VRAM ? 60 : 48;
	must(vttm_vm_create(gpu, &vm_id), "VM");
	for (__u32 i = 0; i < 2 * vm_used; i++)
		client_make(run->unit, run->domains, vm_id);
}

static void vm_round(void)
{
	client_submit(vm_id, vm_at, vm_used);
	vm_at = vm_used - vm_at;
}

static int heap, vgem;

static void import_set_up(void)
{
	heap = open("/dev/dma_heap/system", O_RDWR | O_CLOEXEC);
	if (heap < 0)
		die("there is no DMA heap");
}

/* The GPU uses a buffer of another device. */
static void import_round(void)
{
	struct dma_heap_allocation_data args = {
		.len = SHARED * run->unit,
		.fd_flags = O_RDWR | O_CLOEXEC,
	};
	__u32 handle, number;

	if (ioctl(heap, DMA_HEAP_IOCTL_ALLOC, &args))
		die("the DMA heap gives nothing");
	must(drm_import(gpu, args.fd, &handle), "import");
	close(args.fd);
	number = client_adopt(handle, args.len, VTTM_DOMAIN_GTT);
	client_submit(0, number, 1);
	client_drop(number, 1);
}

static void export_set_up(void)
{
	vgem = drm_open_card("vgem");
	if (vgem < 0)
		die("there is no vgem");
}

/* Another device uses the GPU's buffer, which pins it in GTT. */
static void export_round(void)
{
	__u32 number = client_make(SHARED * run->unit, VTTM_DOMAIN_GTT, 0);
	__u32 handle;
	int dma_buf = must(drm_export(gpu, client_handle(number)), "export");
	int ret;

	attempt_begin();
	ret = drm_import(vgem, dma_buf, &handle);
	attempt_end(ret, number, 1);
	if (!ret)
		drm_close_handle(vgem, handle);
	close(dma_buf);
	client_drop(number, 1);
}

static const struct role vm = { "VM", vm_set_up, vm_round };
static const struct role import = { "import", import_set_up, import_round };
static const struct role export = { "export", export_set_up, export_round };

const struct pattern patterns[] = {
	{ "keep", { &keep, &keep, &keep } },
	{ "churn", { &churn, &churn, &churn, &churn, &churn, &churn } },
	{ "mixed", { &many, &few, &few } },
	{ "import", { &vm, &import, &export } },
};

const int pattern_count = ARRAY_SIZE(patterns);
