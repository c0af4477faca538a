# SPDX-License-Identifier: GPL-2.0 OR MIT
"""What a program can get from a driver, and use after the driver was unloaded."""

import fcntl
import mmap
import os
import signal
import struct
from pathlib import Path

DEBUGFS = Path('/sys/kernel/debug')
FAUX = Path('/sys/devices/faux')
SIZE = 4 * mmap.PAGESIZE
# What the driver does for `param`; see Call in ttm_unload.rs.
DO, UNBIND, ATTACH, SUBMIT, EVICT, NOTE, FAIL = range(7)


def ioctl(kind, number, layout, direction=3):
	"""A function that calls ioctl @number of @kind; @layout is its argument."""
	request = direction << 30 | struct.calcsize(layout) << 16 | ord(kind) << 8 | number

	def call(fd, *args):
		answer = bytearray(struct.pack(layout, *args))
		fcntl.ioctl(fd, request, answer)
		return struct.unpack(layout, answer)
	return call


param = ioctl('d', 0x40, 'QQ')
create = ioctl('d', 0x41, 'IIQ')
where = ioctl('d', 0x42, 'IIQ')
vttm_create = ioctl('d', 0x43, 'QIIIIII')
close_handle = ioctl('d', 0x09, 'II', 1)
to_fd = ioctl('d', 0x2d, 'IIi')
from_fd = ioctl('d', 0x2e, 'IIi')
file_info = ioctl('>', 4, '32siIIIQ')
sync_create = ioctl('W', 0, 'I32si')
sync_signal = ioctl('W', 1, 'I', 1)


def node(device):
	"""The render node of a device in sysfs, opened."""
	path, = Path('/sys/devices').glob(f'{device}/drm/renderD*')
	return os.open(f'/dev/dri/{path.name}', os.O_RDWR)


class World:
	"""What the program has of the driver @name, and of what is beside it."""

	def __init__(self, name):
		self.name = name
		self.card = self.open()
		self.timeline = os.open(DEBUGFS / 'sync/sw_sync', os.O_RDWR)
		self.fence = sync_create(self.timeline, 1, b'foreign', 0)[2]
		# What is kept until it was unloaded: open files by their kind, maps, and
		# processes that are at work.
		self.cards, self.dma_bufs, self.syncs, self.shown = [], [], [], []
		self.maps, self.others = [], []

	def open(self):
		return node(f'faux/{self.name}')

	def call(self, what, handle=0, value=None):
		value = self.fence if value is None else value
		return param(self.card, what | handle << 32, value)[1]

	def do(self, thing, place):
		"""Has the driver do what is wrong."""
		value = self.call(DO | thing << 8 | place << 16)
		if value != self.fence:
			self.syncs.append(value)

	def buffer(self, in_vm=0):
		return create(self.card, 0, in_vm, SIZE)[0]

	def map(self, handle):
		offset = where(self.card, handle, 0, 0)[2]
		self.maps.append(mmap.mmap(self.card, SIZE, offset=offset))
		self.maps[-1][:] = b'x' * SIZE

	def export(self, handle):
		fd = to_fd(self.card, handle, os.O_RDWR | os.O_CLOEXEC, 0)[2]
		self.dma_bufs.append(fd)
		return fd

	def signal(self):
		sync_signal(self.timeline, 1)

	def close_card(self):
		os.close(self.card)

	def release(self):
		"""Gives back what is the driver's, but for sync files and debugfs."""
		for pid in self.others:
			os.kill(pid, signal.SIGKILL)
			os.waitpid(pid, 0)
		for each in self.maps:
			each.close()
		for fd in self.cards + self.dma_bufs:
			os.close(fd)
		self.cards, self.dma_bufs, self.maps, self.others = [], [], [], []

	def close_rest(self):
		for fd in self.syncs + self.shown:
			os.close(fd)
		self.syncs, self.shown = [], []


HOLDS = {}


def hold(function):
	"""To be called before the program closes its card."""
	HOLDS[function.__name__] = function
	return function


@hold
def file(world):
	"""An open file, with a buffer."""
	world.buffer()
	world.cards.append(os.dup(world.card))


@hold
def mapping(world):
	"""A map of a buffer, and nothing else."""
	world.map(world.buffer())


@hold
def mapping_evicted(world):
	"""One of a buffer that isn't in VRAM any more."""
	world.map(world.buffer())
	world.call(EVICT)


@hold
def mapping_in_vm(world):
	"""One of a buffer that has a reference to its VM."""
	world.map(world.buffer(in_vm=1))


@hold
def dma_buf(world):
	"""An exported buffer."""
	world.export(world.buffer())


@hold
def dma_buf_mapping(world):
	"""A map of an exported buffer."""
	fd = world.export(world.buffer())
	world.maps.append(mmap.mmap(fd, SIZE))
	world.maps[-1][:] = b'x' * SIZE


@hold
def imported_by_other(world):
	"""A buffer that another device has imported."""
	other = node('platform/vttm.0')
	from_fd(other, 0, 0, world.export(world.buffer()))
	world.cards.append(other)


@hold
def imported_from_other(world):
	"""A buffer that was imported from another device."""
	other = node('platform/vttm.0')
	handle = vttm_create(other, SIZE, 1, 0, 0, 0, 0, 0)[5]
	fd = to_fd(other, handle, os.O_RDWR | os.O_CLOEXEC, 0)[2]
	world.map(from_fd(world.card, 0, 0, fd)[0])
	world.cards.append(other)
	world.dma_bufs.append(fd)


@hold
def busy(world):
	"""Nothing, but a buffer is a zombie until a foreign fence is signaled."""
	world.call(ATTACH, world.buffer())


@hold
def busy_in_vm(world):
	"""The same with one that has a reference to its VM."""
	world.call(ATTACH, world.buffer(in_vm=1))


@hold
def queued_job(world):
	"""The sync file of a job that waits for a foreign fence."""
	world.syncs.append(world.call(SUBMIT, world.buffer()))


@hold
def queued_job_in_vm(world):
	"""The same with a buffer that has a reference to its VM."""
	world.syncs.append(world.call(SUBMIT, world.buffer(in_vm=1)))


@hold
def debugfs(world):
	"""All files that the device has in debugfs, open."""
	for path in sorted(DEBUGFS.glob(f'{world.name}*/**/*')):
		if path.is_file():
			world.shown.append(os.open(path, os.O_RDONLY))
			os.pread(world.shown[-1], 1, 0)


def meanwhile(world, what):
	"""A process that does this again and again, whatever comes of it."""
	pid = os.fork()
	if pid:
		world.others.append(pid)
		return
	while True:
		try:
			what()
		except OSError:
			pass


@hold
def threads(world):
	"""Two processes that use the card."""
	def use():
		handle = world.buffer()
		where(world.card, handle, 0, 0)
		world.call(EVICT)
		close_handle(world.card, handle, 0)
	for _ in range(2):
		meanwhile(world, use)


@hold
def openers(world):
	"""Two processes that open it, and close it."""
	path = os.readlink(f'/proc/self/fd/{world.card}')

	def use():
		os.close(os.open(path, os.O_RDWR))
	for _ in range(2):
		meanwhile(world, use)


def starve():
	"""Have all memory reclaimed: a process takes what there is, and is killed."""
	pid = os.fork()
	if not pid:
		Path('/proc/self/oom_score_adj').write_text('1000')
		taken = []
		while True:
			taken.append(b'x' * (1 << 20))
	os.waitpid(pid, 0)


@hold
def note(world):
	"""The driver allocates with a lock held that it takes in reclaim, too."""
	world.call(NOTE)
	starve()


note.words = ['told']


# Not things to have, but what is done first.
@hold
def unbind(world):
	"""The device is unregistered while it is used."""
	world.call(UNBIND)


@hold
def no_shrinker(_world):
	"""The device has none: TTM swaps its buffers out."""


@hold
def init_fails(_world):
	"""The module doesn't start: its init fails when the device has been used."""
