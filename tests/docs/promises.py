#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Is each promise of Documentation/gpu/ttm-lru.rst kept, tested and told?

promises.py [--check]

Lists the files that name each promise: the code that keeps it, the tests that break it
if it can be broken, and the documentation. Fails where one of the three is missing, and
where a file names a promise that the documentation does not have.
"""

import argparse
import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
CONTRACT = TOP / 'Documentation/gpu/ttm-lru.rst'
PROMISE = re.compile(r'\b(P\d\d?|[EL]\d)\b')
TERM = re.compile(r'^\*\*([PEL]\d+) .*\*\*\n    ', re.M)
TESTS = re.compile(r'(^|/)tests/')
ROOMS = {
	'code': ('drivers/gpu/drm/ttm', 'drivers/gpu/drm/vttm', 'rust/kernel/drm/ttm',
		 'patches'),
	'test': ('drivers/gpu/drm/ttm/tests', 'rust/kernel/drm/ttm/tests', 'tests'),
	'text': ('Documentation/gpu',),
}
SUFFIXES = {'.c', '.h', '.rs', '.patch', '.rst', '.py', '.sh'}


def files(kind):
	for room in ROOMS[kind]:
		for path in sorted((TOP / room).rglob('*')):
			name = str(path.relative_to(TOP))
			is_test = bool(TESTS.search(name))
			if path.suffix in SUFFIXES and is_test == (kind == 'test'):
				yield name, path


def named(kind):
	"""For each promise the files that name it."""
	found = {}
	for name, path in files(kind):
		if path == Path(__file__).resolve():
			continue
		for promise in set(PROMISE.findall(path.read_text(errors='replace'))):
			found.setdefault(promise, []).append(name)
	return found


def main():
	parser = argparse.ArgumentParser(usage=__doc__)
	parser.add_argument('--check', action='store_true',
			    help='print nothing unless something is missing')
	check = parser.parse_args().check

	promises = TERM.findall(CONTRACT.read_text())
	where = {kind: named(kind) for kind in ROOMS}
	bad = 0
	for promise in promises:
		for kind in ROOMS:
			its = where[kind].get(promise, [])
			if not check:
				print(f'{promise if kind == "code" else "":4} {kind}  '
				      f'{its[0] if its else "-"}'
				      f'{f" and {len(its) - 1} more" if its[1:] else ""}')
			if not its:
				print(f'promises: no {kind} names {promise}')
				bad += 1
	for promise in sorted(set().union(*where.values()) - set(promises)):
		print(f'promises: {promise} is none, but named in '
		      f'{next(w[promise][0] for w in where.values() if promise in w)}')
		bad += 1
	return bad > 0


sys.exit(main())
