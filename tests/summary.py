# SPDX-License-Identifier: GPL-2.0 OR MIT
"""The summary of `make check` and `make check-x86`: a line for each group of tests."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent / 'boot'))

import kernel	# noqa: E402 (it is found there)

passes = failures = 0


def count(name, passed, failed, why=()):
	"""Print a line of the summary, and below it the reasons for failures."""
	global passes, failures
	passes += passed
	failures += failed
	print(f'{name:32}{passed:6} passed' +
	      (f', {failed} failed' if failed else ''))
	for line in why:
		print(f'    {line}')
	sys.stdout.flush()


def why_failed(test, suite=''):
	if test.subtests:
		for sub in test.subtests:
			yield from why_failed(sub, test.name)
	elif not test.ok_status():
		yield from test.log
		if test.name:	# a crash leaves many without
			yield f'{suite}.{test.name}: {test.status.name}'


def run_program(name, make, least=0):
	"""Run a program in a kernel. @make is called with a function that takes the
	program's output, and returns the kernel. With @least, the output is KTAP, and
	that many cases must pass. Return the kernel.
	"""
	said = []
	guest = make(said.append)
	for _ in guest:
		pass
	lines = b''.join(said).decode(errors='backslashreplace').splitlines()
	Path(f'{guest.log}.out').write_text('\n'.join(lines))
	wrong = guest.wrong()
	if least:
		tests = kernel.parse(iter(lines))
		passed, failed = tests.counts.passed, tests.counts.failed + tests.counts.crashed
		count(name, passed, failed, why_failed(tests))
		if passed < least:
			wrong.append(f'{least} cases should pass')
		if guest.status and not failed:
			wrong.append('it failed, though no case did')
	elif not wrong and guest.status == 0:
		count(name, 1, 0)
	else:
		wrong = [*lines[-20:], *wrong]
	if wrong or (guest.status and not least):
		count(f'the boot of {name}', 0, 1,
		      [*wrong, f'it ended with {guest.status}', f'see {guest.log}'])
	return guest
