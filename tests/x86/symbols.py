# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Which symbols objects define, export and want. modpost can't tell whether all
are there, without the whole kernel.
"""

import os
import re
import subprocess
from pathlib import Path

EXPORT = re.compile(rb'\bEXPORT_(?:PER_CPU_)?SYMBOL\w*\(\s*(\w+)')
# What modpost makes, and what is exported by macros that paste its name.
MADE = re.compile(r'__this_module|__SCT__\w+|param_ops_\w+|_dev_\w+')
MARK = '__export_symbol_'
# Where the kernel's own exports are, as far as a module for x86 may want them.
ROOMS = ('arch/x86', 'block', 'drivers/base', 'drivers/char', 'drivers/dma-buf',
	 'drivers/gpu', 'drivers/pci', 'drivers/video', 'fs', 'include', 'init',
	 'kernel', 'lib', 'mm', 'net/core', 'security')


class Symbols:
	"""Of the object files @paths, together."""

	def __init__(self, paths):
		self.defined, self.exported, self.wanted = set(), set(), set()
		paths = [str(path) for path in paths]
		if not paths:
			return
		out = subprocess.run(['llvm-nm', '-P', '--quiet', *paths],
				     check=True, text=True,
				     stdout=subprocess.PIPE).stdout
		for line in out.splitlines():
			# A line without a symbol names the file.
			name, _, kind = line.partition(' ')
			kind = kind[:1]
			if name.startswith(MARK):
				self.exported.add(name.removeprefix(MARK))
			elif kind == 'U':
				self.wanted.add(name)
			elif kind.isupper():
				self.defined.add(name)
		self.wanted -= self.defined


def exported_by_source(tree):
	"""What the kernel's source exports, be it configured or not."""
	names = set()
	for room in ROOMS:
		for where, _, files in os.walk(Path(tree, room)):
			for file in files:
				if file.endswith(('.c', '.S')):
					text = Path(where, file).read_bytes()
					names.update(EXPORT.findall(text))
	return {name.decode() for name in names}


def not_exported(wanted, exported):
	return sorted(name for name in wanted - exported
		      if not MADE.fullmatch(name))
