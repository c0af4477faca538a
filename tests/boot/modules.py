# SPDX-License-Identifier: GPL-2.0 OR MIT
"""The modules that were built in the user's folder, and how to load them."""

import os
import subprocess


def built_in(folder):
	"""The modules that Kbuild has built in a folder."""
	return [(folder / name).with_suffix('.ko')
		for name in (folder / 'modules.order').read_text().split()]


def with_needed(module, known):
	"""The modules that @module depends on, and itself."""
	depends = subprocess.check_output(['modinfo', '-F', 'depends', module], text=True)
	for name in filter(None, depends.strip().split(',')):
		yield from with_needed(known[name], known)
	yield module


def to_load(built, kernel, parameters):
	"""Pairs of each module in the folder @built, with @parameters, and of those in the
	folder @kernel that they need, without any.
	"""
	own = built_in(built)
	known = {ko.stem.replace('-', '_'): ko for ko in built_in(kernel) + own}
	order = dict.fromkeys(ko for module in own for ko in with_needed(module, known))
	return [(str(ko), parameters if ko in own else '') for ko in order]


def folders():
	"""What the user's module and command may need, besides the checkout and the cache."""
	return [os.environ[name] for name in ('MODULE', 'CALLER') if os.environ.get(name)]
