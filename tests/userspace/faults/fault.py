# SPDX-License-Identifier: GPL-2.0 OR MIT
"""A fault: a small way to break TTM, and the tests that must see it.

A fault is a piece of one source file and its replacement. It is stated once, for all
layers of tests:

- ../mutants.py builds the user programs with it, and one of them must fail.
- With BOOTED no user program sees it. ../../kunit/mutants.py builds a kernel with
  it, and one of the KUnit suites must fail.
- With proof('add', 'RHr') the proof of the operation `add` must fail as well, in the
  world `RHr` (see ../prove/prove.py). There may be several proofs.
- With PROOF_ONLY that proof alone must see it.
- With equivalent('...') no test can see it, for the reason given; a proof may.
"""

from dataclasses import dataclass
from typing import NamedTuple

BOOTED = object()
PROOF_ONLY = object()


class proof(NamedTuple):
	operation: str
	world: str


class equivalent(str):
	"""The reason why the broken code does the same."""


@dataclass(frozen=True)
class Fault:
	name: str
	old: str
	new: str
	marks: tuple = ()

	def __post_init__(self):
		if self.old == self.new:
			raise ValueError(f'the fault {self.name!r} changes nothing')

	@property
	def proofs(self):
		return [mark for mark in self.marks if isinstance(mark, proof)]

	@property
	def equivalent(self):
		return any(isinstance(mark, equivalent) for mark in self.marks)

	@property
	def booted(self):
		return BOOTED in self.marks

	@property
	def proof_only(self):
		return PROOF_ONLY in self.marks


def faults(*entries):
	return tuple(Fault(name, old, new, marks) for name, old, new, *marks in entries)
