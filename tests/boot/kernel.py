# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Boot a test kernel (UML), and find what it complains about."""

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
# After the suites, the kernel ends, or goes on to look for leaks.
ENDS = ('kunit_shutdown=poweroff',)
# The root of the machine it runs on is its root, too.
ROOT = ('root=/dev/root', 'rootfstype=hostfs', 'rootflags=/', 'ro')
LEAKS = (*ROOT, 'kmemleak=on',
	 f'init={os.path.dirname(os.path.realpath(__file__))}/leaks_init.sh')
POWER_OFF = 'reboot: Power down'

# A kernel's complaint, and what of it differs from run to run.
REPORT = re.compile(r'(\b(?:WARNING|BUG|INFO|UBSAN): .*|kernel BUG at .*'
		    r'|Kernel panic.*|\bOops\b.*|general protection fault.*'
		    r'|list_\w+ corruption.*|kmemleak: \d+ new suspected .*)')
VARYING = re.compile(r':\d+ at (\w+)\+.*')


def reports(lines):
	found = (REPORT.search(line) for line in lines)
	return [VARYING.sub(r' at \1', match[1]) for match in found if match]


class Boot:
	"""One run of the kernel in the folder @build; iterate for its lines.

	A kernel that says nothing for @silence seconds, or goes on for more than
	@limit, is stopped, and @hung is set. After its suites it ends, as @ends say.
	The log is kept in @build.
	"""

	def __init__(self, build, name, *args, silence=300, limit=1800, ends=ENDS):
		self.command = [f'{build}/linux', *ARGS, *ends, *args]
		self.log = f'{build}/{name}.log'
		self.silence = silence
		self.limit = limit
		self.lines = []
		self.hung = False

	def _start(self, log):
		"""Start it, with its log at the terminal @log."""
		return subprocess.Popen(self.command, stdin=subprocess.DEVNULL,
					stdout=log, stderr=log,
					start_new_session=True)

	def __iter__(self):
		# The early console writes by lines to a terminal only.
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
			# UML is many processes; not all end with the first.
			os.killpg(process.pid, signal.SIGKILL)
			process.wait()
			os.close(ours)

	def _ready(self, *fds):
		"""Those that there is something to read from, as soon as there is."""
		wait = min(self.silence, self.end - time.monotonic())
		if wait == math.inf:
			wait = None
		return select.select(fds, [], [], wait and max(wait, 0))[0]

	def _await(self, log):
		"""Wait for more of @log; nothing if there won't be."""
		if not self._ready(log):
			self.hung = True
			return b''
		try:
			return os.read(log, 1 << 16)
		except OSError:	# so a terminal's end is told
			return b''

	def _read(self, log):
		rest = b''
		self.end = time.monotonic() + self.limit
		while more := self._await(log):
			*whole, rest = (rest + more).split(b'\n')
			for line in whole:
				yield line.decode(errors='backslashreplace').rstrip()

	@property
	def powered_off(self):
		return any(POWER_OFF in line for line in self.lines[-3:])


def results(boot):
	"""Run it; the tree of results as the kernel's own kunit.py has it."""
	lines = _live(boot)
	tests = parse(lines)
	for _ in lines:		# what comes after the last result
		pass
	return tests


def parse(lines):
	"""The tree of results in lines of KTAP."""
	sys.path.append(f'{os.environ["TREE"]}/tools/testing/kunit')
	from kunit_parser import parse_run_tests
	from kunit_printer import null_printer

	return parse_run_tests(lines, null_printer)


def _live(lines):
	"""Pass @lines on; on a terminal, let it be seen that they come."""
	live = sys.stderr.isatty()
	for n, line in enumerate(lines):
		if live and n % 20 == 0:
			print(f'\r\033[K{line.strip()[:79]}\r', end='',
			      file=sys.stderr)
		yield line
	if live:
		print('\033[K', end='', file=sys.stderr)
