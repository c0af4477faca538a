#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# run.sh GLOB...: run the suites of these names in the test kernel, a boot each.
set -eu

if [ $# = 0 ]; then
	echo "hitch: FILTER names no suite" >&2
	exit 1
fi
cd "$TREE"
status=0
for glob; do
	tools/testing/kunit/kunit.py exec --build_dir "$BUILD" \
		--kunitconfig "$BUILD/last_used_kunitconfig" \
		--kernel_args ncpus=4 --kernel_args seccomp=on \
		${V:+--raw_output=all} "$glob" || status=1
done
exit $status
