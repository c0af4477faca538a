#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Break what user space has of TTM in small ways, and see which tests notice.

mutants.py [--some|--full|--check] SOURCE OUT [NAME...]

SOURCE is ttm_resource.c of a tree, OUT a folder to build in. A mutant is that file, one
beside it, or ttm_resource.h, with one of the faults in faults/. A NAME is the name of
a fault or of a file. --some tries a few, each until one test notices it. --full runs the
explorer on each; without it, only on those that no other test noticed. --check only
looks whether all faults apply. What notices:

  checks   CONFIG_DRM_TTM_LRU_DEBUG alone, on random sequences
  random   random sequences of operations, against the model
  corpus   the fuzzer's corpus, against the model
  explore  the quick worlds of the explorer
  walks    walks over reserved buffers, for their faults
  outcome  the quick form of the judge of eviction, until something is wrong
"""

import argparse
import os
import queue
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import faults

HERE = Path(__file__).resolve().parent
HEADER = 'ttm_resource.h'
INTERNAL = 'ttm_lru_internal.h'

# The files that may have a fault, and their variables in the Makefile.
FILES = {
	'ttm_resource.c': 'SOURCE',
	'ttm_lru_walk.c': 'WALKER',
	'ttm_evict.c': 'EVICT',
	'ttm_evict_scope.c': 'SCOPE',
	HEADER: None,
	INTERNAL: None,
}

CORE = ('ours/explore', 'random/random')
WALKS = ('walks/walks', 'outcome/outcome')
OUTCOME = ('outcome/outcome',)

# Faults, the files that may have them, the programs that notice them, and n: --some
# takes every nth.
LISTS = (
	(faults.LISTS + faults.CURSORS, ('ttm_resource.c', HEADER, INTERNAL), CORE, 12),
	(faults.WALK, ('ttm_lru_walk.c', 'ttm_resource.c', HEADER, INTERNAL), WALKS, 12),
	(faults.ENTRIES, ('ttm_resource.c',), OUTCOME, 12),
	(faults.EVICT, ('ttm_evict.c',), OUTCOME, 16),
	(faults.EVICT_SCOPE, ('ttm_evict_scope.c',), OUTCOME, 8),
)


def run(command, seconds, **env):
	"""Whether @command succeeds, and its output."""
	try:
		done = subprocess.run(command, timeout=seconds, text=True,
				      errors='replace', stdout=subprocess.PIPE,
				      stderr=subprocess.STDOUT,
				      env={**os.environ, **env})
	except subprocess.TimeoutExpired:
		return False, 'hangs'
	return done.returncode == 0, done.stdout


class DoesNotBuild(Exception):
	"""A mutant that the compiler refuses, which says nothing about the tests."""


def build(out, programs, **sources):
	well, said = run(['make', '-s', '-C', HERE, f'O={out}',
			  *[f'{name}={source}' for name, source in sources.items()],
			  *[f'{out}/{program}' for program in programs]], 600)
	if not well:
		raise DoesNotBuild(said)


def layers(out, programs):
	if programs is CORE:
		corpus = sorted(str(f) for f in (HERE / 'corpus').iterdir())
		random, explore = f'{out}/random/random', f'{out}/ours/explore'
		return {
			'checks': ([random, '2'], 60, {'JUDGE': 'warnings'}),
			'random': ([random, '2'], 60, {}),
			'corpus': ([random, *corpus], 120, {}),
			'explore': ([explore, 'quick'], 1800, {'PROGRESS': '1e9'}),
		}
	outcome = f'{out}/outcome/outcome'
	judge = {'outcome': ([outcome, 'quick', '20000'], 600, {'UNTIL_BAD': '1'})}
	if programs is OUTCOME:
		return judge
	return {'walks': ([f'{out}/walks/walks'], 60, {}), **judge}


def write(path, text):
	"""Write a file, but keep the time of one that is the same already."""
	path.parent.mkdir(parents=True, exist_ok=True)
	if not path.exists() or path.read_text() != text:
		path.write_text(text)


class Mutant:
	"""Files with a fault, and the programs that should notice it."""

	def __init__(self, fault, files, programs):
		self.fault, self.files, self.programs = fault, files, programs

	def of(self, texts):
		"""@texts by file, with the fault in one of them."""
		old, new = self.fault.old, self.fault.new
		found = [file for file in self.files
			 for _ in range(texts[file].count(old))]
		if len(found) != 1:
			sys.exit(f"mutants: '{self.fault.name}' applies {len(found)} times")
		file = found[0]
		return {**texts, file: texts[file].replace(old, new)}


class Bench:
	"""Tries mutants in a folder of its own. There is one for each CPU."""

	def __init__(self, out, texts, some, full):
		self.out, self.texts = out, texts
		self.some, self.full = some, full

	def build(self, mutant):
		for file, text in mutant.of(self.texts).items():
			folder = 'include/drm/ttm' if file == HEADER else ''
			write(self.out / folder / file, text)
		# Ahead of the tree's, which others of TTM's headers include.
		extra = f'-I{self.out}/include -include {self.out / INTERNAL}'
		build(self.out, mutant.programs, EXTRA=extra,
		      **{name: self.out / file for file, name in FILES.items() if name})

	def noticed_by(self, mutant):
		try:
			self.build(mutant)
		except DoesNotBuild as e:
			print(e, file=sys.stderr)
			return None
		noticed = []
		for layer, (command, seconds, env) in layers(self.out,
							     mutant.programs).items():
			once = layer == 'outcome' or layer == 'explore' and not self.full
			if noticed and (self.some or once):
				break
			well, said = run(command, seconds, **env)
			if not well:
				# On a busy machine a program may only be slow.
				hangs = ' (hangs)' if said == 'hangs' else ''
				noticed.append(layer + hangs)
		return noticed


def verdict(fault, noticed):
	"""Whether the right tests noticed @fault, and their names."""
	if noticed is None:
		return False, 'DOES NOT BUILD'
	if fault.equivalent:
		return not noticed, ' '.join(noticed) or 'equivalent'
	return bool(noticed), ' '.join(noticed) or 'NOT NOTICED'


def chosen(args, texts):
	"""The mutants to try. Ends if a fault does not apply."""
	for some, files, programs, nth in LISTS:
		mutants = [Mutant(fault, files, programs) for fault in some]
		for mutant in mutants:
			mutant.of(texts)
		mutants = [m for m in mutants
			   if not m.fault.booted and not m.fault.proof_only]
		if args.some:
			mutants = [m for m in mutants if not m.fault.equivalent][::nth]
		yield from (m for m in mutants if not args.names or
			    {m.fault.name, files[0]} & set(args.names))


def main():
	parser = argparse.ArgumentParser(usage=__doc__)
	parser.add_argument('--some', action='store_true')
	parser.add_argument('--full', action='store_true')
	parser.add_argument('--check', action='store_true')
	parser.add_argument('source', type=Path)
	parser.add_argument('out', type=Path)
	parser.add_argument('names', nargs='*')
	args = parser.parse_args()

	include = args.source.resolve().parents[4] / 'include/drm/ttm'
	texts = {file: (include / file if file == HEADER else
			args.source.with_name(file)).read_text() for file in FILES}
	mutants = list(chosen(args, texts))
	if args.check:
		print(f'{len(mutants)} mutants')
		return False
	benches = queue.SimpleQueue()
	for cpu in range(os.cpu_count()):
		benches.put(Bench(args.out / str(cpu), texts, args.some, args.full))

	def try_one(mutant):
		bench = benches.get()
		try:
			return bench.noticed_by(mutant)
		finally:
			benches.put(bench)

	bad = 0
	with ThreadPoolExecutor(os.cpu_count()) as pool:
		for mutant, noticed in zip(mutants, pool.map(try_one, mutants)):
			well, said = verdict(mutant.fault, noticed)
			bad += not well
			print(f'{mutant.fault.name:64} {said}', flush=True)

	print(f'{len(mutants)} mutants, {bad} not as they should be')
	return bad > 0


sys.exit(main())
