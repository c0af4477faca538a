# SPDX-License-Identifier: GPL-2.0 OR MIT
"""The GPU for programs in Python that run in the PC: its ioctls, its two functions, and what
QEMU does to them.
"""

import ctypes
import errno
import fcntl
import json
import mmap
import os
import struct
import time
from pathlib import Path

PAGE = mmap.PAGESIZE
SYSTEM, GTT, VRAM = 1, 2, 4
WRITE = 1
FILL = 0
SWAP_OUT = 1
PURGED = 8
DRIVER = Path('/sys/bus/pci/drivers/vttm_pci')
IDS = {'edu': ('0x1234', '0x11e8'), 'vram': ('0x1af4', '0x1110')}


def tell(what):
	Path('/dev/kmsg').write_text(f'pci: {what}\n')


def ask_qemu(command, **arguments):
	"""Let QEMU execute a command of QMP. It may do so later."""
	what = json.dumps({'execute': command, 'arguments': arguments})
	Path('/dev/kmsg').write_text(f'qemu: {what}\n')


def wait_until(true, what, seconds=60):
	"""Wait for @true. It is judged by how often it is looked at, not by the clock, which
	runs away while the engine works.
	"""
	for _ in range(seconds * 20):
		if true():
			return
		time.sleep(0.05)
	raise TimeoutError(what)


def functions(kind):
	"""The devices of a kind, by their address."""
	found = []
	for path in sorted(Path('/sys/bus/pci/devices').iterdir()):
		try:
			ids = tuple((path / name).read_text().strip()
				    for name in ('vendor', 'device'))
		except OSError:	# just unplugged
			continue
		if ids == IDS[kind]:
			found.append(path)
	return found


def is_bound(path):
	return (path / 'driver').exists()


def bind(path):
	try:
		(DRIVER / 'bind').write_text(path.name)
	except OSError as error:
		# It waits for its partner; or it was bound meanwhile.
		if error.errno not in (errno.EAGAIN, errno.EBUSY, errno.ENODEV):
			raise


def unbind(path):
	(DRIVER / 'unbind').write_text(path.name)


def nodes():
	return sorted(Path('/dev/dri').glob('renderD*'))


def counts(device):
	"""What the driver of an engine has counted."""
	lines = Path(f'/sys/kernel/debug/{device.name}/engine').read_text().splitlines()
	return {name: int(value) for name, value in (line.split() for line in lines)}


class Gpu:
	"""An open file of a GPU."""

	def __init__(self, node=None):
		self.file = os.open(node or nodes()[0], os.O_RDWR | os.O_CLOEXEC)

	def close(self):
		os.close(self.file)

	def call(self, number, layout, *args):
		request = 3 << 30 | struct.calcsize(layout) << 16 | ord('d') << 8 | 0x40 + number
		while True:
			try:
				answer = fcntl.ioctl(self.file, request,
						     struct.pack(layout, *args))
				return struct.unpack(layout, answer)
			except InterruptedError:
				pass

	def param(self, number):
		return self.call(0, 'QQ', number, 0)[1]

	def create(self, size, domains):
		return self.call(3, 'QIIIIII', size, domains, 0, 0, 0, 0, 0)[5]

	def info(self, handle):
		"""The domain that a buffer is in, and its state."""
		answer = self.call(4, 'IIQQQIIIIQQQ', handle, *11 * (0,))
		return answer[5], answer[8]

	def map(self, handle, size):
		offset = self.call(5, 'IIQ', handle, 0, 0)[2]
		return mmap.mmap(self.file, size, offset=offset)

	def prefetch(self, handle, domains):
		self.call(6, 'IIII', handle, domains, 0, 0)

	def evict(self, handle, flags=0):
		self.call(7, 'II', handle, flags)

	def close_handle(self, handle):
		fcntl.ioctl(self.file, 1 << 30 | 8 << 16 | ord('d') << 8 | 9,
			    struct.pack('II', handle, 0))

	def fill(self, handle, size, value, step=1, domains=0, after=None):
		"""Let the GPU fill a buffer, when the sync file @after is signaled."""
		bo = struct.pack('IIII', handle, WRITE, domains, 0)
		op = struct.pack('IIIIQQQQQ', FILL, 0, 0, 0, 0, 0, size, value, step)
		bos, ops = (ctypes.create_string_buffer(it) for it in (bo, op))
		self.call(9, 'IIQQIIiIQQ', 0, int(after is not None),
			  ctypes.addressof(bos), ctypes.addressof(ops), 1, 1,
			  after or 0, 0, 0, 0)

	def is_written(self, handle, fence):
		"""Add the sync file @fence to a buffer as a write, as another device would
		to which the buffer is exported.
		"""
		prime = 3 << 30 | 12 << 16 | ord('d') << 8 | 0x2d
		shared = struct.unpack('IIi', fcntl.ioctl(self.file, prime, struct.pack(
			'IIi', handle, os.O_CLOEXEC | os.O_RDWR, 0)))[2]
		fcntl.ioctl(shared, 1 << 30 | 8 << 16 | ord('b') << 8 | 3,
			    struct.pack('Ii', 2, fence))
		os.close(shared)

	def wait(self, handle, flags=0):
		"""Wait as long as it takes."""
		self.call(10, 'IIq', handle, flags, (1 << 63) - 1)

	def is_gone(self):
		try:
			self.param(0)
		except OSError as error:
			return error.errno == errno.ENODEV
		return False


def words(value, count, step=1):
	return b''.join(struct.pack('Q', (value + n * step) % (1 << 64))
			for n in range(count))
