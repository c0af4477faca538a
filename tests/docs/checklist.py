#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Check the checklist for authors of drivers in Documentation/gpu/ttm-rust-checklist.rst.

It must list exactly the functions of TTM's headers that the drivers in the merged tree
call, and the callbacks that they fill in, each with these drivers. Each counterpart in
Rust must exist, and most functions that loongson or qxl call must have one.
`checklist.py list` prints what the drivers use, in the order of the headers.
"""

import os
import re
import sys
from collections import Counter
from pathlib import Path

from rust import Source

TOP = Path(__file__).resolve().parent.parent.parent
TREE = Path(os.environ['TREE'])
LIST = TOP / 'Documentation/gpu/ttm-rust-checklist.rst'
CRATE = TOP / 'rust/kernel/drm/ttm'

HEADERS = ('ttm_bo.h', 'ttm_resource.h', 'ttm_device.h', 'ttm_placement.h',
	   'ttm_tt.h')
CALLBACKS = {'ttm_device_funcs': 'ttm_device.h',
	     'ttm_resource_manager_func': 'ttm_resource.h'}
# By the letter that the table has for each.
DRIVERS = {'N': 'nouveau', 'X': 'xe', 'A': 'amd', 'Q': 'qxl', 'L': 'loongson'}
# Rooms without calls: what tests a driver, and 500 MB of register names.
SKIP = ('tests', 'asic_reg')
SIMPLE = set('QL')	# nine in ten of what these use must have a counterpart

REASON = re.compile(r'None( yet)?: \S')
NOT_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"', re.S)


def code(path):
	"""A C source without comments and strings."""
	return NOT_CODE.sub(' ', path.read_text(errors='replace'))


# What the drivers use.

def flat(text):
	"""What of C is in no braces, and no preprocessor line."""
	text = re.sub(r'^[ \t]*#(?:[^\n]*\\\n)*[^\n]*', '', text, flags=re.M)
	out, depth = [], 0
	for part in re.split(r'([{}])', text):
		depth += (part == '{') - (part == '}')
		if not depth:
			out.append(part)
	return ''.join(out)


def functions():
	"""The functions of the headers, and the macros that are called like some."""
	found = {}
	for header in HEADERS:
		text = code(TREE / 'include/drm/ttm' / header)
		for name in re.findall(r'#define\s+(ttm_\w+)\(', text) + re.findall(
				r'\b(ttm_\w+)\s*\(', flat(text)):
			found.setdefault(name, header)
	return found


def sources(driver):
	for where, rooms, names in os.walk(TREE / 'drivers/gpu/drm' / driver):
		rooms[:] = [room for room in rooms if room not in SKIP]
		for name in names:
			path = Path(where, name)
			if name.endswith(('.c', '.h')) and b'ttm_' in path.read_bytes():
				yield code(path)


def filled_in(text, struct):
	"""The members that a definition of a @struct in @text gives a value."""
	for m in re.finditer(rf'\bstruct {struct}\s+\w+\s*=\s*{{(.*?)^}};', text,
			     re.S | re.M):
		yield from re.findall(r'^\s*\.(\w+)\s*=', m[1], re.M)


def used():
	"""{function or struct.member: letters of drivers}, as the drivers have it."""
	known = functions()
	found = {}
	for letter, driver in DRIVERS.items():
		for text in sources(driver):
			# Not members that are called like functions, nor types.
			names = set(re.findall(r'(?<![.>\w])(?<!struct )ttm_\w+', text))
			names = {f'{name}()' for name in names & known.keys()}
			for struct in CALLBACKS:
				names |= {f'{struct}.{member}'
					  for member in filled_in(text, struct)}
			for name in names:
				found.setdefault(name, set()).add(letter)

	def place(name):
		header = known.get(name[:-2]) or CALLBACKS[name.split('.')[0]]
		return '.' in name, HEADERS.index(header), name

	return {name: found[name] for name in sorted(found, key=place)}


# What the document says.

def rows():
	"""(function, drivers, counterpart) of the tables with three columns."""
	text = LIST.read_text()
	found = []
	for row in re.split(r'^   \* - ', text, flags=re.M)[1:]:
		row = re.split(r'\n(?=\S)', row)[0]
		cells = [' '.join(cell.split())
			 for cell in re.split(r'^     - ', row, flags=re.M)]
		name = cells[0].strip('`')
		if len(cells) == 3 and re.fullmatch(r'ttm_\w+(\(\)|\.\w+)', name):
			found.append((name, set(cells[1].split()), cells[2]))
	return found


def rust_items():
	"""All that the crate has for drivers: `Type::name`, and names."""
	found = {'ttm'}
	for path in CRATE.rglob('*.rs'):
		for item in Source(path.read_text()).items:
			if not item.public:
				continue
			inside = (item.parent.name if item.kind == 'variant'
				  else item.parent.owner)
			found.add(f'{inside}::{item.name}' if inside else item.name)
	return found


def has_counterpart(text):
	return not text.startswith('None')


def by_letters(letters):
	return ' '.join(letter for letter in DRIVERS if letter in letters)


def compare(drivers, table):
	listed = {name: letters for name, letters, _ in table}
	for name, letters in drivers.items():
		if listed.get(name) != letters:
			was = by_letters(listed.get(name, '')) or 'nobody'
			yield f'{name} is used by {by_letters(letters)}, not by {was}'
	for name, _, _ in table:
		if name not in drivers:
			yield f'{name} is used by no driver'
	for name, times in Counter(name for name, _, _ in table).items():
		if times > 1:
			yield f'{name} is listed {times} times'


def check_counterparts(table):
	items = rust_items()
	for name, _, text in table:
		named = re.findall(r'``([^`]+)``', text)
		if not named if has_counterpart(text) else not REASON.match(text):
			yield f'{name} has neither a counterpart nor a reason'
		for what in named:
			bare = re.sub(r'<.*?>|\(\)$', '', what).removeprefix('ttm::')
			if bare not in items:
				yield f'{name}: {what} does not exist'


def check():
	table = rows()
	wrong = [*compare(used(), table), *check_counterparts(table)]
	simple = [text for name, letters, text in table if '.' not in name and
		  letters & SIMPLE]
	have = sum(map(has_counterpart, simple))
	if not simple or 10 * have < 9 * len(simple):
		wrong.append('too few have a counterpart')
	for line in wrong:
		print(line)
	print(f'of {len(simple)} functions that loongson or qxl use, {have} have a '
	      'counterpart')
	return bool(wrong)


def print_used():
	for name, letters in used().items():
		print(f'{name:45} {by_letters(letters)}')


if sys.argv[1:] == ['list']:
	print_used()
elif sys.argv[1:]:
	sys.exit('hitch: checklist.py, or checklist.py list?')
else:
	sys.exit(check())
