// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Map buffers of ttm_tutorial, let the driver move them, and check their content. */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "ttm_tutorial_drm.h"

#define BUFFERS 6		/* of 256 KiB; VRAM has 1 MiB */
#define WORDS (64 << 10)

static struct drm_tutorial_buffer buffers[BUFFERS];
static unsigned int *words[BUFFERS];

static void call(int fd, unsigned long request, struct drm_tutorial_buffer *args)
{
	if (ioctl(fd, request, args))
		err(1, "ioctl %#lx", request);
}

static void verify(const char *when)
{
	for (unsigned int i = 0; i < BUFFERS; i++)
		for (unsigned int n = 0; n < WORDS; n++)
			if (words[i][n] != i * WORDS + n)
				errx(1, "%s: buffer %u is wrong", when, i);
	printf("%s: all is there\n", when);
}

int main(void)
{
	struct drm_tutorial_buffer vram = { 0 };
	int fd = open("/dev/dri/renderD128", O_RDWR);

	if (fd < 0)
		err(1, "/dev/dri/renderD128");
	for (unsigned int i = 0; i < BUFFERS; i++) {
		buffers[i].size = WORDS * sizeof(*words[i]);
		call(fd, DRM_IOCTL_TUTORIAL_CREATE, &buffers[i]);
		words[i] = mmap(NULL, buffers[i].size, PROT_READ | PROT_WRITE, MAP_SHARED,
				fd, buffers[i].offset);
		if (words[i] == MAP_FAILED)
			err(1, "mmap");
		for (unsigned int n = 0; n < WORDS; n++)
			words[i][n] = i * WORDS + n;
	}
	verify("written");

	call(fd, DRM_IOCTL_TUTORIAL_EVICT, &vram);
	if (vram.size)
		errx(1, "%llu bytes stay in VRAM", vram.size);
	verify("evicted");

	for (unsigned int i = 0; i < BUFFERS; i++) {
		buffers[i].in_vram = 1;
		call(fd, DRM_IOCTL_TUTORIAL_MOVE, &buffers[i]);
	}
	verify("moved to VRAM, one after the other");
	return 0;
}
