# SPDX-License-Identifier: GPL-2.0 OR MIT
"""All that was counted, as one table; and what of it is to be so low."""

import csv
from dataclasses import astuple, dataclass, fields


# The "shape" of a list that threads on several CPUs work on.
CROWD = 'crowd'
# That of the lists of clients that need room.
ROOM = 'room'


@dataclass(frozen=True)
class Row:
	where: str	# program, kernel, or Rust
	what: str
	shape: str	# of the list
	n: int		# buffers in it
	cursors: int	# parked, of other walks
	place: str	# where these are
	counts: str	# what of an operation
	linux: float
	ours: float
	compiler: str = ''

	@property
	def key(self):
		return (self.where, self.what, self.shape, self.n, self.cursors,
			self.place, self.counts)

	@property
	def ratio(self):
		return self.ours / self.linux if self.linux else float('nan')


def key(where, row):
	return (where, row.name, row.shape, row.n, row.cursors, row.place,
		'instructions')


def instructions(where, linux, ours, compiler=''):
	"""Of an operation each, without what it takes to count."""
	others = {row.key: row for row in ours.rows}
	for row in linux.rows:
		other = others[row.key]
		yield Row(*key(where, row),
			  (row.instructions - linux.nothing) / row.ops,
			  (other.instructions - ours.nothing) / other.ops, compiler)


def events(linux, ours):
	others = {row.key: row for row in ours.events}
	for row in linux.events:
		other = others[row.key]
		for counts, was, now in (
				('looked at in one hold', row.examined,
				 other.examined),
				('holds of the lock', row.holds / row.ops,
				 other.holds / other.ops),
				('stores to shared memory', row.stores / row.ops,
				 other.stores / other.ops),
				('cache lines written', row.lines / row.ops,
				 other.lines / other.ops)):
			yield Row('program', *row.key, counts, was, now)


def firsts(linux, ours):
	"""The two ways that are no core's are beside Linux's, and ours."""
	others = {(row.way, row.k): row for row in ours.first}
	for row in linux.first:
		other = others[row.way, row.k]
		what = f'first of {row.k} + 1: {row.way}'
		for counts, was, now in (
				('looked at', row.looks, other.looks),
				('met by another', row.met, other.met)):
			yield Row('program', what, 'loose', row.n, 0, '-', counts,
				  was, now)


def sizes(where, linux, ours):
	for name, size in linux.sizes.items():
		yield Row(where, f'size of a {name}', '-', 1, 0, '-', 'bytes', size,
			  ours.sizes[name])


def of_programs(cores, compiler):
	linux, ours = cores['linux'], cores['ours']
	return [*instructions('program', linux, ours, compiler),
		*events(linux, ours), *firsts(linux, ours),
		*sizes('program', linux, ours)]


def of_kernels(kernels):
	linux, ours = kernels['linux'], kernels['ours']
	return [*instructions('kernel', linux, ours),
		*sizes('kernel', linux, ours),
		*crowds(linux.crowd, ours.crowd),
		*rooms(linux.room, ours.room)]


def crowds(linux, ours):
	"""How long each party waits, and how much it does, run by run."""
	was = {done.key: done for done in linux}
	now = {done.key: done for done in ours}

	def row(name, cpus, counts, of):
		return Row('kernel', name, CROWD, cpus, 0, '-', counts, of(was),
			   of(now))
	for cpus in sorted({cpus for _, cpus in was}):
		yield row('a wait for the lock, the longest', cpus, 'instructions',
			  lambda by: float(by['instructions, longest wait',
					      cpus].done))
		yield row('a wait for the lock, the mean', cpus, 'instructions',
			  lambda by: by['instructions waited', cpus].done /
				     by['bulk moves that waited', cpus].done)
		for name in ('bulk moves', 'buffers returned'):
			yield row(f'{name} per 10^6', cpus, 'done',
				  lambda by: by[name, cpus].per_million)


def rooms(linux, ours):
	"""What it takes to place a buffer for which others have to go."""
	others = {room.key: room for room in ours}
	for room in linux:
		yield Row('kernel', 'making room', ROOM, room.clients, 0, '-',
			  room.name, room.each, others[room.key].each)


def of_rust(counted):
	"""Here "linux" is C, and "ours" is Rust: the same core, ours."""
	return [Row('Rust', walk, 'loose', counted.buffers, 0, '-', 'instructions',
		    *counted.each(walk)) for walk in counted.walks]


def write(rows, path):
	with path.open('w', newline='') as out:
		writer = csv.writer(out, lineterminator='\n')
		writer.writerow([field.name for field in fields(Row)])
		for row in rows:
			writer.writerow([f'{cell:.6g}' if isinstance(cell, float)
					 else cell for cell in astuple(row)])


def read(path):
	types = [field.type for field in fields(Row)]
	with path.open(newline='') as lines:
		reader = csv.reader(lines)
		next(reader)
		return [Row(*(make(cell) for make, cell in zip(types, line)))
			for line in reader]


@dataclass(frozen=True)
class Target:
	number: str	# of the kind of work
	title: str
	what: str
	shape: str = 'loose'
	n: int = 10000
	cursors: int = 0
	place: str = '-'
	counts: str = 'instructions'
	most: float = 1.0	# of what Linux takes; 0 if only told
	limit: str = ''		# what is counted against instead
	argued: bool = False	# the documentation says why it is missed
	wheres: tuple = ('program', 'kernel')


TARGETS = (
	Target('1', 'step, lock held', 'step, lock held', most=0.7),
	Target('1', '... beside raw list, hitches told',
	       'step, lock held', most=1.5, limit='raw list, hitches told'),
	Target('1', '... beside raw list, not told',
	       'step, lock held', most=1.5, limit='raw list', argued=True),
	Target('1', 'step that parks', 'step that parks'),
	Target('1', '... in 10 bulks', 'step that parks', '10 bulks'),
	Target('2', 'step, lock dropped', 'step, lock dropped', most=0.95),
	Target('2', '... in 10 bulks', 'step, lock dropped', '10 bulks', most=0.95),
	Target('3', 'all busy, in 10 bulks', 'step, all busy', '10 bulks',
	       most=0.01),
	Target('3', 'all busy, in 1,000 bulks of 10', 'step, all busy',
	       '1000 bulks', most=0.6),
	Target('3', 'all busy, loose', 'step, all busy', most=0.6),
	Target('3', 'all free, reserved', 'step, reserving', most=0),
	Target('5', 'bulk move', 'bulk move', '1 bulk'),
	Target('5', '... with 8 cursors inside', 'bulk move', '1 bulk',
	       cursors=8, place='spread'),
	Target('5', '... with 64 cursors inside', 'bulk move', '1 bulk',
	       cursors=64, place='spread'),
	Target('5', '... with 64 behind', 'bulk move', '1 bulk', 100, 64, 'behind'),
	Target('6', 'move to the tail', 'move to the tail'),
	Target('6', '... of a range', 'move to the tail', '1 bulk', argued=True),
	Target('6', 'insert', 'insert'),
	Target('6', '... with 8 cursors', 'insert', cursors=8, place='spread'),
	Target('6', '... into a range', 'insert', '1 bulk'),
	Target('6', 'delete', 'delete'),
	Target('6', '... from a range', 'delete', '1 bulk'),
	Target('7', 'looked at in one hold, at most', 'step, all busy',
	       counts='looked at in one hold', most=0.01, wheres=('program',)),
	*(Target('', f'bytes of a {name}', f'size of a {name}', '-', 1,
		 counts='bytes', wheres=('kernel',))
	  for name in ('ttm_resource', 'ttm_resource_cursor',
		       'ttm_lru_bulk_move')),
)
# Rust may cost so much of what C does.
RUST = 1.05
# What must be as low as in Linux when clients need room; refusals must be none.
ROOM_TARGETS = ('evictions', 'bytes moved', 'restarts', 'instructions')
REFUSALS = 'refusals'


# Of those that look for a buffer behind @k that can't be evicted.
BEHIND = 1000
WAYS = {'restart': 'from the head', 'pull off': 'pull off, put back',
	'hitch': 'with a hitch'}


@dataclass(frozen=True)
class Line:
	number: str
	where: str
	title: str
	linux: str
	ours: str
	ratio: str
	most: str
	verdict: str


def verdict(ratio, most, argued=False):
	if not most:
		return ''
	if ratio <= most + 0.0005:
		return 'met'
	return 'argued' if argued else 'MISSED'


def line(rows, target, where):
	def find(what):
		return rows[where, what, target.shape, target.n, target.cursors,
			    target.place, target.counts]
	row = find(target.what)
	was = find(target.limit).ours if target.limit else row.linux
	ratio = row.ours / was
	return Line(target.number, where, target.title, number(was),
		    number(row.ours), f'{ratio:.3f}',
		    f'{target.most:g}' if target.most else '',
		    verdict(ratio, target.most, target.argued))


def number(value):
	if value >= 1000 or value == int(value):
		return f'{value:,.0f}'
	return f'{value:.2f}' if value >= 0.01 else f'{value:.1g}'


def summary(rows):
	"""A Line for each target and for each place where it was counted."""
	by_key = {row.key: row for row in rows}
	lines = [line(by_key, target, where) for target in TARGETS
		 for where in target.wheres]
	lines += behind(by_key)
	for row in rows:
		if row.where == 'Rust':
			lines.append(Line('8', 'C, Rust', f'a walk: {row.what}',
					  number(row.linux), number(row.ours),
					  f'{row.ratio:.3f}', f'{RUST:g}',
					  verdict(row.ratio, RUST)))
		elif row.shape == CROWD:
			lines.append(Line('9', f'{row.n} CPUs', row.what,
					  number(row.linux), number(row.ours),
					  f'{row.ratio:.3f}', '', ''))
		elif row.shape == ROOM:
			lines.append(room(row))
	return lines


def room(row):
	"""Where Linux has none of something, there is no ratio."""
	most, judged = '', ''
	if row.counts == REFUSALS:
		most, judged = 'none', 'MISSED' if row.ours else 'met'
	elif row.counts in ROOM_TARGETS:
		most = '1'
		judged = verdict(row.ratio, 1) if row.linux else \
			'MISSED' if row.ours else 'met'
	return Line('10', f'{row.n} CPU{"s" * (row.n > 1)}',
		    f'{row.what}: {row.counts}', number(row.linux),
		    number(row.ours),
		    f'{row.ratio:.3f}' if most == '1' and row.linux else '', most,
		    judged)


def behind(rows):
	"""What was counted of the ways to get behind those that can't be evicted."""
	for way, title in WAYS.items():
		for counts in 'looked at', 'met by another':
			row = rows['program', f'first of {BEHIND} + 1: {way}',
				   'loose', 20000, 0, '-', counts]
			yield Line('4', 'program', f'{title}: {counts}',
				   number(row.linux), number(row.ours), '', '', '')


def text(lines):
	"""In 80 columns."""
	said = [f'{"":3}{"":8}{"instructions for one":33}{"Linux":>8}{"here":>9}'
		f'{"ratio":>7}{"most":>5}']
	for it in lines:
		said.append(f'{it.number:3}{it.where:8}{it.title:33.33}'
			    f'{it.linux:>8}{it.ours:>9}{it.ratio:>7}{it.most:>5}'
			    f' {it.verdict if it.verdict != "met" else ""}'.rstrip())
	return '\n'.join(said)


def write_summary(lines, path):
	with path.open('w', newline='') as out:
		writer = csv.writer(out, lineterminator='\n')
		for it in lines:
			writer.writerow(astuple(it))
