#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""zombie.py PARAMETER...: load vttm, and leave a zombie: a closed buffer that waits for the
fence of another driver. Unloading vttm must fail until the fence is signaled.
"""

import fcntl
import os
import struct
import subprocess
import sys
from pathlib import Path

PAGE = os.sysconf('SC_PAGESIZE')
DRI = Path('/dev/dri')


def request(direction, kind, number, layout):
	return (direction << 30 | struct.calcsize(layout) << 16 | ord(kind) << 8 | number)


def call(file, number, layout, *args):
	"""Call an ioctl of vttm or DRM. Return its answer."""
	answer = fcntl.ioctl(file, request(3, 'd', number, layout),
			     struct.pack(layout, *args))
	return struct.unpack(layout, answer)


def fence():
	"""A timeline of sw_sync, and a fence that its next step signals."""
	timeline = os.open('/sys/kernel/debug/sync/sw_sync', os.O_RDWR)
	answer = fcntl.ioctl(timeline, request(3, 'W', 0, 'I32si'),
			     struct.pack('I32si', 1, b'foreign', 0))
	return timeline, struct.unpack('I32si', answer)[2]


def leave_zombie():
	"""Leave a zombie. Return the timeline that it waits for."""
	card = os.open(next(DRI.glob('card*')), os.O_RDWR)
	handle = call(card, 0x40 + 3, 'QIIIIII', 16 * PAGE, 3, 0, 0, 0, 0, 0)[5]
	shared = call(card, 0x2d, 'IIi', handle, os.O_CLOEXEC | os.O_RDWR, 0)[2]
	timeline, waits_for = fence()

	# DMA_BUF_IOCTL_IMPORT_SYNC_FILE: somebody writes to it.
	fcntl.ioctl(shared, request(1, 'b', 3, 'Ii'), struct.pack('Ii', 2, waits_for))
	for file in (waits_for, shared, card):
		os.close(file)
	return timeline


def unload():
	"""Try to unload vttm. Return whether it is gone."""
	result = subprocess.run(['rmmod', 'vttm'], capture_output=True, text=True)
	if result.returncode and 'in use' not in result.stderr:
		sys.exit(result.stderr)
	return not result.returncode


def main():
	subprocess.run(['insmod', os.environ['VTTM_KO'], *sys.argv[1:]], check=True)
	timeline = leave_zombie()
	for _ in range(10):
		if unload():
			sys.exit('unloaded with a zombie')
	fcntl.ioctl(timeline, request(1, 'W', 1, 'I'), struct.pack('I', 1))
	while not unload():
		pass
	print('unloaded once the zombie was gone')


main()
