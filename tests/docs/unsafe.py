#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""unsafe.py [--check]: write a table of each `unsafe` in Rust, and of what it relies on.

The table is written to the build folder, unless there is --check. In both cases this fails
if a comment does not say why an `unsafe` is sound, says only where the reason is stated,
or relies on something that is stated nowhere.
"""

import os
import re
import sys
import textwrap
from itertools import groupby
from pathlib import Path

from rust import Source

TOP = Path(__file__).resolve().parent.parent.parent
TABLE = Path(os.environ['BUILD']) / 'ttm-rust-unsafe.rst'
SOURCES = ('rust/**/*.rs', 'samples/rust/*.rs')
TYPES = ('struct', 'enum', 'union', 'trait')

# Words that say only where the reason is stated.
POINTER = re.compile(
	r"\b(?:by|and|in) (?:the|those|that)(?: function's| type(?:'s)?)?"
	r" (?:requirements?|invariants?)\b(?: of `[^`]*`)?"
	r"|\bby (?:those|that) of `[^`]*`"
	r"|\b(?:as|see|like) (?:above|below|there|before)\b", re.I)
ENOUGH = 3	# words that remain of a reason

# The unsafe functions of the kernel crate and of core.
UNSAFE = {
	'add', 'as_mut', 'as_ref', 'assume_init', 'borrow', 'container_of', 'copy',
	'copy_nonoverlapping', 'copy_to_nonoverlapping', 'drop_in_place',
	'from_foreign', 'from_ptr', 'from_raw', 'from_raw_parts',
	'from_raw_parts_mut', 'get_unchecked', 'get_unchecked_mut',
	'init_from_closure', 'into_inner_unchecked', 'map_unchecked',
	'map_unchecked_mut', 'new_unchecked', 'offset', 'pin_init_from_closure',
	'read', 'read_volatile', 'sub', 'transmute', 'unwrap_unchecked', 'write',
	'write_bytes', 'write_volatile',
}

HEAD = '''\
.. SPDX-License-Identifier: GPL-2.0 OR MIT

.. Made by tests/docs/unsafe.py from the comments in the sources: edit those, and
   run it again (make unsafe).

=======================
TTM in Rust: ``unsafe``
=======================

Each ``unsafe`` in the Rust bindings for TTM and in the modules that they need. A
driver that uses the bindings needs none. Use this table to review or to change
the bindings.

Each file starts with the invariants that its types state. The code that makes or
changes a value of a type must keep its invariants; all other code may rely on
them. Then, from the top to the bottom of the file:

where
  The function, with its type. The blocks of a function follow each other, and
  "as above" means the row above.

what
  What the block does that takes ``unsafe``: the functions that it calls (those
  with parentheses are C functions), and the places in memory that it reads,
  sets, borrows, or makes a pointer to. An ``unsafe fn`` passes on to its
  callers what it asks, and an ``unsafe impl`` is a promise about a type.

why it is sound
  What that relies on: an invariant, with a link to it; what the function asks
  of its callers; or what was done just before.

``make check`` fails if something unsafe doesn't say why it is sound, if all that it
says is "by the function's requirements", "by the type invariants" or "as above", or
if it relies on the invariants of a type that states none.
'''


class Rust:
	"""All sources, and what is wrong with them."""
	def __init__(self, top):
		self.files = {}
		self.wrong = []
		for glob in SOURCES:
			for path in sorted(top.glob(glob)):
				name = str(path.relative_to(top))
				self.files[name] = Source(path.read_text())
		self.functions = {
			(item.owner, item.name) for source in self.files.values()
			for item in source.items
			if item.kind == 'fn' and item.unsafe}

	def complain(self, file, line, what):
		self.wrong.append(f'{file}:{line}: {what}')

	def type(self, file, name):
		"""The file and item of a type: first that of @file itself."""
		found = [(other, item) for other, source in self.files.items()
			 for item in source.items
			 if item.kind in TYPES and item.name == name]
		found.sort(key=lambda pair: (pair[0] != file,
					     not pair[1].section('Invariants')))
		return found[0] if found else (None, None)

	def label(self, file, name):
		"""Where the invariants of a type are, or '' if it states none."""
		home, item = self.type(file, name)
		if item is None or not item.section('Invariants'):
			return ''
		return f'rust-invariants-{slug(home)}-{name.lower()}'


def slug(file):
	return file.removesuffix('.rs').removeprefix('rust/kernel/').replace('/', '-')


# Text: from Markdown to reStructuredText.

def inline(text):
	"""Code and links of rustdoc, in reStructuredText."""
	text = re.sub(r'\[([^]`]*(?:`[^`]*`[^]`]*)*)\](?:\([^)]*\)|\[\w*\])?', r'\1', text)
	parts = re.split(r'(`[^`]+`)', text)
	return ''.join(f'`{part}`' if part.startswith('`')
		       else part.replace('|', r'\|') for part in parts)


def wrap(text, first='', then=None):
	return textwrap.fill(text, 80, initial_indent=first,
			     subsequent_indent=first if then is None else then,
			     break_long_words=False, break_on_hyphens=False)


def paragraphs(text):
	"""Paragraphs and list items of a section, each in one line."""
	out = []
	for line in text.split('\n'):
		if not line.strip():
			out.append('')
		elif line.startswith(('- ', '* ')) or not out or not out[-1]:
			out.append(re.sub(r'^\* ', '- ', line.strip()))
		else:
			out[-1] += ' ' + line.strip()
	return [line for line in out if line]


def linked(rust, file, owner, text, line):
	"""Text with links to the invariants that it relies on."""
	def link(m):
		name = owner if m[2] in (None, 'Self') else m[2]
		label = rust.label(file, name)
		if not label:
			rust.complain(file, line, f'"{m[1]}": '
				      f'{name or "this"} has no # Invariants')
			return m[0]
		of = f' of ``{m[2]}``' if m[2] else ''
		return f':ref:`{m[1]} <{label}>`{of}'

	return re.sub(r'((?:type(?:\'s)? )?invariants?)(?: of ``(\w+)(?:<[^`]*)?``)?',
		      link, inline(text))


# Code: what a block does.

class Block:
	def __init__(self, rust, source, item):
		self.rust, self.source, self.item = rust, source, item
		self.first, self.end = item.body + 1, item.end
		self.does = []

	def _path(self, i):
		"""The path that ends with the word @i, without generics."""
		at, names = self.source.at, [self.source.at(i)]
		while at(i - 1) == '::':
			i -= 2
			if at(i) == '>':
				i = self.source.match_back(i, '<') - 1
				i -= at(i) == '::'
			names.insert(0, at(i))
		return names, i

	def _call(self, i):
		"""The unsafe function that is called at the word @i, or ''."""
		at = self.source.at
		names, start = self._path(i)
		name = names[-1]
		owner = names[-2] if len(names) > 1 else ''
		if names[0] == 'bindings' or 'bindings' in names[:2]:
			return f'{name}()'
		if names == ['ManuallyDrop', 'drop']:
			return '::'.join(names)
		if owner == 'Self':
			owner = self.item.owner
		if at(start - 1) == '.':
			ours = any(name == other for owner, other in
				   self.rust.functions if owner)
		elif owner and owner[0].isupper():
			ours = (owner, name) in self.rust.functions
		else:
			ours = ('', name) in self.rust.functions
		if ours or name in UNSAFE:
			bang = '!' if at(i + 1) == '!' else ''
			return '::'.join([owner, name] if owner and
					 owner[0].isupper() else [name]) + bang
		return ''

	def _is_called(self, i):
		if self.source.tokens[i].kind != 'word':
			return False
		if self.source.at(i + 1) == '::' and self.source.at(i + 2) == '<':
			i = self.source.match(i + 2)
		return self.source.at(i + 1) in ('(', '!')

	def _is_deref(self, i):
		before = self.source.tokens[i - 1]
		return self.source.at(i) == '*' and not (
			before.kind in ('word', 'number') and before.text not in
			('mut', 'return', 'in', 'if', 'match', 'else', 'while') or
			before.text in (')', ']'))

	def _place(self, i):
		"""The tokens behind the place in memory that `*` @i begins."""
		at, end = self.source.at, i
		if at(i - 1) == '(':
			end = self.source.match(i - 1) + 1
		else:
			while at(end + 1) == '*':
				end += 1
			end += 2
		while end < self.end:
			if at(end) in ('.', '::') and at(end + 1).isidentifier():
				end += 2
			elif at(end) == '::' and at(end + 1) == '<':
				end = self.source.match(end + 1) + 1
			elif at(end) in ('[', '('):
				end = self.source.match(end) + 1
			elif at(end) == '!' and at(end + 1) == '(':
				end = self.source.match(end + 1) + 1
			else:
				break
		return end

	def _deref(self, i):
		at = self.source.at
		start = i - 1 if at(i - 1) == '(' else i
		end = self._place(i)
		place = self.source.code(start, end)
		if at(start - 2) == 'raw':
			verb = 'points to'
		elif at(start - 1) == 'mut' and at(start - 2) == '&':
			verb = 'borrows mutably'
		elif at(start - 1) == '&':
			verb = 'borrows'
		elif at(end) == '=':
			verb = 'sets'
		else:
			verb = 'reads'
		return (verb, place), end

	def summary(self):
		"""What is unsafe in the block, in order, each once."""
		does, covered = [], 0
		for i in range(self.first, self.end):
			if self._is_deref(i) and i >= covered:
				deref, covered = self._deref(i)
				does.append(deref)
			elif self._is_called(i) and self._call(i):
				does.append(('calls', self._call(i)))
		if not does:
			return f'``{self.source.code(self.first, self.end)}``'
		return '; '.join(
			f'{verb} ' + ', '.join(f'``{what}``' for _, what in group)
			for verb, group in groupby(dict.fromkeys(does),
						   key=lambda pair: pair[0]))


# The table.

def is_pointer_only(why):
	"""Whether a SAFETY comment discharges nothing by name."""
	words = re.findall(r"[\w']+", POINTER.sub(' ', why))
	return POINTER.search(why) and len(words) < ENOUGH


def checked(rust, file, line, why, what):
	if not why:
		rust.complain(file, line, f'{what} without a SAFETY comment')
	elif is_pointer_only(why):
		rust.complain(file, line, f'"{why}" discharges nothing by name')
	return why


def why_block(rust, file, source, item):
	line = source.tokens[item.start].line
	found = source.tags_above(line)
	if 'SAFETY' not in found:
		begin = source.tokens[source.statement(item.start)].line
		found = source.tags_above(begin)
	return checked(rust, file, line, found.get('SAFETY', ''), 'unsafe')


def impl_row(rust, file, source, item):
	line = source.tokens[item.first].line
	why = checked(rust, file, line, source.tags_above(line).get('SAFETY', ''),
		      'unsafe impl')
	return item.name, f'``unsafe impl {item.trait}``', why


def function_row(rust, file, source, item):
	line = source.tokens[item.start].line
	why = ' '.join(paragraphs(item.section('Safety')))
	impl = item.enclosing('impl')
	if not why and impl and impl.trait:
		why = f'What `{impl.trait}::{item.name}` asks of its callers.'
	elif not why:
		rust.complain(file, line,
			      f'unsafe {item.kind} without a # Safety section')
	return item.path, f'``unsafe {item.kind}``', why


def rows(rust, file, source):
	"""(where, what, why), in the order of the source."""
	above = {}
	for item in sorted(source.items, key=lambda item: item.start):
		line = source.tokens[item.start].line
		if item.kind == 'unsafe':
			scope = source.scope_at(item.body)
			where = scope.path
			why = why_block(rust, file, source, item)
			row = where, Block(rust, source, item).summary(), why
		elif item.kind in ('fn', 'trait') and item.unsafe:
			row = function_row(rust, file, source, item)
		elif item.kind == 'impl' and item.unsafe:
			row = impl_row(rust, file, source, item)
		else:
			continue
		where, what, why = row
		if 'As above' in why and where not in above:
			rust.complain(file, line, '"As above", but nothing is')
		above[where] = why
		yield where, what, linked(rust, file, item.owner, why, line)


def list_table(head, all_rows):
	out = ['.. list-table::', '   :header-rows: 1', '   :widths: 22 34 44', '']
	for row in [head, *all_rows]:
		for first, text in zip(('   * - ', '     - ', '     - '), row):
			out.append(wrap(text or '?', first, '       '))
	return out


def invariants(rust, file, source):
	for item in source.items:
		text = item.kind in TYPES and item.section('Invariants')
		if not text:
			continue
		yield f'.. _{rust.label(file, item.name)}:'
		yield ''
		title = f'Invariants of ``{item.name}``'
		yield from (title, '-' * len(title), '')
		lines = paragraphs(text)
		for n, line in enumerate(lines):
			bullet = line.startswith('- ')
			yield wrap(inline(line), then='  ' if bullet else '')
			after = lines[n + 1:n + 2]
			if not (bullet and after and after[0].startswith('- ')):
				yield ''


def document(rust):
	out, without = [HEAD], []
	for file, source in rust.files.items():
		all_rows = list(rows(rust, file, source))
		if not all_rows:
			without.append(file)
			continue
		out += [file, '=' * len(file), '']
		out += invariants(rust, file, source)
		out += list_table(('Where', 'What', 'Why it is sound'),
				  [(f'``{where}``', what, why)
				   for where, what, why in all_rows])
		out.append('')
	if without:
		title = 'Without unsafe'
		out += [title, '=' * len(title), '']
		out += [wrap(', '.join(f'``{file}``' for file in without) + '.'), '']
	return '\n'.join(out).rstrip('\n') + '\n'


# Invariants that are established.

def constructed(rust, file, source, i):
	"""The type that the statement with token @i makes, if it names one."""
	depth = 0
	while source.at(i) not in (';', '') and depth >= 0:
		name = source.at(i)
		if source.at(i + 1) in ('{', '(') and source.at(i - 1) != '.' and (
				name == 'Self' or rust.type(file, name)[1]):
			return name
		depth += (name == '{') - (name == '}')
		i += 1
	return 'Self'


def established(rust, file, source, line):
	"""The type for which there is an INVARIANT comment at @line."""
	last, text = line, source.comment[line]
	while last + 1 in source.comment:
		last += 1
		text += f' {source.comment[last]}'
	i = next(i for i, token in enumerate(source.tokens) if token.line > last)
	name = constructed(rust, file, source, i)
	if name != 'Self':
		return name
	owner = source.scope_at(i).owner
	# Code that changes a field of another type names the type.
	m = re.search(r'\bof `(\w+)`', text)
	return m[1] if m and rust.label(file, m[1]) else owner


def check_established(rust, file, source):
	"""Each INVARIANT comment is for a type that states invariants."""
	for line, text in source.comment.items():
		if not text.startswith('INVARIANT:'):
			continue
		name = established(rust, file, source, line)
		if not rust.label(file, name):
			what = f'{name} has no # Invariants' if name else (
				'of which type? Say: of `Type`')
			rust.complain(file, line, f'INVARIANT, but {what}')


def main():
	if sys.argv[1:] not in ([], ['--check']):
		sys.exit('hitch: unsafe [--check]')
	rust = Rust(TOP)
	text = document(rust)
	for file, source in rust.files.items():
		check_established(rust, file, source)
	if not sys.argv[1:]:
		TABLE.write_text(text)
		print(TABLE)
	for line in dict.fromkeys(rust.wrong):
		print(line)
	return bool(rust.wrong)


if __name__ == '__main__':
	sys.exit(main())
