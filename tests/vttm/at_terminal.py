#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Check what a user of run.py sees and can do: at a terminal, the kernel's reports of a
deadlock come while it is there, Ctrl-C goes to the command, and a second one ends the
kernel; elsewhere a signal ends it. Nothing is left then.
"""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD = os.environ['BUILD']
DEADLOCK = f'{BUILD}/outside/deadlock.ko'
NAME = 'terminal'
PATIENCE = 300	# seconds: something is badly wrong
CTRL_C = b'\x03'
INTERRUPTED = 128 + signal.SIGINT

# It counts Ctrl-C, and goes on.
PLAY = f'''trap 'echo interrupted' INT; insmod {DEADLOCK} & echo started
while :; do sleep 0.2; echo tick; done'''


class Run:
	"""A run of run.py with the script @play as its command; @fd is what it prints."""

	def __init__(self, play, stdin, stdout, fd):
		self.fd = fd
		self.seen = b''
		self.run = subprocess.Popen(
			[HERE / 'run.py', '--name', NAME, '--unloaded', 'sh', '-c', play],
			stdin=stdin, stdout=stdout, stderr=subprocess.STDOUT,
			start_new_session=True)

	def see(self, words):
		"""Wait for @words, and forget what came before."""
		end = time.monotonic() + PATIENCE
		while words.encode() not in self.seen:
			wait = max(end - time.monotonic(), 0)
			try:
				ready = select.select([self.fd], [], [], wait)[0]
				more = os.read(self.fd, 1 << 12) if ready else b''
			except OSError:	# the terminal is closed
				more = b''
			if not more:
				self.run.terminate()
				said = self.seen[-2000:].decode(errors='backslashreplace')
				sys.exit(f'no {words!r} in:\n{said}')
			self.seen += more
		self.seen = self.seen.partition(words.encode())[2]

	def ends(self, status):
		self.run.wait()
		expect(f'it ends with {status}', self.run.returncode == status)
		expect('no process is left', not list(left()))
		os.close(self.fd)


def expect(what, is_so):
	if not is_so:
		sys.exit(f'not so: {what}')


def left():
	"""Processes of the guest, or that wait for it."""
	for path in Path('/proc').glob('[0-9]*/cmdline'):
		try:
			words = path.read_bytes().split(b'\0')
		except OSError:	# it has just ended
			continue
		if f'{BUILD}/{NAME}.json'.encode() in words:
			yield words


def at_a_terminal(play):
	ours, its = pty.openpty()
	run = Run(play, its, its, ours)
	os.close(its)
	run.see(f'{BUILD}/{NAME}.log')
	return run


def two_mutexes():
	run = at_a_terminal(PLAY)
	run.see('started')
	run.see('kernel: ')
	run.see('possible circular locking dependency')
	run.see('kernel: ')
	run.see('blocked for more than')
	os.write(run.fd, CTRL_C)
	run.see('interrupted')
	run.see('tick')
	os.write(run.fd, CTRL_C + CTRL_C)
	run.see('the kernel has ended')
	run.ends(INTERRUPTED)


def one_mutex():
	run = at_a_terminal(f'insmod {DEADLOCK} itself=1')
	run.see('kernel: ')
	run.see('possible recursive locking')
	os.write(run.fd, CTRL_C)
	os.write(run.fd, CTRL_C)
	run.ends(INTERRUPTED)


def elsewhere():
	ours, its = os.pipe()
	run = Run(PLAY, subprocess.DEVNULL, its, ours)
	os.close(its)
	run.see('possible circular locking dependency')
	os.killpg(run.run.pid, signal.SIGINT)
	run.ends(INTERRUPTED)


# A shell lets what it runs in the background ignore this.
signal.signal(signal.SIGINT, signal.default_int_handler)
two_mutexes()
one_mutex()
elsewhere()
