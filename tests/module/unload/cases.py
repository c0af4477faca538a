# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Modes and cases. A mode does one thing wrong; a case consists of one or two modes.
table.rs says what the driver does in a mode, holds.py what the program does.
"""

import itertools
import random
import re
from dataclasses import dataclass
from pathlib import Path

import holds

# Complaints of the kernel that a case provokes. After a guard was forgotten, the task holds
# its lock for ever. If nobody can signal a fence, others wait for ever.
LOCKS = re.compile(r'lock held when returning to user space|still has locks held'
		   r'|possible circular locking')
STRANDED = re.compile(r'INFO: task kworker\S* blocked for more than')
# A lock is taken in memory reclaim, and also around allocations. The kernel must say all this.
RECLAIM = re.compile(r'possible circular locking')
TOLD = ('possible circular locking', '(fs_reclaim)', 'Data.notes')
# The cases that Documentation/gpu/ttm-rust-safety.rst names for faults.
FAULTS = ('Vm@Zombie', 'Registration@Forgotten', 'Parent@Forgotten', 'Device@Static',
	  'System@Static', 'System@Cycle', 'no_shrinker+System@Static', 'Pending@Forgotten',
	  'Successor@Buffer', 'Successor@Zombie')
TABLE = Path(__file__).resolve().with_name('table.rs').read_text()


def entries(enum):
	"""{name: words} of an enumeration in the table."""
	body = re.search(rf'enum {enum} {{(.*?)\n    }}', TABLE, re.S)[1]
	return {name: words.split() for name, words in
		re.findall(r'^ {8}(\w+): ([a-z ]*),$', body, re.M)}


THINGS, PLACES = entries('Thing'), entries('Place')


@dataclass(frozen=True)
class Mode:
	"""A thing that the driver keeps in a place, or a thing that the program holds."""
	name: str
	thing: str = ''
	place: str = ''

	@property
	def numbers(self):
		return list(THINGS).index(self.thing), list(PLACES).index(self.place)

	@property
	def words(self):
		return (THINGS.get(self.thing, []) + PLACES.get(self.place, []) +
			getattr(holds.HOLDS.get(self.name), 'words', []))

	@property
	def lost_in_init(self):
		"""Whether it stays for ever, even if the module's init fails and drops what it
		can. A device stays with the thing that keeps it.
		"""
		words = set(self.words)
		return bool(words & {'lost', 'guard'} or
			    self.place == 'Device' and words & {'device', 'pending'})

	@property
	def lost(self):
		"""Whether it stays for ever. A module stays while one of its zombies waits: for
		ever, if the zombie waits for a thing that the module's exit would drop. If the
		exit would take long to drop a thing, the module gives it up.
		"""
		words = set(self.words)
		return self.lost_in_init or 'exit' in words and bool(words & {'late', 'pending'})

	@property
	def waits(self):
		"""Whether dropping it waits for a foreign fence."""
		return ('waits' in THINGS.get(self.thing, []) and not self.lost and
			self.place not in ('Zombie', 'Waker'))


@dataclass(frozen=True)
class Case:
	modes: tuple

	@property
	def name(self):
		return '+'.join(mode.name for mode in self.modes)

	def has(self, name):
		return any(mode.name == name for mode in self.modes)

	@property
	def lost_modes(self):
		"""A failing init drops what the exit would drop, and waits for the rest."""
		attr = 'lost_in_init' if self.has('init_fails') else 'lost'
		return [mode for mode in self.modes if getattr(mode, attr)]

	@property
	def lost(self):
		return bool(self.lost_modes)

	@property
	def waits(self):
		return any(mode.waits for mode in self.modes)

	@property
	def provoked(self):
		"""A pattern of complaints that the kernel may log, or None."""
		if self.told:
			return RECLAIM
		words = {word for mode in self.lost_modes for word in mode.words}
		if 'locks' in words:
			return LOCKS
		return STRANDED if 'pending' in words else None

	@property
	def told(self):
		"""Complaints that the kernel must log."""
		return TOLD if any('told' in mode.words for mode in self.modes) else ()


def modes():
	for thing, words in THINGS.items():
		for place in ['Forgotten'] if 'guard' in words else PLACES:
			yield Mode(f'{thing}@{place}', thing, place)
	for hold in holds.HOLDS:
		yield Mode(hold)


MODES = {mode.name: mode for mode in modes()}


def named(name):
	"""The case of that name: A, or A+B."""
	return Case(tuple(MODES[part] for part in name.split('+')))


def singles():
	return [Case((mode,)) for mode in MODES.values()]


def some():
	"""Each thing in two places, one of which keeps it for ever, so that each place is used;
	each guard; each thing that the program can hold; some of these with an init that
	fails; and the cases that the documentation names for faults.
	"""
	lost = [place for place, words in PLACES.items() if 'lost' in words]
	given_back = [place for place in PLACES if place not in lost]
	names = [f'{thing}@{places[number % len(places)]}'
		 for number, thing in enumerate(THINGS) if 'guard' not in THINGS[thing]
		 for places in (lost, given_back)]
	names += [mode.name for mode in MODES.values()
		  if not mode.thing or 'guard' in mode.words]
	names += [f'init_fails+{name}' for name in
		  [*(f'Object@{place}' for place in PLACES), *holds.HOLDS]
		  if not {'told'} & set(MODES[name].words) and name != 'init_fails']
	return [named(name) for name in dict.fromkeys([*names, *FAULTS])]


def pairs(count, seed):
	"""Random pairs of modes, without those that keep a lock for ever."""
	alone = {'locks', 'told'}
	every = list(itertools.permutations(
		(mode for mode in MODES.values() if not alone & set(mode.words)), 2))
	return [Case(pair) for pair in random.Random(seed).sample(every, count)]
