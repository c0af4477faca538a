#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""exercise.py MODULE: load the driver ttm_outside, map its buffers, let it move them, and
check their contents.
"""

import fcntl
import mmap
import os
import struct
import subprocess
import sys
from pathlib import Path

PAGE = mmap.PAGESIZE
EVICT, BRING_BACK = 1, 2

# VRAM is memory type 2; at the end all of it is free.
SHOWN = Path('/sys/kernel/debug/ttm_outside/managers/memory2')
FREE = 'buddy: 1048576 of 1048576 bytes free'


def ioctl(number, layout):
	"""A function that calls the driver's ioctl @number; @layout is its argument."""
	request = 3 << 30 | struct.calcsize(layout) << 16 | ord('d') << 8 | 0x40 + number

	def call(card, *args):
		answer = fcntl.ioctl(card, request, struct.pack(layout, *args))
		return struct.unpack(layout, answer)
	return call


do = ioctl(0, 'QQ')
create = ioctl(1, 'IIQ')
where = ioctl(2, 'IIQ')


class Buffer:
	def __init__(self, card, size):
		handle = create(card, 0, 0, size)[0]
		offset = where(card, handle, 0, 0)[2]
		self.map = mmap.mmap(card, size, offset=offset)
		self.size = size

	def fill(self, byte):
		self.map[:] = byte * self.size

	def holds(self, byte):
		return self.map[:] == byte * self.size


def expect(what, is_so):
	if not is_so:
		raise AssertionError(what)


def play(card):
	buffers = [Buffer(card, n * PAGE) for n in (1, 3, 16)]
	expect('a new buffer is zeroed', all(b.holds(b'\0') for b in buffers))
	for n, buffer in enumerate(buffers):
		buffer.fill(bytes([n + 1]))

	def intact(when):
		expect(when, all(b.holds(bytes([n + 1]))
				 for n, b in enumerate(buffers)))

	intact('written')
	expect('nothing stays', do(card, EVICT, 0)[1] == 0)
	intact('evicted')
	buffers[1].fill(b'x')
	expect('all comes back', do(card, BRING_BACK, 0)[1] == 20 * PAGE)
	expect('written to pages', buffers[1].holds(b'x'))
	buffers[1].fill(b'\2')
	intact('brought back')

	try:
		do(card, 99, 0)
	except OSError:
		pass
	else:
		raise AssertionError('nonsense is refused')


def main():
	module, = sys.argv[1:]
	subprocess.run(['insmod', module], check=True)
	card = os.open('/dev/dri/renderD128', os.O_RDWR)
	rmmod = ['rmmod', Path(module).stem]
	expect('a driver stays while it is used', subprocess.run(rmmod).returncode)
	play(card)
	os.close(card)
	expect('the manager is shown', FREE in SHOWN.read_text())
	subprocess.run(rmmod, check=True)
	expect('and goes with the device', not SHOWN.exists())


main()
