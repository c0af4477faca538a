// SPDX-License-Identifier: GPL-2.0 OR MIT
/* All of user space: load the module, and end. */

#include <fcntl.h>
#include <stdio.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
	int fd = open("/ttm_cost.ko", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0))
		perror("ttm_cost.ko");
	/* QEMU, with -no-reboot, ends then. */
	return reboot(RB_AUTOBOOT);
}
