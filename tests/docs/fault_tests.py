#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Check that each test exists that the documentation names for a fault.

Documentation/gpu/ttm-rust-safety.rst has a list of faults that safe code cannot cause. A test
in it is a mode of tests/module/unload that `make check` runs, a KUnit case with its
suite, or a program in tests/rust-ui. One fault has no test, as no kernel here notices
it: a plain access to content that others access at the same time. This program searches
the sources for such accesses.
"""

import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
sys.path.append(str(TOP / 'tests/module/unload'))

import cases	# noqa: E402

LIST = TOP / 'Documentation/gpu/ttm-rust-safety.rst'
SECTION = 'What shows it'
LEAST = 15
RUST = TOP / 'rust/kernel'
SUITE = re.compile(r'#\[kunit_tests\((\w+)\)\]')
CASE = re.compile(r'#\[test\]\s+fn (\w+)')
C_CASE = re.compile(r'KUNIT_CASE(?:_SLOW)?\((\w+)')
PLAIN = re.compile(r'copy_nonoverlapping|copy_from_slice|ptr::copy\b|\bfrom_raw_parts'
		   r'|\.write_bytes\(')
# These reach the content of buffers.
CONTENT = ('access', 'bytes', 'device', 'emulation/content', 'emulation/copy_job',
	   'emulation/job', 'moves', 'reserved', 'tt')


def kunit():
	"""All cases: those in Rust with their suite, those in C as they are."""
	for path in RUST.glob('**/*.rs'):
		text = path.read_text()
		if suite := SUITE.search(text):
			for name in CASE.findall(text, suite.end()):
				yield f'{suite[1]}.{name}'
	for path in (TOP / 'drivers/gpu/drm/ttm/tests').glob('*.c'):
		yield from C_CASE.findall(path.read_text())


def wrong(rows):
	there = {*(case.name for case in cases.some()),
		 *kunit(), *(path.stem for path in (TOP / 'tests/rust-ui').glob('*.rs'))}
	if len(rows) < LEAST:
		yield f'{len(rows)} faults, not {LEAST}'
	for fault, shown in rows:
		tests = re.findall(r'``(.+?)``', shown)
		if not tests:
			yield f'nothing shows: {fault}'
		for test in tests:
			if test not in there and not (TOP / test).is_file():
				yield f'there is no {test}'


def plain():
	for name in CONTENT:
		path = RUST / f'drm/ttm/{name}.rs'
		for n, line in enumerate(path.read_text().split('\n'), 1):
			if PLAIN.search(line):
				yield f'{path.relative_to(TOP)}:{n}: a plain access: {line.strip()}'


section = LIST.read_text().partition(f'\n{SECTION}\n')[2].partition('\n====')[0]
rows = re.findall(r'^- (.*?)(?::\n  (``.*?)|)(?=\n- |\n\n|\Z)', section, re.M | re.S)
found = [*wrong(rows), *plain()]
print(*found, sep='\n')
sys.exit(bool(found))
