#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Run every test of `make check`, in this order: the style of the sources, the claims
of the documentation, what the scripts do with source trees of the user, Rust programs
that must not compile, the C core in user space, a boot for each group of KUnit suites,
and a boot for each program; some of these in a PC that QEMU emulates.

boot/kernel.py boots a kernel, and boot/guest.py runs a program in one. A group fails if a
case fails or is missing, and if the kernel complains, except about what the cases of the
group provoke on purpose.
"""

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent
sys.path += [str(TESTS / 'boot'), str(TESTS / 'vttm'), str(TESTS / 'pci')]

import kernel	# noqa: E402 (tests/boot/kernel.py)
import machine	# noqa: E402 (tests/pci/machine.py)
import suites	# noqa: E402
import summary	# noqa: E402
import vttm	# noqa: E402 (tests/vttm/vttm.py)
from guest import Guest	# noqa: E402 (tests/boot/guest.py)
from summary import count, run_program, why_failed	# noqa: E402

STYLE = TESTS / 'style.sh'
DOCS = TESTS / 'docs'
RUST_UI = TESTS / 'rust-ui/run.py'
KDIR = TESTS / 'kdir/run.py'
BENCH = TESTS / 'bench/bench.py'
AT_TERMINAL = TESTS / 'vttm/at_terminal.py'
UNLOAD = TESTS / 'module/unload/run.py'
UNLOADS = 151	# its number of cases
MUTANTS = TESTS / 'kunit/mutants.py'
BUILD = os.environ['BUILD']
# Targets of userspace/Makefile, in their quick forms.
USERSPACE = ('explore', 'random', 'corpus', 'count', 'walks', 'outcome',
	     'mutants', 'prove')


def exports():
	"""No symbol is exported that exists for tests only."""
	tests_only = '3ttm11test_device'
	symbols = (line.split()[1] for line in open(f'{BUILD}/Module.symvers'))
	found = [name for name in symbols if tests_only in name]
	# A renamed module must not make this pass without looking.
	if tests_only not in Path(f'{BUILD}/System.map').read_text():
		found.append(f'the kernel has no {tests_only}')
	count('exports', int(not found), len(found), found)


def module():
	"""A driver built outside of the tree, and a program that uses it."""
	run_program('module', lambda say: Guest(
		BUILD, 'module', [f'{TESTS}/module/exercise.py',
				  f'{BUILD}/outside/ttm_outside.ko'], say=say))


def tutorial():
	"""The driver of the tutorial, and the program that uses it."""
	tutorial = f'{BUILD}/tutorial'
	run_program('module-tutorial', lambda say: Guest(
		BUILD, 'module-tutorial', [f'{tutorial}/use_ttm_tutorial'],
		modules=[(f'{tutorial}/ttm_tutorial.ko', '')], say=say))


def bound():
	"""A driver that borrows the device it is bound to, and a program that unbinds it."""
	run_program('module-bound', lambda say: vttm.Guest(
		'module-bound', [f'{TESTS}/module/rebind.py',
				 f'{BUILD}/outside/ttm_bound.ko'], say=say))


def unloads():
	"""A driver that misuses the API in safe code, and is then unloaded."""
	ran = subprocess.run([UNLOAD, '--some', '--pairs', '31'], text=True,
			     stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
	lines = ran.stdout.splitlines()
	tests = kernel.parse(iter(lines))
	n = tests.counts
	count('module-unload', n.passed, n.failed + n.crashed, why_failed(tests))
	if n.passed + n.failed + n.crashed < UNLOADS or ran.returncode:
		count('the boots of module-unload', 0, 1,
		      [f'{UNLOADS} cases should pass', *lines[-20:]])


def in_userspace(name):
	"""Make a target of tests/userspace. Print its progress twice a minute."""
	log = Path(f'{BUILD}/{name}.log')
	with log.open('w') as out:
		make = subprocess.Popen(
			['make', '-s', f'-j{os.cpu_count()}', '-C',
			 TESTS / 'userspace', name, 'TIME=10', 'FULL=', 'SOME=1'],
			stdout=out, stderr=out)
	while True:
		try:
			bad = make.wait(timeout=30) != 0
			break
		except subprocess.TimeoutExpired:
			print(f'{name}: {last_lines(log, 1)[0].strip()}'[:79],
			      flush=True)
	count(name, int(not bad), int(bad), last_lines(log, 40) if bad else ())


def document(*command):
	"""Check a claim of the documentation, or a record in it."""
	doc = subprocess.run(command, text=True, stdout=subprocess.PIPE,
			     stderr=subprocess.STDOUT)
	bad = doc.returncode != 0
	count(command[0].stem, int(not bad), int(bad),
	      doc.stdout.splitlines() if bad else ())


def cases(program):
	"""Run a program that counts its cases in its last line."""
	ran = subprocess.run([program], capture_output=True, text=True)
	*why, result = ran.stdout.splitlines() or ['0 passed, 0 failed']
	passed, failed = (int(n) for n in result.split()[::2])
	count(program.parent.name, passed, failed or int(ran.returncode != 0),
	      why + ran.stderr.splitlines())


def last_lines(log, n):
	return log.read_text(errors='replace').splitlines()[-n:] or ['']


for check in ('checkpatch', 'rustfmt', 'shellcheck', 'flake8'):
	status = subprocess.run([STYLE, check]).returncode
	count(check, int(status == 0), int(status != 0))
document(DOCS / 'unsafe.py', '--check')
document(DOCS / 'checklist.py')
document(DOCS / 'promises.py', '--check')
document(DOCS / 'guards.py')
document(DOCS / 'fault_tests.py')
document(DOCS / 'kernel_doc.py')
document(DOCS / 'unlocked.py')
document(DOCS / 'pages.py')
document(DOCS / 'rustdoc.py')
cases(KDIR)
cases(RUST_UI)
for target in USERSPACE:
	in_userspace(target)
document(BENCH, 'check')
# Whether the faults apply. Booting with each takes too long.
document(MUTANTS, '--check')
for group in suites.GROUPS:
	suites.run(group, kernel.Boot(BUILD, group.name, *group.args,
				      ends=kernel.LEAKS if group.leaks else kernel.ENDS))
exports()
module()
tutorial()
bound()
unloads()
document(AT_TERMINAL)
for test in vttm.TESTS:
	run_program(test.name, test.guest, test.least)
for test in machine.TESTS:
	run_program(test.name, test.machine)
print(f'\n{summary.passes} passed, {summary.failures} failed')
sys.exit(summary.failures != 0)
