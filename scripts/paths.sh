# SPDX-License-Identifier: GPL-2.0 OR MIT
# shellcheck shell=bash disable=SC2034
# The paths of everything. The scripts beside it source it; it creates nothing.
set -euo pipefail

die()
{
	echo "hitch: $*" >&2
	exit 1
}

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
[[ ${XDG_CACHE_HOME:-} || ${HOME:-} ]] || die "set HOME or XDG_CACHE_HOME"
cache=$(realpath -m "${XDG_CACHE_HOME:-$HOME/.cache}")/hitch

suite=trixie
packages=$(sed '/^#/d' "$top/scripts/packages" | xargs)
root=$cache/root/$suite
[[ ${TOOLCHAIN:-} != host ]] || root=$cache/root/host

# The release of Linux. This project's files need 7.3; RELEASE=7.2 is for `make fixes`.
release=${RELEASE:-7.3}
# Its newest version; empty before the first `make setup`.
key=$(find "$cache/linux" -mindepth 1 -maxdepth 1 -name "${release}[.~]*" ! -name '*.part' \
	-printf '%P\n' 2>/dev/null | sort -V | tail -n 1) || true
stock=${key:+$cache/linux/$key}
# What patches/ changes and `make compare` compares with: Debian's source, or the user's
# if that has not got the overlay yet.
linux=$stock
if [[ ${KDIR:-} ]]; then
	kdir=$(realpath -m "$KDIR")
	key=kdir-$(echo "$kdir" | sha256sum | cut -c1-12)
	[[ -e $kdir/drivers/gpu/drm/ttm/ttm_lru_internal.h ]] || linux=$kdir
fi
files=$cache/tree/$key.files
# PRISTINE=1: a second tree and kernel, with Linux's own LRU. FIXES=all, or a number: a
# third one, with that and with patches of series/fixes. PLAIN=1: a kernel without
# debugging options.
variant=${PRISTINE:+-pristine}
[[ -z ${FIXES:-} ]] || variant=-fixes
tree=$cache/tree/$key$variant
build=$cache/build/$key$variant${PLAIN:+-plain}

# Folders of the user's: where make was called, and that of a module. They can be seen
# inside if they hide nothing that is there.
can_be_seen()
{
	case $1 in
	/ | /tmp | /run | /var/tmp | /dev/shm) return 1 ;;
	/root) ;;
	*) [[ $(realpath "$root") = / || ! $(find "$root$1" -xdev ! -type d -print -quit \
		2>/dev/null) ]] ;;
	esac
}
caller=$(realpath -ms "${CALLER:-$PWD}")
module=${M:+$(cd "$caller" && realpath -ms "$M")}
module_build=${module:+$build-modules/$(basename "$module")-$(echo "$module" |
	sha256sum | cut -c1-8)}

# A namespace with private mounts, which end with the command. An ordinary user is root
# in it, and has the user ids that a Debian root needs.
ns=(unshare --mount --pid --fork --kill-child --mount-proc)
((EUID == 0)) || ns+=(--map-root-user --map-auto)

remove()
{
	rm -rf "$@" 2>/dev/null || "${ns[@]}" rm -rf "$@"
}

# Free space of the cache's disk, in MiB.
space()
{
	df --output=avail -BM "$cache" | tail -n 1 | tr -d ' M'
}
