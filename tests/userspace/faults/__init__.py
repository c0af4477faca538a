# SPDX-License-Identifier: GPL-2.0 OR MIT
"""All faults, by the source file that they break. See fault.py."""

from .cursors import CURSORS
from .evict import EVICT
from .evict_booted import EVICT_CGROUPS, EVICT_FENCES
from .evict_scope import EVICT_SCOPE
from .lists import LISTS
from .reclaim import OWNER, PURGEABLE, RELEASE, SHRINK, SHRINKER, SWAPOUT, TEARDOWN
from .walk import ENTRIES, WALK

# What the proofs are about.
PROVED = [fault for fault in LISTS + CURSORS + WALK if fault.proofs]


def booted(faults):
	return tuple(fault for fault in faults if fault.booted)


__all__ = ('CURSORS', 'ENTRIES', 'EVICT', 'EVICT_CGROUPS', 'EVICT_FENCES', 'EVICT_SCOPE',
	   'LISTS', 'OWNER', 'PROVED', 'PURGEABLE', 'RELEASE', 'SHRINK', 'SHRINKER',
	   'SWAPOUT', 'TEARDOWN', 'WALK', 'booted')
