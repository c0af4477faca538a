#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""suspend.py TIMES: suspend the PC to memory and wake it up, TIMES times, with buffers in VRAM
and in pages, and while the engine works. Meanwhile VRAM loses its content, as that of a real
GPU does. Every buffer must have its content afterwards.
"""

import sys
import time
from pathlib import Path

import gpu

SIZE = 16 * gpu.PAGE


def check(true, what):
	if not true:
		sys.exit(f'suspend.py: {what}')


def main():
	it = gpu.Gpu()
	vram, gtt = it.create(SIZE, gpu.VRAM), it.create(SIZE, gpu.GTT)
	views = [it.map(handle, SIZE) for handle in (vram, gtt)]
	begun = time.monotonic()
	for n in range(int(sys.argv[1])):
		for handle in vram, gtt:
			it.fill(handle, SIZE, n)
		if n % 2:
			it.wait(vram)
		gpu.tell('asleep')
		Path('/sys/power/state').write_text('mem')
		for handle, view in zip((vram, gtt), views):
			it.wait(handle)
			check(view[:] == gpu.words(n, SIZE // 8),
			      f'a buffer is wrong after {n + 1} times')
	print(f'{sys.argv[1]} times in {time.monotonic() - begun:.0f} s of the guest')


main()
