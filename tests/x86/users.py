#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Check that every driver that uses TTM compiles for x86 against our TTM.

users.py build: configure a kernel, and compile every file that includes a header of TTM,
directly or not, in all drivers; TTM itself also in smaller kernels and for 32 bits. Where
the compiler prints something, compile Linux's own source as well.
users.py report: print the results. Fail if a file does not compile, if there is a warning
that Linux's own source does not have, or if a module lacks a symbol.
"""

import os
import subprocess
import sys
from pathlib import Path

from includes import TTM, Includes, driver
from kbuild import DRM, Build, failed, warnings
from symbols import Symbols, exported_by_source, not_exported

HERE = Path(__file__).resolve().parent
TREE = Path(os.environ['TREE'])
LINUX = Path(os.environ['LINUX'])

TTM_TESTS = tuple(f'ttm/tests/ttm_{name}' for name in (
	'bo_test', 'bo_validate_test', 'device_test', 'kunit_helpers',
	'lru_tests', 'mock_manager', 'pool_test', 'resource_test', 'tt_test'))
# Modules by what the summary calls them.
DRIVERS = {
	'ttm': ('ttm/ttm',),
	'ttm/tests': TTM_TESTS,
	'helpers': ('drm_ttm_helper', 'drm_vram_helper'),
	'amdgpu': ('amd/amdgpu/amdgpu',),
	'i915': ('i915/i915',),
	'loongson': ('loongson/loongson',),
	'nouveau': ('nouveau/nouveau',),
	'qxl': ('qxl/qxl',),
	'radeon': ('radeon/radeon',),
	'vboxvideo': ('vboxvideo/vboxvideo',),
	'vmwgfx': ('vmwgfx/vmwgfx',),
	'xe': ('xe/xe', 'xe/tests/xe_test', 'xe/tests/xe_live_test'),
}
# Where Kbuild takes sources from that aren't beside their objects.
ELSEWHERE = (('xe/i915-display/', 'i915/display/'), ('xe/i915-soc/', 'i915/soc/'))

SHOWN = 30	# of what is wrong

USERS = Build('x86', TREE, [HERE / 'users.config'])
THEIRS = Build('x86-pristine', LINUX, [HERE / 'users.config'])

DEBUG = 'CONFIG_DRM_TTM_LRU_DEBUG=y'
KUNIT = ('CONFIG_KUNIT=y', 'CONFIG_DRM_TTM_KUNIT_TEST=m',
	 'CONFIG_DRM_TTM_LRU_KUNIT_TEST=m')
LINKED = ('ttm/ttm', 'drm_ttm_helper', 'drm_vram_helper', 'qxl/qxl',
	  'vboxvideo/vboxvideo')


def ttm_alone(name, *options, arch='x86_64'):
	bits = 'y' if arch == 'x86_64' else 'n'
	return Build(f'x86-{name}', TREE, [HERE / 'ttm.config',
		     f'CONFIG_64BIT={bits}', *options], arch)


# TTM, linked as a module, with what the other one doesn't do without.
ALONE = {
	'plain': ttm_alone('plain'),
	'debug': ttm_alone('debug', DEBUG),
	'kunit': ttm_alone('kunit', *KUNIT),
	'i386': ttm_alone('i386', DEBUG, *KUNIT, arch='i386'),
}


def source(name):
	"""The C file of the object @name."""
	for here, there in ELSEWHERE:
		name = name.replace(here, there)
	return os.path.normpath(f'{name[:-2]}.c')


def objects_by_driver():
	"""What leads to TTM, as far as the text tells."""
	includes = Includes(TREE)
	chosen = {}
	for what, modules in DRIVERS.items():
		all_ = [name for module in modules
			for name in USERS.objects_of(module)]
		reaching = includes.reaching_ttm({source(name) for name in all_},
						 driver(all_[0]))
		chosen[what] = [name for name in all_
				if source(name) in reaching]
	return chosen


def modules_of(build):
	return LINKED + (TTM_TESTS if KUNIT[0] in build.configs else ())


def compile_all():
	USERS.configure()
	USERS.list_modules([module for modules in DRIVERS.values()
			    for module in modules])
	USERS.compile([name for names in objects_by_driver().values()
		       for name in names])
	for alone in ALONE.values():
		alone.configure()
		alone.compile([f'{DRM}{name}.ko' for name in modules_of(alone)])
	noisy = [name for name, lines in USERS.said().items()
		 if lines and (LINUX / source(name)).exists()]
	THEIRS.forget()
	if noisy:
		THEIRS.configure()
		THEIRS.compile(noisy)


def first_error(lines):
	return next((line for line in lines if 'error: ' in line or failed([line])),
		    None)


class Report:
	def __init__(self):
		self.wrong = []
		self.objects = self.uses = 0
		self.met = set()
		print(f'{"":26}{"objects":>8}{"that use TTM":>14}{"failed":>8}'
		      f'{"warnings":>10}{"new":>6}')

	def complain(self, what, where):
		self.wrong.append(f'{what}: {where}'.replace(f'{TREE}/', ''))

	def row(self, what, build, names, said, theirs=None):
		failures = uses = warned = new = 0
		for name in names:
			ours = warnings(said[name])
			more = ours - warnings(theirs[name] if theirs else ())
			warned += ours.total()
			new += more.total()
			for warning in more:
				self.complain(what, warning)
			if failed(said[name]) or not (build.path / name).exists():
				failures += 1
				why = first_error(said[name])
				self.complain(what, why or f'{name} is not there')
				continue
			sources = build.sources(name)
			self.met.update(sources)
			uses += any(path.startswith(TTM) for path in sources)
		self.objects += len(names) - failures
		self.uses += uses
		print(f'{what:26}{len(names) - failures:8}{uses:14}{failures:8}'
		      f'{warned:10}{new:6}')

	def not_met(self):
		"""Files that name a header of TTM's, and are in no object."""
		listed = subprocess.run(
			['grep', '-rlE', '--include=*.[ch]',
			 '^ *# *include *["<]drm/ttm/', 'drivers', 'include'],
			cwd=TREE, text=True, stdout=subprocess.PIPE).stdout.split()
		return sorted(set(listed) - self.met)


def symbols(build, names):
	# Not of whole modules: those may be from an earlier call.
	paths = [build.path / name for name in names]
	return Symbols(path for path in paths if path.exists())


def check_symbols(report, chosen):
	"""Drivers want what a kernel without tests exports."""
	core = symbols(ALONE['plain'], ALONE['plain'].objects_of('ttm/ttm'))
	for what, names in chosen.items():
		if what.startswith('ttm'):
			continue
		wanted = symbols(USERS, names).wanted
		for name in not_exported(wanted & core.defined, core.exported):
			report.complain(what, f'{name} is not exported')
		for name in wanted - core.defined:
			if name.startswith('ttm_'):
				report.complain(what, f'{name} is not there')

	# TTM may want of the kernel what that exports.
	known = exported_by_source(TREE)
	for what, build in ALONE.items():
		for module in modules_of(build):
			wanted = symbols(build, build.objects_of(module)).wanted
			for name in not_exported(wanted, known):
				report.complain(f'{module} {what}',
						f'{name} is not exported')


def report():
	out = Report()
	chosen = objects_by_driver()
	said, theirs = USERS.said(), THEIRS.said()
	for what, names in chosen.items():
		out.row(what, USERS, names, said, theirs)
	for what, build in ALONE.items():
		modules = modules_of(build)
		names = [name for module in modules if module.startswith('ttm/')
			 for name in build.objects_of(module)]
		out.row(f'ttm, {what}', build, names, build.said())
		unlinked = [module for module in modules if not
			    (build.path / f'{DRM}{module}.ko').exists()]
		if unlinked:
			out.complain(f'ttm, {what}', f'not linked: {unlinked[0]}.ko, '
				     f'{len(unlinked)} in all')
		for line in build.modpost_said():
			out.complain(f'ttm, {what}', line)
	for build in [USERS, *ALONE.values()]:
		for option in build.lost_options():
			out.complain(build.path.name, f'{option} was not granted')
	check_symbols(out, chosen)
	for path in out.not_met():
		print(f'in none of these: {path}')
	for line in out.wrong[:SHOWN]:
		print(line)
	if len(out.wrong) > SHOWN:
		print(f'and {len(out.wrong) - SHOWN} more')
	print(f'\n{out.objects} objects, {out.uses} of them use TTM; '
	      f'{len(out.wrong)} things wrong')
	return len(out.wrong) > 0


commands = {'build': compile_all, 'report': report}
if len(sys.argv) != 2 or sys.argv[1] not in commands:
	sys.exit('hitch: users build, or users report?')
try:
	sys.exit(commands[sys.argv[1]]())
except subprocess.CalledProcessError as error:
	sys.exit(f'hitch: {error}')
