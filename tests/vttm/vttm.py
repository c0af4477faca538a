# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Kernels with the virtual GPU vttm, and the tests that run in them."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / 'boot'))

import guest	# noqa: E402 (it is found there)
from guest import show	# noqa: E402,F401

BUILD = os.environ['BUILD']
PROGRAMS = f'{BUILD}-vttm'
DRIVERS = Path(BUILD) / 'drivers/gpu/drm'
MODULE = DRIVERS / 'vttm/vttm.ko'
OTHERS = [DRIVERS / 'drm_shmem_helper.ko', DRIVERS / 'vgem/vgem.ko']


class Guest(guest.Guest):
	"""A kernel with vttm, loaded with @parameters unless the program loads it, and then
	the modules @more, pairs of a path and parameters. If these take vttm's place, no
	other GPU is there. Programs are also searched in @path.
	"""

	def __init__(self, name, command, parameters='', loaded=True, more=(), path='',
		     **rest):
		modules = list(more)
		if loaded:
			modules.insert(0, (str(MODULE), parameters))
		if loaded or not more:
			modules[:0] = [(str(other), '') for other in OTHERS]
		env = {
			'TERM': os.environ['TERM'] if sys.stdout.isatty() else 'dumb',
			'LANG': 'C.UTF-8',
			'VTTM_KO': str(MODULE),
			'VTTM_PARAMETERS': parameters,
		}
		super().__init__(BUILD, name, command, modules=modules, env=env,
				 path=':'.join(filter(None, (path, PROGRAMS, str(HERE)))),
				 **rest)


@dataclass
class Test:
	"""A program, and the kernel in which it runs."""
	name: str
	command: str
	parameters: str = ''
	least: int = 0		# at least so many cases of its KTAP must pass
	swap: int = 512
	memory: str = '1G'
	leaks: bool = False
	loaded: bool = True
	args: tuple = ()

	def guest(self, say):
		return Guest(self.name, self.command.split(), self.parameters,
			     loaded=self.loaded, swap=self.swap, memory=self.memory,
			     leaks=self.leaks, say=say, args=self.args)


SMALL = 'devices=2 vram_mb=16 gtt_mb=16'
# 64 MiB for TTM's pages, beyond which it swaps out by itself.
FEW_PAGES = 'ttm.pages_limit=16384'

# The tests of `make check`: with slow copies and fast ones, with the shrinker and with
# TTM's own swap-out, short of memory and short of swap space.
TESTS = (
	Test('vttm-test', 'vttm-test', f'{SMALL} delay_us=200', least=81),
	Test('vttm-test-sync', 'vttm-test', f'{SMALL} shrinker=0', least=80,
	     args=(FEW_PAGES,)),
	Test('vttm-others', 'third_party.py', least=10),
	Test('vttm-fill', 'vttm-fill --rounds 60', 'delay_us=100', memory='448M'),
	Test('vttm-fill-swapout', 'vttm-fill --rounds 60', 'shrinker=0',
	     args=(FEW_PAGES,)),
	Test('vttm-fill-short', 'vttm-fill --rounds 40 --short', 'delay_us=100', swap=8),
	Test('vttm-scarce', 'vttm-scarce 400', memory='320M', swap=0),
	Test('vttm-storm', 'vttm-storm --ops 8000', f'{SMALL} delay_us=50', leaks=True),
	Test('vttm-storm-full', 'vttm-storm --ops 8000', 'devices=2 vram_mb=8 gtt_mb=8'),
	Test('vttm-compete', 'vttm-compete --submits 60'),
	Test('vttm-compete-delay', 'vttm-compete --submits 60', 'delay_us=1000'),
	Test('vttm-fuzz', 'fuzz.py 1 -runs=1500',
	     'devices=2 vram_mb=4 gtt_mb=4'),
	Test('vttm-reload', f'reload.sh 20 {SMALL} delay_us=500', loaded=False, leaks=True),
	Test('vttm-zombie', 'zombie.py', loaded=False, leaks=True),
)
