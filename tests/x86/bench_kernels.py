#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""What LRU lists cost in Linux's own TTM and in ours: two kernels that count their
instructions, as QEMU has them. Both trees must be laid.

bench_kernels.py build: build both kernels.
bench_kernels.py report: boot them, print what they count.
"""

import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from kbuild import Build
from kbuild import run as execute

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / 'boot'))
from kernel import Boot, reports

TREE = Path(os.environ['TREE'])
CONFIG = HERE / 'bench.config'

BUILDS = {
	'linux': Build('x86-bench-pristine', TREE.with_name(f'{TREE.name}-pristine'),
		       [CONFIG]),
	'ours': Build('x86-bench', TREE, [CONFIG]),
}
# With one CPU a kernel works through its lists, with more it has a crowd. A client on
# each of them needs room.
CROWDS = (2, 4)
# The order of the lock's holders differs a little from run to run: take the median.
CROWD_RUNS = 3

# As enum lru_bench_shape has them.
SHAPES = ('loose', '1 bulk', '10 bulks', '1000 bulks')
# The clock may be off by so much, for what is around the instructions.
EXACT = 0.001

SAYS = re.compile(r'\bttm_lru_bench: (\w+):? ?(.*)')


class Unreliable(Exception):
	"""What a kernel has counted is of no use, and why."""


@dataclass(frozen=True)
class Row:
	"""What so many operations cost, at best; or what a crowd got done."""
	name: str
	shape: str	# of the list
	n: int		# buffers in it
	cursors: int	# parked, of other walks
	place: str	# where these are
	ops: int
	instructions: int

	@property
	def key(self):
		return self.name, self.shape, self.n, self.cursors, self.place

	@property
	def each(self):
		return self.instructions / self.ops


@dataclass(frozen=True)
class Done:
	"""What a crowd on so many CPUs got done within so many instructions of theirs
	together; or how many others executed while some waited for the lock.
	"""
	name: str
	cpus: int
	done: int
	instructions: int

	@property
	def key(self):
		return self.name, self.cpus

	@property
	def per_million(self):
		return self.done * 1e6 / self.instructions


@dataclass(frozen=True)
class Room:
	"""What it took so many clients to get room, in so many validations."""
	name: str
	clients: int
	done: int
	validations: int

	@property
	def key(self):
		return self.name, self.clients

	@property
	def each(self):
		return self.done / self.validations


class Machine(Boot):
	"""A PC with a serial port, and a clock that counts instructions. Its CPUs take
	turns: they are emulated by one thread.
	"""

	def __init__(self, build, cpus):
		super().__init__(build.path, f'bench-{cpus}')
		# The kernel finds CPUs where there is a socket for each.
		smp = f'{cpus},sockets={cpus}'
		self.command = [
			'qemu-system-x86_64', '-icount', 'shift=0,sleep=off',
			'-rtc', 'clock=vm', '-m', '2048', '-smp', smp,
			'-nodefaults', '-no-reboot', '-display', 'none',
			'-serial', 'stdio',
			'-kernel', build.path / 'arch/x86/boot/bzImage',
			'-append', 'console=ttyS0 panic=-1']


class Count:
	"""What a kernel has counted on so many CPUs."""

	def __init__(self, build, cpus):
		self.boot = Machine(build, cpus)
		self.cpus = cpus
		self.rows, self.sizes, self.crowd, self.room = [], {}, [], []
		self.nothing, self.loop = 0, (1, 0)
		self.failed, self.done = None, False
		for line in self.boot:
			if match := SAYS.search(line):
				self._hear(*match.groups())
			# It has nothing else to do; leaving this loop ends it.
			if self.done or self.failed:
				break

	def _hear(self, what, rest):
		if what == 'size':
			size, name = rest.split()
			self.sizes[name] = int(size)
		elif what == 'nothing':
			self.nothing = int(rest)
		elif what == 'loop':
			self.loop = tuple(map(int, rest.split()))
		elif what == 'row':
			shape, n, cursors, place, ops, took, name = \
				rest.split(' ', 6)
			self.rows.append(Row(name, SHAPES[int(shape)], int(n),
					     int(cursors), place, int(ops),
					     int(took)))
		elif what == 'crowd':
			cpus, took, done, name = rest.split(' ', 3)
			self.crowd.append(Done(name, int(cpus), int(done),
					       int(took)))
		elif what == 'room':
			clients, validations, done, name = rest.split(' ', 3)
			self.room.append(Room(name, int(clients), int(done),
					      int(validations)))
		elif what == 'failed':
			self.failed = rest
		elif what == 'done':
			self.done = True

	def _all_there(self):
		if {room.clients for room in self.room} != {self.cpus}:
			return False
		if self.cpus > 1:
			return {done.cpus for done in self.crowd} == {self.cpus}
		return {row.shape for row in self.rows} == {*SHAPES}

	def wrong(self):
		"""Why this can't be relied on, or None."""
		if self.boot.hung:
			return 'the kernel hangs'
		if complaints := reports(self.boot.lines):
			return f'the kernel says: {complaints[0]}'
		if self.failed:
			return f'the kernel failed: {self.failed}'
		if not self.done or not self._all_there():
			return 'the kernel has not counted everything'
		keys = Counter(row.key for row in
			       self.rows + self.crowd + self.room)
		if twice := [key for key, times in keys.items() if times > 1]:
			return f'the kernel has counted {twice[0]} twice'
		done, counted = self.loop
		if abs(counted - done) > done * EXACT:
			return f'its clock says {counted} for {done} instructions'
		return None


class Kernel:
	"""What a kernel has counted: @rows, @crowd, @room and the @sizes of structs;
	by @nothing each row is too high. Raises Unreliable.
	"""

	def __init__(self, name):
		lists = count(name, 1)
		self.rows = lists.rows
		self.sizes = lists.sizes
		self.nothing, self.loop = lists.nothing, lists.loop
		self.crowd, self.room = [], lists.room
		for cpus in CROWDS:
			runs = [count(name, cpus) for _ in range(CROWD_RUNS)]
			self.crowd += middle([run.crowd for run in runs])
			self.room += added([run.room for run in runs])

	def keys(self):
		return {row.key for row in self.rows + self.crowd + self.room}


def middle(runs):
	"""For each thing that was done in all runs, the median."""
	for done in runs[0]:
		yield sorted((it for run in runs for it in run
			      if it.key == done.key),
			     key=lambda it: it.done)[len(runs) // 2]


def added(runs):
	"""For each thing that rooms took in all runs, the sum: no refusal is lost."""
	for room in runs[0]:
		same = [it for run in runs for it in run if it.key == room.key]
		yield Room(room.name, room.clients, sum(it.done for it in same),
			   sum(it.validations for it in same))


def count(name, cpus):
	counted = Count(BUILDS[name], cpus)
	if why := counted.wrong():
		raise Unreliable(f'{name}, {cpus} CPUs: {why}; the log is '
				 f'{counted.boot.log}')
	return counted


def build():
	"""Build both kernels. Raises Unreliable if one isn't as was asked for."""
	# In the workloads a warning is an error.
	strict = [f'CFLAGS_{source.stem}.o=-Werror' for source in
		  (TREE / 'drivers/gpu/drm/ttm/tests').glob('ttm_lru_bench*.c')]
	for it in BUILDS.values():
		it.configure()
		if lost := it.lost_options():
			raise Unreliable(f'{lost[0]} was not granted')
		execute(*it.make, *strict, 'bzImage')


def run():
	"""Boot both, and return what they counted: a Kernel for 'linux' and 'ours',
	with the same rows. Raises Unreliable.
	"""
	kernels = {name: Kernel(name) for name in BUILDS}
	if odd := kernels['linux'].keys() ^ kernels['ours'].keys():
		raise Unreliable(f'only one kernel has counted {odd.pop()}')
	return kernels


def report():
	linux, ours = run().values()
	for name, kernel in (('linux', linux), ('ours', ours)):
		done, counted = kernel.loop
		print(f'{name}: {counted:,} for {done:,} instructions, '
		      f'{kernel.nothing} for none')
	for name, size in linux.sizes.items():
		print(f'{name:54}{size:12}{ours.sizes[name]:12}')
	others = {it.key: it for it in ours.rows + ours.crowd + ours.room}
	for row in linux.rows:
		other = others[row.key]
		print(f'{row.name:24}{row.shape:>10}{row.n:9,}{row.cursors:4} '
		      f'{row.place:6}{row.each:12.2f}{other.each:12.2f}'
		      f'{other.each / row.each:8.3f}')
	for done in linux.crowd:
		print(f'{done.name:44}{done.cpus:4} CPUs {done.done:12,}'
		      f'{others[done.key].done:12,}')
	for room in linux.room:
		print(f'{room.name:44}{room.clients:4} clients {room.each:12,.4g}'
		      f'{others[room.key].each:12,.4g}')


def main():
	commands = {'build': build, 'report': report}
	if len(sys.argv) != 2 or sys.argv[1] not in commands:
		sys.exit('hitch: bench_kernels.py build, or report?')
	try:
		commands[sys.argv[1]]()
	except (Unreliable, subprocess.CalledProcessError) as error:
		sys.exit(f'hitch: {error}')


if __name__ == '__main__':
	main()
