#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Break TTM in small ways that only a kernel can notice, and see which suites do.

mutants.py [--check] [NAME...]

A mutant is a function of TTM with one of the faults that mutants_list.py names. One
kernel contains all mutants: each function contains its variants, and a parameter of the
kernel selects one. The suites are booted for each mutant until one notices it: a case
fails, or the kernel complains, hangs or crashes. Without a mutant, all must pass. At the
end, also when it is interrupted, the tree and the kernel are as they were. A NAME is the
name of a fault or of a file. --check only looks whether all faults apply.
"""

import argparse
import itertools
import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
BOOT = HERE.parent / 'boot'
sys.path.append(str(BOOT))

import kernel	# noqa: E402 (it is found there)
import mutants_list	# noqa: E402

BUILD = os.environ['BUILD']
TTM = Path(os.environ['TREE']) / 'drivers/gpu/drm/ttm'
# Some mutants never end.
LIMITS = {'silence': 120, 'limit': 600}
FUNCTION = re.compile(r'^\{\n.*?^\}$', re.M | re.S)
IS_VOID = re.compile(r'^(?:\w+ )*void\s+\w+\(', re.M)

# Faults leave variables unused, and cause more such warnings.
HEAD = """\
#pragma clang diagnostic ignored "-Weverything"
#include <linux/moduleparam.h>
static int ttm_mutant;
module_param_named(mutant_{stem}, ttm_mutant, int, 0);
"""


@dataclass
class Mutant:
	file: str
	name: str
	old: str
	new: str
	suites: tuple
	number: int
	equivalent: bool = False


class File:
	"""A file of the tree, which gets the mutants."""

	def __init__(self, name):
		self.path = TTM / name
		self.stem = self.path.stem
		self.text = self.path.read_text()

	def check(self, mutant):
		n = self.text.count(mutant.old)
		if n != 1 or mutant.old == mutant.new:
			sys.exit(f"mutants: '{mutant.name}' applies {n} times")

	def _function(self, match, mutants):
		"""The body of a function, with the variants of @mutants."""
		body = match[0]
		before = self.text[:match.start()].rpartition('\n\n')[2]
		ends = ' return;' if IS_VOID.search(before) else ''
		variants = [f'\tif (ttm_mutant == {m.number})\n'
			    f'{body.replace(m.old, m.new)[:-1]}{ends} }}\n'
			    for m in mutants if m.old in body]
		return '{\n' + ''.join(variants) + body[2:] if variants else body

	def mutate(self, mutants):
		text = FUNCTION.sub(lambda match: self._function(match, mutants),
				    self.text)
		for mutant in mutants:
			if f'ttm_mutant == {mutant.number})' not in text:
				sys.exit(f"mutants: '{mutant.name}' is in no function")
		self.path.write_text(HEAD.format(stem=self.stem) + text)

	def restore(self):
		if self.path.read_text() != self.text:
			self.path.write_text(self.text)


def build():
	make = subprocess.run([BOOT / 'build.sh', 'ours', 'linux'], text=True,
			      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
	if make.returncode:
		sys.exit(f"mutants: can't build\n{make.stdout[-4000:]}")


def boot(glob, parameter):
	"""What the suites of @glob notice, or an empty string."""
	run = kernel.Boot(BUILD, f'mutant-{parameter.partition("=")[2]}',
			  'kunit.enable=1', f'kunit.filter_glob={glob}', parameter,
			  **LIMITS)
	passed = 0
	for line in run:
		if 'not ok ' in line or kernel.reports([line]):
			return line.strip().lstrip('# ')
		passed += ' ok ' in line
	if run.hung:
		return 'hangs'
	if not run.powered_off:
		return 'crashes'
	return '' if passed else 'no case of that name'


def noticed_by(mutant):
	parameter = f'ttm.mutant_{Path(mutant.file).stem}={mutant.number}'
	for glob in mutant.suites:
		if how := boot(glob, parameter):
			return f'{glob}: {how}'
	return ''


def verdict(mutant, said):
	"""Whether the result is right, and the text to print."""
	if mutant.number == 0:
		return not said, said or 'all pass'
	if mutant.equivalent:
		return not said, said or 'equivalent'
	return bool(said), said or 'NOT NOTICED'


def try_all(mutants):
	bad = 0
	pool = ThreadPoolExecutor(os.cpu_count())
	try:
		for mutant, said in zip(mutants, pool.map(noticed_by, mutants)):
			well, said = verdict(mutant, said)
			bad += not well
			print(f'{mutant.file:18}{mutant.name:56} {said}'[:160],
			      flush=True)
	finally:
		pool.shutdown(cancel_futures=True)
	return bad


def chosen(names):
	"""The mutants. In front of each list, the code without a fault."""
	mutants = []
	# A file may have several lists, but has one parameter.
	numbers = {file: itertools.count(1) for file, *_ in mutants_list.LISTS}
	for file, suites, faults in mutants_list.LISTS:
		some = [Mutant(file, fault.name, fault.old, fault.new, suites,
			       next(numbers[file]), fault.equivalent)
			for fault in faults]
		some = [m for m in some if not names or {m.name, file} & names]
		if some:
			mutants += [Mutant(file, 'none', '', '', suites, 0), *some]
	return mutants


def main():
	parser = argparse.ArgumentParser(usage=__doc__)
	parser.add_argument('--check', action='store_true')
	parser.add_argument('names', nargs='*')
	args = parser.parse_args()

	mutants = chosen(set(args.names))
	real = [m for m in mutants if m.number]
	files = {m.file: File(m.file) for m in real}
	for mutant in real:
		files[mutant.file].check(mutant)
	if args.check:
		print(f'{len(real)} mutants')
		return 0

	signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
	try:
		for file, its in files.items():
			its.mutate([m for m in real if m.file == file])
		build()
		bad = try_all(mutants)
	finally:
		for its in files.values():
			its.restore()
		build()
	print(f'{len(real)} mutants, {bad} not as they should be')
	return bad > 0


sys.exit(main())
