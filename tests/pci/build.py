#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Build the kernel for the GPU in QEMU, and its modules."""

from machine import KERNEL

KERNEL.build('bzImage', 'modules')
