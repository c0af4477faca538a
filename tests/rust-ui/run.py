#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""run.py [CASE...]: compile programs that must not compile, against the kernel's Rust crate.

A case is a file in this folder. It marks each error that rustc must report:

	drop(walk); //~ error[E0505]: cannot move out of `walk`

or below the line, with a ^ for each line up: //~^ error[E0505]: ... The text is a part of
rustc's `message: label`, and rustc may report it more than once. A case fails if rustc
reports any other error. It also fails if it does not compile with --cfg control, which
leaves out or corrects the one wrong line: so the case tests this line alone.
Run it inside the toolchain, after a test kernel was built.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent))
import rustc

HERE = Path(__file__).resolve().parent
# A driver in Rust, which the kernel has compiled as these programs should be.
DRIVER = Path('samples/rust/rust_ttm_lru.o')

MARK = re.compile(r'//~(\^*) error(?:\[(E\d{4})\])?: (.*)')
WRONG, RIGHT = '#[cfg(not(control))]', '#[cfg(control)]'


def compile(case, *flags):
	"""What rustc says of @case; (line, code, text) of each error, and if it failed."""
	env = rustc.ENV | {'RUST_MODFILE': case.stem}
	with tempfile.TemporaryDirectory() as out:
		done = subprocess.run(
			[*FLAGS, *flags, '--emit=metadata', f'--out-dir={out}', case],
			cwd=rustc.BUILD, env=env, text=True,
			capture_output=True)
	errors = []
	for line in done.stderr.splitlines():
		try:
			said = json.loads(line)
		except ValueError:	# it crashed
			errors.append((0, None, line))
			continue
		if said['level'].startswith('error'):
			errors += places(case, said)
	return errors, done.returncode


def places(case, said):
	code = said['code'] and said['code']['code']
	spans = [span for span in said['spans'] if span['is_primary']]
	if not spans and said['message'].startswith('aborting due to'):
		return
	if not spans or any(span['file_name'] != str(case) for span in spans):
		yield 0, code, said['rendered']
		return
	label = spans[0]['label']
	yield (spans[0]['line_start'], code,
	       said['message'] + (f': {label}' if label else ''))


def name(code):
	return f'error[{code}]' if code else 'error'


def marks(lines):
	for n, line in enumerate(lines, 1):
		if mark := MARK.search(line):
			yield n - len(mark[1]), mark[2], mark[3]


def check(case):
	"""What is wrong with @case, by lines."""
	source = case.read_text()
	meant = list(marks(source.split('\n')))
	if not meant or source.count('//~') != len(meant):
		yield 'its errors are not marked as they should be'
	if source.count(WRONG) != 1 or source.count(RIGHT) > 1:
		yield 'needs one line that is wrong, and at most one in its place'

	said, status = compile(case)
	if status == 0:
		yield 'compiles, but must not'
	elif status != 1:
		yield f'rustc ended with {status}'
	for line, code, text in meant:
		found = [error for error in said if error[:2] == (line, code) and
			 text in error[2]]
		if not found:
			yield f'line {line}: no {name(code)}: {text}'
		said = [error for error in said if error not in found]
	for line, code, text in said:
		yield f'line {line}: unexpected {name(code)}: {text}'

	said, status = compile(case, '--cfg=control')
	for line, code, text in said:
		yield f'control, line {line}: {name(code)}: {text}'
	if status and not said:
		yield f'control: rustc ended with {status}'


def main():
	cases = [HERE / f'{name}.rs' for name in sys.argv[1:]]
	cases = cases or sorted(HERE.glob('*.rs'))
	for case in cases:
		if not case.exists():
			sys.exit(f'hitch: there is no {case}')
	with ThreadPoolExecutor(os.cpu_count()) as pool:
		wrong = list(pool.map(lambda case: list(check(case)), cases))
	for case, why in zip(cases, wrong):
		for line in why:
			print(f'{case.name}: {line}')
	failed = sum(map(bool, wrong))
	print(f'{len(cases) - failed} passed, {failed} failed')
	sys.exit(failed != 0 or not cases)


# Lints are a matter of style here.
FLAGS = ['rustc', '--cap-lints=allow', '--error-format=json',
	 *rustc.flags(DRIVER)]
main()
