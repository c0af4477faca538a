# SPDX-License-Identifier: GPL-2.0 OR MIT
"""The rooms of the overlay: a commit each in `make apply`, in this order.

A kernel can be built at each of these commits.
"""

from dataclasses import dataclass

import merge


@dataclass
class Room:
	name: str
	subject: str
	body: str
	patches: tuple = ()	# what the paths of its patches begin with, below patches/
	files: tuple = ()	# what the paths of its files begin with


# A patch or file belongs to the first room that names it.
ROOMS = (
	Room('um', 'um: run KASAN, SMP and Rust modules', """\
The kernel of User Mode Linux that runs TTM's tests has lockdep, KASAN, more
than one CPU, and modules in Rust.""",
	     patches=('series/um/',)),
	Room('drm_exec', 'drm/exec: let transactions wait for any lock', """\
TTM reserves buffers for a transaction that the driver has not named.""",
	     patches=('drm-exec-',)),
	Room('ttm', 'drm/ttm: make walks of the LRU lists restartable', """\
A walk parks a node of its own, a hitch, before the buffer that it returns
next. So it returns each buffer that stays on the list, and none again unless
it was moved, though others change the list whenever the lock is dropped.
Eviction, swap-out and a shrinker use these walks.

The walkers change together with the lists, as Linux's own use the cursors
that are replaced here.""",
	     patches=('ttm-core', 'drm-kconfig'),
	     files=('drivers/gpu/drm/ttm/ttm_', 'drivers/gpu/drm/ttm/Kconfig', 'include/drm/')),
	Room('tests', 'drm/ttm: test the LRU lists and their walks', """\
KUnit suites with cases for each promise of the walks, and benchmarks.""",
	     patches=('ttm-', 'drm-kunit-'), files=('drivers/gpu/drm/ttm/tests/',)),
	Room('rust', 'rust: drm: add abstractions of TTM', """\
TTM's devices, buffers, memory managers and LRU walks for drivers in Rust, and
what such drivers need besides: DMA fences, sync files, fdinfo, and ioctls
that block.""",
	     patches=('rust-',), files=('rust/',)),
	Room('samples', 'samples: rust: walk a TTM LRU list', """\
A driver walks a list while other threads change it, and counts the buffers
that walks missed.""",
	     patches=('samples-',), files=('samples/',)),
	Room('vttm', 'drm/vttm: add a virtual GPU that uses TTM', """\
A driver in Rust for a GPU that the CPU emulates: VRAM, jobs and faults. Tests
of eviction need no hardware with it.""",
	     patches=('drm-vttm',), files=('drivers/gpu/drm/vttm/', 'include/uapi/drm/vttm')),
	Room('documentation', 'Documentation: gpu: describe TTM\'s LRU walks, and vttm', """\
What walks and eviction promise, and how to write and test a driver.""",
	     patches=('doc',), files=('Documentation/',)),
)


def of_file(path):
	"""The room of the file @path."""
	for it in ROOMS:
		if path.startswith(it.files):
			return it
	merge.die(f'{path} belongs to no room of scripts/rooms.py')


def of_patch(patch):
	name = merge.name_of(patch)
	for it in ROOMS:
		if name.removeprefix('patches/').startswith(it.patches):
			return it
	merge.die(f'{name} belongs to no room of scripts/rooms.py')
