# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Lend this process's terminal to a program in the guest.

What is typed goes to the program, Ctrl-C too. A second Ctrl-C within a second raises
KeyboardInterrupt: it is the way out when the guest does not answer.
"""

import fcntl
import os
import signal
import termios
import time
import tty

CTRL_C = 3
MOMENT = 1	# seconds


class Terminal:
	"""@guest is the end of the guest's terminal that is ours."""

	def __init__(self, guest):
		self.guest = guest
		self.typed = b''
		self.interrupted = float('-inf')
		self.open = True
		self.saved = termios.tcgetattr(0)
		os.set_blocking(guest, False)
		self._resize()
		signal.signal(signal.SIGWINCH, self._resize)
		tty.setraw(0)

	def restore(self):
		signal.signal(signal.SIGWINCH, signal.SIG_DFL)
		termios.tcsetattr(0, termios.TCSADRAIN, self.saved)

	def _resize(self, *_):
		size = fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8))
		fcntl.ioctl(self.guest, termios.TIOCSWINSZ, size)

	def take(self):
		"""Read what was typed."""
		try:
			typed = os.read(0, 1 << 10)
		except OSError:	# the user has closed it
			typed = b''
		self.open = bool(typed)
		for key in typed:
			now = time.monotonic()
			if key == CTRL_C:
				if now - self.interrupted < MOMENT:
					raise KeyboardInterrupt
				self.interrupted = now
		self.typed += typed

	def give(self):
		"""Pass on as much of it as the guest takes."""
		try:
			self.typed = self.typed[os.write(self.guest, self.typed):]
		except BlockingIOError:
			pass
		except OSError:	# the guest has ended
			self.typed = b''

	@staticmethod
	def show(output):
		while output:
			output = output[os.write(1, output):]
