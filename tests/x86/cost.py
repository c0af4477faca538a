#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Compare the cost of walks in Rust and in C, in instructions that QEMU counts.

Both do the same walks over the same buffers; see module/.
cost.py build: build two kernels, one with Linux's Rust helpers inlined and one that calls
them, and the module for each.
cost.py report: boot them and print the counts. Fail if a walk in Rust costs too much with
helpers inlined, or if a kernel has not counted everything.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from kbuild import Build, run

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / 'boot'))
from kernel import Boot, reports

TREE = Path(os.environ['TREE'])
CONFIG = HERE / 'cost.config'
MODULE = HERE / 'module'

ALLOWED = 1.05	# of what C costs
# The clock may be off by so much, for what is around the walks.
EXACT = 0.001

INLINED = Build('x86-cost', TREE, [CONFIG, 'CONFIG_RUST_INLINE_HELPERS=y'])
CALLED = Build('x86-cost-calls', TREE, [CONFIG])

# What the module calls them, and what they are.
WALKS = {
	'held': 'the lock held all the time',
	'unlocked': 'dropped at each step',
	'referenced': '... with a reference',
	'reserved': '... and reserved',
}
SAYS = re.compile(r'\bttm_cost: (\w+) ?(.*)')


def build_module(build):
	out = build.path / 'module'
	run(*build.make, f'M={MODULE}', f'MO={out}', 'modules')
	return out / 'ttm_cost.ko'


def build_initramfs(build, module):
	"""The module, and a program that loads it."""
	files = build.path / 'initramfs'
	shutil.rmtree(files, ignore_errors=True)
	files.mkdir()
	run('gcc', '-static', '-Os', '-Wall', '-Werror', MODULE / 'init.c',
	    '-o', files / 'init')
	shutil.copy(module, files)
	with (build.path / 'initramfs.cpio').open('wb') as out:
		subprocess.run(['cpio', '-o', '-H', 'newc'], cwd=files, check=True,
			       input=b'init\nttm_cost.ko\n', stdout=out)


def build_all(builds=(INLINED, CALLED)):
	for build in builds:
		build.build('bzImage', 'modules')
		build_initramfs(build, build_module(build))


class Machine(Boot):
	"""A PC with one CPU, a serial port, and a clock that counts instructions."""

	def __init__(self, build):
		super().__init__(build.path, 'cost')
		self.command = [
			'qemu-system-x86_64', '-icount', 'shift=0,sleep=off',
			'-rtc', 'clock=vm', '-m', '512', '-nodefaults',
			'-no-reboot', '-display', 'none', '-serial', 'stdio',
			'-kernel', build.path / 'arch/x86/boot/bzImage',
			'-initrd', build.path / 'initramfs.cpio',
			'-append', 'console=ttyS0 panic=-1']


class Count:
	"""What a kernel has counted."""

	def __init__(self, build):
		self.boot = Machine(build)
		self.buffers, self.walks = 0, {}
		self.done = False
		said = [match.groups() for line in self.boot
			if (match := SAYS.search(line))]
		for what, rest in said:
			numbers = [int(n) for n in re.findall(r'\b\d+\b', rest)]
			if what == 'buffers':
				self.buffers, = numbers
			elif what == 'loop':
				self.loop = numbers
			elif what == 'walk':
				self.walks[rest.split()[0]] = numbers
			elif what == 'done':
				self.done = True

	def wrong(self):
		"""Why this can't be relied on, or None."""
		if self.boot.hung:
			return 'the kernel hangs'
		if complaints := reports(self.boot.lines):
			return f'the kernel says: {complaints[0]}'
		if not self.done or self.walks.keys() != WALKS.keys():
			return 'the kernel has not counted everything'
		done, counted = self.loop
		if abs(counted - done) > done * EXACT:
			return f'its clock says {counted} for {done} instructions'
		return None

	def each(self, walk):
		"""Instructions for a buffer, in C and in Rust."""
		return [total / self.buffers for total in self.walks[walk]]

	def ratio(self, walk):
		c, rust = self.walks[walk]
		return rust / c

	def worst(self):
		return max(WALKS, key=self.ratio)


def table(counts):
	print(f'{"":28}', *(f'{name:>24}' for name in counts))
	print(f'{"":28}', *(f'{"C":>8}{"Rust":>8}{"ratio":>8}' for _ in counts))
	for walk, what in WALKS.items():
		cells = []
		for count in counts.values():
			c, rust = count.each(walk)
			cells.append(f'{c:8.2f}{rust:8.2f}{count.ratio(walk):8.3f}')
		print(f'{what:28}', *cells)


def report():
	counts = {'helpers inlined': Count(INLINED), 'helpers called': Count(CALLED)}
	for name, count in counts.items():
		if why := count.wrong():
			sys.exit(f'hitch: {name}: {why}; the log is {count.boot.log}')

	inlined, called = counts.values()
	print(f'Instructions for a buffer, in a walk over {inlined.buffers:,}:\n')
	table(counts)
	print()
	for name, count in counts.items():
		done, counted = count.loop
		print(f'{name}: a loop of {done:,} instructions counts '
		      f'{counted:,}')
	print(f'\nRust costs {(called.ratio(called.worst()) - 1) * 100:+.1f} % at '
	      f'worst with helpers called')
	worst = inlined.ratio(inlined.worst())
	verdict = 'ok' if worst <= ALLOWED else 'TOO MUCH'
	print(f'Rust costs {(worst - 1) * 100:+.1f} % at worst with helpers inlined, '
	      f'{(ALLOWED - 1) * 100:.0f} % are allowed: {verdict}')
	return worst > ALLOWED


def main():
	commands = {'build': build_all, 'report': report}
	if len(sys.argv) != 2 or sys.argv[1] not in commands:
		sys.exit('hitch: cost.py build, or cost.py report?')
	try:
		return commands[sys.argv[1]]()
	except subprocess.CalledProcessError as error:
		return f'hitch: {error}'


if __name__ == '__main__':
	sys.exit(main())
