#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
# edit.sh NAME DIR: edit series/NAME with git. The first call makes DIR a repository of
# Linux's own files, with a commit for each patch. Later calls write its commits back.
. "$(dirname "$0")/../../scripts/paths.sh"
shopt -s extglob

series=$top/series/$1
dir=$2

if [[ -e $dir/.git ]]; then
	rm -f "$series"/!(0000-*)
	exec git -C "$dir" format-patch --quiet --zero-commit --numbered --no-signature \
		--output-directory "$series" linux..
fi
git init --quiet "$dir"
sed -n 's,^--- a/,,p' "$series"/* | sort -u |
	(cd "$linux" && xargs cp --parents -t "$dir")
git -C "$dir" add --all
git -C "$dir" commit --quiet --message "Linux"
git -C "$dir" tag linux
git -C "$dir" am --quiet "$series"/!(0000-*)
