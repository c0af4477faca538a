// SPDX-License-Identifier: GPL-2.0 OR MIT
/* vttm-hold MIB: hold buffers in VRAM until killed, for others to see. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vttm.h"

int main(int argc, char **argv)
{
	int gpu = drm_open("vttm", 0);
	__u64 count = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;

	if (gpu < 0)
		die("there is no vttm");
	for (__u64 i = 0; i < count; i++) {
		__u32 handle;
		int ret = vttm_create(gpu, MIB, VTTM_DOMAIN_VRAM, 0, 0, &handle);

		if (!ret)
			ret = vttm_prefetch(gpu, handle, 0);
		if (ret < 0)
			die("%s", strerror(-ret));
	}
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
