#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Check that the documentation says what happens to each guard, and why it is sound.

Documentation/gpu/ttm-rust-safety.rst has two tables. One lists all public types that are not
`Copy`. The other one lists all public functions that take a closure, call back, store a
callback, or return a value that borrows or has a destructor. Both must be complete, and
list nothing else. `guards.py list` prints the right contents.
"""

import re
import sys
from pathlib import Path

from rust import Source

TOP = Path(__file__).resolve().parent.parent.parent
LIST = TOP / 'Documentation/gpu/ttm-rust-safety.rst'
TYPES, FUNCTIONS = "What isn't dropped", 'Closures, guards and callbacks'
CRATE = TOP / 'rust/kernel'
# The test device is for examples, and not for drivers.
FILES = [path for path in sorted((CRATE / 'drm/ttm').glob('*.rs'))
	 if path.name != 'test_device.rs']
FILES += sorted((CRATE / 'drm/ttm/emulation').glob('*.rs'))
FILES += [path for path in sorted((CRATE / 'dma_fence').glob('*.rs'))
	  if path.name != 'tests.rs']
FILES += [CRATE / name for name in ('sync_file.rs', 'kthread.rs', 'drm/print.rs',
				    'drm/vttm/registered.rs', 'drm/vttm/ordered.rs')]

CLOSURE = re.compile(r'\bFn(?:Once|Mut)?\(')
CALLED_BACK = ('Driver', 'ManagerOps', 'FenceCb', 'Wake')
STORES = re.compile(r':\s*(?:ManagerOps|FenceCb|Wake)\b')
IS_COPY = re.compile(r'derive\([^)]*\bCopy\b')
REFERENCE = re.compile(r"&(?:'\w+ )?(?:mut )?[\w:]+(?:<[^>]*>)?")


def head(source, item):
	"""An item up to its body."""
	i = item.start
	while item.body < 0 and source.at(i) != ';':
		i += 1
	return source.code(item.start, max(item.body, i))


def types(source):
	"""The types that aren't `Copy`."""
	lines = source.text.split('\n')
	for item in source.items:
		line = source.tokens[item.first].line - 1
		if item.kind in ('struct', 'enum') and not any(
				map(IS_COPY.search, lines[line - 4:line])):
			yield item


def guards(sources):
	"""The public types that borrow, that have a drop, or a part that has one."""
	found, public, fields = {'Guard', 'ARef'}, set(), {}
	for source in sources:
		found |= {item.name for item in source.items if item.kind == 'impl' and
			  item.trait in ('Drop', 'PinnedDrop')}
		for item in types(source):
			text = head(source, item)
			inside = source.code(item.body, item.end) if item.end > 0 else ''
			fields[item.name] = set(re.findall(r'\w+', text + inside))
			if f"{item.name}<'" in text:
				found.add(item.name)
			if item.public:
				public.add(item.name)
	while more := {name for name, has in fields.items() if has & found} - found:
		found |= more
	return found & public


def functions(sources):
	"""`Type::function` of each, in the order of the sources."""
	returned = guards(sources)
	for source in sources:
		for item in source.items:
			owner, impl = item.parent and item.parent.owner, item.parent
			of_trait = impl and impl.kind == 'impl' and impl.trait
			if of_trait == 'Iterator' and item.name == 'next':
				yield f'{owner}::next'
			if item.kind != 'fn' or not item.public or of_trait:
				continue
			text = head(source, item)
			bounds = text + (head(source, impl) if impl.kind == 'impl' else '')
			result = REFERENCE.sub('', text.partition('->')[2] and
					       text.rpartition('->')[2])
			result = re.findall(r'\w+', re.sub(r'\bSelf\b', owner, result))
			if (CLOSURE.search(text) or STORES.search(bounds) or
			    returned & set(result) or
			    (impl.kind == 'trait' and owner in CALLED_BACK)):
				yield f'{owner}::{item.name}' if owner else item.name


def listed(section):
	"""What the first column of the table in that section has."""
	section = LIST.read_text().partition(f'\n{section}\n')[2]
	body = re.split(r'^[-=]{4,}$', section, flags=re.M)[1]
	for row in re.split(r'^   \* - ', body, flags=re.M)[1:]:
		yield from re.findall(r'``([\w:]+)``', row.partition('\n     - ')[0])


def compare(section, found):
	said = list(listed(section))
	yield from (f'{name} is not in the table of "{section}"' for name in found
		    if name not in said)
	yield from (f'{name} is not to be in the table of "{section}"' for name in said
		    if name not in found)


sources = [Source(path.read_text()) for path in FILES]
tables = {TYPES: [item.name for source in sources for item in types(source)
		  if item.public],
	  FUNCTIONS: list(functions(sources))}
if sys.argv[1:] == ['list']:
	print(*(name for found in tables.values() for name in found), sep='\n')
	sys.exit()
wrong = [line for table in tables.items() for line in compare(*table)]
print(*wrong, sep='\n')
sys.exit(bool(wrong))
