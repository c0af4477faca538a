#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
# apply.sh: put the overlay on a new branch of the git tree KDIR, as commits: see rooms.py.
# UNDO=1: take the branch off again. BRANCH names it. All is checked before anything
# changes; git's hooks do not run.
. "$(dirname "$0")/paths.sh"

branch=${BRANCH:-hitch}
email=hitch@localhost	# as in commits.py

in_kdir()
{
	git -C "$kdir" -c core.hooksPath=/dev/null "$@"
}

# With lines of $list, if there are any.
unchanged()
{
	die "$*; nothing was changed${list:+$'\n'$(sed 's/^/    /; 11s/.*/    .../; 11q' \
		<<<"$list")}"
}

# The branch at HEAD.
current()
{
	local ref
	ref=$(in_kdir symbolic-ref --quiet HEAD) && echo "${ref#refs/heads/}"
}

exists()
{
	in_kdir rev-parse --quiet --verify "refs/heads/$1" >/dev/null
}

check_git()
{
	local top_folder
	[[ ${KDIR:-} ]] || die "KDIR=/path/to/linux says which git tree"
	top_folder=$(in_kdir rev-parse --show-toplevel) ||
		die "KDIR=$KDIR: git takes it for no git tree;" \
			"'make tree KDIR=$KDIR' needs none"
	[[ $(realpath "$top_folder") = "$kdir" ]] ||
		die "KDIR=$KDIR is only a folder of the git tree $top_folder"
	in_kdir check-ref-format --branch "$branch" >/dev/null ||
		unchanged "BRANCH=$branch is no name for a branch"
}

# Nothing is in progress, and nothing is changed.
check_clean()
{
	local it list path
	for it in rebase=rebase-merge 'rebase or am=rebase-apply' merge=MERGE_HEAD \
			cherry-pick=CHERRY_PICK_HEAD revert=REVERT_HEAD \
			'cherry-pick or revert=sequencer' bisect=BISECT_LOG; do
		path=$(cd "$kdir" && realpath -m "$(git rev-parse --git-path "${it#*=}")")
		[[ ! -e $path ]] ||
			unchanged "$kdir: a ${it%=*} is in progress: end it first"
	done
	list=$(in_kdir status --porcelain --untracked-files=no)
	[[ ! $list ]] ||
		unchanged "$kdir has changes: commit or stash them first"
}

# Also after an interruption.
clean_up()
{
	rm -rf "$work"
	in_kdir update-ref -d refs/hitch/new
	[[ ! ${made:-} ]] || in_kdir branch --quiet -D "$made"
}

apply()
{
	local head from
	check_clean
	from=$(current) ||
		unchanged "$kdir is at no branch (detached HEAD): 'git switch -c NAME' first"
	head=$(in_kdir rev-parse --quiet --verify HEAD) ||
		unchanged "$kdir: its branch $from has no commit"
	in_kdir cat-file -e HEAD:drivers/gpu/drm/ttm/ttm_resource.c 2>/dev/null ||
		unchanged "$kdir: the branch $from has no Linux; if .gitignore ignores it," \
			"as Debian's does, 'git add --force .' and commit it"
	! exists "$branch" ||
		unchanged "$kdir has a branch $branch: UNDO=1 takes it off if 'make apply'" \
			"made it; BRANCH=NAME takes another name"
	[[ $linux = "$kdir" ]] ||
		unchanged "$kdir has the overlay already, on its branch $from"

	work=$(mktemp -d)
	trap clean_up EXIT
	"$top/scripts/enter.sh" "$top/scripts/commits.py" "$head" refs/hitch/new \
		"$(date +%s)" >"$work/stream" || unchanged "$kdir: see above"
	in_kdir fast-import --quiet --force --done <"$work/stream" || unchanged "$kdir: see above"
	in_kdir branch --no-track "$branch" refs/hitch/new || unchanged "$kdir: see above"
	made=$branch
	in_kdir branch --quiet --set-upstream-to="refs/heads/$from" "$branch"
	# It fails before it changes anything: files that git does not know may be in the way.
	in_kdir switch --quiet --no-overwrite-ignore "$branch" ||
		unchanged "$kdir: see above"
	made=

	in_kdir log --reverse --format='    %h %s' "$head..refs/heads/$branch"
	echo "The branch $branch of $kdir has these commits on $from. KDIR= tests it, and"
	echo "'make apply KDIR=$KDIR UNDO=1' takes it off."
}

undo()
{
	local from list
	exists "$branch" || unchanged "$kdir has no branch $branch"
	from=$(in_kdir for-each-ref --format='%(upstream)' "refs/heads/$branch")
	from=${from#refs/heads/}
	exists "$from" || unchanged "$kdir: the branch $branch has no local upstream:" \
		"'git branch -u NAME $branch' names the branch that it was made on"
	list=$(in_kdir log --format='%ce %h %s' "refs/heads/$from..refs/heads/$branch" |
		sed -n "/^$email /!s/^[^ ]* //p")
	[[ ! $list ]] ||
		unchanged "$kdir: the branch $branch has commits that 'make apply' did not" \
			"make; 'git branch NAME $branch' keeps them, and then" \
			"'git switch $from && git branch -D $branch' removes it"
	if [[ $(current) = "$branch" ]]; then
		check_clean
		in_kdir switch --quiet --no-overwrite-ignore "$from" ||
			unchanged "$kdir: see above"
	fi
	in_kdir branch --quiet -D "$branch"
	echo "$kdir: the branch $branch is gone"
}

check_git
if [[ ${UNDO:-} ]]; then
	undo
else
	apply
fi
