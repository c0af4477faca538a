#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Build the kernels of the PC with a screen: one of the merged tree, one of Linux's own."""

from desktop import KERNELS

for kernel in KERNELS.values():
	kernel.build('bzImage', 'modules')
