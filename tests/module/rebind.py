#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""rebind.py MODULE: bind a platform device to the driver ttm_bound, and unbind it again
while a program uses it.
"""

import errno
import fcntl
import os
import struct
import subprocess
import sys
from pathlib import Path

DEVICE, OTHER, DRIVER = 'vttm.0', 'vttm', 'ttm_bound'
BUS = Path('/sys/bus/platform')
GETPARAM = 3 << 30 | 16 << 16 | ord('d') << 8 | 0x40


def expect(what, is_so):
	if not is_so:
		raise AssertionError(what)


def tell(path, words):
	(BUS / path).write_text(words)


def card():
	path, = (BUS / 'devices' / DEVICE / 'drm').glob('renderD*')
	return os.open(f'/dev/dri/{path.name}', os.O_RDWR)


def uses(fd):
	"""The number of calls so far, or a negative errno."""
	try:
		answer = fcntl.ioctl(fd, GETPARAM, struct.pack('QQ', 0, 0))
	except OSError as error:
		return -error.errno
	return struct.unpack('QQ', answer)[1]


class Log:
	"""What the driver logs when it drops a device's data."""

	def __init__(self):
		self.fd = os.open('/dev/kmsg', os.O_RDONLY | os.O_NONBLOCK)
		os.lseek(self.fd, 0, os.SEEK_END)

	def let_go(self):
		found = []
		while True:
			try:
				line = os.read(self.fd, 1 << 13).decode()
			except BlockingIOError:
				return found
			if 'let go after' in line:
				found.append(int(line.split('let go after ')[1].split()[0]))


def main():
	module, = sys.argv[1:]
	log = Log()
	tell(f'devices/{DEVICE}/driver_override', DRIVER)
	tell(f'drivers/{OTHER}/unbind', DEVICE)
	subprocess.run(['insmod', module], check=True)

	first = card()
	expect('it is used', [uses(first), uses(first)] == [1, 2])
	expect('it stays', not log.let_go())
	tell(f'drivers/{DRIVER}/unbind', DEVICE)
	expect('it is let go when the device is unbound', log.let_go() == [2])
	expect('and not used again', uses(first) == -errno.ENODEV)

	tell(f'drivers/{DRIVER}/bind', DEVICE)
	second = card()
	expect('a device that is bound again has another', uses(second) == 1)
	expect('which is not for old files', uses(first) == -errno.ENODEV)

	rmmod = ['rmmod', DRIVER]
	expect('a driver stays while it is used', subprocess.run(rmmod).returncode)
	os.close(first)
	os.close(second)
	subprocess.run(rmmod, check=True)
	expect('it goes with the driver', log.let_go() == [1])


main()
