#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""run.py [OPTION]... [COMMAND [ARGUMENT]...]: run a command, or a shell, in a kernel with
vttm. The exit status is the command's, or 125 if the kernel complains.
"""

import argparse
import math
import sys

import vttm


def main():
	parser = argparse.ArgumentParser()
	parser.add_argument('--name', default='vttm')
	parser.add_argument('--parameters', default='', help="the module's")
	parser.add_argument('--swap', type=int, default=512, help='MiB')
	parser.add_argument('--memory', default='1G')
	parser.add_argument('--leaks', action='store_true', help='look for some')
	parser.add_argument('--unloaded', action='store_true',
			    help='the command loads the module')
	parser.add_argument('command', nargs=argparse.REMAINDER)
	args = parser.parse_args()
	terminal = sys.stdin.isatty() and sys.stdout.isatty()
	if not args.command and not terminal:
		sys.exit('hitch: a shell needs a terminal')

	# A user at a terminal may take any time.
	patience = {'silence': math.inf} if terminal else {}
	guest = vttm.Guest(args.name, args.command or ['bash'], args.parameters,
			   loaded=not args.unloaded, swap=args.swap,
			   memory=args.memory, leaks=args.leaks,
			   say=None if terminal else vttm.show, limit=math.inf,
			   **patience)
	for _ in guest:
		pass
	for line in guest.wrong():
		print(f'hitch: {line}', file=sys.stderr)
	sys.exit(125 if guest.wrong() else guest.status)


main()
