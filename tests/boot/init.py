#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""The init of a kernel in which a program runs, as guest.py says in the file of the
one argument: mounts what programs expect, loads the modules, runs it, and tells
its status in the kernel's log. Whatever it leaves is killed, and then the modules
must go away again.
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
KMEMLEAK = Path('/sys/kernel/debug/kmemleak')
PATH = '/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin'
# Of the root nothing changes: it is mounted to be read, and these are memory.
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
	"""What is there, but for the folders @kept: they may lie below /tmp."""
	for kind, at in MOUNTS:
		below = [path for path in kept if path.is_relative_to(at)]
		doors = [os.open(path, os.O_PATH) for path in below]
		Path(at).mkdir(exist_ok=True)
		run('mount', '-t', kind, 'none', at)
		for path, door in zip(below, doors):
			path.mkdir(parents=True, exist_ok=True)
			# As it is: what it seems to lead to has just been covered.
			run('mount', '-c', '--bind', f'/proc/{os.getpid()}/fd/{door}',
			    path)
			os.close(door)


def program(command, env):
	"""Run it at its terminal; its status, as a shell has it."""
	pid = os.fork()
	if pid == 0:
		os.login_tty(os.open('/dev/tty0', os.O_RDWR))
		os.chdir('/tmp')
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
	"""What the program left may still have files open."""
	try:
		os.kill(-1, signal.SIGKILL)
		while True:
			os.wait()
	except (ProcessLookupError, ChildProcessError):
		pass


def look_for_leaks():
	"""What is younger than five seconds, or has just changed, isn't lost yet."""
	time.sleep(5)
	for _ in range(2):
		KMEMLEAK.write_text('scan')
	# No more than a log takes at once.
	for line in KMEMLEAK.read_text().splitlines()[:40]:
		tell(line)


def main():
	os.environ['PATH'] = PATH
	said = Path(sys.argv[1])
	# The checkout, and where the kernel, its modules and the programs are built.
	mount([Path(__file__).resolve().parents[2], said.parents[1]])
	what = json.loads(said.read_text())
	env = os.environ | {'HOME': '/tmp'} | what['env']
	env['PATH'] = f'{what["path"]}:{PATH}'
	if what['swap']:
		run('mkswap', '/dev/ubda')
		run('swapon', '/dev/ubda')
	for path, parameters in what['modules']:
		run('insmod', path, *parameters.split())
	status = program(what['command'], env)
	end_others()
	for path, _ in reversed(what['modules']):
		if (Path('/sys/module') / Path(path).stem.replace('-', '_')).exists():
			run('rmmod', Path(path).stem)
	if what['leaks']:
		look_for_leaks()
	tell(f'the program ended with {status}')


try:
	main()
except Exception:
	for line in traceback.format_exc().splitlines():
		tell(line)
ctypes.CDLL(None).reboot(POWER_OFF)
