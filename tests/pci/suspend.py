#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""suspend.py TIMES [HIBERNATIONS]: suspend the PC to memory and wake it up, TIMES times, with
buffers in VRAM and in pages, and while the engine works. Meanwhile VRAM loses its content,
as that of a real GPU does. Every buffer must have its content afterwards.

Then the PC hibernates, HIBERNATIONS times, and each time goes on from the image.
"""

import errno
import os
import sys
from pathlib import Path

import gpu
from timeline import Timeline

SIZE = 16 * gpu.PAGE
POWER = Path('/sys/power')


def check(true, what):
	if not true:
		sys.exit(f'suspend.py: {what}')


def prepare_disk():
	"""Let the image be written to the swap space, and read again at once."""
	device = os.stat('/dev/vda').st_rdev
	(POWER / 'resume').write_text(f'{os.major(device)}:{os.minor(device)}')
	(POWER / 'disk').write_text('test_resume')
	(POWER / 'image_size').write_text('0')


def sleep(state):
	"""Sleep and wake up. Returns the number of the error."""
	if state == 'mem':
		gpu.tell('asleep')
	# Not buffered: Python would write it again after an error.
	with (POWER / 'state').open('wb', buffering=0) as file:
		try:
			file.write(state.encode())
		except OSError as error:
			return error.errno
	return 0


def refused(it):
	"""A buffer in VRAM waits for a fence that others may never signal: it can't be saved."""
	timeline = Timeline()
	handle = it.create(SIZE, gpu.VRAM)
	it.fill(handle, SIZE, 1, after=timeline.fence(1))
	answer = sleep('mem')
	check(answer == errno.EBUSY, f'sleep with late work in VRAM is answered by {answer}')
	gpu.tell('awake')
	timeline.advance()
	it.wait(handle)
	check(it.map(handle, SIZE)[:] == gpu.words(1, SIZE // 8), 'late work was lost')
	it.close_handle(handle)


def main():
	times, hibernations = map(int, (*sys.argv[1:], 0)[:2])
	if hibernations:
		prepare_disk()
	it = gpu.Gpu()
	handles = [it.create(SIZE, domain) for domain in (gpu.VRAM, gpu.VRAM, gpu.GTT)]
	views = [it.map(handle, SIZE) for handle in handles]
	for n, state in enumerate(times * ['mem'] + hibernations * ['disk']):
		for handle in handles:
			it.fill(handle, SIZE, n)
		if n % 2:
			it.wait(handles[0])
		answer = sleep(state)
		check(answer == 0, f'no sleep: {os.strerror(answer)}')
		for handle, view in zip(handles, views):
			it.wait(handle)
			check(view[:] == gpu.words(n, SIZE // 8),
			      f'a buffer is wrong after sleep {n + 1}, {state}')
	refused(it)
	print(f'{times} times to memory, {hibernations} times to disk', flush=True)


main()
