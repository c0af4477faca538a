# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Boot a test kernel (User Mode Linux), and find its complaints."""

import math
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time

# UML has SMP with seccomp only. Its console comes late, after the samples.
ARGS = ('mem=1G', 'ncpus=4', 'seccomp=on', 'earlyprintk', 'console=tty')
# After the suites, the kernel powers off, or an init searches for leaks.
ENDS = ('kunit_shutdown=poweroff',)
# The kernel's root is that of the machine on which it runs.
ROOT = ('root=/dev/root', 'rootfstype=hostfs', 'rootflags=/', 'ro')
LOOK_FOR_LEAKS = ('kmemleak=on',
		  f'init={os.path.dirname(os.path.realpath(__file__))}/leaks_init.sh')
LEAKS = (*ROOT, *LOOK_FOR_LEAKS)
POWER_OFF = 'reboot: Power down'

# A kernel's complaint, and the part of it that differs from run to run.
REPORT = re.compile(r'(\b(?:WARNING|BUG|INFO|UBSAN): .*|kernel BUG at .*'
		    r'|Kernel panic.*|\bOops\b.*|general protection fault.*'
		    r'|list_\w+ corruption.*|Internal error: .*|kmemleak: \d+ new suspected .*)')
VARYING = re.compile(r':\d+ at (\w+)\+.*')
# Lockdep reports wrong locking, and turns itself off.
LOCKDEP = re.compile('DEBUG_LOCKS_WARN_ON|WARNING: [^/]*(lock|contention)')


def reports(lines):
	found = (REPORT.search(line) for line in lines)
	return [VARYING.sub(r' at \1', match[1]) for match in found if match]


class Boot:
	"""One run of the kernel in the folder @build; iterate for its lines.

	A kernel that prints nothing for @silence seconds, or runs for more than @limit
	seconds, is stopped, and @hung is set. @ends are arguments that say what it does
	after its suites. Complaints that match @theirs are not counted. Its log is written
	to @build.
	"""

	theirs = re.compile('(?!)')	# none

	def __init__(self, build, name, *args, silence=300, limit=1800, ends=ENDS):
		self.command = [f'{build}/linux', *ARGS, *ends, *args]
		self.log = f'{build}/{name}.log'
		self.silence = silence
		self.limit = limit
		self.lines = []
		self.hung = False

	def _start(self, log):
		"""Start the kernel, with its log on the terminal @log."""
		return subprocess.Popen(self.command, stdin=subprocess.DEVNULL,
					stdout=log, stderr=log,
					start_new_session=True)

	def __iter__(self):
		# The early console writes line by line only to a terminal.
		ours, its = pty.openpty()
		process = self._start(its)
		os.close(its)
		try:
			with open(self.log, 'w') as log:
				for line in self._read(ours):
					print(line, file=log, flush=True)
					self.lines.append(line)
					yield line
		finally:
			# UML is many processes, and not all of them end with the first.
			os.killpg(process.pid, signal.SIGKILL)
			process.wait()
			os.close(ours)

	def _ready(self, *fds):
		"""Wait until some of @fds can be read, and return these."""
		wait = min(self.silence, self.end - time.monotonic())
		if wait == math.inf:
			wait = None
		return select.select(fds, [], [], wait and max(wait, 0))[0]

	def _await(self, log):
		"""Wait for more of @log. Return nothing at its end."""
		if not self._ready(log):
			self.hung = True
			return b''
		try:
			return os.read(log, 1 << 16)
		except OSError:	# the other end of the terminal is closed
			return b''

	def _read(self, log):
		rest = b''
		self.end = time.monotonic() + self.limit
		while more := self._await(log):
			*whole, rest = (rest + more).split(b'\n')
			for line in whole:
				yield line.decode(errors='backslashreplace').rstrip()

	def reports(self):
		return [report for report in reports(self.lines) if not self.theirs.search(report)]

	@property
	def powered_off(self):
		return any(POWER_OFF in line for line in self.lines[-3:])


def results(boot):
	"""Run @boot. Return its results as a tree, like the kernel's kunit.py."""
	lines = _live(boot)
	tests = parse(lines)
	for _ in lines:		# the lines after the last result
		pass
	return tests


def verdict(test, boot):
	"""Tell in a word how the results @test of a run of @boot are."""
	said = reports(boot.lines)
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


def parse(lines):
	"""Parse lines of KTAP. Return a tree of results."""
	sys.path.append(f'{os.environ["TREE"]}/tools/testing/kunit')
	from kunit_parser import parse_run_tests
	from kunit_printer import null_printer

	return parse_run_tests(lines, null_printer)


def _live(lines):
	"""Pass @lines on. On a terminal, show the progress."""
	live = sys.stderr.isatty()
	for n, line in enumerate(lines):
		if live and n % 20 == 0:
			print(f'\r\033[K{line.strip()[:79]}\r', end='',
			      file=sys.stderr)
		yield line
	if live:
		print('\033[K', end='', file=sys.stderr)
