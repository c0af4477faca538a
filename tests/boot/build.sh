#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# build.sh NAME [TARGET]: configure and build the test kernel with NAME.config (pristine
# needs none), and the modules from outside of the tree. With TARGET, only make that in a
# kernel that was built before. kunit.py could build the kernel as well, but shows no
# progress.
set -eu

here=$(realpath "$(dirname "$0")")
name=$1
target=${2:-all}
mkdir -p "$BUILD"
cd "$TREE"
if [ "$target" = all ]; then
	case $name in
	ours)	set -- common lru programs ours;;
	plain)	set -- programs plain;;
	# A release that is not ours has only Linux's own suites.
	pristine) if [ "$RELEASE" = 7.3 ]; then set -- common lru; else set -- common; fi;;
	*)	set -- common lru "$name";;
	esac
	for config; do
		set -- "$@" --kunitconfig "$here/$config.config"
		shift
	done
	tools/testing/kunit/kunit.py config --build_dir "$BUILD" \
		--make_options LLVM=1 "$@"
fi

# In our files a warning is an error.
set --
for file in "$here"/../../drivers/gpu/drm/ttm/*.c \
	    "$here"/../../drivers/gpu/drm/ttm/tests/*.c; do
	set -- "$@" "CFLAGS_$(basename "$file" .c).o=-Werror"
done
for file in "$here"/../../drivers/gpu/drm/ttm/tests/lib/*.c; do
	set -- "$@" "CFLAGS_lib/$(basename "$file" .c).o=-Werror"
done
set -- ARCH=um LLVM=1 CLIPPY=1 KRUSTFLAGS=-Dwarnings "$@" O="$BUILD" \
	-j"$(nproc)"
make "$@" "$target"
if [ "$name" = ours ] && [ "$target" = all ]; then
	make "$@" M="$here/../module" MO="$BUILD/outside" modules
	make "$@" M="$TREE/samples/rust/ttm_tutorial" MO="$BUILD/tutorial" modules
fi
