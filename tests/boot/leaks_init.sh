#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# The init of a test kernel that has run its suites: let kmemleak search for memory that
# they lost. kmemleak logs how many objects it finds; this prints some. If a command
# fails, init ends, and so the kernel panics.
set -eu

mount -t debugfs none /mnt
# kmemleak ignores objects that are younger than that,
sleep 5
# and objects that have changed since its last scan.
echo scan >/mnt/kmemleak
echo scan >/mnt/kmemleak
# No more than fits into a terminal's buffer.
head -n 40 /mnt/kmemleak
# Power off. A minimal Debian has no command for it.
exec perl -e 'syscall 169, 0xfee1dead, 672274793, 0x4321fedc, 0'
