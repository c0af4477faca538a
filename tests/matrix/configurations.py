# SPDX-License-Identifier: GPL-2.0 OR MIT
"""The kernels of `make check-x86`, and what runs in each."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
TESTS = HERE.parent
sys.path += [str(TESTS), str(TESTS / 'boot'), str(TESTS / 'pci'), str(TESTS / 'vttm'),
	     str(TESTS / 'x86')]

from kbuild import Build	# noqa: E402 (tests/x86/kbuild.py)

TREE = Path(os.environ['TREE'])
SUITES, RUST = ('lru', 'stress', 'ttm'), ('rust',)
# Programs of vttm, most of them shorter than in `make check`: QEMU is slow. FULL=1 makes
# some of them long.
LONG = bool(os.environ.get('FULL'))
OPS, SUBMITS = (100000, 2000) if LONG else (1000, 20)
VTTM = {
	'vttm-test': '',
	'vttm-others': '',
	'vttm-fill': 'vttm-fill --rounds 3',
	'vttm-fill-swapout': 'vttm-fill --rounds 3',
	'vttm-storm': f'vttm-storm --ops {OPS}',
	'vttm-storm-full': f'vttm-storm --ops {OPS}',
	'vttm-compete': f'vttm-compete --submits {SUBMITS}',
	'vttm-compete-delay': f'vttm-compete --submits {SUBMITS}',
	'vttm-reload': 'reload.sh 3 devices=2 vram_mb=16 gtt_mb=16 delay_us=500',
	'vttm-zombie': '',
}
PCI = ('pci-content', 'pci-fill', 'pci-unplug', 'pci-reset', 'pci-sleep')


@dataclass
class Configuration:
	"""A kernel made from the files @files, and what runs in it: the groups @suites of
	suites, programs of vttm, and those of the GPU on PCI. @least overrides how many
	cases of a group must pass, where fewer are built.
	"""
	name: str
	files: tuple
	suites: tuple = SUITES + RUST
	vttm: bool = True
	pci: tuple = ()
	arch: str = 'x86_64'
	memory: str = '1G'
	lockdep: bool = True
	leaks: bool = False
	modules: bool = False		# the suites are modules
	least: tuple = ()
	args: tuple = ()		# of the kernel
	theirs: str = '(?!)'		# a pattern of complaints that aren't TTM's
	shows: str = ''			# in its log, if it is what it should be

	@property
	def build(self):
		return Build(f'x86-{self.name}', TREE, [HERE / file for file in self.files],
			     self.arch)

	@property
	def cells(self):
		return (*self.suites, *(VTTM if self.vttm else ()), *self.pci)


# How many cases there are without DRM_TTM_LRU_DEBUG.
NOT_CHECKED = (('lru', 491),)
# KCSAN watches one access in so many, by default 4000: too few for short runs.
OFTEN = ('kcsan.skip_watch=1000',)
# KCSAN reports that name no function of DRM, TTM or the tests: VFS, 9p, the scheduler.
OURS = r'\S*(?:ttm|drm|dma|lru|mock|_R)'
ELSEWHERE = rf'KCSAN: data-race in (?!{OURS})\S+(?: / (?!{OURS})\S+)?$'
PC = ('../pci/pci.config', 'suites.config', 'rust.config')
ARM64 = ('suites.config', 'rust.config', 'arm64.config')

CONFIGURATIONS = {config.name: config for config in (
	Configuration('debug', (*PC, 'debug.config'), pci=PCI, memory='2G', leaks=True,
		      shows='KernelAddressSanitizer initialized'),
	Configuration('race', (*PC, 'race.config'), memory='2G', lockdep=False,
		      least=NOT_CHECKED, args=OFTEN, theirs=ELSEWHERE,
		      shows='kcsan: enabled early'),
	Configuration('rt', (*PC, 'rt.config'), shows='PREEMPT_RT'),
	Configuration('lto', (*PC, 'lto.config'), lockdep=False, least=NOT_CHECKED),
	Configuration('module', (*PC[:2], 'module.config'), suites=('lru', 'ttm'), vttm=False,
		      modules=True),
	Configuration('arm64', ARM64, vttm=False, arch='arm64'),
	Configuration('arm64-64k', (*ARM64, 'arm64-64k.config'), vttm=False, arch='arm64'),
	Configuration('i386', ('suites.config', 'i386.config'), suites=SUITES, vttm=False,
		      arch='i386', memory='768M'),
)}
