# SPDX-License-Identifier: GPL-2.0 OR MIT
"""A booted kernel in which there is vttm, and what the programs here need."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / 'kunit'))

import guest	# noqa: E402 (it is found there)

BUILD = os.environ['BUILD']
PROGRAMS = f'{BUILD}-vttm'
DRIVERS = Path(BUILD) / 'drivers/gpu/drm'
MODULE = DRIVERS / 'vttm/vttm.ko'
OTHERS = [DRIVERS / 'drm_shmem_helper.ko', DRIVERS / 'vgem/vgem.ko']


class Guest(guest.Guest):
	def __init__(self, name, command, parameters='', loaded=True, env=None, **rest):
		modules = [(str(other), '') for other in OTHERS]
		if loaded:
			modules.append((str(MODULE), parameters))
		env = {'TERM': os.environ['TERM'] if sys.stdout.isatty() else 'dumb',
		       'LANG': 'C.UTF-8', 'VTTM': str(MODULE),
		       **(env or {})}
		super().__init__(BUILD, name, command, modules=modules, env=env,
				 path=f'{PROGRAMS}:{HERE}', **rest)
