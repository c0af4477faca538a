#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0 OR MIT
# run_quietly.sh NAME MESSAGE COMMAND...: run a command, and show only how far it is. Its
# output goes to the log NAME in the cache, and the last line of it to the screen: all the
# time on a terminal, else twice a minute. Lines that begin with "hitch: " are shown in any
# case. V=1 shows everything.
. "$(dirname "$0")/paths.sh"

# The message, the seconds since the start, and the last line of the log.
show()
{
	local last
	last=$(tail -c 400 "$log" | tr '\r\t' '\n ' | grep '[[:alnum:]]' |
		tail -n 1) || true
	last=$(printf '%-40s %5d s  %s' "$message" "$SECONDS" "${last//  / }")
	printf '%s' "${last:0:79}"
}

# The timeout of a read that gets no input replaces `sleep`, which would outlive this
# script and keep the locks that its caller holds.
tick()
{
	local never
	trap - EXIT
	exec {never}<> <(:)
	until read -rt "$1" -u "$never" || ! kill -0 $$ 2>/dev/null; do
		if ((terminal)); then
			printf '\r\e[K%s' "$(show)" >&2
		else
			printf '%s\n' "$(show)" >&2
		fi
	done
}

stop_ticking()
{
	kill "$ticker" 2>/dev/null || true
	((terminal)) && printf '\r\e[K' >&2 || true
}

main()
{
	local status=0

	log=$cache/log/$1
	message=$2
	shift 2
	if [[ ${V:-} = 1 ]]; then
		echo "$message" >&2
		exec "$@"
	fi

	mkdir -p "$cache/log"
	: >"$log"
	[[ -t 2 ]] && terminal=1 || terminal=0
	tick $((terminal ? 1 : 30)) &
	ticker=$!
	trap stop_ticking EXIT
	trap 'exit 130' INT

	"$@" >"$log" 2>&1 || status=$?
	stop_ticking
	if ((status)); then
		tail -n 20 "$log" >&2
		(($(space) > 20)) || echo "hitch: no space left in $cache" >&2
		echo "hitch: $message: failed, the whole log is $log" >&2
	else
		grep '^hitch: ' "$log" >&2 || true
		((SECONDS <= 1)) || printf '%-40s %5d s\n' "$message" "$SECONDS" >&2
	fi
	exit "$status"
}

main "$@"
