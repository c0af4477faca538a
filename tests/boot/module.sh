#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# Build the modules and programs of the folder $MODULE against the test kernel, in
# $MODULE_BUILD. Their warnings are no errors.
set -eu

mkdir -p "$MODULE_BUILD"
cd "$MODULE_BUILD"
make -s -C "$TREE" ARCH=um LLVM=1 CLIPPY=1 O="$BUILD" -j"$(nproc)" \
	M="$MODULE" MO="$MODULE_BUILD" modules
built=$(sed 's/\.o$/.ko/' modules.order
	find . -type f -executable -printf '%P\n')
if [ -z "$built" ]; then
	echo "hitch: $MODULE/Kbuild names no module and no program" >&2
	exit 1
fi
echo "hitch: built in $MODULE_BUILD:" "$(echo "$built" | xargs)" >&2
