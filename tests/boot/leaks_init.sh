#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# The init of a test kernel that has run its suites: lets kmemleak look for what
# they lost. It says in the kernel's log how much that is; a few are shown here. If
# anything fails, init ends, and so the kernel panics.
set -eu

mount -t debugfs none /mnt
# What is younger than that is not lost yet.
sleep 5
# What has changed since the last scan isn't either.
echo scan >/mnt/kmemleak
echo scan >/mnt/kmemleak
# No more than a terminal takes at once.
head -n 40 /mnt/kmemleak
# Power off. Debian's smallest system has no command for that.
exec perl -e 'syscall 169, 0xfee1dead, 672274793, 0x4321fedc, 0'
