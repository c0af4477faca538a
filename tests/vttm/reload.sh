#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# reload.sh TIMES PARAMETER...: load vttm, let processes use it, kill all of them at once,
# and unload it while the GPU still works on their jobs. As long as a buffer waits for
# the GPU, the module is in use.
set -eu

times=$1
shift
n=0
refused=0
while [ "$n" -lt "$times" ]; do
	n=$((n + 1))
	insmod "$VTTM_KO" "$@"
	vttm-storm --quiet --abandon --ops 150 --processes 4 --seed "$n"
	until said=$(rmmod vttm 2>&1); do
		case $said in
		*"in use"*) refused=$((refused + 1)) ;;
		*) echo "$said"; exit 1 ;;
		esac
		sleep 0.01
	done
	[ $((n % 10)) != 0 ] || echo "$n of $times, $refused times refused"
done
