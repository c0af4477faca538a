#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
# lock.sh NAME COMMAND...: run a command while it holds the lock NAME. `setup` protects
# the downloads; `ours` and `pristine` protect a test kernel and its tree; `userspace` and
# `x86` protect what is built there. A command that needs several locks takes them in the
# order of `make distclean`.
. "$(dirname "$0")/paths.sh"

mkdir -p "$cache"
exec {fd}>"$cache/$1.lock"
if ! flock -n "$fd"; then
	echo "hitch: another make is at work in $cache, waiting for it" >&2
	flock "$fd"
fi
shift
exec "$@"
