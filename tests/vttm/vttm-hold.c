// SPDX-License-Identifier: GPL-2.0 OR MIT
/* vttm-hold MIB: hold buffers in VRAM, and keep the GPU busy, until killed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vttm.h"

static __u32 hold(int gpu)
{
	__u32 handle;
	int ret = vttm_create(gpu, MIB, VTTM_DOMAIN_VRAM, 0, 0, &handle);

	if (!ret)
		ret = vttm_prefetch(gpu, handle, 0);
	if (ret < 0)
		die("%s", strerror(-ret));
	return handle;
}

static void fill(int gpu, __u32 handle)
{
	const struct drm_vttm_submit_bo bo = { .handle = handle, .flags = VTTM_BO_WRITE };
	const struct drm_vttm_op op = { .op = VTTM_OP_FILL, .size = MIB, .step = 1 };
	int ret = vttm_submit(gpu, 0, &bo, 1, &op, 1);

	if (!ret)
		ret = vttm_finish(gpu, handle);
	if (ret < 0)
		die("%s", strerror(-ret));
}

int main(int argc, char **argv)
{
	int gpu = drm_open("vttm", 0);
	__u64 count = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	__u32 handle = 0;

	if (gpu < 0)
		die("there is no vttm");
	for (__u64 i = 0; i < count; i++)
		handle = hold(gpu);
	fill(gpu, handle);
	puts("ready");
	fflush(stdout);
	for (;;) {
		fill(gpu, handle);
		usleep(10000);
	}
}
