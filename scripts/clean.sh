#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
# clean.sh build: remove what was built. clean.sh all: the whole cache.
. "$(dirname "$0")/paths.sh"

case ${1:-} in
build)	remove "$cache"/{build,log} ;;
all)	remove "$cache" ;;
*)	die "clean what: build or all?" ;;
esac
