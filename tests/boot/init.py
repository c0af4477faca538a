#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""The init of a kernel that runs a program, described in a file that guest.py writes.

It mounts the usual file systems, loads the modules, runs the program, and writes its exit
status to the kernel's log. Then it kills the processes that the program left, and unloads
the modules. If it can't do one of these things, it writes that to the log.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from pathlib import Path

POWER_OFF = 0x4321fedc
LOOKS = 300
KMEMLEAK = Path('/sys/kernel/debug/kmemleak')
HUNG_TASK = Path('/proc/sys/kernel')
PATH = '/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin'
# The root is read-only. Files can be written in these.
MOUNTS = (('proc', '/proc'), ('sysfs', '/sys'), ('devtmpfs', '/dev'),
	  ('debugfs', '/sys/kernel/debug'), ('cgroup2', '/sys/fs/cgroup'),
	  ('devpts', '/dev/pts'),
	  *(('tmpfs', at) for at in ('/dev/shm', '/tmp', '/run', '/var/tmp')))


def tell(what):
	Path('/dev/kmsg').write_text(f'init: {what}\n')


def run(*command):
	done = subprocess.run(command, text=True, stdout=subprocess.PIPE,
			      stderr=subprocess.STDOUT)
	if done.returncode:
		raise OSError(f'{" ".join(command)}: {done.stdout.strip()}')


def mount(kept):
	"""Mount all, but keep the folders @kept, which may be below /tmp."""
	for kind, at in MOUNTS:
		below = [path for path in kept if path.is_relative_to(at)]
		doors = [os.open(path, os.O_PATH) for path in below]
		Path(at).mkdir(exist_ok=True)
		run('mount', '-t', kind, 'none', at)
		for path, door in zip(below, doors):
			path.mkdir(parents=True, exist_ok=True)
			# Don't resolve the link: the mount above has just covered its target.
			run('mount', '-c', '--bind', f'/proc/{os.getpid()}/fd/{door}',
			    path)
			os.close(door)


def report_blocked(seconds):
	"""Report a task that is blocked for longer. A plain kernel can't do that."""
	for name, value in (('timeout', seconds), ('check_interval', 1)):
		file = HUNG_TASK / f'hung_task_{name}_secs'
		if file.exists():
			file.write_text(str(value))


def program(command, env, cwd, terminal):
	"""Run a program at its terminal. Return its exit status, as a shell does."""
	pid = os.fork()
	if pid == 0:
		os.login_tty(os.open(terminal, os.O_RDWR))
		os.chdir(cwd)
		try:
			os.execvpe(command[0], command, env)
		except OSError as error:
			print(f'{command[0]}: {error.strerror}', flush=True)
			os._exit(127)
	while True:
		ended, status = os.wait()
		if ended == pid:
			code = os.waitstatus_to_exitcode(status)
			return code if code >= 0 else 128 - code


def end_others():
	"""Kill the processes that the program left: they may have files open."""
	try:
		os.kill(-1, signal.SIGKILL)
		while True:
			os.wait()
	except (ProcessLookupError, ChildProcessError):
		pass


def unload(path):
	"""Unload a module, which is in use until the GPU is done with its buffers."""
	name = Path(path).stem.replace('-', '_')
	for look in range(LOOKS, 0, -1):
		try:
			if (Path('/sys/module') / name).exists():
				run('rmmod', name)
			return
		except OSError:
			if look == 1:
				raise
		time.sleep(1)


def look_for_leaks():
	"""kmemleak ignores objects younger than five seconds, or just changed."""
	time.sleep(5)
	for _ in range(2):
		KMEMLEAK.write_text('scan')
	# No more than fits into the log.
	for line in KMEMLEAK.read_text().splitlines()[:40]:
		tell(line)


def main():
	os.environ['PATH'] = PATH
	said = Path(sys.argv[1])
	what = json.loads(said.read_text())
	# The checkout, and the cache: the kernel, its modules and the programs.
	mount([Path(__file__).resolve().parents[2], said.parents[2],
	       *map(Path, what['seen'])])
	env = os.environ | {'HOME': '/tmp'} | what['env']
	if what['blocked']:
		report_blocked(what['blocked'])
	env['PATH'] = f'{what["path"]}:{PATH}'
	if what['swap']:
		run('mkswap', what['swap'])
		run('swapon', what['swap'])
	for path, parameters in what['modules']:
		run('insmod', path, *parameters.split())
	status = program(what['command'], env, what['cwd'], what['terminal'])
	tell(f'the program ended with {status}')
	end_others()
	for path, _ in reversed(what['modules']):
		unload(path)
	if what['leaks']:
		look_for_leaks()


try:
	main()
except Exception as error:
	for line in traceback.format_exc().splitlines():
		tell(line)
	tell(f'failed: {error}')
ctypes.CDLL(None).reboot(POWER_OFF)
