#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Boot a PC whose GPU is two PCI devices behind an IOMMU, and let vttm-fill use four times
as much memory as the GPU has VRAM. Every byte between the memory and VRAM is moved by DMA.

Fail if a page is wrong, if a DMA or an interrupt is missing, or if the kernel complains.
"""

import sys

import machine

VRAM_MIB = 4
COMMAND = [f'{machine.HERE}/measure.py', 'vttm-fill', '--mib', str(4 * VRAM_MIB),
	   '--pages', '32', '--pause', '30000', '--vms', '4', '--rounds', '4']


def main():
	print(f'Booting a PC in QEMU; {" ".join(COMMAND[1:])}\n', flush=True)
	pc = machine.Machine('pci-demo', COMMAND, vram=VRAM_MIB, swap=64, say=machine.show)
	for _ in pc:
		pass
	for line in pc.wrong():
		print(f'hitch: {line}', file=sys.stderr)
	if pc.wrong() or pc.status:
		sys.exit(f'hitch: {COMMAND[1]} ended with {pc.status}')
	print('ok')


main()
