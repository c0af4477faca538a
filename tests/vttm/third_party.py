#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Run programs of other projects, and check what each shows of vttm. Prints KTAP.

Meanwhile a process holds some memory of the GPU, so that there is something to show. Run
it in a kernel with vttm, and with no other driver of GPUs except vgem.
"""

import ctypes
import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

HELD_MIB = 8
UNITS = {'': 0, 'KiB': 10, 'MiB': 20}
LIBDRM = ctypes.CDLL('libdrm.so.2', use_errno=True)


class Version(ctypes.Structure):
	_fields_ = [('major', ctypes.c_int), ('minor', ctypes.c_int),
		    ('patchlevel', ctypes.c_int), ('name_len', ctypes.c_int),
		    ('name', ctypes.c_char_p), ('date_len', ctypes.c_int),
		    ('date', ctypes.c_char_p), ('desc_len', ctypes.c_int),
		    ('desc', ctypes.c_char_p)]


LIBDRM.drmGetVersion.restype = ctypes.POINTER(Version)
LIBDRM.drmGetRenderDeviceNameFromFd.restype = ctypes.c_char_p
LIBDRM.drmGetPrimaryDeviceNameFromFd.restype = ctypes.c_char_p


def run(*command, status=(0,)):
	"""Run a program. Return its output. It must end with one of @status."""
	done = subprocess.run(command, text=True, stdin=subprocess.DEVNULL,
			      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
	expect(f'{command[0]} ends with {done.returncode}: {done.stdout}',
	       done.returncode in status)
	return done.stdout


def expect(what, is_so):
	if not is_so:
		raise AssertionError(what)


def shows(output, *patterns):
	for pattern in patterns:
		expect(f'no {pattern} in:\n{output}', re.search(pattern, output, re.M))


def nodes():
	"""The primary nodes and the render nodes of vttm, found in sysfs."""
	found = [f'/dev/dri/{node.name}' for node in Path('/sys/class/drm').iterdir()
		 if (node / 'device').exists() and
		 'vttm' in os.path.realpath(node / 'device')]
	return (sorted(n for n in found if 'card' in n),
		sorted(n for n in found if 'render' in n))


def on_terminal(command, seconds):
	"""What a program shows on a terminal until it ends, or for so many seconds."""
	pid, fd = pty.fork()
	if pid == 0:
		os.environ.update(TERM='xterm', COLUMNS='120', LINES='40')
		os.execvp(command[0], command)
	out, end = b'', time.monotonic() + seconds
	while (left := end - time.monotonic()) > 0:
		if not select.select([fd], [], [], left)[0]:
			break
		try:
			more = os.read(fd, 1 << 16)
		except OSError:
			break
		out += more
	os.kill(pid, 9)
	os.waitpid(pid, 0)
	os.close(fd)
	return re.sub(r'\x1b\[[0-9;?]*[a-zA-Z]', '', out.decode(errors='replace'))


def libdrm():
	fd = os.open(RENDER[0], os.O_RDWR)
	version = LIBDRM.drmGetVersion(fd).contents
	expect(f'the name is {version.name}', version.name == b'vttm')
	expect('there is no description', version.desc)
	name = LIBDRM.drmGetRenderDeviceNameFromFd(fd)
	expect(f'the render node is {name}', name == RENDER[0].encode())
	name = LIBDRM.drmGetPrimaryDeviceNameFromFd(fd)
	expect(f'the primary node is {name}', name == CARDS[0].encode())
	os.close(fd)


def drmdevice():
	shows(run('drmdevice'), r'Devices reported 1 ', r'fullname\s+vttm$',
	      f'nodes\\[0\\] {CARDS[0]}$', f'nodes\\[2\\] {RENDER[0]}$',
	      f'Opening device node {RENDER[0]} ')


def drm_info():
	"""It asks for displays first, and there are none."""
	shows(run('drm_info', CARDS[0], status=range(256)),
	      r'drmModeGetResources: Operation not supported')


def lsgpu():
	shows(run('lsgpu'), f'{CARDS[0]}$', f'{RENDER[0]}$')
	shows(run('lsgpu', '-p'), r'^device +: vttm\.0$')


def gputop():
	output = on_terminal(['gputop', '-n', '2', '-d', '1'], 20)
	shows(output, r'DRM minor \d+', rf'\b{HELD_MIB}M\b', r'vttm-hold')


def nvtop():
	"""It knows drivers by name, and does not know vttm."""
	shows(run('nvtop', '--snapshot', status=range(256)), r'No GPU to monitor')


def modetest():
	"""It reports that there is no display."""
	shows(run('modetest', '-M', 'vttm', status=range(256)),
	      r'on driver `vttm` ', r'drmModeGetResources failed: Operation not supported')


def selftest(name, least):
	"""A selftest of the kernel. It may skip what this kernel does not have."""
	def test():
		output = run(name, status=(0, 4))
		passed = re.findall(r'^ok ', output, re.M)
		expect(output, 'not ok' not in output and len(passed) >= least)
	return test


def fdinfo():
	"""The clients' sums are the memory that is held."""
	total = 0
	for info in Path('/proc').glob('[0-9]*/fdinfo/*'):
		try:
			text = info.read_text()
		except OSError:
			continue
		if 'drm-driver:\tvttm' in text:
			total += sum(int(n) << UNITS[unit] for n, unit in
				     re.findall(r'^drm-total-\w+:\t(\d+) ?(\w*)$', text,
						re.M))
	expect(f'{total} bytes in all', total == HELD_MIB << 20)


CASES = (
	('libdrm', libdrm), ('drmdevice', drmdevice), ('drm_info', drm_info),
	('lsgpu', lsgpu), ('gputop', gputop), ('fdinfo', fdinfo),
	('nvtop', nvtop), ('modetest', modetest),
	('selftest_udmabuf', selftest('udmabuf', 5)),
	('selftest_dmabuf_heap', selftest('dmabuf-heap', 5)),
)


def main():
	wrong = 0
	print(f'KTAP version 1\n1..{len(CASES)}', flush=True)
	holder = subprocess.Popen(['vttm-hold', str(HELD_MIB)], stdout=subprocess.PIPE)
	holder.stdout.readline()
	for n, (name, case) in enumerate(CASES, 1):
		try:
			case()
			print(f'ok {n} {name}', flush=True)
		except Exception as error:
			wrong += 1
			for line in f'{type(error).__name__}: {error}'.splitlines():
				print(f'# {line}')
			print(f'not ok {n} {name}', flush=True)
	holder.kill()
	sys.exit(wrong != 0)


CARDS, RENDER = nodes()
main()
