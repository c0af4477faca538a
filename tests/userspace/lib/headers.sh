#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# headers TREE DIR [FILE...]: make DIR an include folder for TTM's sources in
# TREE, and these. TTM's own headers and list.h are the tree's; all others are
# the stubs.
set -eu

tree=$1 dir=$2
shift 2
ttm=drivers/gpu/drm/ttm
sources="$tree/$ttm/*.[ch] $tree/include/drm/ttm/*.h $tree/include/linux/list.h $*"

rm -rf "$dir"
mkdir -p "$dir/drm/ttm" "$dir/linux"
ln -s "$tree"/include/drm/ttm/*.h "$dir/drm/ttm"
ln -s "$tree/include/linux/list.h" "$dir/linux"

# shellcheck disable=SC2086
sed -n 's/^#include <\([^>]*\)>.*/\1/p' $sources | sort -u |
	while read -r header; do
		[ ! -e "$dir/$header" ] || continue
		mkdir -p "$dir/${header%/*}"
		echo '#include "stubs/kernel.h"' >"$dir/$header"
	done
