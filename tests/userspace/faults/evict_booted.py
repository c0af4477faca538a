# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Faults of ttm_evict.c in what user space has stubs for: cgroups, and fences of moves."""

from .fault import BOOTED, equivalent, faults

PROTECTED = '\tif (!state->may_try_low && owner == state->charge_pool)\n\t\treturn false;\n'

COMMON = """\
		common = dmem_cgroup_get_common_ancestor(owner,
							 state->charge_pool);
		top = common;
"""

PUT_COMMON = '\tif (common)\n\t\tdmem_cgroup_pool_state_put(common);\n'

ALLOWS = """\
	allows = dmem_cgroup_state_evict_valuable(top, owner, evict->try_low,
						  &evict->hit_low);
"""

LOW = '\tif (freed < 0 || freed >= target || !evict->hit_low || !may_try_low)\n'

UNCHARGE = '\t\tdmem_cgroup_uncharge(state.charge_pool, bo->base.size);\n'

FENCES = """\
	ret = dma_resv_reserve_fences(bo->base.resv, TTM_NUM_MOVE_FENCES) ?:
	      ttm_bo_add_pipelined_eviction_fences(bo, man,
						   search->ctx->no_wait_gpu);
	if (ret)
		ttm_resource_free(bo, search->res);
"""

WAIT = """\
		if (fence)
			ret = dma_fence_wait(fence, false);
		dma_fence_put(fence);
		if (ret)
			return ret;
"""

EVICT_CGROUPS = faults(
	('the protected evict what is their own', PROTECTED, '', BOOTED),
	('nobody evicts what is their own', PROTECTED,
	 PROTECTED.replace('!state->may_try_low && ', ''), BOOTED),
	('the protected evict nothing', PROTECTED,
	 PROTECTED.replace(' && owner == state->charge_pool', ''), BOOTED),
	("a limit that was hit is nobody's", '\ttop = state->limit_pool;\n', '\ttop = NULL;\n',
	 BOOTED),
	('protection is seen from the root', COMMON, '', BOOTED),
	('protection is seen from the owner', COMMON, '\t\ttop = owner;\n', BOOTED),
	('protection is seen from the evictor', COMMON, '\t\ttop = state->charge_pool;\n', BOOTED),
	('where cgroups part is kept', PUT_COMMON, '', BOOTED),
	('limits allow everything', ALLOWS, ALLOWS + '\tallows = true;\n', BOOTED),
	('limits allow nothing', ALLOWS, ALLOWS + '\tallows = false;\n', BOOTED),
	('low protects nothing', ALLOWS, ALLOWS.replace('evict->try_low', 'true'), BOOTED),
	('low protects always', ALLOWS, ALLOWS.replace('evict->try_low', 'false'), BOOTED),
	('what low protects is not noticed', ALLOWS,
	 ALLOWS.replace('&evict->hit_low', '&(bool){ false }'), BOOTED),
	('limits are not looked at',
	 'return ttm_evict_cgroup_allows(evict, bo) && !bo->pin_count &&',
	 'return !bo->pin_count &&', BOOTED),
	('low yields at once', '\tevict->try_low = false;\n', '\tevict->try_low = true;\n', BOOTED),
	('low yields to nobody', '\tevict->try_low = true;\n', '', BOOTED),
	('low yields to all', LOW, LOW.replace(' || !may_try_low', ''), BOOTED),
	('low always keeps something', LOW, LOW.replace('!evict->hit_low', 'true'), BOOTED),
	('low yields even if that is enough', LOW, LOW.replace('freed >= target || ', ''), BOOTED),
	('what low yields is more than is asked for',
	 'ret = ttm_evict_pass(evict, man, target - freed, effort);',
	 'ret = ttm_evict_pass(evict, man, target, effort);', BOOTED),
	('what low yields is all that is freed', 'return ret < 0 ? ret : freed + ret;',
	 'return ret;', BOOTED),
	('a limit that was hit is kept', '\tdmem_cgroup_pool_state_put(state.limit_pool);\n', '',
	 BOOTED),
	('a caller that got nothing stays charged', UNCHARGE, '', BOOTED),
)

EVICT_FENCES = faults(
	('a failure to reserve fences is none',
	 '\tret = dma_resv_reserve_fences(bo->base.resv, TTM_NUM_MOVE_FENCES) ?:\n'
	 '\t      ttm_bo_add_pipelined_eviction_fences(bo, man,\n',
	 '\tdma_resv_reserve_fences(bo->base.resv, TTM_NUM_MOVE_FENCES);\n'
	 '\tret = ttm_bo_add_pipelined_eviction_fences(bo, man,\n', BOOTED),
	('no fences are reserved',
	 '\tret = dma_resv_reserve_fences(bo->base.resv, TTM_NUM_MOVE_FENCES) ?:\n\t      ttm_bo',
	 '\tret = ttm_bo', BOOTED),
	('moves out of the way are not waited for', FENCES, '\tret = 0;\n', BOOTED),
	('a caller that must not wait waits for moves', FENCES,
	 FENCES.replace('search->ctx->no_wait_gpu', 'false'), BOOTED),
	('a place is lost', FENCES,
	 FENCES.replace('\tif (ret)\n\t\tttm_resource_free(bo, search->res);\n', ''), BOOTED),
	('unused managers are looked at', 'return man && ttm_resource_manager_used(man) &&',
	 'return man &&', BOOTED),
	('there is a manager for each place', 'return man && ttm_resource_manager_used(man) &&',
	 'return ttm_resource_manager_used(man) &&', BOOTED),
	('emptying does not wait for moves', WAIT,
	 WAIT.replace(
	    '\t\tif (fence)\n\t\t\tret = dma_fence_wait(fence, false);\n', ''), BOOTED),
	('a failed wait for a move is none', WAIT,
	 WAIT.replace('\t\tif (ret)\n\t\t\treturn ret;\n', ''),
	 equivalent("a wait that can't be interrupted does not fail"), BOOTED),
	('one move is waited for', WAIT,
	 WAIT.replace('\t\tif (ret)\n\t\t\treturn ret;\n',
		      '\t\tif (ret || fence)\n\t\t\treturn ret;\n'),
	 BOOTED),
)
