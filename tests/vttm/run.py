#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""run.py [OPTION]... [COMMAND [ARGUMENT]...]: run a command, or a shell, in a kernel with
vttm. The exit status is the command's, or 125 if the kernel complains.

If module.sh has built a module of the user's, that is loaded instead of vttm, or beside it
if there are parameters for vttm. The command starts in the user's current folder.
"""

import argparse
import math
import os
import signal
import sys
from pathlib import Path

import vttm
import kernel	# vttm has added its folder
import modules	# of the same folder

BLOCKED = 10	# seconds


def arguments():
	parser = argparse.ArgumentParser()
	parser.add_argument('--name', default='vttm')
	parser.add_argument('--parameters', default='', help="vttm's")
	parser.add_argument('--module', action='store_true', help="load the user's")
	parser.add_argument('--module-parameters', default='')
	parser.add_argument('--swap', type=int, default=512, help='MiB')
	parser.add_argument('--memory', default='1G')
	parser.add_argument('--leaks', action='store_true', help='look for some')
	parser.add_argument('--unloaded', action='store_true',
			    help='the command loads the module')
	parser.add_argument('command', nargs=argparse.REMAINDER)
	return parser.parse_args()


def user_module(args):
	"""How to load the modules that module.sh has built."""
	built = Path(os.environ['MODULE_BUILD'])
	return {
		'more': modules.to_load(built, Path(vttm.BUILD), args.module_parameters),
		'path': str(built),
		'loaded': bool(args.parameters),
	}


def make_guest(args, terminal):
	load = user_module(args) if args.module else {'loaded': not args.unloaded}
	# A user at a terminal may take any time, and wants to see at once what hangs.
	patience = {'silence': math.inf, 'blocked': BLOCKED} if terminal else {}
	return vttm.Guest(args.name, args.command or ['bash'], args.parameters,
			  swap=args.swap, memory=args.memory, leaks=args.leaks,
			  say=None if terminal else vttm.show, limit=math.inf,
			  seen=modules.folders(), cwd=os.environ.get('CALLER') or '/tmp',
			  **load, **patience)


def watch(guest):
	"""Show the kernel's log from its first complaint on."""
	complains = False
	for line in guest:
		complains = complains or bool(kernel.reports([line]))
		if complains and line:
			guest.tell(f'kernel: {line}')


def main():
	args = arguments()
	terminal = sys.stdin.isatty() and sys.stdout.isatty()
	if not args.command and not terminal:
		sys.exit('hitch: a shell needs a terminal')

	guest = make_guest(args, terminal)
	if terminal:
		print(f"hitch: the kernel's log is {guest.log}\n"
		      'hitch: Ctrl-C goes to the command; '
		      'a second one within a second ends the kernel', file=sys.stderr)
	for number in signal.SIGTERM, signal.SIGHUP:
		signal.signal(number, signal.default_int_handler)
	try:
		watch(guest)
	except KeyboardInterrupt:
		print('\nhitch: interrupted, the kernel has ended', file=sys.stderr)
		sys.exit(128 + signal.SIGINT)
	for line in guest.wrong():
		print(f'hitch: {line}', file=sys.stderr)
	if guest.wrong() and not terminal:
		print(f"hitch: the kernel's log is {guest.log}", file=sys.stderr)
	sys.exit(125 if guest.wrong() else guest.status)


main()
