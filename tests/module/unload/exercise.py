#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""exercise.py MODULE CASE...: for each case, load a copy of ttm_unload, let it do what the
case says, unload it, and use whatever is left of it. The results are KTAP. It ends after
the first case about which the kernel complains: later complaints cannot be trusted.
"""

import ctypes
import errno
import mmap
import os
import re
import sys
import time
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parents[1] / 'boot'))

import cases	# noqa: E402
import holds	# noqa: E402
import kernel	# noqa: E402

NAME = b'ttm_unload'
FINIT_MODULE, DELETE_MODULE, MEMBARRIER = 313, 176, 324	# x86-64
MEMBARRIER_CMD_GLOBAL = 1
# A driver that is no longer used can be unloaded within so many tries, 10 ms apart.
TRIES = 500

DROP_CACHES = Path('/proc/sys/vm/drop_caches')
HUNG_TASK = Path('/proc/sys/kernel/hung_task_timeout_secs')

libc = ctypes.CDLL(None, use_errno=True)


def syscall(number, *args):
	if libc.syscall(number, *args):
		code = ctypes.get_errno()
		raise OSError(code, os.strerror(code))


class Module:
	"""A copy of the driver with a name of its own, as a case may keep it loaded."""

	def __init__(self, image, number, parameters):
		self.name = f'ttm_un{number:04}'
		path = f'/tmp/{self.name}.ko'
		Path(path).write_bytes(image.replace(NAME, self.name.encode()))
		fd = os.open(path, os.O_RDONLY)
		self.load(fd, parameters)
		os.close(fd)
		os.unlink(path)

	def load(self, fd, parameters):
		syscall(FINIT_MODULE, fd, parameters, 0)

	def unload(self):
		"""Try to unload it. Return whether it is gone."""
		try:
			syscall(DELETE_MODULE, self.name.encode(), os.O_NONBLOCK)
		except OSError as error:
			if error.errno not in (errno.EBUSY, errno.EAGAIN):
				raise
			return False
		return True

	def traces(self):
		"""The paths of everything that is left of it."""
		yield from holds.DEBUGFS.glob(f'{self.name}*')
		# A forgotten parent remains, without a device.
		yield from holds.FAUX.glob(f'{self.name}*/drm/*')
		yield from Path('/sys/module').glob(self.name)
		# Its threads, and workers that do something for it, with a plus in the name.
		for path in Path('/proc').glob('[0-9]*/comm'):
			if re.search(rf'(^|\+){self.name}', attempt(path.read_text) or ''):
				yield path.parent


class FailingModule(Module):
	"""A copy with an init that runs until it is told to end, and then fails."""

	def load(self, fd, parameters):
		self.told = False
		self.ended, told_by = os.pipe()
		if not os.fork():
			try:
				syscall(FINIT_MODULE, fd, parameters + b' init_fails=1', 0)
			except OSError as error:
				os.write(told_by, errno.errorcode[error.errno].encode())
			os._exit(0)
		os.close(told_by)
		os.set_blocking(self.ended, False)
		while not list(holds.FAUX.glob(f'{self.name}/drm/renderD*')):
			time.sleep(0.01)

	def tell(self):
		"""Tell init to end. If the device is unbound, init ends by itself."""
		self.told = True
		try:
			card = holds.node(f'faux/{self.name}')
		except (OSError, ValueError):
			return
		attempt(holds.param, card, holds.FAIL, 0)
		os.close(card)

	def unload(self):
		if not self.told:
			self.tell()
		answer = attempt(os.read, self.ended, 16)
		if answer is None:
			return False
		if answer != b'EINVAL':
			raise RuntimeError(f'init has not failed as it should: {answer}')
		return True


def attempt(what, *args):
	"""Call @what, and return None if it fails."""
	try:
		return what(*args)
	except OSError:
		return None


def touch(maps):
	"""Read and write mapped memory, in a process that may get SIGBUS."""
	pid = os.fork()
	if not pid:
		for each in maps:
			each[0] = each[mmap.PAGESIZE] + 1 & 0xff
		os._exit(0)
	os.waitpid(pid, 0)


def read(path):
	fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
	try:
		while os.read(fd, 1 << 16):
			pass
	finally:
		os.close(fd)


def poke(world):
	"""Use everything that the program has or finds."""
	for path in holds.FAUX.glob(f'{world.name}*/drm/renderD*'):
		fd = attempt(os.open, f'/dev/dri/{path.name}', os.O_RDWR)
		if fd is not None:
			attempt(holds.create, fd, 0, 1, holds.SIZE)
			os.close(fd)
	for card in world.cards:
		handle = attempt(holds.create, card, 0, 0, holds.SIZE)
		if handle:
			attempt(holds.where, card, handle[0], 0, 0)
			attempt(holds.close_handle, card, handle[0], 0)
	touch(world.maps)
	for fd in world.dma_bufs:
		again = attempt(mmap.mmap, fd, holds.SIZE)
		if again:
			touch([again])
			again.close()
	for fd in world.cards + world.dma_bufs:
		attempt(read, f'/proc/self/fdinfo/{fd}')
	for fd in world.syncs:
		attempt(holds.file_info, fd, b'', 0, 0, 0, 0, 0)
	for fd in world.shown:
		attempt(os.pread, fd, 1 << 16, 0)
	show_all(world.name)
	press()


def show_all(name):
	"""Read the files of drivers in debugfs."""
	for pattern in (f'{name}*/**/*', f'dri/{name}*/*', 'ttm/*', 'dma_buf/bufinfo',
			'sync/info'):
		for path in holds.DEBUGFS.glob(pattern):
			if path.is_file() and os.access(path, os.R_OK):
				attempt(read, path)


def press():
	"""Call all shrinkers, and swap out all devices."""
	DROP_CACHES.write_text('3')
	for _ in range(4):
		attempt(read, holds.DEBUGFS / 'ttm/tt_shrink')


class Play:
	"""A case, in a process of its own."""

	def __init__(self, case, module):
		self.case, self.module = case, module
		self.gone = False
		self.wrong = []

	def do(self, world):
		"""Do what the case says. Unbind at the end: then no ioctl works any more."""
		for mode in sorted(self.case.modes, key=lambda mode: mode.name == 'unbind'):
			if mode.thing:
				world.do(*mode.numbers)
			else:
				holds.HOLDS[mode.name](world)
		if self.case.waits:
			world.signal()
		world.close_card()

	def unload(self):
		"""Try to unload the module. Once it is gone, nothing of it may be left."""
		if self.gone or not self.module.unload():
			return
		self.gone = True
		self.wrong += [f'gone, but there is {path}' for path in self.module.traces()]

	def unload_in_the_end(self):
		"""Retry for a moment: some things are given back late."""
		for _ in range(0 if self.case.lost else TRIES):
			if self.gone:
				return
			time.sleep(0.01)
			self.unload()
		if not self.case.lost:
			self.wrong.append('it stays though nothing is lost')

	def step(self, what, world):
		self.unload()
		print(f'# {what}: {"gone" if self.gone else "in use"}', flush=True)
		poke(world)

	def run(self):
		"""What is wrong with how it went."""
		world = holds.World(self.module.name)
		self.do(world)
		self.step('held', world)
		world.release()
		self.step('given back', world)
		world.signal()
		self.step('signaled', world)
		world.close_rest()
		self.unload_in_the_end()
		# If unloaded code of the module runs, UML faults for ever, and this hangs.
		syscall(MEMBARRIER, MEMBARRIER_CMD_GLOBAL, 0, 0)
		self.step('at last', world)
		return self.wrong


def in_process(case, module):
	"""Run a case in a process of its own. Print what is wrong; return whether it is."""
	pid = os.fork()
	if not pid:
		try:
			wrong = Play(case, module).run()
		except Exception:
			wrong = traceback.format_exc().splitlines()
		for line in wrong:
			print(f'# {line}')
		sys.stdout.flush()
		os._exit(bool(wrong))
	return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0


class Log:
	"""The kernel's log from now on."""

	def __init__(self):
		self.fd = os.open('/dev/kmsg', os.O_RDONLY | os.O_NONBLOCK)
		os.lseek(self.fd, 0, os.SEEK_END)

	def lines(self):
		"""The lines since the last call."""
		while True:
			try:
				line = os.read(self.fd, 1 << 13).decode(errors='replace')
			except BlockingIOError:
				return
			except BrokenPipeError:	# some were overwritten
				continue
			yield line.split('\n')[0].split(';', 1)[-1]


def complaints(case, lines):
	"""What the kernel logs and shouldn't, or should log and doesn't."""
	provoked = case.provoked
	wrong = [f'the kernel says: {line}' for line in kernel.reports(lines)
		 if not (provoked and provoked.search(line))]
	return wrong + [f'the kernel should say: {words}' for words in case.told
			if not any(words in line for line in lines)]


def main():
	path, *names = sys.argv[1:]
	image = Path(path).read_bytes()
	# Unloading a module may wait for a while.
	HUNG_TASK.write_text('60')
	# Don't log it when caches are dropped.
	DROP_CACHES.write_text('4')
	log = Log()
	print(f'KTAP version 1\n1..{len(names)}')
	for number, name in enumerate(names, 1):
		case = cases.named(name)
		print(f'# case {name}', flush=True)
		kind = FailingModule if case.has('init_fails') else Module
		module = kind(image, number, b'shrinker=0' if case.has('no_shrinker') else b'')
		bad = in_process(case, module)
		wrong = complaints(case, list(log.lines()))
		for line in wrong:
			print(f'# {line}')
		print(f'{"not " if bad or wrong else ""}ok {number} {name}', flush=True)
		# Lockdep reports once.
		if wrong or case.told:
			break


main()
