#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""session.py DRIVER MODULE...: use a GPU's driver as a desktop does, in the PC of desktop.py.
MODULE... are the driver's modules, in the order of loading.

It loads them, writes to the console, sets all modes, flips pages, moves buffers in and out
while memory is short, runs a compositor meanwhile, and unloads them. Each line "row: ..." of
its output is a line of the table, as JSON: what, how much, and whether that is right.

It doesn't load them again, as qxl of Linux 7.3 leaves its interrupt handler behind.
"""

import json
import mmap
import os
import re
import subprocess
import sys
import time
import traceback
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import qxl

DRIVER, *MODULES = sys.argv[1:]
NODE = '/dev/dri/card0'
STATE = Path('/sys/kernel/debug/dri/0/state')
TRACING = Path('/sys/kernel/tracing')
CONSOLES = Path('/sys/class/vtconsole')

FLIPPING = 6		# seconds
COMPOSING = 30
WAIT = 60		# at most, for something to happen
CLIENTS = 3		# processes with buffers
BUFFERS = 240		# of each
ROUNDS = 2
HOG = 96		# MiB of a program that needs memory

# What is counted, and where.
PROBES = {
	'commits': 'drm_kms_helper:drm_atomic_helper_commit_planes',
	'evictions': f'{DRIVER}:{DRIVER}_evict_flags',
	'moves': 'ttm:ttm_bo_move_memcpy',
	'swapped': 'ttm:ttm_tt_swapout',
}
# The colours of modetest's upper bars.
BARS = [[192, 192, 192], [192, 192, 0], [0, 192, 192], [0, 192, 0], [192, 0, 192], [192, 0, 0],
	[0, 0, 192]]
# Weston, and what runs on it: a program that prints how much memory there is, and others.
SHOW = Path('/tmp/show')
SHOW_TEXT = f'''#!/bin/sh
while :; do
	echo
	uname -r
	grep -E '^(MemFree|MemAvailable|SwapFree)' /proc/meminfo
	cat {TRACING}/kprobe_profile
	sleep 2
done
'''
WESTON_INI = '''[core]
idle-time=0
[shell]
background-color=0xff35506b
animation=none
startup-animation=none
'''
WESTON = ('weston', '--backend=drm', '--renderer=pixman', '--continue-without-input',
	  '--config=/tmp/weston.ini', '--log=/tmp/weston.log', '--socket=wayland-1')
WESTONS_CLIENTS = (
	('weston-terminal', f'--shell={SHOW}', '--font-size=12'), ('weston-flower',),
	('weston-simple-damage',), ('weston-smoke',), ('weston-simple-shm',))
TEXT = ''.join(f'\033[{30 + n};1m line {n:2}: the quick brown fox jumps over the lazy dog\r\n'
	       for n in range(1, 8))


def row(what, much, good):
	print('row:', json.dumps([what, much, bool(good)]), flush=True)


def run(*command, **options):
	return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE,
			      stderr=subprocess.STDOUT, **options).stdout


def until(condition, seconds=WAIT):
	end = time.monotonic() + seconds
	while not (value := condition()) and time.monotonic() < end:
		time.sleep(0.1)
	return value


def shot(name):
	"""Have a picture of the screen taken. Return what desktop.py says of it."""
	Path('/dev/kmsg').write_text(f'desktop: shot {name}\n')
	return json.loads(sys.stdin.readline())


class Counters:
	"""How often functions of the kernel were called."""

	def __init__(self):
		run('mount', '-t', 'tracefs', 'none', TRACING)
		(TRACING / 'kprobe_events').write_text(''.join(
			f'p:desktop/{name} {function}\n' for name, function in PROBES.items()))
		(TRACING / 'events/desktop/enable').write_text('1')

	@staticmethod
	def read():
		return {line.split()[0]: int(line.split()[1]) for line in
			(TRACING / 'kprobe_profile').read_text().splitlines()}

	@contextmanager
	def counted(self):
		before, passed = self.read(), {}
		yield passed
		passed.update((name, n - before[name]) for name, n in self.read().items())


def load():
	for module in MODULES:
		run('insmod', module)


def unload():
	"""The console uses the driver until it is taken from the screen."""
	for console in CONSOLES.iterdir():
		if 'frame buffer' in (console / 'name').read_text():
			(console / 'bind').write_text('0')
	for module in reversed(MODULES):
		run('rmmod', Path(module).stem)


def on_console(text):
	# No cursor, and no blanking.
	Path('/dev/tty1').write_text(f'\033[9;0]\033[?25l\033[37;40m\033[2J\033[H{text}')
	time.sleep(1)


def console():
	on_console('')
	empty = shot('console-empty')
	on_console(TEXT)
	written = shot('console')
	row('console: colours on it', written['colours'], written['colours'] >= 8)
	on_console('')
	row('console: empty after it is cleared', empty['colours'] == 1,
	    empty['colours'] == 1 and shot('console-cleared')['sum'] == empty['sum'])


def modes():
	"""The connected connector, and its modes."""
	lines = iter(run('modetest', '-M', DRIVER, '-c').splitlines())
	connector, found = None, []
	for line in lines:
		if match := re.match(r'(\d+)\t\d+\tconnected', line):
			connector = match[1]
		elif match := connector and re.match(r'  #\d+ (\d+x\d+) ', line):
			found.append(match[1])
		elif connector and re.match(r'\d+\t', line):
			break
	return connector, list(dict.fromkeys(found))


@contextmanager
def modetest(*options):
	"""It shows what it was asked for until its input ends."""
	with subprocess.Popen(['modetest', '-M', DRIVER, *options], text=True,
			      stdin=subprocess.PIPE, stdout=subprocess.PIPE,
			      stderr=subprocess.STDOUT) as program:
		until(lambda: 'allocated by = modetest' in STATE.read_text())
		yield program
		program.said, _ = program.communicate('\n')


def set_modes():
	connector, all_ = modes()
	right = 0
	for mode in all_:
		with modetest('-s', f'{connector}:{mode}'):
			said = shot(f'mode-{mode}')
		if said['size'] == mode and said['bars'] == BARS:
			right += 1
		else:
			print('wrong:', mode, said)
	row('modes: set', len(all_), all_)
	row('modes: with the right picture', right, right == len(all_))
	return connector


def flip(connector, counters):
	for what, options in (('page flips', '-v'), ('cursor moves', '-C')):
		with counters.counted() as passed:
			with modetest('-s', f'{connector}:1024x768', options) as program:
				time.sleep(FLIPPING)
			print(program.said)
		row(f'{what}: commits', passed['commits'], passed['commits'] > 20)


def hog():
	"""A program that needs memory, and touches it again and again."""
	return subprocess.Popen([sys.executable, __file__, '--hog'])


def hog_memory():
	with mmap.mmap(-1, HOG << 20) as memory:
		while True:
			for at in range(0, len(memory), mmap.PAGESIZE):
				memory[at] = (memory[at] + 1) & 0xff


def move_buffers(counters, what, buffers=BUFFERS, rounds=ROUNDS, meanwhile=None):
	with counters.counted() as passed, ProcessPoolExecutor(CLIENTS) as pool, hog() as other:
		clients = [pool.submit(qxl.work, NODE, client, buffers, rounds, 1)
			   for client in range(CLIENTS)]
		if meanwhile:
			meanwhile()
		checked, wrong = (sum(part) for part in
				  zip(*(client.result() for client in clients)))
		other.kill()
	row(f'{what}: MiB in buffers', CLIENTS * buffers * qxl.SIZE >> 20, True)
	row(f'{what}: pages checked', checked, checked)
	row(f'{what}: pages that were wrong', wrong, wrong == 0)
	for name in 'evictions', 'moves', 'swapped':
		row(f'{what}: {name}', passed[name], passed[name] or meanwhile)


@contextmanager
def compositor():
	"""Weston, which draws with the CPU, and programs that draw all the time."""
	SHOW.write_text(SHOW_TEXT)
	SHOW.chmod(0o755)
	Path('/tmp/weston.ini').write_text(WESTON_INI)
	run_dir = Path('/tmp/run')
	run_dir.mkdir(mode=0o700)
	env = os.environ | {
		'XDG_RUNTIME_DIR': str(run_dir), 'WAYLAND_DISPLAY': 'wayland-1',
		'LIBSEAT_BACKEND': 'builtin', 'SEATD_VTBOUND': '0', 'XDG_SEAT': 'seat0'}
	programs = []
	with open('/tmp/programs.log', 'w') as log:
		try:
			for command in WESTON, *WESTONS_CLIENTS:
				programs.append(subprocess.Popen(command, env=env, stdout=log,
								 stderr=log))
				until((run_dir / 'wayland-1').exists)
				time.sleep(1)
			yield programs
		finally:
			for program in reversed(programs):
				program.terminate()
				program.wait()
	for log in 'weston.log', 'programs.log':
		print(Path('/tmp', log).read_text()[-4000:])


def compose(counters):
	with compositor() as programs:
		time.sleep(20)
		first = shot('compositor')

		def look():
			time.sleep(COMPOSING)
			second = shot('compositor-pressed')
			row('compositor: the picture changes', first['sum'] != second['sum'],
			    first['sum'] != second['sum'])
			row('compositor: colours', second['colours'], second['colours'] > 100)

		with counters.counted() as passed:
			move_buffers(counters, 'compositor', buffers=BUFFERS // 2, meanwhile=look)
		row('compositor: frames', passed['commits'], passed['commits'] > 5)
		alive = sum(program.poll() is None for program in programs)
		row('compositor: programs alive', alive, alive == len(programs))


def main():
	counters = Counters()
	load()
	row('loaded', DRIVER, until(lambda: Path(NODE).exists()))
	console()
	connector = set_modes()
	flip(connector, counters)
	move_buffers(counters, 'buffers')
	compose(counters)
	unload()
	gone = not Path('/sys/module', DRIVER).exists()
	row('unloaded', gone, gone)


if DRIVER == '--hog':
	hog_memory()
try:
	main()
except Exception as error:
	traceback.print_exc()
	row('failed', str(error), False)
