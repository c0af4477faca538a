#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""content.py [VISIBLE]: check what buffers contain after each thing that the engine does:
copies, clears, and work that has to wait for a fence. The CPU reaches VISIBLE MiB of VRAM,
or all.
"""

import ctypes
import errno
import mmap
import os
import sys
import time

import gpu
from timeline import Timeline

SIZE = 16 * gpu.PAGE


def check(true, what):
	print(f'{"ok" if true else "WRONG"}: {what}', flush=True)
	return true


def moved(it):
	"""Pages go to VRAM and back by DMA."""
	handle = it.create(SIZE, gpu.GTT | gpu.VRAM)
	view, wanted = it.map(handle, SIZE), gpu.words(1 << 40, SIZE // 8, 3)
	view[:] = wanted
	good = True
	for domain in gpu.VRAM, gpu.GTT, gpu.VRAM, gpu.GTT:
		it.prefetch(handle, domain)
		it.wait(handle)
		good &= it.info(handle)[0] == domain and view[:] == wanted
	return check(good, 'a buffer keeps its content on the way to VRAM and back')


def out_of_reach(it):
	"""A program touches a buffer that is larger than the part of VRAM that the CPU reaches."""
	size = (int(sys.argv[1]) << 20) + gpu.PAGE
	handle = it.create(size, gpu.GTT | gpu.VRAM)
	it.fill(handle, size, 7, domains=gpu.VRAM)
	it.wait(handle)
	good = it.info(handle)[0] == gpu.VRAM
	good &= it.map(handle, size)[-8:] == gpu.words(7 + size // 8 - 1, 1)
	good &= it.info(handle)[0] != gpu.VRAM
	return check(good, 'a buffer that the CPU does not reach leaves VRAM')


def debugged(it):
	"""A debugger reads and writes a mapped buffer."""
	handle = it.create(SIZE, gpu.GTT | gpu.VRAM)
	view, wanted = it.map(handle, SIZE), gpu.words(1 << 41, SIZE // 8, 5)
	at = ctypes.addressof(ctypes.c_char.from_buffer(view))
	# Across the border of two pages.
	place, poked = gpu.PAGE - 3, b'poked'
	good = True
	with open('/proc/self/mem', 'r+b', buffering=0) as memory:
		for domain in gpu.VRAM, gpu.GTT:
			view[:] = wanted
			it.prefetch(handle, domain)
			it.wait(handle)
			good &= os.pread(memory.fileno(), SIZE, at) == wanted
			os.pwrite(memory.fileno(), poked, at + place)
			good &= it.info(handle)[0] == domain
			good &= view[place:place + len(poked)] == poked
	return check(good, 'a debugger reads and writes a buffer in VRAM and in pages')


def cleared(it):
	"""A new buffer doesn't show what was in its place."""
	size = it.param(0)
	handle = it.create(size // 2, gpu.VRAM)
	it.fill(handle, size // 2, 0x5ec2e7, 0)
	it.wait(handle)
	it.close_handle(handle)
	good = True
	for _ in range(size // SIZE // 2):
		handle = it.create(SIZE, gpu.VRAM)
		it.prefetch(handle, gpu.VRAM)
		it.wait(handle)
		good &= it.map(handle, SIZE)[:] == bytes(SIZE)
	return check(good, 'a new buffer in VRAM is zeroed')


def waits(it):
	"""A move waits for a job that waits for a fence."""
	timeline = Timeline()
	handle = it.create(SIZE, gpu.GTT | gpu.VRAM)
	it.fill(handle, SIZE, 1, domains=gpu.VRAM)
	it.wait(handle)
	it.fill(handle, SIZE, 2, domains=gpu.VRAM, after=timeline.fence(1))
	it.prefetch(handle, gpu.GTT)
	# Let the move begin if it is going to.
	other = it.create(SIZE, gpu.VRAM)
	it.fill(other, SIZE, 9)
	it.wait(other)
	timeline.advance()
	it.wait(handle)
	return check(it.map(handle, SIZE)[:] == gpu.words(2, SIZE // 8),
		     'a move waits for a job that waits for a fence')


def late(it, domain, has_content):
	"""A buffer comes to a domain after somebody's fence: it is moved, or cleared in VRAM.
	Meanwhile it stays there, and others aren't held up.
	"""
	timeline = Timeline()
	size = it.param(0) if domain == gpu.VRAM else it.param(1)
	handle = it.create(SIZE, gpu.GTT | gpu.VRAM)
	view = it.map(handle, SIZE)
	wanted = gpu.words(1 << 42, SIZE // 8) if has_content else bytes(SIZE)
	if has_content:
		view[:] = wanted
		it.prefetch(handle, gpu.GTT + gpu.VRAM - domain)
		it.wait(handle)
	it.is_written(handle, timeline.fence(1))
	it.prefetch(handle, domain)
	begun, told = time.monotonic(), 0
	try:
		it.prefetch(it.create(size, domain), domain)
	except OSError as error:
		told = error.errno
	# TTM would wait 15 s for a buffer that may make room.
	good = told == errno.ENOSPC and time.monotonic() - begun < 10
	good &= it.info(handle)[0] == domain
	timeline.advance()
	it.wait(handle)
	return good and view[:] == wanted


def comes_late(it):
	"""A buffer that waits for somebody's fence makes no room."""
	good = [late(it, *kind) for kind in ((gpu.VRAM, True), (gpu.VRAM, False), (gpu.GTT, True))]
	return check(all(good), 'a buffer that is moved or cleared late stays in place')


def goes(it):
	"""The GPU goes while a job waits for a fence that is never signaled."""
	timeline = Timeline()
	handle = it.create(SIZE, gpu.VRAM)
	it.fill(handle, SIZE, 1, after=timeline.fence(1))
	it.close()
	device, = gpu.functions('edu')
	gpu.unbind(device)
	gone = not gpu.is_bound(device)
	gpu.bind(device)
	# Now it would be signaled.
	timeline.advance()
	return check(gone, 'the GPU goes while a job waits for a fence')


def goes_in_a_fault(it):
	"""The GPU goes while a program waits in a fault for a move that waits for a fence."""
	timeline = Timeline()
	handle = it.create(SIZE, gpu.GTT | gpu.VRAM)
	view = it.map(handle, SIZE)
	it.fill(handle, SIZE, 1, domains=gpu.VRAM, after=timeline.fence(1))
	it.prefetch(handle, gpu.GTT)
	# A thread would wait with Python's lock.
	child = os.fork()
	if child == 0:
		os._exit(view[0])
	time.sleep(1)
	waits = os.waitpid(child, os.WNOHANG)[0] == 0
	# It must not have the reservation meanwhile, or this would never end.
	asks = os.fork()
	if asks == 0:
		it.info(handle)
		os._exit(0)
	time.sleep(1)
	it.close()
	device, = gpu.functions('edu')
	gpu.unbind(device)
	gone = not gpu.is_bound(device)
	gpu.bind(device)
	os.waitpid(child, 0)
	os.waitpid(asks, 0)
	timeline.advance()
	return check(waits and gone, 'the GPU goes while a program waits in a fault')


def goes_in_a_wait(it):
	"""The GPU goes while a program waits until less is copied out of pages."""
	size = it.param(0) // 2
	first, second = [it.create(size, gpu.GTT | gpu.VRAM) for _ in range(2)]
	it.map(first, size)[:] = bytes(size)
	# Hundreds of DMAs, each of which takes 100 ms.
	it.prefetch(first, gpu.VRAM)
	child = os.fork()
	if child == 0:
		try:
			it.prefetch(second, gpu.GTT)
		except OSError as error:
			os._exit(error.errno)
		os._exit(0)
	time.sleep(1)
	waits = os.waitpid(child, os.WNOHANG)[0] == 0
	it.close()
	device, = gpu.functions('edu')
	begun = time.monotonic()
	gpu.unbind(device)
	took = time.monotonic() - begun
	gpu.bind(device)
	told = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) if waits else 0
	return check(told == errno.ENODEV and took < 10,
		     'the GPU goes while a program waits for copies')


def engine_is_busy(it):
	"""The engine is bound while it still does what somebody else has begun."""
	it.close()
	device, = gpu.functions('edu')
	gpu.unbind(device)
	with open(device / 'resource0', 'r+b') as file:
		registers = mmap.mmap(file.fileno(), gpu.PAGE)
	# From, to, size, and the command to run.
	for register, what in (0x80, 0), (0x88, 0x40000), (0x90, 8), (0x98, 1):
		ctypes.c_uint32.from_buffer(registers, register).value = what
	gpu.bind(device)
	it = gpu.Gpu()
	handle = it.create(SIZE, gpu.VRAM)
	it.fill(handle, SIZE, 3)
	it.wait(handle)
	good = it.map(handle, SIZE)[:] == gpu.words(3, SIZE // 8)
	good &= gpu.counts(device)['retries'] == 0
	return check(good, 'a busy engine is waited for before it is bound')


def main():
	tests = [moved, debugged, cleared, waits, comes_late, goes, goes_in_a_fault,
		 goes_in_a_wait, engine_is_busy]
	if sys.argv[1:]:
		tests.append(out_of_reach)
	good = [test(gpu.Gpu()) for test in tests]
	sys.exit(not all(good))


main()
