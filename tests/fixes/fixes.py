#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""fixes.py [--quick] [NUMBER...]: test the patches of series/fixes, all or those of these
numbers.

For each patch build two kernels with Linux's own TTM and all patches before it: one with
the patch's cases but without its mend, and one with the whole patch. The cases must fail
on the first, each in a boot of its own, as some never end there. On the second all of
TTM's cases must pass. A patch without a case says why, and only its second kernel runs.

With --quick build only two kernels: one with the cases of all patches but without any
mend, and one with all patches.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path += [str(TOP / 'tests/boot'), str(TOP / 'scripts')]

import kernel	# noqa: E402 (tests/boot/kernel.py)
from merge import series	# noqa: E402 (scripts/merge.py)

BUILD = os.environ['BUILD']
SERIES = series('fixes')
# Linux's own suites. This project's, which are in the same kernel, begin with ttm_lru.
LINUX = 'ttm_[bdprt]*'


def cases(n):
	"""The names of the cases of patch @n."""
	return re.findall(r'^\+\tKUNIT_CASE(?:_PARAM)?\((\w+)', SERIES[n - 1].read_text(), re.M)


def build(n, case=''):
	"""Build a kernel with the first @n patches. If @case is 1, only with the tests of the
	last one; if it is all, with the tests of all of them."""
	env = dict(os.environ, FIXES=str(n), CASE=case)
	with open(f'{BUILD}/fixes-{n:02}{"-case" if case else ""}.build.log', 'w') as log:
		for command in (['scripts/overlay.py'], ['tests/boot/build.sh', 'pristine']):
			command[0] = TOP / command[0]
			done = subprocess.run(command, env=env, stdout=log, stderr=log)
			if done.returncode:
				sys.exit(f'hitch: patch {n} does not build, see {log.name}')


def run(glob, log):
	boot = kernel.Boot(BUILD, log, 'kunit.enable=1', f'kunit.filter_glob={glob}',
			   silence=20, limit=300)
	return kernel.results(boot), boot


def verdicts(n, when):
	"""Run the cases of patch @n, each in a boot of its own: what it does to lockdep then
	shows. Return {case: verdict}."""
	return {case: kernel.verdict(*run(f'ttm_*.{case}', f'fixes-{n:02}-{case}-{when}'))
		for case in cases(n)}


def report(n, before, after):
	"""Print the verdicts of patch @n's cases. Return whether they are as they must be."""
	for case, said in before.items():
		print(f'    {case:48}{said:>16}{after[case]:>8}', flush=True)
	if not before:
		print('    no case', flush=True)
		return 'There is no KUnit case' in SERIES[n - 1].read_text()
	return ('pass' not in before.values() and 'not there' not in before.values() and
		set(after.values()) == {'pass'})


def together(n):
	"""Run all of Linux's cases, and print how many fail. Return whether none does."""
	tests, boot = run(LINUX, f'fixes-{n:02}')
	ran = [case for suite in tests.subtests for case in suite.subtests]
	failed = sum(not case.ok_status() for case in ran) + (not boot.powered_off)
	print(f'    all {len(ran)} cases of TTM: {failed} fail', flush=True)
	return ran and not failed


def test(n):
	"""Test patch @n, and tell whether the verdicts are as they must be."""
	print(SERIES[n - 1].name, flush=True)
	before = {}
	if cases(n):
		build(n, '1')
		before = verdicts(n, 'before')
	build(n)
	well = report(n, before, verdicts(n, 'after'))
	return together(n) and well


def test_quickly(numbers):
	"""Test patches, with two kernels for all. Return those whose verdicts are wrong."""
	build(len(SERIES), 'all')
	before = {n: verdicts(n, 'before') for n in numbers}
	build(len(SERIES))
	bad = []
	for n in numbers:
		print(SERIES[n - 1].name)
		if not report(n, before[n], verdicts(n, 'after')):
			bad.append(n)
	return bad if together(len(SERIES)) else numbers


parser = argparse.ArgumentParser(usage=__doc__)
parser.add_argument('--quick', action='store_true')
parser.add_argument('numbers', nargs='*', type=int)
args = parser.parse_args()
numbers = args.numbers or range(1, len(SERIES) + 1)
bad = test_quickly(numbers) if args.quick else [n for n in numbers if not test(n)]
print(f'\n{len(numbers)} patches, {len(bad)} not red before and green after')
sys.exit(bool(bad))
