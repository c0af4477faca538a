#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Check that the documentation lists each marked access: what is read or written without
the lock that protects it, or atomically.

Documentation/gpu/ttm-lru-races.rst has a table of them, with the field in the first column
and the functions in the second. It must name all that our files in C have, and nothing
else. `unlocked.py list` prints the right contents.
"""

import re
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
PAGE = TOP / 'Documentation/gpu/ttm-lru-races.rst'
SECTION = 'Accesses without the lock'
TTM = TOP / 'drivers/gpu/drm/ttm'
FILES = [*sorted(TTM.glob('*.[ch]')), *sorted((TOP / 'include/drm/ttm').glob('*.h'))]
PATCHES = sorted((TOP / 'patches').glob('ttm-core*'))

MARK = re.compile(r'\b(?:READ_ONCE|WRITE_ONCE|data_race|smp_\w+|kref_read|atomic(?:_long)?_read|'
		  r'dma_resv_is_locked|dma_resv_locking_ctx)\(([^,;)=]*)')
COMMENT = re.compile(r'/\*.*?\*/', re.S)
# A function's name, on the line before its body or some lines above that.
FUNCTION = re.compile(r'^(?![#} \t/*])[^;{}=]*?(\w+)\([^;{}]*\)\s*^\{\n(.*?)^\}', re.M | re.S)


def field(argument):
	"""The last member, or the variable, that an argument names."""
	return re.findall(r'[a-z_]\w*', re.sub(r'\[.*?\]', '', argument))[-1]


def marked():
	"""(field, function) of each access. In a patch, the function is that of its hunk."""
	for path in FILES:
		for function, body in FUNCTION.findall(COMMENT.sub('', path.read_text())):
			for argument in MARK.findall(body):
				yield field(argument), function
	for path in PATCHES:
		function = None
		for line in path.read_text().splitlines():
			opens = re.match(r'(?:@@.*@@ |[ +]\w)[^(]*?\b(\w+)\(', line)
			function = opens[1] if opens else function
			if line.startswith('+'):
				for argument in MARK.findall(COMMENT.sub('', line)):
					yield field(argument), function


def listed():
	section = PAGE.read_text().partition(f'\n{SECTION}\n')[2]
	body = re.split(r'^[-=]{4,}$', section, flags=re.M)[1]
	for row in re.split(r'^   \* - ', body, flags=re.M)[2:]:
		fields, functions, *_ = re.split(r'^     - ', row, flags=re.M)
		for name in re.findall(r'``(?:\w+(?:\.|->))*(\w+)``', fields):
			for function in re.findall(r'(\w+)\(\)', functions):
				yield name, function


found = set(marked())
if sys.argv[1:] == ['list']:
	print(*(f'{name} {function}()' for name, function in sorted(found, key=str)), sep='\n')
	sys.exit()
said = set(listed())
wrong = [f'{function}(): {name} is not in the table' for name, function in found - said]
wrong += [f'{function}(): {name} is not to be in the table' for name, function in said - found]
print(*wrong, sep='\n')
sys.exit(bool(wrong))
