# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Fences that a program in the PC signals."""

import fcntl
import os
import struct


class Timeline:
	"""Fences of sw_sync, which this program signals."""

	def __init__(self):
		self.file = os.open('/sys/kernel/debug/sync/sw_sync', os.O_RDWR)

	def fence(self, value):
		request = 3 << 30 | 40 << 16 | ord('W') << 8
		answer = fcntl.ioctl(self.file, request,
				     struct.pack('I32si', value, b'test', 0))
		return struct.unpack('I32si', answer)[2]

	def advance(self):
		fcntl.ioctl(self.file, 1 << 30 | 4 << 16 | ord('W') << 8 | 1,
			    struct.pack('I', 1))
