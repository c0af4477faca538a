# SPDX-License-Identifier: GPL-2.0 OR MIT
"""The shape of a Rust source: its items, its `unsafe`, and the comments above.

Reads tokens, not grammar: enough to know in which function of which type a token
is, also inside of macros. Doc comments are comments, so what examples do is not
seen.
"""

import re
from bisect import bisect_right
from dataclasses import dataclass, field

TOKEN = re.compile(r'''
	(?P<comment>//[^\n]*|/\*.*?\*/)
	|(?P<string>[bc]?r(?P<hashes>\#*)".*?"(?P=hashes)
		|[bc]?"(?:\\.|[^"\\])*"
		|b?'(?:\\(?:u\{\w+\}|x\w\w|.)|[^\\'\n])')
	|(?P<lifetime>'[A-Za-z_]\w*)
	|(?P<word>[A-Za-z_]\w*)
	|(?P<number>\d\w*)
	|(?P<punct>->|=>|==|!=|<=|>=|::|\S)
''', re.X | re.S)

CLOSE = {'(': ')', '[': ']', '{': '}', '<': '>'}
NAMED = ('struct', 'enum', 'union', 'trait', 'mod', 'fn', 'const', 'static', 'type')
# What may stand between the start of an item and its keyword.
BEFORE = ('pub', 'unsafe', 'extern', 'const', 'async', 'super', 'crate', 'in',
	  '(', ')', 'default')
WRAPPERS = ('Pin', 'KBox', 'Box', 'Arc', 'ARef')


@dataclass
class Token:
	kind: str
	text: str
	start: int
	line: int


@dataclass
class Item:
	"""Something with a name, or a scope without one."""
	kind: str
	name: str = ''
	trait: str = ''		# of an impl
	parent: 'Item' = None
	first: int = 0		# the token that it begins with
	start: int = 0		# the token of its keyword
	body: int = -1		# the token that opens its body
	end: int = -1		# and the one that closes it
	public: bool = False
	unsafe: bool = False
	doc: list = field(default_factory=list)

	def enclosing(self, *kinds):
		item = self
		while item and item.kind not in kinds:
			item = item.parent
		return item

	@property
	def owner(self):
		"""The type, or trait, whose part it is."""
		item = self.enclosing('impl', 'trait')
		return item.name if item else ''

	@property
	def path(self):
		names = []
		item = self
		while item:
			if item.name and item.kind in ('fn', 'impl', 'trait', 'mod',
						       'const', 'static'):
				names.insert(0, item.name)
			item = item.parent
		return '::'.join(names)

	def section(self, title):
		"""The lines of its documentation below that heading."""
		lines, inside = [], False
		for line in self.doc:
			if line.startswith('# '):
				inside = line == f'# {title}'
			elif inside:
				lines.append(line)
		return '\n'.join(lines).strip('\n')


class Source:
	def __init__(self, text):
		self.text = text
		starts = [m.start() for m in re.finditer('^', text, re.M)]
		self.all = [Token(m.lastgroup if m.lastgroup != 'hashes' else 'string',
				  m[0], m.start(), bisect_right(starts, m.start()))
			    for m in TOKEN.finditer(text)]
		self.tokens = [t for t in self.all if t.kind != 'comment']
		self._comments()
		self.items = []
		self._parse()

	def _comments(self):
		self.first_on_line, self.comment, self.docs = {}, {}, {}
		for token in self.all:
			self.first_on_line.setdefault(token.line, token)
		for line, token in self.first_on_line.items():
			text = token.text
			if token.kind != 'comment':
				continue
			if text.startswith('///') and not text.startswith('////'):
				self.docs[line] = text[3:].removeprefix(' ')
			elif text.startswith('//') and not text.startswith('//!'):
				self.comment[line] = text[2:].strip()

	def at(self, i):
		return self.tokens[i].text if 0 <= i < len(self.tokens) else ''

	def match(self, i):
		"""The token that closes what @i opens."""
		opens = self.at(i)
		depth = 0
		for j in range(i, len(self.tokens)):
			text = self.at(j)
			depth += (text == opens) - (text == CLOSE[opens])
			if not depth:
				return j
		return len(self.tokens) - 1

	def match_back(self, i, opens):
		"""The token that opens what @i closes."""
		closes = self.at(i)
		depth = 0
		for j in range(i, -1, -1):
			depth += (self.at(j) == closes) - (self.at(j) == opens)
			if not depth:
				return j
		return 0

	def code(self, first, end):
		"""The code of tokens @first to before @end, in one line."""
		if end <= first:
			return ''
		parts = [self.tokens[first].text]
		for a, b in zip(self.tokens[first:end], self.tokens[first + 1:end]):
			gap = b.start > a.start + len(a.text)
			parts += [' ' if gap else '', b.text]
		return ''.join(parts)

	def _begin(self, i):
		"""The first token of the item whose keyword is @i."""
		while i and (self.at(i - 1) in BEFORE or (self.at(i - 2) == 'extern' and
			     self.tokens[i - 1].kind == 'string')):
			if self.at(i - 1) == '(' and self.at(i - 2) != 'pub':
				break
			i -= 1
		return i

	def _doc(self, first):
		"""The lines of documentation above an item."""
		lines = []
		line = self.tokens[first].line - 1
		while line in self.docs or self._is_attribute(line):
			if line in self.docs:
				lines.insert(0, self.docs[line])
			line -= 1
		return lines

	def _is_attribute(self, line):
		token = self.first_on_line.get(line)
		return token is not None and token.text == '#'

	def _named(self, i, kind, parent):
		first = self._begin(i)
		words = [self.at(j) for j in range(first, i)]
		public = 'pub' in words and self.at(first + 1) != '('
		if parent.kind == 'trait' or (parent.kind == 'impl' and parent.trait):
			public = True
		return Item(kind, self.at(i + 1), parent=parent, first=first, start=i,
			    public=public, unsafe='unsafe' in words,
			    doc=self._doc(first))

	def _type_name(self, i, end):
		"""The name of the type that tokens @i to @end write."""
		name = ''
		while i < end:
			text = self.at(i)
			if text == '<':
				if name in WRAPPERS:
					return self._type_name(i + 1, end)
				break
			if self.tokens[i].kind == 'word' and text not in ('mut', 'dyn'):
				name = text
			i += 1
		return name

	def _impl(self, i, parent):
		first = self._begin(i)
		item = Item('impl', parent=parent, first=first, start=i,
			    unsafe=self.at(i - 1) == 'unsafe')
		i += 1
		if self.at(i) == '<':
			i = self.match(i) + 1
		begin = i
		while self.at(i) not in ('{', '', 'where'):
			if self.at(i) == '<':
				i = self.match(i)
			elif self.at(i) == 'for' and self.at(i + 1) != '<':
				item.trait = self._type_name(begin, i)
				begin = i + 1
			i += 1
		item.name = self._type_name(begin, i)
		return item

	def _variants(self, enum):
		i = enum.body + 1
		while i < enum.end:
			if self.at(i) == '#':
				i = self.match(i + 1)
			elif self.tokens[i].kind == 'word':
				self.items.append(Item('variant', self.at(i), parent=enum,
						       first=i, start=i, public=True))
				while i < enum.end and self.at(i) != ',':
					i = self.match(i) if self.at(i) in '([{' else i
					i += 1
			i += 1

	def _starts_impl(self, i):
		return self.at(i) == 'impl' and self.at(i - 1) in (
			'', ';', '}', '{', ']', 'unsafe')

	def _starts_named(self, i):
		text, after = self.at(i), self.tokens[min(i + 1, len(self.tokens) - 1)]
		if text not in NAMED or after.kind != 'word' or after.text in (
				'fn', 'unsafe', 'extern', 'mut', 'async'):
			return False
		# `*const T`, `&raw const x`
		return self.at(i - 1) not in ('*', 'raw', '&', '<', ',')

	def _parse(self):
		scope = Item('file')
		pending, parens, waiting = None, 0, []
		for i, token in enumerate(self.tokens):
			text = token.text
			if text in ('(', '['):
				parens += 1
			elif text in (')', ']'):
				parens -= 1
			elif self._starts_impl(i):
				pending = self._impl(i, scope)
			elif self._starts_named(i) and not (
					pending and pending.kind in ('fn', 'impl')):
				pending = self._named(i, text, scope)
				self.items.append(pending)
			elif text == ';' and parens == 0:
				pending = None
			elif text == '{':
				opened = pending
				if not opened or opened.kind in ('const', 'static', 'type'):
					unsafe = self.at(i - 1) == 'unsafe'
					opened = Item('unsafe' if unsafe else 'block',
						      parent=scope, start=i - unsafe)
					opened.parent = pending or scope
				if opened.kind in ('impl', 'unsafe'):
					self.items.append(opened)
				opened.body = i
				waiting.append((scope, parens, pending))
				scope, parens, pending = opened, 0, None
			elif text == '}' and waiting:
				scope.end = i
				if scope.kind == 'enum':
					self._variants(scope)
				scope_was = scope
				scope, parens, pending = waiting.pop()
				if pending is scope_was:
					pending = None

	def scope_at(self, i):
		"""The innermost named item that token @i is in."""
		inside = [item for item in self.items if item.body < i <= item.end and
			  item.kind != 'unsafe']
		return max(inside, key=lambda item: item.body, default=Item('file'))

	def statement(self, i):
		"""The token that the statement with token @i begins with."""
		depth = 0
		while i > 0:
			text = self.at(i - 1)
			if text in ')]':
				depth += 1
			elif text in '([':
				depth = max(0, depth - 1)
			elif text in (';', '{', '}') and not depth:
				break
			i -= 1
		return i

	def tags_above(self, line):
		"""What the comment above @line says: {'SAFETY': text, ...}."""
		line -= 1
		while self._is_attribute(line):
			line -= 1
		lines = []
		while line in self.comment:
			lines.insert(0, self.comment[line])
			line -= 1
		return tags(lines)


def tags(lines):
	found, tag = {}, ''
	for line in lines:
		m = re.match(r'([A-Z]{2,}):\s*(.*)', line)
		if m:
			tag, line = m[1], m[2]
			found[tag] = ''
		found[tag] = f'{found.get(tag, "")} {line}'.strip()
	return found
