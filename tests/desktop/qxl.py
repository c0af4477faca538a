# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Buffers of the driver qxl, through its ioctls. Each page has a pattern of its own, so
that any page that is lost or changed is noticed.

Surfaces are left out: when qxl of Linux 7.3 creates one, it takes the lock of a buffer while
it has those of others, and lockdep turns itself off.
"""

import fcntl
import mmap
import os
import random
import struct
from ctypes import addressof, create_string_buffer

PAGE = mmap.PAGESIZE
SIZE = 64 * PAGE	# of a buffer

# As include/uapi/drm/qxl_drm.h has them.
ALLOC, MAP, EXECBUFFER = 0x40, 0x41, 0x42
READ, WRITE = 2, 1
RELOC_TYPE_BO = 1
CMD_DRAW = 1

# A black dot in the corner of the screen, as a drawable without the id of its release. The
# kernel writes addresses of buffers behind it, and so moves the buffers to VRAM.
BLACKNESS = 6
DOT = struct.pack('<IBBB 4i 4i IQ I 3i 48x 17x', 0, 0, BLACKNESS, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0,
		  0, -1, -1, -1)
RELEASE = 256		# the kernel's room for a drawable, with its id
ID = 8
FIRST = -(-(ID + len(DOT)) // 8) * 8
AT_ONCE = (RELEASE - FIRST) // 8


def number(nr, size, direction):
	return direction << 30 | size << 16 | ord('d') << 8 | nr


class Card:
	def __init__(self, node):
		self.fd = os.open(node, os.O_RDWR | os.O_CLOEXEC)

	def _ask(self, nr, layout, *fields, direction=READ | WRITE):
		block = bytearray(struct.pack(layout, *fields))
		fcntl.ioctl(self.fd, number(nr, len(block), direction), block)
		return struct.unpack(layout, block)

	def buffer(self):
		"""A buffer for VRAM, as a handle."""
		return self._ask(ALLOC, '<II', SIZE, 0)[1]

	def map(self, handle):
		offset = self._ask(MAP, '<QII', 0, handle, 0)[0]
		return mmap.mmap(self.fd, SIZE, offset=offset)

	def move_in(self, handles):
		"""Let the kernel move no more than AT_ONCE buffers to where they belong."""
		command = DOT.ljust(RELEASE - ID, b'\0')
		relocs = b''.join(
			struct.pack('<QQIIII', 0, FIRST + 8 * n, handle, 0, RELOC_TYPE_BO, 0)
			for n, handle in enumerate(handles))
		body, list_ = create_string_buffer(command), create_string_buffer(relocs)
		one = create_string_buffer(struct.pack(
			'<QQIIII', addressof(body), addressof(list_), CMD_DRAW, len(command),
			len(handles), 0))
		self._ask(EXECBUFFER, '<IIQ', 0, 1, addressof(one), direction=WRITE)


class Buffer:
	"""A buffer, and the pattern that it should have."""

	def __init__(self, card, key):
		self.key, self.age = key, 0
		self.handle = card.buffer()
		self.view = card.map(self.handle)
		self.write()

	def _page(self, n):
		return struct.pack('<QII', self.key, self.age, n) * (PAGE // 16)

	def write(self):
		self.age += 1
		for n in range(SIZE // PAGE):
			self.view[n * PAGE:(n + 1) * PAGE] = self._page(n)

	def wrong(self):
		"""How many of its pages don't have their pattern."""
		return sum(self.view[n * PAGE:(n + 1) * PAGE] != self._page(n)
			   for n in range(SIZE // PAGE))


def work(node, client, buffers, rounds, seed):
	"""Move so many buffers in, in turn, check them and write some of them again. Return how
	many pages were checked, and how many were wrong.
	"""
	rng = random.Random(f'{seed} {client}')
	card = Card(node)
	mine = [Buffer(card, client << 32 | n) for n in range(buffers)]
	checked = wrong = 0
	for _ in range(rounds):
		rng.shuffle(mine)
		for at in range(0, buffers, AT_ONCE):
			group = mine[at:at + AT_ONCE]
			card.move_in([it.handle for it in group])
			for it in group:
				wrong += it.wrong()
				if rng.random() < 0.5:
					it.write()
			checked += len(group)
	for it in mine:
		wrong += it.wrong()
	return (checked + buffers) * SIZE // PAGE, wrong
