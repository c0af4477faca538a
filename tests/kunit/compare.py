#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""compare.py RIVAL SUITE...: run the suites on Linux's own TTM and on ours; print a table.

RIVAL is pristine, or fixes for Linux's own TTM with patches of series/fixes.

On Linux's own TTM each case has a boot of its own, as some cases corrupt memory there, or
never end.
"""

import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / 'boot'))

import kernel	# noqa: E402 (it is found there)

BUILD = os.environ['BUILD']
NAMES = {'pristine': "Linux's own TTM", 'fixes': "Linux's own TTM with patches of series/fixes"}


def run(build, glob, **limits):
	boot = kernel.Boot(build, 'compare', 'kunit.enable=1',
			   f'kunit.filter_glob={glob}', **limits)
	return kernel.results(boot), boot


def counted(boot, case):
	"""The counts that a case prints, if any."""
	says = f'{case}: counted: '
	return [line.partition(says)[2] for line in boot.lines if says in line]


cases = []
rival, *names = sys.argv[1:]
for name in names:
	tests, boot = run(BUILD, name)
	ran = [(suite.name, case) for suite in tests.subtests
	       for case in suite.subtests]
	if not ran or not boot.powered_off:
		sys.exit(f'hitch: no verdicts of ours, see {boot.log}')
	cases += [(suite, case, counted(boot, case.name)) for suite, case in ran]

print(f'{"case":48}{"Linux":>16}{"here":>12}')
ran = failed = bad = better = 0
for suite, case, counts in cases:
	# A case that counts something slow needs more time.
	tests, boot = run(f'{BUILD}-{rival}', f'{suite}.{case.name}',
			       silence=300 if counts else 20,
			       limit=600 if counts else 60)
	linux = kernel.verdict(tests, boot)
	here = 'pass' if case.ok_status() else 'FAIL'
	print(f'{case.name:48}{linux:>16}{here:>12}', flush=True)
	for line in counted(boot, case.name):
		print(f'    Linux: {line}')
	for line in counts:
		print(f'    here:  {line}')
	can_run = linux not in ('skipped', 'not there')
	ran += can_run
	failed += can_run and linux != 'pass'
	bad += here != 'pass'
	better += here == 'pass' and can_run and linux != 'pass'
print(f'\n{ran} of {len(cases)} cases run on {NAMES[rival]}, {failed} fail there')
print(f'{better} that fail there pass here, {bad} fail here')
sys.exit(bad != 0)
