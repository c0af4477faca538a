#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""measure.py COMMAND...: run a command on the GPU, and count what the hardware did meanwhile.

Fail if the command fails, or if the counters don't add up: every byte that the driver asked
for was written to its place by DMA, 4 KiB take two DMAs, and each DMA raises an interrupt,
which the kernel has counted as well.
"""

import subprocess
import sys
import time
from pathlib import Path

PAGE = 4096
NAMES = ('asked', 'bytes', 'dmas', 'interrupts', 'jobs', 'empty', 'failed', 'retries')


def engines():
	return sorted(Path('/sys/kernel/debug').glob('*/engine'))


def counts():
	"""The counters of the driver, and of the kernel's interrupts."""
	seen = dict.fromkeys((*NAMES, 'seen by the kernel'), 0)
	for engine in engines():
		for line in engine.read_text().splitlines():
			name, value = line.split()
			seen[name] += int(value)
	for line in Path('/proc/interrupts').read_text().splitlines():
		_, *words = line.split()
		if words and words[-1] == 'vttm-engine':
			for word in words:
				if not word.isdigit():
					break
				seen['seen by the kernel'] += int(word)
	return seen


def quiet():
	"""Wait until the engines do nothing, and return the counters."""
	last = counts()
	while True:
		time.sleep(1)
		if (now := counts()) == last:
			return now
		last = now


def main():
	if not engines():
		sys.exit('measure.py: there is no GPU')
	before = quiet()
	status = subprocess.run(sys.argv[1:]).returncode
	after = quiet()
	did = {name: after[name] - before[name] for name in after}
	print()
	for name, value in did.items():
		print(f'{name:<26}{value:12}')

	wrong = []
	if did['bytes'] != did['asked']:
		wrong.append('not all bytes were written')
	if did['dmas'] < 2 * did['bytes'] // PAGE + did['empty']:
		wrong.append('there were fewer DMAs than pages')
	if did['interrupts'] != did['dmas']:
		wrong.append('not every DMA raised an interrupt')
	if did['seen by the kernel'] != did['interrupts']:
		wrong.append('the kernel has counted other interrupts')
	if did['failed']:
		wrong.append('jobs have failed')
	if not did['bytes']:
		wrong.append('nothing was done')
	for line in wrong:
		print(f'measure.py: {line}', file=sys.stderr)
	sys.exit(status or bool(wrong))


main()
