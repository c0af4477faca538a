#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Prove the list operations of the core, one by one, with CBMC.

prove.py [--full] [--nodes N] LINUX TREE OUT [OPERATION...]

LINUX is a pristine Linux tree, TREE the merged one, OUT a folder to build in.
Each operation is run from any world of up to N nodes in which the invariant
holds: for all kinds of nodes (resources, R, and cursors, H) in any order, and
each node in turn as the one that the operation is about (r or h). Then the core
is broken in small ways, one for each operation or (--full) all that are known,
and each time the proof must fail. Times are the CPUs' together.
"""

import argparse
import itertools
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent))

from faults import PROVED

HERE = Path(__file__).resolve().parent

# The world's size: so that its lists and ranges stay few. The arrays become
# pointers to such: the checker follows pointers to an array of its own well,
# into the middle of a struct badly.
HEADER = (
    (r'(#define TTM_MAX_BO_PRIORITY)\s.*', r'\1 2U'),
    (r'(#define TTM_NUM_MEM_TYPES)\s.*', r'\1 2'),
    (r'struct list_head lru\[TTM_MAX_BO_PRIORITY\];',
     'struct list_head *lru;'),
    (r'(struct ttm_lru_bulk_move_pos) pos\[TTM_NUM_MEM_TYPES\]'
     r'\[TTM_MAX_BO_PRIORITY\];',
     r'\1 *pos[TTM_NUM_MEM_TYPES];'),
    (r'(struct ttm_resource_manager), lru\[0\]', r'\1, lists'),
)

HARNESS = ('world.c', 'invariant.c', 'checks.c')
PROOFS = ('list_ops.c', 'cursor_ops.c')
TTM_HEADER = 'drm/ttm/ttm_resource.h'
INTERNAL = 'ttm_lru_internal.h'
FLAGS = ['-m32', '-I', '.', '-I', HERE, '-include', HERE / 'stub.h']


def build_headers(linux, tree, out):
	"""The headers that the core sees, most of them empty; the core, and its own."""
	ttm = tree / 'drivers/gpu/drm/ttm'
	header = (tree / 'include' / TTM_HEADER).read_text()
	internal = (ttm / INTERNAL).read_text()
	for pattern, new in HEADER:
		header, n = re.subn(pattern, new, header)
		internal, more = re.subn(pattern, new, internal)
		if not n + more:
			sys.exit(f'prove: no {pattern} in {TTM_HEADER} and {INTERNAL}')
	files = {TTM_HEADER: header,
		 INTERNAL: internal,
		 'linux/list.h': (linux / 'include/linux/list.h').read_text(),
		 'ttm_lru_debug.h': (ttm / 'ttm_lru_debug.h').read_text()}
	core = (ttm / 'ttm_resource.c').read_text()
	for text in (core, *files.values()):
		for name in re.findall(r'#include <(.*)>', text):
			files.setdefault(name, '')
	for name, text in files.items():
		path = out / name
		path.parent.mkdir(parents=True, exist_ok=True)
		path.write_text(text)
	return core, header


# The worlds' size: quick, full; and where that would take too long.
NODES = {False: 2, True: 4}
FEWER = {
    # These do nothing but to call what is proved by itself.
    False: {'first': 1},
    True: {'add': 3, 'tail': 3, 'init': 3,
	   'in_shared_bulk': 3, 'unevictable_start': 3, 'unevictable_next': 3,
	   'advance_within': 3, 'advance': 3, 'first': 3, 'next': 3,
	   'bulk_fini': 2},
}


def operations():
	"""What each operation is about: res, cursor or bulk."""
	return dict(re.findall(r'^void prove_(\w+)\(void\)\n{.*?choose_for_(\w+)\(',
			       ''.join((HERE / file).read_text() for file in PROOFS),
			       re.M | re.S))


# For these the checker is told on which list each node is, too: the type's first
# or second, the unevictable one, or none (2 to 5, as in world.h).
LISTED = {'bulk_fini'}


def lists(kinds):
	"""Where nodes may be, in their order: hitches never on 4."""
	return [''.join(on) for on in
		itertools.combinations_with_replacement('2345', len(kinds))
		if ('H', '4') not in zip(kinds, on)]


def worlds(operation, nodes):
	about = operations()[operation]
	kinds = [''.join(kind) for kind in itertools.product('RH', repeat=nodes)]
	if operation in LISTED:
		return [kind + on for kind in kinds for on in lists(kind)]
	if about == 'bulk':
		return kinds
	subject = 'R' if about == 'res' else 'H'
	return [kind[:i] + subject.lower() + kind[i + 1:]
		for kind in kinds for i in range(nodes) if kind[i] == subject]


class Prover:
	"""Of one core and its header, ours or broken ones."""

	def __init__(self, out, name, core, header):
		self.out, self.name = out, name
		self.built = set()
		self.flags = ['-I', name, *FLAGS]
		path = out / name / TTM_HEADER
		path.parent.mkdir(parents=True, exist_ok=True)
		path.write_text(header)
		(out / f'{name}.c').write_text(core)
		self.run('goto-cc', *self.flags, '-c', f'{name}.c', '-o', f'{name}.goto')
		self.loops = re.findall(r'^Loop (.*):', self.run(
		    'goto-instrument', '--show-loops', f'{name}.goto'), re.M)

	def run(self, *command):
		done = subprocess.run(['nice', '-n', '10', *command], cwd=self.out,
				      text=True, capture_output=True)
		if done.returncode and '\nVERIFICATION FAILED' not in done.stdout:
			sys.exit(f'{done.stdout[-2000:]}{done.stderr}')
		return done.stdout

	def rounds(self, loop, kinds):
		"""What the core's loops pass, plus one: lists, nodes, or hitches."""
		if re.search(r'bulk_move_(has|tail|fini)|within.1|walk_start',
			     loop):
			return 3
		if re.search(r'within.0', loop):
			return len(kinds)
		return kinds.count('R' if 'dissolve' in loop else 'H') + 1

	def build(self, world):
		"""A program with the proofs of all operations."""
		program = f'{self.name}-{world}.goto'
		if world in self.built:
			return program
		kinds, on = re.fullmatch('([A-Za-z]+)([0-9]*)', world).groups()
		target = [i for i, kind in enumerate(kinds) if kind.islower()]
		self.run('goto-cc', *self.flags, f'-DWORLD="{kinds.upper()}"',
			 *[f'-DLISTS="{on}"'] * bool(on), f'-DNODES={len(kinds)}',
			 f'-DTARGET={target[0] if target else len(kinds)}',
			 *(HERE / file for file in HARNESS + PROOFS), f'{self.name}.goto',
			 '-o', program)
		self.built.add(world)
		return program

	def check(self, operation, world, *flags):
		"""Number of properties, and those that don't hold."""
		program = self.build(world)
		kinds = world.upper().rstrip('2345')
		unwind = ','.join(f'{loop}:{self.rounds(loop, kinds)}'
				  for loop in self.loops)
		said = self.run('cbmc', program, '--function',
				f'prove_{operation}', '--unwindset', unwind,
				'--unwinding-assertions', *flags)
		found = re.findall(r'^\[\S+\] (.*): (SUCCESS|FAILURE|UNKNOWN)$', said,
				   re.M)
		bad = [what for what, result in found if result != 'SUCCESS']
		if '\nVERIFICATION SUCCESSFUL' not in said and not bad:
			bad = ['not proved']
		return len(found), bad


def progress(text):
	if sys.stderr.isatty():
		print(f'\r{text:79}\r', end='', file=sys.stderr, flush=True)


def spent():
	"""CPU time so far, in seconds: the machine may have more to do."""
	times = os.times()
	return times.children_user + times.children_system


def prove(prover, operation, all_worlds):
	"""Number of properties that hold in all worlds, and what doesn't."""
	held, bad = 0, []
	with ThreadPoolExecutor(os.cpu_count()) as pool:
		found = pool.map(lambda world: prover.check(operation, world),
				 all_worlds)
		for world, (properties, failed) in zip(all_worlds, found):
			progress(f'{operation} {world}')
			held = max(held, properties)
			bad += [f'{world}: {what}' for what in failed]
	return held, bad


def unnoticed(core, header, out, broken):
	"""The ways to break an operation that its proof overlooks."""
	missed = []
	for fault, operation, world in broken:
		n = core.count(fault.old) + header.count(fault.old)
		if n != 1:
			sys.exit(f"prove: '{fault.name}' applies {n} times")
		progress(f'{operation} {world}: {fault.name}')
		prover = Prover(out, 'broken', core.replace(fault.old, fault.new),
				header.replace(fault.old, fault.new))
		if not prover.check(operation, world, '--stop-on-fail')[1]:
			missed.append(fault.name)
	return missed


def main():
	parser = argparse.ArgumentParser(usage=__doc__)
	parser.add_argument('--full', action='store_true')
	parser.add_argument('--nodes', type=int)
	parser.add_argument('linux', type=Path)
	parser.add_argument('tree', type=Path)
	parser.add_argument('out', type=Path)
	parser.add_argument('operations', nargs='*')
	args = parser.parse_args()

	args.out.mkdir(parents=True, exist_ok=True)
	core, header = build_headers(args.linux, args.tree, args.out)
	prover = Prover(args.out, 'core', core, header)
	wrong = proved = 0

	print('operation        nodes worlds properties  result    time  '
	      'fails when broken')
	for operation in args.operations or operations():
		nodes = args.nodes or FEWER[args.full].get(operation,
							   NODES[args.full])
		todo = worlds(operation, nodes)
		broken = [(fault, *proof) for fault in PROVED for proof in fault.proofs
			  if proof.operation == operation]
		if not args.full:
			broken = sorted(broken, key=lambda b: len(b[2]))[:1]
		start = spent()
		held, bad = prove(prover, operation, todo)
		took = spent() - start
		missed = unnoticed(core, header, args.out, broken)
		progress('')
		print(f'{operation:16} {nodes:5} {len(todo):6} {held:10}  '
		      f"{'BROKEN' if bad else 'proved'}  {took:4.0f} s  "
		      f'{len(broken) - len(missed)} of {len(broken)}', flush=True)
		for what in bad:
			print(f'\t{what}')
		for name in missed:
			print(f'\tnot seen to fail: {name}')
		wrong += bool(bad or missed)
		proved += not bad
	print(f'{proved} operations proved')
	return bool(wrong)


if __name__ == '__main__':
	sys.exit(main())
