#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""fixes.py [NUMBER...]: test the patches of series/fixes, all or those of these numbers.

For each patch build two kernels with Linux's own TTM and all patches before it: one with
the patch's cases but without its mend, and one with the whole patch. The cases must fail
on the first, each in a boot of its own, as some never end there. On the second all of
TTM's cases must pass.
"""

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


def build(n, case=''):
	"""Build a kernel with the first @n patches; if @case, only the tests of the last."""
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


def alone(n, case, when):
	"""Run @case in a boot of its own: what it does to lockdep then shows."""
	return kernel.verdict(*run(f'ttm_*.{case}', f'fixes-{n:02}-{case}-{when}'))


def together(n):
	"""Run all of Linux's cases: how many there are, and how many fail."""
	tests, boot = run(LINUX, f'fixes-{n:02}')
	cases = [case for suite in tests.subtests for case in suite.subtests]
	failed = sum(not case.ok_status() for case in cases)
	return len(cases), failed + (not boot.powered_off)


def test(n):
	"""Test patch @n, print the verdicts, and tell whether they are as they must be."""
	text = SERIES[n - 1].read_text()
	cases = re.findall(r'^\+\tKUNIT_CASE(?:_PARAM)?\((\w+)', text, re.M)
	print(SERIES[n - 1].name, flush=True)

	build(n, '1')
	before = {case: alone(n, case, 'before') for case in cases}
	build(n)
	after = {case: alone(n, case, 'after') for case in cases}
	for case in cases:
		print(f'    {case:48}{before[case]:>16}{after[case]:>8}')
	count, failed = together(n)
	print(f'    all {count} cases of TTM: {failed} fail', flush=True)
	return (cases and not failed and 'pass' not in before.values() and
		set(after.values()) == {'pass'})


numbers = [int(n) for n in sys.argv[1:]] or range(1, len(SERIES) + 1)
bad = [n for n in numbers if not test(n)]
print(f'\n{len(numbers)} patches, {len(bad)} not red before and green after')
sys.exit(bool(bad))
