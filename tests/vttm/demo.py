#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Boot a kernel with vttm, and let vttm-fill use four times as much memory as the GPU has,
in a system that is short of memory as well. Fail if a page is wrong, if a walk missed a
buffer, or if the kernel complains.
"""

import sys

import vttm

MEMORY = '448M'
SWAP_MIB = 512
PARAMETERS = 'vram_mb=64 gtt_mb=64 delay_us=100'
COMMAND = ['vttm-fill', '--mib', '256', '--rounds', '30']


def main():
	print(f'Booting a system with {MEMORY} of memory; {" ".join(COMMAND)}\n', flush=True)
	guest = vttm.Guest('demo', COMMAND, PARAMETERS, swap=SWAP_MIB, memory=MEMORY,
			   say=vttm.show)
	for _ in guest:
		pass
	for line in guest.wrong():
		print(f'hitch: {line}', file=sys.stderr)
	if guest.wrong() or guest.status:
		sys.exit(f'hitch: vttm-fill ended with {guest.status}')
	print('ok')


main()
