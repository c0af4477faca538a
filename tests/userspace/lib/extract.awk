#!/usr/bin/awk -f
# SPDX-License-Identifier: GPL-2.0 OR MIT
# extract NAME... FILE: print the functions, structs and initialized variables that
# are named as they stand in FILE, from the line that opens one to the brace in
# column 0; and the line before if that has the function's type alone. A name that
# FILE hasn't is an error.

BEGIN {
	for (i = 1; i < ARGC - 1; i++) {
		wanted[ARGV[i]] = 1
		ARGV[i] = ""
	}
	names = ARGC - 2
}

function opens(line,    name)
{
	if (line ~ /^[ \t}]/ || line ~ /;$/)
		return 0
	name = line
	if (!sub(/^struct /, "", name) || !sub(/ \{$/, "", name)) {
		name = line
		sub(/ = \{$/, "", name)
		sub(/\(.*/, "", name)
		sub(/.*[ *]/, "", name)
	}
	if (!(name in wanted))
		return 0
	delete wanted[name]
	return 1
}

!inside && opens($0) {
	inside = 1
	typed = before ~ /^[a-z_][^;:(){}]*$/
	printf "#line %d \"%s\"\n", FNR - typed, FILENAME
	if (typed)
		print before
}
inside { print }
/^}/ { inside = 0 }
{ before = $0 }

END {
	for (name in wanted) {
		printf "extract: no %s in %s\n", name, FILENAME > "/dev/stderr"
		bad = 1
	}
	exit bad
}
