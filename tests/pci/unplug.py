#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""unplug.py TIMES: take a GPU away while programs use it, and give it back, TIMES times:
unbind its engine or its VRAM through sysfs, or let QEMU remove one of them.

A program that works on the GPU must end with ENODEV; one that has buffers mapped must get
ENODEV from each ioctl and must not crash when it goes on writing to them; and nothing may
remain mapped for the devices, which the kernel checks. Then the GPU works again.
"""

import itertools
import os
import subprocess
import sys
import time

import gpu

SIZE = 16 * gpu.PAGE
# What QEMU is told to plug in again, as machine.py does at the start.
OPTIONS = {
	'vram': {'driver': 'ivshmem-plain', 'id': 'vram0', 'bus': 'vram-port0'},
	'edu': {'driver': 'edu', 'id': 'edu0', 'bus': 'edu-port0'},
}
VRAM = 4 << 20
COUNT = itertools.count()
WAYS = [(how, which) for how in ('unbind', 'remove') for which in ('edu', 'vram')]


def check(true, what):
	if not true:
		sys.exit(f'unplug.py: {what}')


def there():
	for node in gpu.nodes():
		it = gpu.Gpu(node)
		gone = it.is_gone()
		it.close()
		if not gone:
			return True
	return False


def comes():
	"""Is the GPU there, perhaps after a moment?"""
	try:
		gpu.wait_until(there, '', seconds=2)
	except TimeoutError:
		return False
	return True


def hold(ready, gone):
	"""Hold buffers in VRAM and in pages, mapped, while the GPU goes. Return an exit status."""
	it = gpu.Gpu()
	vram, gtt = it.create(SIZE, gpu.VRAM), it.create(SIZE, gpu.GTT)
	it.fill(vram, SIZE, 7)
	it.wait(vram)
	maps = [it.map(handle, SIZE) for handle in (vram, gtt)]
	check(maps[0][:] == gpu.words(7, SIZE // 8), 'VRAM is wrong')
	maps[1][:] = gpu.words(9, SIZE // 8)
	it.fill(gtt, gpu.PAGE, 5)
	it.wait(gtt)
	os.write(ready, b'.')
	os.read(gone, 1)

	for call in (lambda: it.param(0), lambda: it.create(SIZE, gpu.GTT),
		     lambda: it.fill(gtt, SIZE, 1), lambda: it.prefetch(gtt, gpu.VRAM)):
		try:
			call()
			check(False, 'an ioctl works without the GPU')
		except OSError as error:
			check(error.errno == 19, f'an ioctl fails with {error}')
	# The maps don't crash the program.
	for view in maps:
		view[0] = view[gpu.PAGE] = 1
	return 0


def fork(function, *args):
	pid = os.fork()
	if pid == 0:
		try:
			os._exit(function(*args))
		except SystemExit as error:
			print(error, file=sys.stderr, flush=True)
		finally:
			os._exit(1)
	return pid


def take_away(how, which):
	device, = gpu.functions(which)
	if how == 'unbind':
		gpu.unbind(device)
	else:
		gpu.ask_qemu('device_del', id=f'{which}0')
		gpu.wait_until(lambda: not gpu.functions(which), f'{which} stays')


def give_back(how, which):
	if how == 'unbind':
		for device in gpu.functions(which):
			gpu.bind(device)
	else:
		options = OPTIONS[which]
		if which == 'vram':
			# QEMU can't plug in the same memory twice.
			options['memdev'] = f'memory{os.getpid()}-{next(COUNT)}'
			gpu.ask_qemu('object-add', id=options['memdev'], size=VRAM,
				     **{'qom-type': 'memory-backend-ram'})
		gpu.ask_qemu('device_add', **options)
		gpu.wait_until(lambda: gpu.functions(which), f'{which} does not come back')
	if which == 'edu':
		check(comes(), 'VRAM has to be bound anew')
	# An engine whose VRAM has gone is bound anew.
	for device in gpu.functions('vram') + gpu.functions('edu'):
		if gpu.is_bound(device) and not comes():
			gpu.unbind(device)
		if not gpu.is_bound(device):
			gpu.bind(device)
	gpu.wait_until(there, 'there is no GPU again')


def once(how, which):
	(ready_out, ready), (gone, gone_in) = os.pipe(), os.pipe()
	holder = fork(hold, ready, gone)
	worker = subprocess.Popen(['vttm-hold', '1'], stdout=subprocess.PIPE,
				  stderr=subprocess.PIPE, text=True)
	os.read(ready_out, 1)
	worker.stdout.readline()
	take_away(how, which)
	os.write(gone_in, b'.')
	check(os.waitpid(holder, 0)[1] == 0, f'the holder fails after {how} {which}')
	gpu.wait_until(lambda: worker.poll() is not None, 'a program hangs')
	said = worker.communicate()[1]
	check('No such device' in said or 'canceled' in said, f'vttm-hold says {said!r}')
	for end in ready_out, ready, gone, gone_in:
		os.close(end)

	give_back(how, which)
	it = gpu.Gpu()
	handle = it.create(SIZE, gpu.VRAM)
	it.fill(handle, SIZE, 3)
	it.wait(handle)
	check(it.map(handle, SIZE)[:] == gpu.words(3, SIZE // 8), 'the new GPU is wrong')
	it.close()


def main():
	times = int(sys.argv[1])
	gpu.wait_until(there, 'there is no GPU')
	begun = time.monotonic()
	for n in range(times):
		how, which = WAYS[n % len(WAYS)]
		once(how, which)
		print(f'{n + 1}: {how} {which}', flush=True)
	print(f'{times} times in {time.monotonic() - begun:.0f} s of the guest')


main()
