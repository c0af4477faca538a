#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Build the kernel for the GPU in QEMU, and its modules."""

import subprocess
import sys

from machine import KERNEL, run


def main():
	try:
		KERNEL.configure()
		if lost := KERNEL.lost_options():
			sys.exit(f'hitch: {lost[0]} was not granted')
		run(*KERNEL.make, 'bzImage', 'modules')
	except subprocess.CalledProcessError as error:
		sys.exit(f'hitch: {error}')


main()
