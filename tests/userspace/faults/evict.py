# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Faults of ttm_evict.c, from top to bottom."""

from .fault import BOOTED, equivalent, faults

ZOMBIE = """\
	int ret = ttm_bo_wait_ctx(bo, ctx);

	if (!ret)
		ttm_bo_cleanup_memtype_use(bo);
	return ret;
"""

HAS_LEFT = 'return !bo->resource || bo->resource->mem_type != mem_type;'

NEEDS_MEMORY = """\
	if (bo->deleted || (bo->ttm && ttm_tt_is_populated(bo->ttm)))
		return 0;
"""

VALUABLE = """\
	if (evict->search &&
	    ttm_evict_needs_memory(bo) >= evict->search->too_large)
		return false;
"""

WORTH = """\
	return ttm_evict_cgroup_allows(evict, bo) && !bo->pin_count &&
	       bo->bdev->funcs->eviction_valuable(bo, evict->place);
"""

NO_ROOM = """\
	if (ret == -ENOSPC || ret == -EBUSY)
		return 0;

	/* Room was found"""

WORTHLESS = """\
	if (!ttm_evict_is_valuable(evict, bo)) {
		ttm_evict_scope_note_worthless(walk->arg.ctx->scope, bo);
		return 0;
	}
"""

FAILED = """\
	if (ret) {
		evict->error = ret;
		return ret;
	}

	has_left"""

PASSING = """\
	evict->passing |= left_out->moved || left_out->zombies || scope->passing;
"""

SOFT = '\tscope->soft = effort <= TTM_EVICT_WAIT_ONCE;\n'

LOW = '	if (freed < 0 || freed >= target || !evict->hit_low || !may_try_low)\n'

LEFT_OUT_THERE = """\
	if (evict.left_out || evict.evicted)
		search->left_out |= ttm_evict_place_bit(search, place);
"""

TRY_ONCE_MORE = """\
	if (!done)
		done = ttm_evict_try_alloc(&evict);
"""

PLACE = """\
	ret = ttm_evict_alloc_at_place(search, place, search->force_space,
				       &state);
"""

OTHER_HALF = """\
	u32 other_half = search->force_space ? TTM_PL_FLAG_DESIRED :
					       TTM_PL_FLAG_FALLBACK;
"""

ROUND_INCLUDES = """\
		if (!ttm_evict_search_includes(search, place))
			continue;
		if (effort"""

ROUND_ONCE = """\
		if (effort == TTM_EVICT_WAIT_ONCE &&
		    !(left_out & ttm_evict_place_bit(search, place)))
			continue;
"""

ROUND_ERRORS = """\
		if (ret == -ENOMEM)
			result = ret;
		else if (ret != -ENOSPC && ret != -EBUSY)
			return ret;
"""

ENTERED = """\
	if (ttm_evict_has_entered(search)) {
		search->left_out = U64_MAX;
		search->passing = true;
	}
"""

LOOKS_END = """\
		if (!search->force_space || search->outer ||
		    !ttm_evict_is_refusal(ret) || !search->passing ||
		    ttm_evict_may_wait(search))
			break;
"""

MAY_GO_ON = 'return search->force_space && !(search->outer && search->outer->soft);'

EXHAUSTIVELY = """\
	if (!ttm_evict_is_refusal(ret))
		return ret;

	search->ctx->scope->num_worthless = 0;
	return ttm_evict_search_round(search, TTM_EVICT_EXHAUST);
"""

SEARCH_ON = """\
	if (search->outer || search->ctx->no_wait_gpu)
		return ret;
	for (int pauses = 0; pauses < patience; pauses++) {
		if (!ttm_evict_is_refusal(ret) || !search->left_out)
			break;
		if (effort == TTM_EVICT_TRYLOCK)
			ttm_evict_scope_end(search->ctx->scope);
		ret = ttm_evict_pause(search->ctx) ?:
		      ttm_evict_look_again(search, effort);
	}
"""

HUNG = """\
	if (ret == -EBUSY && time_after(jiffies, began + TTM_EVICT_HUNG))
		ctx->no_wait_gpu = true;
"""

KEEPS = '\targ->keep = evict->search && !scope->told;\n'

TOLD = """\
	if (search->ctx->scope->told && !search->outer && search->force_space)
		return ttm_evict_last_look(search);
"""

SEARCH = """\
	ret = ttm_evict_look_softly(search);
	if (ttm_evict_is_refusal(ret) && ttm_evict_may_go_on(search))
		ret = ttm_evict_search_on(search);
	if (ret == -EDEADLK && !search->outer)
		ret = ttm_evict_last_look(search);
"""

TELLS_OUTER = """\
	if (search->outer && ttm_evict_is_refusal(ret)) {
		search->outer->left_out |= search->left_out != 0;
		search->outer->passing |= search->passing;
	}
"""

WAS_TOLD = """\
	scope.told = ctx->scope ? ctx->scope->told :
				  ctx->contended && *ctx->contended;
"""

CONVERTS = """\
	if (ret == -EDEADLK && !search.outer && !ctx->contended)
		return -ENOSPC;
"""

DRAINED = """\
		freed += ret;
		if (freed >= target)
			return freed;
"""

DRAIN_ON = """\
		if (effort == TTM_EVICT_TRYLOCK) {
			effort = TTM_EVICT_WAIT;
		} else if (!evict->evicted) {
			if (!evict->left_out || pauses++ == TTM_EVICT_PATIENCE)
				return freed;
			ret = ttm_evict_pause(evict->walk.arg.ctx);
"""

ALL_DONE = """\
	if (!ret && !ttm_evict_has_left(bo, mem_type))
		ret = -EBUSY;
	if (ret)
		evict->error = ret;
	else
		evict->evicted++;
	return ret;
"""

EMPTY = """\
	for (int i = 0; i < TTM_MAX_BO_PRIORITY; i++)
		if (ttm_lru_first_res_or_null(&man->lru[i]))
			return false;
	return true;
"""

ALL_ENDS = """\
		if (evict.evicted)
			continue;
		if (evict.error &&
		    (!ttm_lru_left_out_any(&evict.walk.left_out) ||
		     pauses++ == TTM_EVICT_PATIENCE))
			return evict.error;
"""

EVICT = faults(
	# One victim
	('a zombie is evicted as others are', 'int ret = bo->deleted ? ', 'int ret = false ? '),
	("a zombie's GPU is not waited for", ZOMBIE,
	 ZOMBIE.replace('ttm_bo_wait_ctx(bo, ctx)', '0')),
	('a zombie goes, though its GPU works', ZOMBIE, ZOMBIE.replace('\tif (!ret)\n\t', '')),
	('a zombie stays', ZOMBIE, ZOMBIE.replace('ttm_bo_cleanup_memtype_use(bo)', ';')),
	("a zombie's failure is none", ZOMBIE, ZOMBIE.replace('return ret', 'return 0'), BOOTED),
	('what is nowhere has not left', HAS_LEFT,
	 'return bo->resource && bo->resource->mem_type != mem_type;', BOOTED),
	('what stays in the memory has left', HAS_LEFT, 'return true;'),
	('nothing ever leaves', HAS_LEFT, 'return false;'),

	# Is it worth it?
	('a zombie needs memory', NEEDS_MEMORY, NEEDS_MEMORY.replace('bo->deleted || ', ''),
	 BOOTED),
	('what has pages needs memory', NEEDS_MEMORY, '\tif (bo->deleted)\n\t\treturn 0;\n',
	 BOOTED),
	('nothing needs memory', '\treturn bo->base.size;\n}', '\treturn 0;\n}'),
	('as much memory is tried again', VALUABLE, VALUABLE.replace('>=', '>')),
	('memory is tried again', VALUABLE, ''),
	('a drain has a search', VALUABLE, VALUABLE.replace('evict->search &&\n\t    ', '')),
	('what is pinned is evicted', WORTH, WORTH.replace(' && !bo->pin_count', '')),
	('the driver is not asked', WORTH,
	 WORTH.replace('bo->bdev->funcs->eviction_valuable(bo, evict->place)',
		       'true'), BOOTED),
	("what lacked memory isn't known", '\tsearch->too_large = bo->base.size;\n', ''),
	('the OOM killer may come for victims', '\tsearch->ctx->gfp_retry_mayfail = true;\n', ''),

	# The allocation
	('no room ends the walk', NO_ROOM, NO_ROOM.replace('ret == -ENOSPC || ', '')),
	('no room to be had ends the walk', NO_ROOM, NO_ROOM.replace(' || ret == -EBUSY', ''),
	 equivalent('an attempt that is no first one never says -EBUSY')),
	('any error is no room', NO_ROOM,
	 NO_ROOM.replace('if (ret == -ENOSPC || ret == -EBUSY)',
			 'if (ret)'), BOOTED),
	("a failed attempt of one's own has entered", '\tif (ret)\n\t\tttm_resource_not_entered(',
	 '\tif (false)\n\t\tttm_resource_not_entered(', BOOTED),
	("whatever was allocated hasn't entered", '\tif (ret)\n\t\tttm_resource_not_entered(',
	 '\tttm_resource_not_entered(', BOOTED),
	('what the allocation came to is lost', '\tevict->alloc_ret = ret;\n', '', BOOTED),
	('room is found, and the walk goes on', '\tevict->alloc_ret = ret;\n\treturn 1;',
	 '\tevict->alloc_ret = ret;\n\treturn 0;'),
	('the worthless are not remembered', WORTHLESS,
	 WORTHLESS.replace(
	     '\t\tttm_evict_scope_note_worthless(walk->arg.ctx->scope, bo);\n', ''), BOOTED),
	('the worthless are evicted', WORTHLESS, WORTHLESS.replace('\t\treturn 0;\n', '')),
	('the worthless end the walk', WORTHLESS, WORTHLESS.replace('return 0', 'return 1')),
	('what is valuable is called worthless',
	 '\tret = ttm_evict_bo(bo, walk->arg.ctx);\n\tif (ret == -ENOMEM',
	 '\tttm_evict_scope_note_worthless(walk->arg.ctx->scope, bo);\n'
	 '\tret = ttm_evict_bo(bo, walk->arg.ctx);\n\tif (ret == -ENOMEM', BOOTED),
	('any failure is for want of memory', 'if (ret == -ENOMEM && evict->search)',
	 'if (ret && evict->search)'),
	('a drain that lacks memory has a search', 'if (ret == -ENOMEM && evict->search)',
	 'if (ret == -ENOMEM)', BOOTED),
	('a failure is not told', FAILED, FAILED.replace('\t\tevict->error = ret;\n', ''), BOOTED),
	('a failure is none', FAILED, FAILED.replace('return ret', 'return 0')),
	('a failure ends the walk', FAILED, FAILED.replace('return ret', 'return -EIO')),
	('a buffer that failed has left', FAILED, '\thas_left'),
	('whatever was evicted is progress', '\tevict->evicted += has_left;\n',
	 '\tevict->evicted++;\n'),
	("what was evicted isn't counted", '\tevict->evicted += has_left;\n', '', BOOTED),
	("the allocation isn't tried after an eviction",
	 '\tif (evict->search)\n\t\treturn ttm_evict_try_alloc(evict);\n',
	 '\tif (evict->search)\n\t\treturn 0;\n'),
	('a drain counts what stays', 'return has_left ? size : 0;', 'return size;'),
	('a drain counts buffers', 'return has_left ? size : 0;', 'return has_left;'),
	('a drain counts what has left already',
	 '\thas_left = ttm_evict_has_left(bo, mem_type);\n',
	 '\thas_left = ttm_evict_has_left(bo, bo->resource ? bo->resource->mem_type : 0);\n'),

	# A walk
	("which memory is walked isn't known", '\tscope->man = man;\n', '', BOOTED),
	('no walk is soft for nested searches', SOFT, ''),
	('all walks are soft for nested searches', SOFT, '\tscope->soft = true;\n'),
	('soft walks are hard for nested searches', SOFT, SOFT.replace('<=', '==')),
	('searches for victims wait at once', SOFT,
	 SOFT.replace('<= TTM_EVICT_WAIT_ONCE', '== TTM_EVICT_TRYLOCK'), BOOTED),
	('what passed nested searches of earlier walks is passing', '\tscope->passing = false;\n',
	 '', BOOTED),
	('what was left out by nested searches of earlier walks counts',
	 '\tscope->left_out = false;\n', '', BOOTED),
	('soft walks wait', '\targ->trylock_only = effort == TTM_EVICT_TRYLOCK;\n', ''),
	('all walks are soft', '\targ->trylock_only = effort == TTM_EVICT_TRYLOCK;\n',
	 '\targ->trylock_only = true;\n'),
	('a drain never waits', '\targ->sleeping_lock = effort == TTM_EVICT_WAIT;\n', ''),
	('exhaustive walks wait once', '\targ->keep_ticket = effort == TTM_EVICT_EXHAUST;\n', '',
	 BOOTED),
	('searches keep nothing', KEEPS, ''),
	('soft walks keep nothing', KEEPS,
	 KEEPS.replace('evict->search', 'effort == TTM_EVICT_EXHAUST'), BOOTED),
	('drains keep', KEEPS, KEEPS.replace('evict->search && ', '')),
	('walks keep though the transaction was told', KEEPS,
	 KEEPS.replace(' && !scope->told', '')),
	('walks for room are bounded', '\targ->unbounded = true;\n', ''),
	('soft walks follow what moves without an end',
	 'arg->max_moved = effort == TTM_EVICT_EXHAUST ? 0 : TTM_EVICT_MAX_MOVED;',
	 'arg->max_moved = 0;'),
	('exhaustive walks end at what moves',
	 'arg->max_moved = effort == TTM_EVICT_EXHAUST ? 0 : TTM_EVICT_MAX_MOVED;',
	 'arg->max_moved = 1;', BOOTED),
	('only the last walk of two left something out', 'evict->left_out |= ttm_lru_left_out_any',
	 'evict->left_out = ttm_lru_left_out_any', BOOTED),
	('walks leave out nothing', 'ttm_lru_left_out_any(left_out) | scope->left_out;',
	 'scope->left_out;'),
	('nested searches leave out nothing', 'ttm_lru_left_out_any(left_out) | scope->left_out;',
	 'ttm_lru_left_out_any(left_out);'),
	('what moved is not passing', PASSING, PASSING.replace('left_out->moved || ', ''), BOOTED),
	('what is being released is not passing', PASSING,
	 PASSING.replace('left_out->zombies || ', '')),
	('nested searches have nothing passing', PASSING,
	 PASSING.replace(' || scope->passing', ''), BOOTED),
	('what is reserved is passing', PASSING, '\tevict->passing |= evict->left_out;\n', BOOTED),
	("an error is not the walk's end", LOW, LOW.replace('freed < 0 || ', ''), BOOTED),

	# A place
	('all places have one bit',
	 'BIT_ULL(min_t(u64, place - search->placement->placement, 63))', 'BIT_ULL(0)', BOOTED),
	('transactions are walked for without a ticket',
	 '.arg = { .ctx = search->ctx, .ticket = search->ticket },',
	 '.arg = { .ctx = search->ctx },'),
	('two attempts must succeed', 'ttm_evict_low_passes(&evict, man, 1, effort,',
	 'ttm_evict_low_passes(&evict, man, 2, effort,'),
	("a search's walk ends before it begins", 'ttm_evict_low_passes(&evict, man, 1, effort,',
	 'ttm_evict_low_passes(&evict, man, 0, effort,'),
	("no attempt at a walk's end", TRY_ONCE_MORE, ''),
	("an attempt at each walk's end, come what may", TRY_ONCE_MORE,
	 '\tdone = ttm_evict_try_alloc(&evict);\n'),
	("a walk's error is lost", '\tif (done < 0)\n\t\treturn done;\n', ''),
	('whatever the allocation came to is success', '\t\treturn evict.alloc_ret;\n',
	 '\t\treturn 0;\n', BOOTED),
	('a place has nothing passing', '\tsearch->passing |= evict.passing;\n', ''),
	('the last place alone has something passing', '\tsearch->passing |= evict.passing;\n',
	 '\tsearch->passing = evict.passing;\n', BOOTED),
	('a place leaves out nothing', LEFT_OUT_THERE,
	 LEFT_OUT_THERE.replace('evict.left_out || ', '')),
	('evictions are no reason to look again', LEFT_OUT_THERE,
	 LEFT_OUT_THERE.replace(' || evict.evicted', ''), BOOTED),
	('any place is looked at again', LEFT_OUT_THERE,
	 LEFT_OUT_THERE.replace('\tif (evict.left_out || evict.evicted)\n\t',
				''), BOOTED),
	('the last place alone left something out', LEFT_OUT_THERE,
	 LEFT_OUT_THERE.replace('|=', '='), BOOTED),
	('what is free is taken by force', PLACE, PLACE.replace('search->force_space', 'true')),
	('nothing is taken by force', PLACE, PLACE.replace('search->force_space', 'false')),
	('desired places for fallbacks', OTHER_HALF,
	 OTHER_HALF.replace('force_space ?', 'force_space ? TTM_PL_FLAG_FALLBACK :\n'
			    '\t\t\tfalse ?').replace(
	     ':\n\t\t\t\t\t       TTM_PL_FLAG_FALLBACK',
	     ':\n\t\t\t\t\t       TTM_PL_FLAG_DESIRED')),
	('fallbacks are tried at once', OTHER_HALF,
	 OTHER_HALF.replace('\t\t\t\t\t       TTM_PL_FLAG_FALLBACK', '\t\t\t\t\t       0'), BOOTED),
	('there is eviction for desired places', OTHER_HALF,
	 OTHER_HALF.replace('TTM_PL_FLAG_DESIRED', '0'), BOOTED),
	('what enters is not counted', '\treturn entries != search->entries;\n',
	 '\treturn false;\n', BOOTED),
	('what has entered before counts', '\tsearch->entries = 0;\n', '', BOOTED),
	('what enters before a later walk is not counted',
	 '\tif (search->has_walked)\n\t\treturn;\n', '', BOOTED),

	# A round
	('something has always entered', '\treturn entries != search->entries;\n',
	 '\treturn true;\n', BOOTED),
	('an earlier round has walked', '\tsearch->has_walked = false;\n', '', BOOTED),
	('exhaustively everywhere', '\tu64 left_out = search->left_out;\n',
	 '\tu64 left_out = U64_MAX;\n', BOOTED),
	('exhaustively nowhere', '\tu64 left_out = search->left_out;\n', '\tu64 left_out = 0;\n'),
	('what an earlier round left out is left out', '\tsearch->left_out = 0;\n', '', BOOTED),
	('what passed in an earlier round is passing', '\tsearch->passing = false;\n', '', BOOTED),
	('places of the other half are looked at', ROUND_INCLUDES, '\t\tif (effort', BOOTED),
	('soft rounds look only where something was left out', ROUND_ONCE,
	 ROUND_ONCE.replace('effort == TTM_EVICT_WAIT_ONCE &&\n\t\t    ', '')),
	('a lack of memory is one of room', ROUND_ERRORS,
	 ROUND_ERRORS.replace('result = ret', '0'), BOOTED),
	('a lack of memory ends the round', ROUND_ERRORS,
	 ROUND_ERRORS.replace('\t\tif (ret == -ENOMEM)\n\t\t\tresult = ret;\n\t\telse if',
			      '\t\tif'), BOOTED),
	('a lack of room ends the round', ROUND_ERRORS,
	 ROUND_ERRORS.replace('ret != -ENOSPC && ', '')),
	('a full place ends the round', ROUND_ERRORS,
	 ROUND_ERRORS.replace(' && ret != -EBUSY', '')),
	('a round goes on after any error', ROUND_ERRORS,
	 ROUND_ERRORS.replace('ret != -ENOSPC && ret != -EBUSY', '!ret')),
	('a round ends with the first success or not at all', ROUND_ERRORS,
	 ROUND_ERRORS.replace('\t\t\treturn ret;\n', '\t\t\tresult = ret;\n')),
	('what enters in a round is overlooked', ENTERED, '', BOOTED),
	('what enters in a round is not left out', ENTERED,
	 ENTERED.replace('\t\tsearch->left_out = U64_MAX;\n', ''), BOOTED),
	('what enters in a round is not passing', ENTERED,
	 ENTERED.replace('\t\tsearch->passing = true;\n', ''), BOOTED),
	('victims that lacked memory are no lack of memory',
	 'return search->too_large == U64_MAX ? result : -ENOMEM;', 'return result;', BOOTED),
	('any round lacks memory', 'return search->too_large == U64_MAX ? result : -ENOMEM;',
	 'return -ENOMEM;'),
	('a lack of memory is no refusal', 'return ret == -ENOSPC || ret == -ENOMEM;',
	 'return ret == -ENOSPC;'),
	('a lack of room is no refusal', 'return ret == -ENOSPC || ret == -ENOMEM;',
	 'return ret == -ENOMEM;'),
	('-EDEADLK is a refusal', 'return ret == -ENOSPC || ret == -ENOMEM;',
	 'return ret == -ENOSPC || ret == -ENOMEM || ret == -EDEADLK;'),

	# Pauses
	('a caller that must not wait pauses', '\tif (ctx->no_wait_gpu) {\n', '\tif (false) {\n',
	 BOOTED),
	('nobody pauses', '\tif (ctx->no_wait_gpu) {\n', '\tif (true) {\n'),
	('an uninterruptible caller is interrupted',
	 'return ctx->interruptible && signal_pending(', 'return signal_pending('),
	('all are deaf',
	 'return ctx->interruptible && signal_pending(current) ? -ERESTARTSYS : 0;', 'return 0;',
	 BOOTED),
	('a caller without a ticket waits for all',
	 'return search->ticket && !search->ctx->no_wait_gpu ?',
	 'return !search->ctx->no_wait_gpu ?', BOOTED),
	('a caller that must not wait for the GPU waits for all',
	 'return search->ticket && !search->ctx->no_wait_gpu ?', 'return search->ticket ?', BOOTED),
	('tickets are of no use', 'return search->ticket && !search->ctx->no_wait_gpu ?',
	 'return false ?'),

	# Looks
	('one soft look', 'looks < TTM_EVICT_LOOKS', 'looks < 1'),
	('soft looks at what is free are repeated', LOOKS_END,
	 LOOKS_END.replace('!search->force_space || ', ''), BOOTED),
	('nested searches look again', LOOKS_END,
	 LOOKS_END.replace('search->outer ||\n\t\t    ', ''), BOOTED),
	('looks again after success', LOOKS_END,
	 LOOKS_END.replace('!ttm_evict_is_refusal(ret) || ', '')),
	('looks again though nothing passes', LOOKS_END,
	 LOOKS_END.replace(' || !search->passing', ''), BOOTED),
	('a transaction that was told looks once',
	 '\treturn ttm_evict_next_effort(search) == TTM_EVICT_EXHAUST &&\n'
	 '\t       !search->ctx->scope->told;',
	 '\treturn ttm_evict_next_effort(search) == TTM_EVICT_EXHAUST;'),
	('no pause between soft looks',
	 '\t\tret = ttm_evict_pause(search->ctx) ?:\n'
	 '\t\t      ttm_evict_search_round(search, TTM_EVICT_TRYLOCK);',
	 '\t\tret = ttm_evict_search_round(search, TTM_EVICT_TRYLOCK);'),
	('one exhaustive round', EXHAUSTIVELY, '\treturn ret;\n'),
	('exhaustive rounds after success or -EDEADLK', EXHAUSTIVELY,
	 EXHAUSTIVELY.replace('\tif (!ttm_evict_is_refusal(ret))\n\t\treturn ret;\n\n',
			      '')),
	('the last round only where something was left out', ROUND_ONCE,
	 ROUND_ONCE.replace('== TTM_EVICT_WAIT_ONCE', '>= TTM_EVICT_WAIT_ONCE'), BOOTED),
	('the last round does not wait for what was not valuable', EXHAUSTIVELY,
	 EXHAUSTIVELY.replace('\tsearch->ctx->scope->num_worthless = 0;\n', ''), BOOTED),
	('the last round is soft', EXHAUSTIVELY, EXHAUSTIVELY.replace('EXHAUST', 'TRYLOCK')),
	('all at once exhaustively',
	 '\tint ret = ttm_evict_search_round(search, TTM_EVICT_WAIT_ONCE);',
	 '\tint ret = -ENOSPC;'),
	('the first round that waits does so for all',
	 '\tint ret = ttm_evict_search_round(search, TTM_EVICT_WAIT_ONCE);',
	 '\tint ret = ttm_evict_search_round(search, TTM_EVICT_EXHAUST);'),
	('what is free is searched for on and on', MAY_GO_ON,
	 'return !(search->outer && search->outer->soft);', BOOTED),
	('searches nested in soft ones are hard', MAY_GO_ON, 'return search->force_space;'),
	('nested searches are soft', MAY_GO_ON, 'return search->force_space && !search->outer;'),
	('no search goes on', MAY_GO_ON, 'return false;'),
	('nested searches are patient', SEARCH_ON, SEARCH_ON.replace('search->outer || ', ''),
	 BOOTED),
	('a caller that must not wait is patient', SEARCH_ON,
	 SEARCH_ON.replace(' || search->ctx->no_wait_gpu', ''), BOOTED),
	('no patience', SEARCH_ON, SEARCH_ON.replace('pauses < patience', 'pauses < 0')),
	('endless patience', SEARCH_ON, SEARCH_ON.replace('pauses < patience', 'true')),
	('soft patience keeps reservations', SEARCH_ON,
	 SEARCH_ON.replace('\t\tif (effort == TTM_EVICT_TRYLOCK)\n'
			   '\t\t\tttm_evict_scope_end(search->ctx->scope);\n', ''),
	 BOOTED),
	('exhaustive patience keeps no reservations', SEARCH_ON,
	 SEARCH_ON.replace('\t\tif (effort == TTM_EVICT_TRYLOCK)\n\t', ''), BOOTED),
	('a search that keeps reservations has full patience',
	 'effort == TTM_EVICT_EXHAUST ? TTM_EVICT_KEPT_PATIENCE :',
	 'effort == TTM_EVICT_EXHAUST ? 10000 :'),
	('patience after success or -EDEADLK', SEARCH_ON,
	 SEARCH_ON.replace('!ttm_evict_is_refusal(ret) || ', '')),
	('patience though all was seen', SEARCH_ON, SEARCH_ON.replace(' || !search->left_out', ''),
	 BOOTED),
	('patience without pauses', SEARCH_ON,
	 SEARCH_ON.replace('ttm_evict_pause(search->ctx) ?:\n\t\t      ', '')),
	('the last look is given up', 'return ttm_evict_is_refusal(ret) ? -EDEADLK : ret;',
	 'return -EDEADLK;'),
	('-EDEADLK is forgotten after the last look',
	 'return ttm_evict_is_refusal(ret) ? -EDEADLK : ret;', 'return ret;', BOOTED),
	('what was told is forgotten', TOLD, ''),
	('a transaction that was told gets nothing that is free', TOLD,
	 TOLD.replace(' && search->force_space', '')),
	('nested searches have a last look alone', TOLD, TOLD.replace(' && !search->outer', '')),
	('no soft look', SEARCH,
	 SEARCH.replace('ret = ttm_evict_look_softly(search)', 'ret = -ENOSPC')),
	('a search goes on after any error', SEARCH,
	 SEARCH.replace('ttm_evict_is_refusal(ret) && ', 'ret && '), BOOTED),
	('no last look', SEARCH, SEARCH.replace('ret == -EDEADLK && !search->outer', 'false')),
	('nested searches have last looks', SEARCH, SEARCH.replace(' && !search->outer', ''),
	 BOOTED),
	('the other half is not tried where memory is short',
	 '\tif (!search->force_space && ret == -ENOMEM)\n\t\tret = -ENOSPC;\n', '', BOOTED),
	('a lack of memory is always one of room',
	 '\tif (!search->force_space && ret == -ENOMEM)\n', '\tif (ret == -ENOMEM)\n', BOOTED),
	("nested searches don't tell what they left out", TELLS_OUTER,
	 TELLS_OUTER.replace('\t\tsearch->outer->left_out |= search->left_out != 0;\n', '')),
	("nested searches don't tell what is passing", TELLS_OUTER,
	 TELLS_OUTER.replace('\t\tsearch->outer->passing |= search->passing;\n', ''), BOOTED),
	('nested searches that found room tell what they left out', TELLS_OUTER,
	 TELLS_OUTER.replace(' && ttm_evict_is_refusal(ret)', ''), BOOTED),
	('nested searches always left something out', TELLS_OUTER,
	 TELLS_OUTER.replace('search->left_out != 0', 'true'), BOOTED),
	('the last nested search alone left something out', TELLS_OUTER,
	 TELLS_OUTER.replace('|= search->left_out', '= search->left_out'), BOOTED),

	# A call
	("scopes don't nest", '\tscope.outer = ctx->scope;\n', ''),
	("the searching buffer isn't known", '\tscope.bo = bo;\n', '', BOOTED),
	('no transaction has a ticket', '\t\t.ticket = dma_resv_locking_ctx(bo->base.resv),\n', ''),
	('no search is nested',
	 '\t\t.ticket = dma_resv_locking_ctx(bo->base.resv),\n'
	 '\t\t.outer = ctx->scope,\n', '\t\t.ticket = dma_resv_locking_ctx(bo->base.resv),\n'),
	('nobody was told before', WAS_TOLD, ''),
	('nested searches know by themselves if they were told', WAS_TOLD,
	 '\tscope.told = ctx->contended && *ctx->contended;\n'),
	('nested searches were not told', WAS_TOLD,
	 WAS_TOLD.replace('ctx->scope ? ctx->scope->told :', '!ctx->scope &&')),
	('last looks lock with the ticket', '\tsearch->ctx->scope->told = true;\n', ''),
	('memory is short from the start', '\t\t.too_large = U64_MAX,\n', ''),
	("the scope isn't known", '\tctx->scope = &scope;\n\tret = ttm_evict_search(',
	 '\tret = ttm_evict_search('),
	('the scope lives on', '\tctx->scope = search.outer;\n', ''),
	('the outer scope is forgotten', '\tctx->scope = search.outer;\n',
	 '\tctx->scope = NULL;\n'),
	("the caller's flag stays set", '\tctx->gfp_retry_mayfail = retry_mayfail;\n', ''),
	("the caller's flag is cleared", '\tctx->gfp_retry_mayfail = retry_mayfail;\n',
	 '\tctx->gfp_retry_mayfail = false;\n'),
	('the kept are never given back', '\tttm_evict_scope_end(&scope);\n', ''),
	('-EDEADLK comes out', CONVERTS, ''),
	('-EDEADLK is converted when nested', CONVERTS, CONVERTS.replace('!search.outer && ', '')),
	('-EDEADLK never comes out', CONVERTS, CONVERTS.replace(' && !ctx->contended', ''), BOOTED),
	('any error of the first half is final',
	 '\tif (ret != -ENOSPC)\n\t\treturn ret;\n'
	 '\treturn ttm_bo_alloc_resource(bo, placement, ctx, true, res);',
	 '\tif (ret)\n\t\treturn ret;\n'
	 '\treturn ttm_bo_alloc_resource(bo, placement, ctx, true, res);'),
	('the first half is by force',
	 'int ret = ttm_bo_alloc_resource(bo, placement, ctx, false, res);',
	 'int ret = ttm_bo_alloc_resource(bo, placement, ctx, true, res);'),
	('the second half is without force',
	 'return ttm_bo_alloc_resource(bo, placement, ctx, true, res);',
	 'return ttm_bo_alloc_resource(bo, placement, ctx, false, res);'),

	# Drains
	('a drain counts earlier evictions', '\t\tevict->evicted = 0;\n', '', BOOTED),
	('a drain counts what was left out earlier', '\t\tevict->left_out = false;\n', '', BOOTED),
	('a drain takes more than it is asked for',
	 'ttm_evict_low_passes(evict, man, target - freed, effort,',
	 'ttm_evict_low_passes(evict, man, target, effort,', BOOTED),
	('a drain counts its errors', '\t\tif (ret < 0)\n\t\t\treturn ret;\n\t\tfreed += ret;\n',
	 '\t\tfreed += ret;\n', BOOTED),
	('a drain counts its last walk', DRAINED, DRAINED.replace('+=', '='), BOOTED),
	("a drain doesn't know when it is done", DRAINED,
	 DRAINED.replace('\t\tif (freed >= target)\n\t\t\treturn freed;\n', ''), BOOTED),
	('a drain waits at once',
	 '\tenum ttm_evict_effort effort = TTM_EVICT_TRYLOCK;\n'
	 '\tunsigned int pauses',
	 '\tenum ttm_evict_effort effort = TTM_EVICT_WAIT;\n'
	 '\tunsigned int pauses', BOOTED),
	('a drain only tries', DRAIN_ON, DRAIN_ON.replace('TTM_EVICT_WAIT', 'TTM_EVICT_TRYLOCK')),
	('a drain gives up though it helps', DRAIN_ON, DRAIN_ON.replace('!evict->evicted', 'true'),
	 BOOTED),
	("a drain goes on though it doesn't help", DRAIN_ON,
	 DRAIN_ON.replace('!evict->evicted', 'false')),
	('a drain is patient though it saw everything', DRAIN_ON,
	 DRAIN_ON.replace('!evict->left_out || ', ''), BOOTED),
	('a drain has no patience', DRAIN_ON,
	 DRAIN_ON.replace('!evict->left_out || pauses++ == TTM_EVICT_PATIENCE', 'true')),
	('a drain has endless patience', DRAIN_ON,
	 DRAIN_ON.replace('pauses++ == TTM_EVICT_PATIENCE', 'false')),
	("a drain doesn't pause", DRAIN_ON,
	 DRAIN_ON.replace('ttm_evict_pause(evict->walk.arg.ctx)', '0')),
	('a drain is deaf', '\t\t\tif (ret)\n\t\t\t\treturn ret;\n\t\t}\n', '\t\t}\n', BOOTED),
	('a drain has no scope', '\tctx->scope = &scope;\n\tfreed', '\tfreed'),
	("a drain's scope lives on", '\tctx->scope = NULL;\n', ''),

	# All
	('any failure is a GPU that hangs', HUNG,
	 HUNG.replace(' && time_after(jiffies, began + TTM_EVICT_HUNG)', ''), BOOTED),
	('no GPU hangs', HUNG, ''),
	('a GPU that hung once hangs for ever',
	 '\tif (!search.outer)\n\t\tctx->no_wait_gpu = no_wait_gpu;\n', '', BOOTED),
	('a GPU that hung for a drain hangs for ever',
	 '\tctx->scope = NULL;\n\tctx->no_wait_gpu = no_wait_gpu;\n', '\tctx->scope = NULL;\n',
	 BOOTED),
	('a buffer that was pinned meanwhile is evicted', '\tif (bo->pin_count)\n\t\treturn 0;\n',
	 ''),
	('a buffer that stays in the memory is gone', ALL_DONE,
	 ALL_DONE.replace('\tif (!ret && !ttm_evict_has_left(bo, mem_type))\n'
			  '\t\tret = -EBUSY;\n', ''), BOOTED),
	("what couldn't go is not told", ALL_DONE, ALL_DONE.replace('evict->error = ret', '0')),
	("what goes isn't counted", ALL_DONE, ALL_DONE.replace('evict->evicted++', '0'), BOOTED),
	('whatever is tried counts', ALL_DONE, ALL_DONE.replace('\telse\n\t\tevict', '\tevict')),
	("what couldn't go is no error", ALL_DONE, ALL_DONE.replace('return ret', 'return 0'),
	 BOOTED),
	('all managers are empty', EMPTY, '\treturn true;\n', BOOTED),
	('no manager is empty', EMPTY, EMPTY.replace('return true', 'return false')),
	('emptying has no scope', 'struct ttm_operation_ctx ctx = { .scope = &scope };',
	 'struct ttm_operation_ctx ctx = { .scope = 0 ? &scope : NULL };', BOOTED),
	('emptying only tries', '.arg = { .ctx = &ctx, .sleeping_lock = true },',
	 '.arg = { .ctx = &ctx },'),
	('emptying counts earlier evictions', '\t\tevict.evicted = 0;\n', ''),
	('emptying keeps earlier errors', '\t\tevict.error = 0;\n', '', BOOTED),
	('emptying goes by ones', 'bdev, man, S64_MAX);', 'bdev, man, 0);'),
	('emptying goes on after an error',
	 '\t\tif (ret < 0)\n\t\t\treturn ret;\n\t\tif (evict.evicted)', '\t\tif (evict.evicted)',
	 BOOTED),
	('emptying ends though it helps', ALL_ENDS,
	 ALL_ENDS.replace('\t\tif (evict.evicted)\n\t\t\tcontinue;\n', ''), BOOTED),
	('emptying ends without an error', ALL_ENDS,
	 ALL_ENDS.replace('if (evict.error &&\n\t\t    (', 'if (('), BOOTED),
	('emptying ends though something was left out', ALL_ENDS,
	 ALL_ENDS.replace('(!ttm_lru_left_out_any(&evict.walk.left_out) ||\n'
			  '\t\t     pauses++ == TTM_EVICT_PATIENCE)', 'true'), BOOTED),
	('emptying has endless patience', ALL_ENDS,
	 ALL_ENDS.replace('pauses++ == TTM_EVICT_PATIENCE', 'false'), BOOTED),
	('emptying is patient though it saw everything', ALL_ENDS,
	 ALL_ENDS.replace('!ttm_lru_left_out_any(&evict.walk.left_out) ||\n\t\t     ', ''), BOOTED),
	("emptying doesn't pause",
	 '\t\tusleep_range(USEC_PER_MSEC, 2 * USEC_PER_MSEC);\n\t}\n'
	 '\treturn ttm_resource_manager_wait',
	 '\t}\n\treturn ttm_resource_manager_wait'),
)
