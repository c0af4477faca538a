# SPDX-License-Identifier: GPL-2.0 OR MIT
"""The faults that KUnit suites must notice, by file, and the suites. The faults are in
../userspace/faults/.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / 'userspace'))

import faults	# noqa: E402 (it is found there)

WALK = 'ttm_lru_walk'
WALKS = ('ttm_lru_policy', 'ttm_lru_room', WALK)

LISTS = (
	('ttm_swapout.c', ('ttm_lru_swapout', 'ttm_lru_policy', f'{WALK}.*swapout*',
			   f'{WALK}.*hibernation*'), faults.SWAPOUT),
	('ttm_shrinker.c', ('ttm_lru_shrinker', 'ttm_lru_reclaim'), faults.SHRINKER),
	('ttm_teardown.c', ('ttm_lru_swapout', f'{WALK}.*teardown*', f'{WALK}.*defect8*'),
	 faults.TEARDOWN),
	('ttm_purgeable.c', ('ttm_lru_shrinker', 'ttm_lru_reclaim'), faults.PURGEABLE),
	('ttm_owner.c', ('rust_ttm_lifetime',), faults.OWNER),
	('ttm_release.c', ('ttm_lru_shrinker', 'ttm_lru_reclaim'), faults.RELEASE),
	('ttm_evict.c', ('ttm_lru_policy', 'ttm_lru_search', 'ttm_lru_room', f'{WALK}.*evict*',
			 f'{WALK}.*failing*', 'ttm_lru_cgroup', 'ttm_bo_validate'),
	 faults.EVICT_FENCES + faults.booted(faults.EVICT)),
	('ttm_evict.c', ('ttm_lru_cgroup',), faults.EVICT_CGROUPS),
	('ttm_evict_scope.c', WALKS, faults.booted(faults.EVICT_SCOPE)),
	('ttm_lru_walk.c', WALKS, faults.booted(faults.WALK)),
	('ttm_resource.c', WALKS, faults.booted(faults.ENTRIES)),
)
