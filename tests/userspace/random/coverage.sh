#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# coverage PROGRAM SOURCE FILE...: what the histories in FILEs reach of the LRU
# part of SOURCE, all that comes before ttm_resource_try_charge(); PROGRAM is the
# one built for it. Fails if a line or branch there isn't reached.
set -eu

program=$1 source=$2
shift 2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

llvm=$(basename "$(readlink -f "$(command -v "${CLANG:-clang}")")")
llvm=${llvm#clang}
tool()
{
	name=$1
	shift
	if command -v "$name$llvm" >/dev/null; then
		name=$name$llvm
	fi
	"$name" "$@"
}

LLVM_PROFILE_FILE=$dir/raw "$program" "$@"
tool llvm-profdata merge -o "$dir/merged" "$dir/raw"
tool llvm-cov show "$program" -instr-profile="$dir/merged" \
	-show-branches=count >"$dir/show"

awk -F'|' -v source="$source" '
# A file after the other, with its name in front.
/^\/.*:$/ { inside = $0 == source ":" }
/ttm_resource_try_charge\(struct/ { inside = 0 }
!inside { next }
/Branch \(/ {
	branches++
	if (/(True|False): 0[],]/) { print; missed_branches++ }
	next
}
$2 ~ /[0-9]/ {
	lines++
	if ($2 + 0 == 0) { print; missed_lines++ }
}
END {
	printf "%d of %d lines and %d of %d branches of the LRU part reached\n",
		lines - missed_lines, lines,
		branches - missed_branches, branches
	exit missed_lines + missed_branches > 0
}' "$dir/show"
