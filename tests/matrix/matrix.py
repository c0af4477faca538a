#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""matrix.py build|run [--record] CONFIGURATION [CELL...]: build a kernel for QEMU, or run
in it what configurations.py names: suites of KUnit, and programs. Each of these is a cell.
With --record the results go into Documentation/gpu.
"""

import argparse
import re
import sys
from dataclasses import replace
from pathlib import Path

from configurations import CONFIGURATIONS, VTTM

import machine	# configurations has added the folders of these
import modules
import qemu
import suites
import summary
import vttm
from record import record

# Nothing in QEMU is quick, and a sanitizer less so.
LIMITS = {'silence': 1200, 'limit': 4 * 3600}
NO_TIMEOUT = 'kunit.timeout=100000'


def strictly():
	"""For make: a warning about our files is an error."""
	yield 'KRUSTFLAGS=-Dwarnings'
	ttm = machine.HERE.parents[1] / 'drivers/gpu/drm/ttm'
	for file in ttm.glob('**/*.c'):
		folder = 'lib/' if file.parent.name == 'lib' else ''
		yield f'CFLAGS_{folder}{file.stem}.o=-Werror'


def build(config):
	made = config.build
	made.make += tuple(strictly())
	image = Path(qemu.ARCHES[config.arch].image)
	made.build(image.name, *['modules'] * (config.vttm or config.modules))


def as_modules(config, group):
	"""A PC that loads modules with suites, and unloads them."""
	known = {ko.stem: ko for ko in modules.built_in(config.build.path)}
	tests = [ko for name, ko in known.items() if ko.parent.name == 'tests' and
		 (name == 'ttm_lru_tests') == (group.name == 'lru')]
	order = dict.fromkeys(ko for test in tests for ko in modules.with_needed(test, known))
	return machine.Machine(group.name, ['true'], drivers=[(ko, '') for ko in order],
			       gpus=0, memory=config.memory, build=config.build,
			       args=(NO_TIMEOUT,), clock=qemu.PARALLEL,
			       say=lambda _: None, **LIMITS)


def built_in(config, group):
	return qemu.Boot(config.arch, config.build.path, group.name, *group.args, NO_TIMEOUT,
			 *config.args, memory=config.memory,
			 leaks=config.leaks and group.leaks, **LIMITS)


def judge(config, boot):
	"""A checker that is off finds nothing."""
	if not any(config.shows in line for line in boot.lines):
		summary.count(f'the kernel of {config.name}', 0, 1,
			      [f'it does not say: {config.shows}'])


def run_suites(config, group):
	boot = (as_modules if config.modules else built_in)(config, group)
	boot.theirs = re.compile(config.theirs)
	suites.run(group, boot, dict(config.least).get(group.name), config.lockdep)
	judge(config, boot)


def in_pc(config, test, say):
	"""A PC with vttm and another driver that runs @test."""
	drm = config.build.path / 'drivers/gpu/drm'
	drivers = [(drm / 'drm_shmem_helper.ko', ''), (drm / 'vgem/vgem.ko', ''),
		   (drm / 'vttm/vttm.ko', test.parameters)]
	pc = machine.Machine(test.name, (VTTM[test.name] or test.command).split(),
			     drivers=drivers, loaded=test.loaded, gpus=0,
			     path=str(vttm.HERE),
			     memory=config.memory, swap=test.swap,
			     leaks=config.leaks and test.leaks,
			     args=('kunit.enable=0', *config.args, *test.args),
			     build=config.build,
			     clock=qemu.PARALLEL, say=say, **LIMITS)
	pc.theirs = re.compile(config.theirs)
	return pc


def run_program(config, test, make):
	judge(config, summary.run_program(test.name, make, test.least))


def cells(config):
	"""What there is to run, by name."""
	for group in suites.GROUPS:
		if group.name in config.suites:
			yield group.name, lambda group=group: run_suites(config, group)
	for test in vttm.TESTS:
		if config.vttm and test.name in VTTM:
			yield test.name, lambda test=test: run_program(
				config, test, lambda say: in_pc(config, test, say))
	for test in machine.TESTS:
		if test.name in config.pci:
			yield test.name, lambda test=replace(test, build=config.build): \
				summary.run_program(test.name, test.machine)


def run_cells(config, args):
	runs, results = dict(cells(config)), {}
	for cell in args.cells:
		if cell not in runs:
			sys.exit(f'hitch: CELLS={cell}: there are {", ".join(runs)}')
	print(f'{config.name}:')
	for cell in args.cells or runs:
		before = summary.passes, summary.failures
		runs[cell]()
		results[cell] = (summary.passes - before[0], summary.failures - before[1])
	if args.record:
		record(config.name, results)
	print(f'\n{summary.passes} passed, {summary.failures} failed')
	return summary.failures != 0


def main():
	parser = argparse.ArgumentParser()
	parser.add_argument('what', choices=('build', 'run'))
	parser.add_argument('--record', action='store_true')
	parser.add_argument('name')
	parser.add_argument('cells', nargs='*')
	args = parser.parse_args()
	config = CONFIGURATIONS.get(args.name)
	if not config:
		sys.exit(f'hitch: CONFIG={args.name}: there are {", ".join(CONFIGURATIONS)}')
	return build(config) if args.what == 'build' else run_cells(config, args)


sys.exit(main())
