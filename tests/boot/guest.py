# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Run a program in a booted test kernel.

The program's root is the toolchain root, mounted read-only. It has a terminal of its own;
the kernel's log goes to a file. init.py runs as the kernel's init, and starts it.
"""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import kernel
from terminal import Terminal

INIT = Path(__file__).resolve().parent / 'init.py'
STATUS = re.compile(r'init: the program ended with (\d+)$')
FAILED = re.compile(r'init: failed: (.*)')


def show(output):
	"""Print the output of a program."""
	sys.stdout.buffer.write(output)
	sys.stdout.buffer.flush()


class Guest(kernel.Boot):
	"""A kernel that runs @command. Iterate for the lines of its log.

	@modules are pairs of a module's path and its parameters. Programs are searched
	in @path first. There are @swap MiB of swap space. With @leaks, kmemleak searches
	for lost memory. @say is called with the program's output, as bytes; without @say
	the program uses this process's terminal. Afterwards @status is the program's exit
	status, or None if the kernel did not live that long.

	The folders @seen are mounted in the guest, read-only, also if they are below /tmp,
	which is the guest's own. The program starts in @cwd. A task that is blocked for
	@blocked seconds is reported.
	"""

	# Their names in User Mode Linux.
	TERMINAL = '/dev/tty0'
	DISK = '/dev/ubda'

	def __init__(self, build, name, command, *, modules=(), env=None, path='',
		     swap=0, cpus=2, memory='1G', leaks=False, say=None, args=(),
		     seen=(), cwd='/tmp', blocked=None, **rest):
		file = Path(f'{build}/{name}.json')
		args = [f'ncpus={cpus}', f'mem={memory}', 'con0=fd:1,fd:1', 'con=null',
			'kunit.enable=0', f'kmemleak={"on" if leaks else "off"}', *args]
		if swap:
			self.disk = Path(f'{build}/{name}.swap')
			args.append(f'ubd0={self.disk}')
		else:
			self.disk = None
		self.swap = swap
		self.say = say
		self.terminal = None
		self.status = None
		file.write_text(json.dumps({
			'command': list(command), 'modules': list(modules),
			'env': env or {}, 'path': path, 'terminal': self.TERMINAL,
			'swap': self.DISK if swap else None,
			'leaks': leaks, 'seen': list(seen), 'cwd': cwd, 'blocked': blocked,
		}))
		super().__init__(build, name, *args, f'init={INIT}', '--', str(file),
				 ends=kernel.ROOT, **rest)

	def _start(self, log):
		self.ours, its = pty.openpty()
		if not self.say:
			self.terminal = Terminal(self.ours)
		process = self._run(log, its)
		os.close(its)
		return process

	def _run(self, log, terminal):
		"""Start the kernel with its log on the terminal @log."""
		# Pass the log's terminal to the kernel by its number.
		self.command = [arg if arg != 'console=tty' else 'console=ttyS0'
				for arg in self.command if arg != 'earlyprintk']
		self.command[1:1] = [f'ssl0=fd:{log},fd:{log}', 'ssl=null']
		return subprocess.Popen(self.command, stdin=terminal, stdout=terminal,
					stderr=log, pass_fds=[log],
					start_new_session=True)

	def _await(self, log):
		terminal = self.terminal
		while True:
			if terminal and terminal.typed and self.ours:
				terminal.give()
			fds = [log, self.ours, 0 if terminal and terminal.open else None]
			ready = self._ready(*(fd for fd in fds if fd is not None))
			if not ready:
				self.hung = True
				return b''
			if 0 in ready:
				terminal.take()
			if self.ours in ready:
				self._pass_on()
			if log in ready:
				return self._take(log)

	def _pass_on(self):
		if not (more := self._take(self.ours)):
			os.close(self.ours)
			self.ours = None
		elif self.terminal:
			self.terminal.show(more)
		else:
			self.say(more.replace(b'\r\n', b'\n'))

	@staticmethod
	def _take(fd):
		try:
			return os.read(fd, 1 << 16)
		except OSError:	# the other end of the terminal is closed
			return b''

	def __iter__(self):
		if self.disk:
			with self.disk.open('wb') as disk:
				disk.truncate(self.swap << 20)
		try:
			for line in super().__iter__():
				if match := STATUS.search(line):
					self.status = int(match[1])
				yield line
			while self.ours:
				self._pass_on()
		finally:
			if self.disk:
				self.disk.unlink()
			if self.terminal:
				self.terminal.restore()

	def tell(self, line):
		"""Print a line beside the program's output."""
		print(line, end='\r\n' if self.terminal else '\n', file=sys.stderr,
		      flush=True)

	def wrong(self):
		"""What went wrong, apart from the program's exit status."""
		wrong = [f'the kernel says: {report}'
			 for report in self.reports()]
		if self.hung:
			wrong.append('the kernel hangs')
		elif not self.powered_off:
			wrong.append('the kernel crashed')
		elif self.status is None:
			wrong.append('the program was not run')
		wrong += [match[1] for line in self.lines if (match := FAILED.search(line))]
		return wrong + ([f'see {self.log}'] if wrong else [])
