#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Build the kernels of the PC with a screen: one of the merged tree, one of Linux's own."""

import subprocess
import sys

from desktop import KERNELS, run


def main():
	try:
		for kernel in KERNELS.values():
			kernel.configure()
			if lost := kernel.lost_options():
				sys.exit(f'hitch: {lost[0]} was not granted')
			run(*kernel.make, 'bzImage', 'modules')
	except subprocess.CalledProcessError as error:
		sys.exit(f'hitch: {error}')


main()
