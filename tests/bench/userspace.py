# SPDX-License-Identifier: GPL-2.0 OR MIT
"""The workloads as user programs, on Linux's own core and on ours: instructions, as
callgrind counts them, and events, as the programs do themselves.
"""

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bench_kernels import SHAPES, Row, Unreliable

SOURCE = Path(__file__).resolve().parent.parent / 'userspace'
OUT = Path(f"{os.environ['BUILD']}-userspace")
PROGRAMS = {'linux': 'linux-bench', 'ours': 'bench'}

DUMPED = re.compile(r'^desc: Trigger: Client Request: (.*)$', re.M)
TOTAL = re.compile(r'^totals: (\d+)$', re.M)


@dataclass(frozen=True)
class Events:
	"""What so many operations did."""
	name: str
	shape: str
	n: int
	cursors: int
	place: str
	ops: int
	holds: int	# of the lru_lock
	examined: int	# resources, in the hold that has most
	stores: int	# to memory that other CPUs have in their caches
	lines: int	# of the cache that are written, summed over the holds

	@property
	def key(self):
		return self.name, self.shape, self.n, self.cursors, self.place


@dataclass(frozen=True)
class First:
	"""How many were looked at until one could be evicted, if the first @k of @n
	could not; and how many another walk met that began meanwhile.
	"""
	way: str
	n: int
	k: int
	looks: int
	met: int


class Core:
	"""What was counted of a core: @rows, @events, @first, and @sizes."""


def build():
	subprocess.run(['make', '-s', f'-j{os.cpu_count()}', '-C', SOURCE,
			f'O={OUT}', 'bench'], check=True)


def compiler():
	said = subprocess.run(['clang', '--version'], check=True, text=True,
			      stdout=subprocess.PIPE).stdout
	return said.splitlines()[0]


def say(program, *arguments):
	"""The lines of @program, each split at its tabs."""
	done = subprocess.run([OUT / program, *arguments], text=True,
			      stdout=subprocess.PIPE)
	if done.returncode:
		raise Unreliable(f'{program}: it ended with {done.returncode}')
	return [line.split('\t') for line in done.stdout.splitlines()]


def count_instructions(program, sizes):
	"""The rows of a program, and by how much each is too high."""
	folder = OUT / program / 'callgrind'
	folder.mkdir(parents=True, exist_ok=True)
	for old in folder.iterdir():
		old.unlink()
	done = subprocess.run(
		['valgrind', '-q', '--tool=callgrind', '--instr-atstart=no',
		 f'--callgrind-out-file={folder}/out', OUT / program / 'bench',
		 *map(str, sizes)], text=True, stdout=subprocess.DEVNULL,
		stderr=subprocess.PIPE)
	if done.returncode:
		raise Unreliable(f'{program}: {done.stderr.strip()}')
	rows, nothing = [], 0
	for path in sorted(folder.iterdir()):
		text = path.read_text()
		if not (dumped := DUMPED.search(text)):
			continue
		shape, n, cursors, place, ops, name = dumped[1].split('\t')
		total = int(TOTAL.search(text)[1])
		if name == 'nothing':
			nothing = total
			continue
		rows.append(Row(name, SHAPES[int(shape)], int(n), int(cursors),
				place, int(ops), total))
	return rows, nothing


def count(name, sizes, events=True):
	program = PROGRAMS[name]
	core = Core()
	core.rows, core.nothing = count_instructions(program, sizes)
	if not events:
		return core
	core.events, core.sizes = [], {}
	for kind, *rest in say(f'{program}-events/bench', '10000'):
		if kind == 'size':
			core.sizes[rest[0]] = int(rest[1])
		elif rest[-1] != 'nothing' and rest[2] == '0':
			shape, n, cursors, place, *counts, what = rest
			core.events.append(Events(
				what, SHAPES[int(shape)], int(n), int(cursors),
				place, *map(int, counts)))
	core.first = [First(way, *map(int, numbers)) for _, way, *numbers
		      in say(f'{program}/first')]
	return core


def run(sizes):
	"""A Core for 'linux' and for 'ours'. Raises Unreliable."""
	build()
	with ThreadPoolExecutor() as pool:
		cores = pool.map(lambda name: count(name, sizes), PROGRAMS)
		return dict(zip(PROGRAMS, cores))
