#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
# enter.sh COMMAND...: run a command in the toolchain root, at the merged tree.
# The cache, the checkout, a KDIR, the folder M of a module and the current folder have
# the same paths inside as outside. All mounts are in a namespace of their own, which
# ends with the command.
. "$(dirname "$0")/paths.sh"

[[ -e $root ]] || die "no toolchain yet: run 'make setup' first"

can_be_seen "$caller" || caller=
vars=(TERM="${TERM:-dumb}" LANG=C.UTF-8 V="${V:-}"
      LINUX="$linux" STOCK="$stock" KDIR="${kdir:-}" DROP="${DROP:-}"
      FILES="$files" TREE="$tree" BUILD="$build"
      CALLER="$caller" MODULE="$module" MODULE_BUILD="$module_build"
      RELEASE="$release" PRISTINE="${PRISTINE:-}"
      FIXES="${FIXES:-}" CASE="${CASE:-}"
      FULL="${FULL:-}" TIME="${TIME:-60}"
      PYTHONDONTWRITEBYTECODE=1)

# scripts/setup.sh made the root a link to /: use the host's own tools.
if [[ $(readlink "$root") = / ]]; then
	cd "$tree" 2>/dev/null || true
	exec env -u MAKEFLAGS -u MAKELEVEL "${vars[@]}" "$@"
fi

inside()
{
	local dir
	mount --rbind /proc "$root/proc"
	mount --rbind /dev "$root/dev"
	for dir in /dev/shm /tmp; do
		mount -t tmpfs tmpfs "$root$dir"
	done
	for dir in ${caller:+"$caller"} ${module:+"$module"} "$cache" "$top" \
			${kdir:+"$kdir"}; do
		mkdir -p "$root$dir"
		mount --rbind "$dir" "$root$dir"
	done
	# Don't exec it: the init of a namespace ignores Ctrl-C.
	env -i "${vars[@]}" HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		chroot "$root" sh -c 'cd "$TREE" 2>/dev/null; exec "$@"' sh "$@"
}

if [[ ${1:-} = --inside ]]; then
	shift
	inside "$@"
	exit
fi
exec "${ns[@]}" "$0" --inside "$@"
