#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""run.py [OPTION]... COMMAND [ARGUMENT]...: run a command in a PC whose GPU is two PCI
devices. The exit status is the command's, or 125 if the kernel or the IOMMU complains.

If module.sh has built a module of the user's, that is loaded instead of vttm_pci. The command
starts in the user's current folder.
"""

import argparse
import os
import sys
from pathlib import Path

import machine
import modules	# machine has added its folder


def arguments():
	parser = argparse.ArgumentParser()
	parser.add_argument('--name', default='pci')
	parser.add_argument('--parameters', default='', help="the driver's")
	parser.add_argument('--module', action='store_true', help="load the user's")
	parser.add_argument('--gpus', type=int, default=1)
	parser.add_argument('--vram', type=int, default=4, help='MiB of each')
	parser.add_argument('--swap', type=int, default=64, help='MiB')
	parser.add_argument('--mask', type=int, default=28, help="bits of edu's addresses")
	parser.add_argument('--no-iommu', action='store_true')
	parser.add_argument('--sleeps', action='store_true', help='the root is in RAM')
	parser.add_argument('--log', action='store_true', help="show the kernel's log")
	parser.add_argument('command', nargs=argparse.REMAINDER)
	return parser.parse_args()


def drivers(args):
	"""What to load, and where its programs are."""
	if not args.module:
		return {'drivers': [(machine.DRIVER, args.parameters)]}
	built = Path(os.environ['MODULE_BUILD'] + '-pci')
	return {
		'drivers': modules.to_load(built, machine.KERNEL.path, args.parameters),
		'path': str(built),
	}


def main():
	args = arguments()
	pc = machine.Machine(args.name, args.command, gpus=args.gpus, vram=args.vram,
			     swap=args.swap, mask=args.mask, iommu=not args.no_iommu,
			     sleeps=args.sleeps, seen=modules.folders(),
			     cwd=os.environ.get('CALLER') or '/tmp', say=machine.show,
			     **drivers(args))
	for line in pc:
		if args.log:
			pc.tell(f'kernel: {line}')
	for line in pc.wrong():
		print(f'hitch: {line}', file=sys.stderr)
	sys.exit(125 if pc.wrong() else pc.status)


main()
