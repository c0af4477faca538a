# SPDX-License-Identifier: GPL-2.0 OR MIT
"""What is tried: modes, each of which does one thing wrong, and cases, of one mode or
two. What the driver does is in table.rs; what the program does, in holds.py.
"""

import itertools
import random
import re
from dataclasses import dataclass
from pathlib import Path

import holds

# What the kernel says of what is done wrong, as it should. A guard that is forgotten: the
# task then has the lock whatever else it takes. A fence that nobody can signal: others wait.
LOCKS = re.compile(r'lock held when returning to user space|still has locks held'
		   r'|possible circular locking')
STRANDED = re.compile(r'INFO: task kworker\S* blocked for more than')
# A lock that is taken in memory reclaim, and where others allocate. All of this is to be said.
RECLAIM = re.compile(r'possible circular locking')
TOLD = ('possible circular locking', '(fs_reclaim)', 'Data.notes')
# What Documentation/gpu/ttm-rust.rst says that these show.
FAULTS = ('Vm@Zombie', 'Registration@Forgotten', 'Parent@Forgotten', 'Device@Static',
	  'System@Static', 'System@Cycle', 'no_shrinker+System@Static', 'Pending@Forgotten',
	  'Successor@Buffer', 'Successor@Zombie')
TABLE = Path(__file__).resolve().with_name('table.rs').read_text()


def entries(enum):
	"""Of an enumeration in the table, the names, each with its words."""
	body = re.search(rf'enum {enum} {{(.*?)\n    }}', TABLE, re.S)[1]
	return {name: words.split() for name, words in
		re.findall(r'^ {8}(\w+): ([a-z ]*),$', body, re.M)}


THINGS, PLACES = entries('Thing'), entries('Place')


@dataclass(frozen=True)
class Mode:
	"""A thing that the driver keeps in a place, or what the program holds."""
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
		"""Is it there for ever, even if the module's init fails and drops all that it can? A
		device keeps what keeps it.
		"""
		words = set(self.words)
		return bool(words & {'lost', 'guard'} or
			    self.place == 'Device' and words & {'device', 'pending'})

	@property
	def lost(self):
		"""Is it there for ever? A module stays while a zombie of it waits: for ever, if that
		is for what its exit would drop. What the exit drops, and takes long, is given up.
		"""
		words = set(self.words)
		return self.lost_in_init or 'exit' in words and bool(words & {'late', 'pending'})

	@property
	def waits(self):
		"""Would dropping it wait for a foreign fence, with who drops it?"""
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
		"""An init that fails drops what the exit would, and waits for the rest."""
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
		"""What the kernel may say, if anything."""
		if self.told:
			return RECLAIM
		words = {word for mode in self.lost_modes for word in mode.words}
		if 'locks' in words:
			return LOCKS
		return STRANDED if 'pending' in words else None

	@property
	def told(self):
		"""What the kernel must say."""
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
	"""Each thing in two of its places, of which one is for ever, so that each place has its
	things; each guard, and each thing that the program can hold; the same with an init
	that fails; and what shows faults.
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
	"""Some pairs of modes, in either order. With a lock held for ever, others wait."""
	alone = {'locks', 'told'}
	every = list(itertools.permutations(
		(mode for mode in MODES.values() if not alone & set(mode.words)), 2))
	return [Case(pair) for pair in random.Random(seed).sample(every, count)]
