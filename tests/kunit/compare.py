#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""compare.py SUITE...: run the suites on Linux's own TTM and on ours; print a table.

On Linux's own TTM each case has a boot of its own, as some cases corrupt memory there, or
never end.
"""

import os
import re
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / 'boot'))

import kernel	# noqa: E402 (it is found there)

BUILD = os.environ['BUILD']
# Lockdep reports wrong locking, and turns itself off.
LOCKDEP = re.compile('DEBUG_LOCKS_WARN_ON|WARNING: [^/]*(lock|contention)')


def verdict(test, boot):
	said = kernel.reports(boot.lines)
	if boot.hung or any('stall' in line for line in said):
		return 'hangs'
	if not boot.powered_off:
		return 'crashes'
	if any('KASAN' in line or 'corruption' in line for line in said):
		return 'corrupts memory'
	if any(LOCKDEP.search(line) for line in boot.lines):
		return 'trips lockdep'
	return {'SUCCESS': 'pass', 'SKIPPED': 'skipped', 'NO_TESTS': 'not there',
		'FAILURE_TO_PARSE_TESTS': 'not there'}.get(test.status.name, 'FAIL')


def run(build, glob, **limits):
	boot = kernel.Boot(build, 'compare', 'kunit.enable=1',
			   f'kunit.filter_glob={glob}', **limits)
	return kernel.results(boot), boot


def counted(boot, case):
	"""The counts that a case prints, if any."""
	says = f'{case}: counted: '
	return [line.partition(says)[2] for line in boot.lines if says in line]


cases = []
for name in sys.argv[1:]:
	tests, boot = run(BUILD, name)
	ran = [(suite.name, case) for suite in tests.subtests
	       for case in suite.subtests]
	if not ran or not boot.powered_off:
		sys.exit(f'hitch: no verdicts of ours, see {boot.log}')
	cases += [(suite, case, counted(boot, case.name)) for suite, case in ran]

print(f'{"case":48}{"Linux":>16}{"here":>12}')
bad = better = 0
for suite, case, counts in cases:
	# A case that counts something slow needs more time.
	tests, boot = run(f'{BUILD}-pristine', f'{suite}.{case.name}',
			       silence=300 if counts else 20,
			       limit=600 if counts else 60)
	linux = verdict(tests, boot)
	here = 'pass' if case.ok_status() else 'FAIL'
	print(f'{case.name:48}{linux:>16}{here:>12}', flush=True)
	for line in counted(boot, case.name):
		print(f'    Linux: {line}')
	for line in counts:
		print(f'    here:  {line}')
	bad += here != 'pass'
	better += here == 'pass' and linux not in ('pass', 'skipped', 'not there')
print(f'\n{len(cases)} cases; {better} that Linux fails pass here, '
      f'{bad} fail here')
sys.exit(bad != 0)
