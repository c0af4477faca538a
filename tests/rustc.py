# SPDX-License-Identifier: GPL-2.0 OR MIT
"""The arguments with which rustc compiled the test kernel, for other programs."""

import os
import shlex
from pathlib import Path

BUILD = Path(os.environ['BUILD'])
ENV = os.environ | {'OBJTREE': str(BUILD), 'RUSTC_BOOTSTRAP': '1'}


def flags(object):
	"""The arguments of rustc for @object, without its input and output."""
	saved = BUILD / object.parent / f'.{object.name}.cmd'
	if not saved.exists():
		raise SystemExit(f'hitch: no kernel in {BUILD}')
	line = saved.read_text().split('\n')[0].partition(' := ')[2]
	words = iter(shlex.split(line.replace('$$', '$').replace(r'\#', '#')))
	while '=' in next(words):	# the environment, then the compiler
		pass
	for word in words:
		if word == '--out-dir':
			next(words)
		elif not word.startswith('--emit=') and not word.endswith('.rs'):
			yield word
