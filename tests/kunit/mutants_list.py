# SPDX-License-Identifier: GPL-2.0 OR MIT
"""The faults that KUnit suites must notice, by file, and the suites. The faults are in
../userspace/faults/.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / 'userspace'))

import faults	# noqa: E402 (it is found there)

POLICY = 'ttm_lru_policy*'
RECLAIM = 'ttm_lru_reclaim*'
ROOM = 'ttm_lru_room*'
SEARCH = 'ttm_lru_search*'
WALKS = (POLICY, ROOM, 'ttm_lru_walk*', 'ttm_lru_p9')

LISTS = (
	('ttm_swapout.c', ('ttm_lru_swapout', POLICY, 'ttm_lru_walk_swapout'), faults.SWAPOUT),
	('ttm_shrinker.c', ('ttm_lru_shrinker', RECLAIM), faults.SHRINKER),
	('ttm_bo_util.c', ('ttm_lru_shrinker', RECLAIM), faults.SHRINK),
	('ttm_teardown.c', ('ttm_lru_swapout', 'ttm_lru_walk_unplug'), faults.TEARDOWN),
	('ttm_purgeable.c', ('ttm_lru_shrinker', RECLAIM), faults.PURGEABLE),
	('ttm_owner.c', ('rust_ttm_lifetime',), faults.OWNER),
	('ttm_release.c', ('ttm_lru_release', 'ttm_lru_shrinker', RECLAIM), faults.RELEASE),
	('ttm_evict.c', (POLICY, SEARCH, ROOM, 'ttm_lru_walk_evict', 'ttm_lru_walk*.*failing*',
			 'ttm_lru_cgroup', 'ttm_bo_validate'),
	 faults.EVICT_FENCES + faults.booted(faults.EVICT)),
	('ttm_evict.c', ('ttm_lru_cgroup',), faults.EVICT_CGROUPS),
	('ttm_evict_scope.c', ('ttm_lru_scope', *WALKS), faults.booted(faults.EVICT_SCOPE)),
	('ttm_lru_walk.c', ('ttm_lru_left_out', 'ttm_lru_scope', *WALKS),
	 faults.booted(faults.WALK)),
	('ttm_resource.c', ('ttm_lru_left_out', 'ttm_lru_search', *WALKS),
	 faults.booted(faults.ENTRIES)),
)
