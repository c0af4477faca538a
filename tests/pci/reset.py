#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""reset.py TIMES: let the engine lose its interrupt during a job, TIMES times.

If it is lost once, the watchdog repeats the DMA, and the job completes with every byte
right. If it stays lost, the job fails, and the jobs after it are done as soon as interrupts
come again. No program may hang. What the driver does itself, clearing and moving buffers,
must not fail: else a program would see what others had left in memory.
"""

import struct
import sys
import time

import gpu

SIZE = 32 * gpu.PAGE
SMALL = 4 * gpu.PAGE
MARK = 0x5ec2e75ec2e7
MSI = 5		# the capability's number


class Msi:
	"""The device's message-signaled interrupt, which can be switched off."""

	def __init__(self, device):
		self.file = (device / 'config').open('r+b', buffering=0)
		at = self._read(0x34, 'B')
		while self._read(at, 'B') != MSI:
			at = self._read(at + 1, 'B')
		self.control = at + 2

	def _read(self, at, layout):
		self.file.seek(at)
		return struct.unpack(layout, self.file.read(struct.calcsize(layout)))[0]

	def enable(self, on):
		value = self._read(self.control, '<H') & ~1 | on
		self.file.seek(self.control)
		self.file.write(struct.pack('<H', value))


def check(true, what):
	if not true:
		sys.exit(f'reset.py: {what}')


def once(it, msi, device, stays_lost):
	handle = it.create(SIZE, gpu.VRAM)
	view = it.map(handle, SIZE)
	it.prefetch(handle, gpu.VRAM)
	it.wait(handle)
	before = gpu.counts(device)

	it.fill(handle, SIZE, 7)
	msi.enable(False)
	gpu.wait_until(lambda: gpu.counts(device)['retries'] > before['retries'],
		       'the watchdog does nothing')
	if stays_lost:
		gpu.wait_until(lambda: gpu.counts(device)['failed'] > before['failed'],
			       'the job does not fail')
	msi.enable(True)
	it.wait(handle)
	if not stays_lost:
		check(gpu.counts(device)['failed'] == before['failed'], 'the job failed')
		check(view[:] == gpu.words(7, SIZE // 8), 'the content is wrong')
	# The engine works again.
	it.fill(handle, SIZE, 8)
	it.wait(handle)
	check(view[:] == gpu.words(8, SIZE // 8), 'the next job is wrong')
	view.close()
	it.close_handle(handle)


def leave_marks(it):
	"""Leave marks in all of VRAM."""
	size = it.param(0) // 2
	handles = [it.create(size, gpu.VRAM) for _ in range(2)]
	for handle in handles:
		it.prefetch(handle, gpu.VRAM)
		it.wait(handle)
		view = it.map(handle, size)
		view[:] = gpu.words(MARK, size // 8, 0)
		view.close()
	for handle in handles:
		check(it.info(handle)[0] == gpu.VRAM, 'a buffer is not in VRAM')
		it.close_handle(handle)


def without_interrupts(it, msi):
	"""A new buffer is zeroed, and one that is moved keeps its content."""
	leave_marks(it)
	moved = it.create(SMALL, gpu.GTT | gpu.VRAM)
	it.prefetch(moved, gpu.VRAM)
	it.wait(moved)
	view, wanted = it.map(moved, SMALL), gpu.words(1 << 40, SMALL // 8, 3)
	view[:] = wanted

	msi.enable(False)
	new = it.create(SMALL, gpu.VRAM)
	it.prefetch(new, gpu.VRAM)
	shown = it.map(new, SMALL)[:]
	check(it.info(new)[0] == gpu.VRAM, 'the new buffer is not in VRAM')
	check(struct.pack('Q', MARK) not in shown, "a new buffer shows others' content")
	check(shown == bytes(SMALL), 'a new buffer is not zeroed')
	it.prefetch(moved, gpu.GTT)
	check(it.info(moved)[0] == gpu.GTT, 'the buffer was not moved')
	check(view[:] == wanted, 'a buffer has lost its content')
	msi.enable(True)
	view.close()
	for handle in new, moved:
		it.close_handle(handle)


def main():
	device = gpu.functions('edu')[0]
	it, msi = gpu.Gpu(), Msi(device)
	begun = time.monotonic()
	for n in range(int(sys.argv[1])):
		once(it, msi, device, n % 2)
	without_interrupts(it, msi)
	seen = gpu.counts(device)
	print(f'{sys.argv[1]} times, {seen["retries"]} retries, {seen["failed"]} jobs failed, '
	      f'in {time.monotonic() - begun:.0f} s of the guest')


main()
