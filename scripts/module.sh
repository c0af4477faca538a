#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
# Say what is wrong with the folder M of a module.
. "$(dirname "$0")/paths.sh"

[[ $module ]] || die "which module? make module M=/path/to/its/folder"
[[ -d $module ]] || die "M=$M: there is no folder $module"
[[ ! $module =~ [[:space:]:] ]] || die "M=$M: Kbuild can't build in a path with spaces or colons"
[[ -e $module/Kbuild || -e $module/Makefile ]] ||
	die "M=$M: no Kbuild in $module: for a driver.rs or driver.c, write 'obj-m := driver.o' to it"
can_be_seen "$module" || die "M=$M: use a folder in $module"
