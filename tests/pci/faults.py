#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Break the driver of the GPU of two PCI devices, each fault in a copy of its own, and check
that the tests notice.

faults.py build: copy the driver's folder, and build it there.
faults.py report [NAME]...: boot a PC with each.
"""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import machine
from machine import KERNEL, run

FOLDER = Path('drivers/gpu/drm/vttm')
WORK = Path(f'{KERNEL.path}-faults')


@dataclass
class Fault:
	name: str
	file: str
	old: str
	new: str
	command: str = 'content.py'


FAULTS = (
	Fault('none', 'pci/edu.rs', '', ''),
	Fault('address', 'pci/edu.rs', 'Source::Bus(addr + done as u64)',
	      'Source::Bus(addr + (done + Self::CHUNK) as u64)'),
	Fault('dependency', 'pci/engine.rs', 'let after = mv.dependencies()?;',
	      'let mut after = mv.dependencies()?;\n        after.clear();'),
	Fault('clear', 'pci/engine.rs', 'in clear.pieces()? {',
	      'in clear.pieces()?.take(0) {'),
)


def build():
	shutil.rmtree(WORK, ignore_errors=True)
	for fault in FAULTS:
		copy = WORK / fault.name
		shutil.copytree(KERNEL.source / FOLDER, copy)
		file = copy / fault.file
		text = file.read_text()
		if fault.old not in text:
			sys.exit(f'hitch: {fault.name}: {fault.file} has no {fault.old!r}')
		file.write_text(text.replace(fault.old, fault.new, 1))
		run(*KERNEL.make, '-s', f'M={copy}', 'modules')


def judge(fault):
	"""Tell how a PC with the fault is."""
	said = []
	pc = machine.Machine(f'fault-{fault.name}', fault.command.split(), say=said.append,
			     drivers=[(WORK / fault.name / 'vttm_pci.ko', '')])
	for _ in pc:
		pass
	why = [line for line in b''.join(said).decode().splitlines() if 'WRONG' in line]
	why += pc.wrong()[:2]
	if not why and pc.status:
		why = [f'{fault.command} ends with {pc.status}']
	return why


def report(names):
	bad = 0
	for fault in FAULTS:
		if names and fault.name not in names:
			continue
		why = judge(fault)
		good = bool(why) == (fault.name != 'none')
		bad += not good
		print(f'{fault.name:12} {"" if good else "NOT "}as it should be: '
		      f'{"; ".join(why) or "nothing is noticed"}', flush=True)
	return bad != 0


def main():
	try:
		if sys.argv[1:] == ['build']:
			return build()
		return report(sys.argv[2:])
	except subprocess.CalledProcessError as error:
		return f'hitch: {error}'


sys.exit(main())
