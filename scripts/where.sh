#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
# Print where things are, a path a line.
. "$(dirname "$0")/paths.sh"

[[ $key ]] || die "nothing is set up yet: run 'make setup' first"
cat <<END
linux=${kdir:-$linux}
tree=$tree
build=$build
toolchain=$(realpath -m "$root")
cache=$cache
END
