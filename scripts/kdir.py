# SPDX-License-Identifier: GPL-2.0 OR MIT
"""What a KDIR has of its own: all of the overlay, or changes that it would lose.

Changes are lost in files that we replace, and in what a semantic patch removes: functions
mostly, which files of ours have instead. All other changes are in the merged tree, or
conflict with a patch.
"""

import filecmp
import os
import re
from pathlib import Path

from merge import KDIR, LINUX, STOCK, die, tell
from rooms import ROOMS, of_file

SHOWN = 10

TOKEN = re.compile(r'''
	(?P<space> \s+ | /\*.*?\*/ | //[^\n]* ) |
	(?P<directive> ^[ \t]*\#(?:\\\n|[^\n])* ) |
	"(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*' | \w+ | .''', re.X | re.M | re.S)


def head_of(item):
	return item[:item.index('{')] if '{' in item else item


def is_function(item):
	head = head_of(item)
	return head != item and '(' in head and '=' not in head


def name_of(item):
	"""The name of what the tokens @item define; else all of their text."""
	head = head_of(item)
	if is_function(item):
		return head[head.index('(') - 1] + '()'
	if '=' in head:
		return head[head.index('=') - 1]
	return ' '.join(head)


def items(path):
	"""The definitions and the rest of a C file, without comments: {name: text}."""
	found = {}
	item, depth = [], 0

	def end():
		name = name_of(item)
		found[name] = found.get(name, '') + ' '.join(item)
		item.clear()

	for token in TOKEN.finditer(path.read_text() if path.exists() else ''):
		if token['space']:
			continue
		if token['directive'] and not depth:
			if item:
				end()
			found[token[0]] = token[0]
			continue
		item.append(token[0])
		depth += (token[0] in '({[') - (token[0] in ')}]')
		if not depth and (token[0] == ';' or token[0] == '}' and is_function(item)):
			end()
	if item:
		end()
	return found


def differing(mine, stock):
	"""The names of what differs between two C files."""
	mine, stock = items(mine), items(stock)
	return [name for name in mine | stock if mine.get(name) != stock.get(name)]


def replaced_files(overlay, patched):
	for name in sorted(overlay.keys() - patched.semantic.keys()):
		mine, stock = LINUX / name, STOCK / name
		if not mine.exists() and not stock.exists():
			continue
		if not mine.exists():
			yield name, 'removed in KDIR, and this project has it'
		elif not stock.exists():
			yield name, 'added in KDIR, and this project has another one'
		elif name.endswith(('.c', '.h')):
			if names := differing(mine, stock):
				yield name, f'{", ".join(names[:4])} (all of the file is replaced)'
		elif not filecmp.cmp(mine, stock, shallow=False):
			yield name, 'all of the file is replaced'


def removed_functions(overlay, patched):
	ours = {}
	for name, path in overlay.items():
		if name.startswith('drivers/gpu/drm/ttm/ttm_') and name.endswith('.c'):
			ours |= {item: path.name for item in items(path)}
	for name, made in sorted(patched.semantic.items()):
		mine, stock = items(LINUX / name), items(STOCK / name)
		for item in sorted(mine.keys() - items(patched.work / made).keys()):
			if mine[item] != stock.get(item):
				yield name, item + (f' (replaced by that in our {ours[item]})'
						    if item in ours else ' (removed)')


def check_lost(overlay, patched):
	"""Refuse a KDIR that would lose changes, or list them if DROP=1."""
	if not KDIR:
		return
	lost = [f'    {name}: {why}' for name, why in
		[*replaced_files(overlay, patched), *removed_functions(overlay, patched)]]
	if not lost:
		return
	if len(lost) > SHOWN:
		lost[SHOWN:] = [f'    and {len(lost) - SHOWN} more']
	if os.environ['DROP']:
		for line in [f'changes of {KDIR} that are left out:', *lost]:
			tell(line)
		return
	die(f'changes of {KDIR} would be lost, as this project replaces what they change:',
	    *lost, 'To see a change:',
	    f'    diff -u {STOCK}/FILE {KDIR}/FILE',
	    'DROP=1 goes on without them. Make them in this project\'s files, where they still',
	    'apply.')


def has_overlay():
	"""Whether scripts/paths.sh saw the overlay in KDIR, and so chose another Linux."""
	return bool(KDIR) and Path(KDIR) != LINUX


def check_laid(overlay):
	"""Report that KDIR is used as it is, and what its files are."""
	files = {name: Path(KDIR) / name for name in overlay}
	lacking = [room.name for room in ROOMS
		   if (mine := [files[name] for name in files if of_file(name) is room]) and
		   not any(path.exists() for path in mine)]
	if lacking:
		die(f'{KDIR} has only a part of the overlay, without: {", ".join(lacking)}.',
		    'Check out the last commit that `make apply` made, or one before the first.')
	changed = [name for name, path in files.items() if not path.exists() or
		   not filecmp.cmp(path, overlay[name], shallow=False)]
	tell('KDIR has the overlay: its files are used, not those of this checkout; '
	     f'{len(changed)} differ')
