#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# style.sh NAME: check the style of this project's sources with checkpatch, flake8,
# rustfmt or shellcheck. Run it inside the toolchain, at the merged tree.
set -eu

top=$(realpath "$(dirname "$0")/..")

# All files, also those that are not yet added to git.
sources()
{
	for dir; do
		if [ -d "$top/$dir" ]; then
			find "$top/$dir" -type f
		fi
	done
}

case $1 in
checkpatch)
	# Programs in user space lack some macros that checkpatch suggests.
	sources tests/vttm | grep '\.[ch]$' |
		xargs -r scripts/checkpatch.pl --strict --terse --quiet \
			--no-summary --show-types --ignore BIT_MACRO,CAMELCASE,COMPLEX_MACRO \
			--ignore EMBEDDED_FUNCTION_NAME,PREFER_DEFINED_ATTRIBUTE_MACRO \
			--ignore MACRO_ARG_REUSE,MACRO_ARG_PRECEDENCE,VOLATILE --file
	sources drivers include rust samples tests/x86 | grep '\.[ch]$' |
		xargs -r scripts/checkpatch.pl --strict --terse --quiet \
			--no-summary --show-types --file
	;;
rustfmt)
	sources rust drivers samples tests/rust-ui tests/module \
		tests/x86 | grep '\.rs$' |
		xargs -r rustfmt --check --color never --edition 2021 --config-path "$PWD"
	;;
shellcheck)
	sources scripts tests .ci | xargs grep -lE '^#!.*\b(ba)?sh$|shell=bash' |
		(cd "$top" && xargs -r shellcheck)
	;;
flake8)
	# Tabs, continuation lines aligned with what opens them, operators at the end of
	# a line; and a folder must be in sys.path before something is imported from it.
	sources scripts tests | grep '\.py$' |
		xargs -r flake8 --indent-size 8 --max-line-length 100 \
			--extend-ignore E101,E117,E128,E261,E402,W191,W504 --extend-select W503
	;;
*)
	echo "hitch: style of what?" >&2
	exit 1
	;;
esac
