#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# module.sh [pci]: build the modules and programs of the folder $MODULE against the test
# kernel, in $MODULE_BUILD; or against the PC's, in $MODULE_BUILD-pci. Their warnings are no
# errors.
set -eu

arch=um kernel=$BUILD to=$MODULE_BUILD
if [ "${1:-}" = pci ]; then
	arch=x86_64 kernel=$BUILD-x86-pci to=$MODULE_BUILD-pci
fi
mkdir -p "$to"
cd "$to"
make -s -C "$TREE" ARCH=$arch LLVM=1 CLIPPY=1 O="$kernel" -j"$(nproc)" \
	M="$MODULE" MO="$to" modules
built=$(sed 's/\.o$/.ko/' modules.order
	find . -type f -executable -printf '%P\n')
if [ -z "$built" ]; then
	echo "hitch: $MODULE/Kbuild names no module and no program" >&2
	exit 1
fi
echo "hitch: built in $to:" "$(echo "$built" | xargs)" >&2
