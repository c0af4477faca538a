#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
# Get the toolchain root and Linux's source into the cache. Each is made as NAME.part and
# renamed when it is complete, so whatever exists under its name is complete.
. "$(dirname "$0")/paths.sh"

run_quietly=$top/scripts/run_quietly.sh
enter=$top/scripts/enter.sh
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
package=linux-source-$release

install_on_host()
{
	local lacking=()
	command -v mmdebstrap >/dev/null || lacking+=(mmdebstrap)
	[[ -e $keyring ]] || lacking+=(debian-archive-keyring)
	((EUID == 0)) || command -v newuidmap >/dev/null || lacking+=(uidmap)
	((${#lacking[@]})) || return 0
	((EUID == 0)) && command -v apt-get >/dev/null ||
		die "install ${lacking[*]} first; only root can do that"
	"$run_quietly" host "installing ${lacking[*]}" sh -c \
		'apt-get update && apt-get install -y --no-install-recommends "$@"' \
		sh "${lacking[@]}"
}

# The Debian mirror that the host's apt uses, or else the one that mmdebstrap chose.
mirror()
{
	{
		apt-get indextargets --format '$(ORIGIN) $(LABEL) $(REPO_URI)' |
			sed -n 's/^Debian Debian //p'
		sed -n 's/^deb \([^ ]*\) .*/\1/p' "$root/etc/apt/sources.list" || true
	} 2>/dev/null | sed -n 1p
}

make_root()
{
	install_on_host
	"${ns[@]}" true 2>/dev/null ||
		die "needs user namespaces here (sysctl, /etc/subuid), or root"
	mkdir -p "$cache/root"
	# shellcheck disable=SC2046 # none or one
	"$run_quietly" root "making the toolchain root (Debian $suite)" "${ns[@]}" \
		mmdebstrap --mode=root --variant=minbase \
		--include="${packages// /,}" "$suite" "$root.part" $(mirror)
	mv "$root.part" "$root"
}

# An older version named the root after a checksum of the list of packages: rename it.
adopt_root()
{
	local old
	[[ ${TOOLCHAIN:-} != host && ! -e $root ]] || return 0
	old=$(find "$cache/root" -mindepth 1 -maxdepth 1 -type d -name '????????????' \
		-printf '%T@ %p\n' 2>/dev/null | sort -n | tail -n 1 | cut -d' ' -f2-) || true
	[[ ! $old ]] || mv "$old" "$root"
}

# The packages of the list that the root lacks.
lacking()
{
	comm -13 <(awk '/^Package: / { name = $2 }
			/^Status: install ok installed$/ { print name }' \
			"$root/var/lib/dpkg/status" | sort) \
		<(xargs -n 1 <<<"$packages" | sort)
}

# The root was made from an older list. If this is interrupted, the next call continues.
add_packages()
{
	"$run_quietly" root "adding $* to the toolchain root" \
		"$enter" bash -euo pipefail -c '
		echo "$1" >/etc/resolv.conf
		shift
		export DEBIAN_FRONTEND=noninteractive
		dpkg --configure -a
		apt-get -o APT::Sandbox::User=root update
		apt-get -o APT::Sandbox::User=root install -y --no-install-recommends "$@"
		apt-get clean
		rm -rf /var/lib/apt/lists/*' bash "$(cat /etc/resolv.conf)" "$@"
}

host_has_packages()
{
	# shellcheck disable=SC2086 # a list
	[[ ${TOOLCHAIN:-} = host ]] || dpkg-query -W $packages >/dev/null 2>&1
}

host_has_rust()
{
	mkdir -p "$cache/log"
	make -s -C "$stock" O="$cache/log" LLVM=1 rustavailable \
		>"$cache/log/rust" 2>&1
}

get_linux()
{
	local part=$cache/linux/new.part from version='' apt
	from=$(mirror)
	apt=(-o Dir::State="$part/state" -o Dir::Cache="$part/cache"
	     -o Dir::Etc::SourceList="$part/sources.list"
	     -o Dir::Etc::SourceParts=/dev/null -o APT::Sandbox::User=root
	     -o APT::Update::Error-Mode=any)

	for suite in trixie-backports forky sid; do
		rm -rf "$part"
		mkdir -p "$part"/{state,cache,linux}
		echo "deb [signed-by=$keyring] $from $suite main" >"$part/sources.list"
		"$run_quietly" apt "looking for $package in Debian $suite" \
			apt-get "${apt[@]}" update || continue
		version=$(apt-cache "${apt[@]}" show "$package" 2>/dev/null |
			sed -n 's/^Version: //p' | head -n 1)
		[[ ! $version ]] || break
	done
	[[ $version ]] ||
		die "no Debian suite with $package"
	echo "taking Linux $version from Debian $suite" >&2

	cd "$part"
	"$run_quietly" fetch "fetching $package" apt-get "${apt[@]}" download "$package"
	"$run_quietly" unpack "unpacking it" "${run[@]}" bash -euo pipefail -c '
		dpkg-deb --fsys-tarfile "$0"/*.deb |
		tar -xO --wildcards "./usr/src/*.tar.xz" |
		tar -xJ -C "$0/linux" --strip-components=1 --no-same-owner \
			--checkpoint=20000 --checkpoint-action=echo="%{}T"' "$part"
	mv "$part/linux" "$cache/linux/$version"
	rm -rf "$part"
}

check_kdir()
{
	local version count=() git=(git -c safe.directory='*' -C "$kdir")
	[[ -e $kdir ]] || die "KDIR=$KDIR: there is no $kdir"
	[[ -d $kdir ]] || die "KDIR=$KDIR is no folder"
	version=$(sed -n 's/^\(VERSION\|PATCHLEVEL\|SUBLEVEL\) = //p' \
		"$kdir/Makefile" 2>/dev/null | paste -sd.) || true
	[[ $version = *.*.* && -d $kdir/drivers/gpu/drm ]] ||
		die "KDIR=$KDIR: no Linux source there (its top folder has Kbuild and drivers/)"
	[[ $version = 7.3.* ]] ||
		die "KDIR=$KDIR is Linux $version; this works with 7.3.x"
	mkdir -p "$cache/tree"
	# Debian's .gitignore ignores all folders; new files in them count.
	grep -qx '/\*' "$kdir/.gitignore" 2>/dev/null && count+=(--exclude='!/*/')
	if "${git[@]}" ls-files --error-unmatch Makefile >/dev/null 2>&1; then
		"${git[@]}" ls-files -z --cached --others --exclude-standard "${count[@]}"
	elif [[ -e $kdir/.config || -e $kdir/include/config ]]; then
		die "KDIR=$KDIR was built in, and no git tells its source from what was" \
			"built: run 'make mrproper' there (it removes .config), or take a copy"
	else
		find "$kdir" -name .git -prune -o ! -type d -printf '%P\0'
	fi >"$files"
}

# Remove what an interrupted call left. The lock says that no other call is running.
remove "$cache"/{root,linux}/*.part

adopt_root
if [[ -L $root ]] && ! host_has_packages; then
	rm "$root"
fi
if [[ ! -e $root || ! $stock ]] && (($(space) < 8000)); then
	die "needs 8 GB in $cache, and $(space) MB are free"
fi

run=("$enter")
if [[ ${KDIR:-} ]]; then
	check_kdir
fi
if [[ -e $root ]]; then
	mapfile -t missing < <([[ -L $root ]] || lacking)
	((${#missing[@]} == 0)) || add_packages "${missing[@]}"
elif host_has_packages; then
	run=(env)
else
	make_root
fi
# With a KDIR too, which is compared with it.
if [[ ! $stock ]]; then
	get_linux
	. "$top/scripts/paths.sh"
fi
if [[ ! -e $root ]]; then
	if host_has_rust; then
		mkdir -p "$cache/root"
		ln -s / "$root"
	elif [[ ${TOOLCHAIN:-} = host ]]; then
		die "the host's tools don't serve: $(head -n 1 "$cache/log/rust")"
	else
		make_root
	fi
fi
