# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Faults of ttm_lru_walk.c, and of what it needs of ttm_resource.c."""

from .fault import BOOTED, equivalent, proof, faults

PASSES_BUSY = """\
	return !arg->ticket && !arg->ctx->resv && !(scope && scope->bo) &&
	       !ttm_lru_walk_may_wait(curs);
"""

RELEASE = """\
	if (curs->needs_unlock) {
		if (unlikely(curs->keep) && ttm_lru_walk_keep(curs, bo))
			return;
		dma_resv_unlock(bo->base.resv);
	}
	if (unlikely(curs->in_reclaim))
		ttm_bo_put_in_reclaim(bo);
	else if (curs->arg->ctx->scope)
		ttm_evict_scope_put(bo);
	else
		ttm_bo_put(bo);
"""

OWNS = """\
	return (arg->ticket && dma_resv_locking_ctx(bo->base.resv) == arg->ticket) ||
	       arg->ctx->resv == resv ||
	       ttm_evict_scope_owns(arg->ctx->scope, resv);
"""

MAY_WAIT = """\
	if (arg->trylock_only || arg->ctx->no_wait_gpu)
		return false;
	return arg->sleeping_lock ||
	       (arg->ticket && (arg->keep_ticket || !curs->waited));
"""

CONTENDED = """\
	if (ret == -EDEADLK && arg->ctx->contended && !*arg->ctx->contended) {
		ttm_bo_get(bo);
		*arg->ctx->contended = bo;
"""

ENOUGH = """\
	return curs->arg->max_moved && ttm_resource_moved(res) >= curs->began &&
	       curs->met_moved++ == curs->arg->max_moved;
"""

IS_IN = """\
	return bo->resource &&
	       ttm_manager_type(man->bdev, bo->resource->mem_type) == man;
"""

BEGAN = """\
		curs->began = curs->arg->unbounded ?
			ttm_resource_manager_tick(curs->man) : curs->since;
"""

GOES_ON = """\
	return err == -EBUSY || err == -EALREADY || err == -ENOMEM ||
	       err == -ENOSPC;
"""

WALK = faults(
	("a range's first alone tells whose lock it is",
	 '\treturn range->first->bo->base.resv == resv &&\n'
	 '\t       range->last->bo->base.resv == resv;',
	 '\treturn range->first->bo->base.resv == resv;', proof('in_shared_bulk', 'rR')),
	("a range's last alone tells whose lock it is",
	 '\treturn range->first->bo->base.resv == resv &&\n'
	 '\t       range->last->bo->base.resv == resv;',
	 '\treturn range->last->bo->base.resv == resv;', proof('in_shared_bulk', 'Rr')),
	('ends that are alike tell whose lock it is',
	 '\treturn range->first->bo->base.resv == resv &&\n'
	 '\t       range->last->bo->base.resv == resv;',
	 '\treturn range->first->bo->base.resv == range->last->bo->base.resv || !resv;'),
	('busy ranges are not passed by',
	 '\tif (ttm_resource_in_shared_bulk(res))\n'
	 '\t\tttm_resource_cursor_skip_bulk(&curs->res_curs);\n', ''),
	('any range is passed by',
	 '\tif (ttm_resource_in_shared_bulk(res))\n',
	 '\tif (true)\n'),
	('holds twice as long', '#define TTM_LRU_WALK_HOLD\t32', '#define TTM_LRU_WALK_HOLD\t64'),
	("busy buffers don't count for the hold", '\t} while (left);',
	 '\t\tleft = TTM_LRU_WALK_HOLD;\n\t} while (left);'),
	("plain resources don't count for the hold", '\t\t\tleft--;\n', ''),
	("ignored resources don't count for the hold",
	 'ttm_resource_cursor_advance_within(&curs->res_curs, &budget);\n',
	 'ttm_resource_cursor_advance(&curs->res_curs);\n\tbudget--;\n'),
	('parks at each step', '\t\tres = ERR_PTR(-EAGAIN);\n',
	 '\t\tttm_resource_cursor_pause(res_curs);\n\t\tres = ERR_PTR(-EAGAIN);\n'),
	("doesn't park before the lock is dropped", '\tttm_resource_cursor_pause(res_curs);\n', ''),
	('walks are not bounded', '\tif (arg->unbounded)\n', '\tif (true)\n'),
	("a walk's bound is forgotten",
	 '\treturn ttm_resource_cursor_is_bounded(cursor) ?\n'
	 '\t       ttm_lru_item_stamp(&cursor->hitch) : U64_MAX;', '\treturn U64_MAX;'),
	('a buffer that moved when the walk began is taken', '    unlikely(item->state >= since))',
	 '    unlikely(ttm_lru_item_stamp(item) > since))'),
	('a member is taken, though its range moved',
	 '\treturn (item->state & kind) == member && cursor->range &&\n'
	 '\t       cursor->at == &cursor->hitch.link &&\n'
	 '\t       cursor->range->first->lru.state < since;',
	 '\treturn (item->state & kind) == member;'),
	("a member's range isn't looked at", '\t       cursor->range->first->lru.state < since;',
	 '\t       true;'),
	('hitches are taken', '\tif (likely((item->state & kind) == loose))\n',
	 '\tif ((item->state & kind) == loose ||\n'
	 '\t    !ttm_lru_item_is_res(item))\n'),
	("the list's head is taken", '\t    unlikely(&item->link == cursor->list) ||\n', '',
	 equivalent("what follows a head in memory, the next or the clock, has a resource's "
	            'bits never')),
	('goes on from where it was', '\t\treturn false;\n\tcursor->at = &item->link;\n',
	 '\t\treturn false;\n'),
	("a long hold is a walk's end", '\t\tif (!res)\n\t\t\treturn NULL;\n',
	 '\t\tif (IS_ERR_OR_NULL(res))\n\t\t\treturn NULL;\n'),
	('what the walk holds counts as passed by', '\tif (!owned)\n\t\tcurs', '\tcurs'),
	("what is passed by isn't counted", '\t\tcurs->left_out.busy++;\n', '\t\t;\n'),
	("what is busy isn't counted", '\t\tttm_lru_walk_skip(curs, res, false);\n',
	 '\t\tttm_lru_walk_skip(curs, res, true);\n'),
	("busy buffers that the walk may hold aren't tried", PASSES_BUSY,
	 PASSES_BUSY.replace('!arg->ticket && ', '')),
	("busy buffers that may be lent aren't tried", PASSES_BUSY,
	 PASSES_BUSY.replace('!arg->ctx->resv && ', '')),
	("busy buffers that searches keep aren't tried", PASSES_BUSY,
	 PASSES_BUSY.replace(' && !(scope && scope->bo)', ''), BOOTED),
	('soft walks keep what is still there',
	 '\tif (arg->trylock_only && ttm_lru_walk_is_in(bo, curs->man))\n\t\treturn false;\n', '',
	 BOOTED),
	('soft walks keep what is still there, and nothing else',
	 'arg->trylock_only && ttm_lru_walk_is_in(', 'arg->trylock_only && !ttm_lru_walk_is_in(',
	 BOOTED),
	('busy buffers are never waited for', PASSES_BUSY,
	 PASSES_BUSY.replace(' &&\n\t       !ttm_lru_walk_may_wait(curs)', '')),
	('free buffers are passed by, too',
	 'curs->never_waits && dma_resv_is_locked(bo->base.resv)', 'curs->never_waits'),
	('any busy buffer is passed by', 'curs->never_waits && dma_resv_is_locked(bo->base.resv)',
	 'dma_resv_is_locked(bo->base.resv)'),
	('a buffer that is being released is tried', '\tif (!kref_read(&bo->kref)) {\n',
	 '\tif (false) {\n'),
	("a buffer that is being released isn't counted",
	 '\t\tcurs->left_out.zombies++;\n\t\treturn false;\n\t}\n\n\tif (curs->never_waits',
	 '\t\treturn false;\n\t}\n\n\tif (curs->never_waits'),
	('what is lent is passed by', '\treturn curs->arg->ctx->resv == res->bo->base.resv &&',
	 '\treturn false &&'),
	('what is lent is given back, too', RELEASE, RELEASE.replace('curs->needs_unlock', 'true')),
	('reservations are kept', RELEASE,
	 RELEASE.replace('\t\tdma_resv_unlock(bo->base.resv);\n', '')),
	('references are kept', RELEASE, RELEASE.replace('ttm_bo_put(bo)', '0')),
	('references are kept in a search', RELEASE,
	 RELEASE.replace('ttm_evict_scope_put(bo)', '0')),

	# What making room needs
	("no buffer is the transaction's own", OWNS,
	 OWNS.replace('arg->ticket && dma_resv_locking_ctx(bo->base.resv) == arg->ticket',
		      'false')),
	("all busy buffers are the transaction's own", OWNS,
	 OWNS.replace('arg->ticket && dma_resv_locking_ctx(bo->base.resv) == arg->ticket',
		      'arg->ticket')),
	("what has no ticket is one's own without a ticket", OWNS,
	 OWNS.replace('arg->ticket && ', '')),
	("the searching buffer's reservation is not its own", OWNS,
	 OWNS.replace('ttm_evict_scope_owns(arg->ctx->scope, resv)', 'false'), BOOTED),
	('as many are kept without a ticket as with one',
	 '\tif (!arg->ticket && arg->ctx->scope->num == TTM_EVICT_SCOPE_FEW)\n\t\treturn false;\n',
	 '', BOOTED),
	('walks that only try wait', MAY_WAIT, MAY_WAIT.replace('arg->trylock_only || ', '')),
	('walks that must not wait for the GPU wait for others', MAY_WAIT,
	 MAY_WAIT.replace(' || arg->ctx->no_wait_gpu', ''), BOOTED),
	("walks without a ticket don't wait", MAY_WAIT,
	 MAY_WAIT.replace('arg->sleeping_lock ||\n\t       ', '')),
	('walks that have no ticket wait once', MAY_WAIT, MAY_WAIT.replace('arg->ticket && ', ''),
	 BOOTED),
	('walks that keep their ticket wait once', MAY_WAIT,
	 MAY_WAIT.replace('arg->keep_ticket || ', ''), BOOTED),
	('walks wait for all', MAY_WAIT,
	 MAY_WAIT.replace('(arg->keep_ticket || !curs->waited)', 'true'), BOOTED),
	("walks with a ticket don't wait", MAY_WAIT,
	 MAY_WAIT.replace('(arg->keep_ticket || !curs->waited)', 'arg->keep_ticket'), BOOTED),
	('what is kept has no ticket', '\tcurs->needs_unlock = unlikely(curs->keep) ?\n',
	 '\tcurs->needs_unlock = false ?\n'),
	('what is tried has the ticket', '\tcurs->needs_unlock = unlikely(curs->keep) ?\n',
	 '\tcurs->needs_unlock = true ?\n'),
	("what is lent needn't be",
	 'return curs->arg->ctx->allow_res_evict && ttm_lru_walk_is_lent(curs, res);',
	 'return ttm_lru_walk_is_lent(curs, res);', BOOTED),
	('all is lent', 'return curs->arg->ctx->resv == res->bo->base.resv &&', 'return true &&'),
	('what is lent prolongs the walk',
	 '\t       !(curs->keep && ttm_resource_moved(res) >= curs->began);', '\t       true;',
	 BOOTED),
	("waits can't be interrupted", '\tret = arg->ctx->interruptible ?\n', '\tret = false ?\n',
	 BOOTED),
	('all waits can be interrupted', '\tret = arg->ctx->interruptible ?\n', '\tret = true ?\n'),
	('what was waited for is not given back', '\tcurs->needs_unlock = !ret;\n', ''),
	('what was not to be had is given back', '\tcurs->needs_unlock = !ret;\n',
	 '\tcurs->needs_unlock = true;\n'),
	('that it waited is forgotten', '\tcurs->waited = true;\n', '', BOOTED),
	('any failure to lock is told as contended', CONTENDED,
	 CONTENDED.replace('ret == -EDEADLK', 'ret')),
	('what is contended is told to nobody', CONTENDED,
	 CONTENDED.replace('arg->ctx->contended', '!arg->ctx->contended', 1)),
	("callers that can't be told are", CONTENDED,
	 CONTENDED.replace('arg->ctx->contended && ', '', 1)),
	('the last contended one is told, and not the first', CONTENDED,
	 CONTENDED.replace(' && !*arg->ctx->contended', ''), BOOTED),
	("what is contended isn't referenced", CONTENDED,
	 CONTENDED.replace('\t\tttm_bo_get(bo);\n', '')),
	('what is contended is referenced, and not told', CONTENDED,
	 CONTENDED.replace('\t\t*arg->ctx->contended = bo;\n', '')),
	('what others hold alone is not left out', '\tif (!owned)\n\t\tcurs',
	 '\tif (owned)\n\t\tcurs'),
	("what is kept is others'", 'return scope && ttm_evict_scope_keeps(scope, bo);',
	 'return false;'),
	('walks without a scope have one', 'return scope && ttm_evict_scope_keeps(scope, bo);',
	 'return ttm_evict_scope_keeps(scope, bo);'),
	('waits for what is not valuable',
	 'return !scope || !ttm_evict_scope_is_worthless(scope, bo);', 'return true;', BOOTED),
	('waits for nothing in a scope',
	 'return !scope || !ttm_evict_scope_is_worthless(scope, bo);', 'return !scope;'),
	('what is kept is met for ever',
	 '\t\tcurs->locked = ttm_resource_moved(res) < curs->began;\n',
	 '\t\tcurs->locked = true;\n'),
	('what is kept is never met',
	 '\t\tcurs->locked = ttm_resource_moved(res) < curs->began;\n',
	 '\t\tcurs->locked = false;\n'),
	('what is kept is met when it moved as the walk began',
	 '\t\tcurs->locked = ttm_resource_moved(res) < curs->began;\n',
	 '\t\tcurs->locked = ttm_resource_moved(res) <= curs->began;\n'),
	('waits for its own', '\tif (!owned && ttm_lru_walk_may_wait(curs) &&\n',
	 '\tif (ttm_lru_walk_may_wait(curs) &&\n'),
	('what is busy is waited for by all', '\tif (!owned && ttm_lru_walk_may_wait(curs) &&\n',
	 '\tif (!owned &&\n'),
	('what is busy is not skipped', '\tttm_lru_walk_skip(curs, res, owned);\n', ''),
	("a lock isn't given back when the last reference has gone",
	 '\t\tif (curs->needs_unlock)\n\t\t\tdma_resv_unlock(bo->base.resv);\n', '', BOOTED),
	("a buffer whose last reference has gone isn't counted",
	 '\t\t\tdma_resv_unlock(bo->base.resv);\n\t\tcurs->left_out.zombies++;\n',
	 '\t\t\tdma_resv_unlock(bo->base.resv);\n', BOOTED),
	('a walk never meets too many that moved', ENOUGH,
	 ENOUGH.replace('curs->arg->max_moved &&', 'false &&')),
	('no walk meets any that moved', ENOUGH,
	 ENOUGH.replace('curs->arg->max_moved &&', 'true ||')),
	('all count as moved', ENOUGH,
	 ENOUGH.replace('ttm_resource_moved(res) >= curs->began &&\n\t       ', ''), BOOTED),
	('a buffer that moved as the walk began has not', ENOUGH, ENOUGH.replace('>=', '>')),
	('buffers that moved are not counted', ENOUGH, ENOUGH.replace('met_moved++', 'met_moved')),
	('a buffer that moved is not left out',
	 '\tcurs->left_out.moved += *left - budget - !IS_ERR_OR_NULL(res);\n', '',
	 BOOTED),
	('a returned buffer counts as left out',
	 'left - budget - !IS_ERR_OR_NULL(res);', 'left - budget;', BOOTED),
	('a walk beyond max_moved goes on',
	 '\tttm_resource_cursor_fini(&curs->res_curs);\n\tcurs->left_out.moved++;\n',
	 '\tcurs->left_out.moved++;\n', BOOTED),
	('a walk that ends at max_moved left out nothing',
	 '\tttm_resource_cursor_fini(&curs->res_curs);\n\tcurs->left_out.moved++;\n',
	 '\tttm_resource_cursor_fini(&curs->res_curs);\n', BOOTED),
	('a walk that ends at max_moved can be continued',
	 '\tcurs->left_out.moved++;\n\treturn NULL;\n',
	 '\tcurs->left_out.moved++;\n\treturn res;\n', BOOTED),
	('what enters is not left out',
	 '\tif (!res && curs->man->lru_entries != curs->entries)\n\t\tcurs->left_out.moved++;\n',
	 '', BOOTED),
	('what enters is left out at each hold', '\tif (!res && curs->man->lru_entries',
	 '\tif (curs->man->lru_entries', BOOTED),
	('walks end where they stand',
	 '\tguard(spinlock)(&curs->man->bdev->lru_lock);\n'
	 '\tttm_resource_cursor_fini(&curs->res_curs);\n', ''),
	('a buffer is released twice', '\tcurs->bo = NULL;\n', ''),
	('all walks keep', RELEASE,
	 RELEASE.replace('unlikely(curs->keep)', 'curs->arg->ctx->scope')),
	('no walk keeps', RELEASE, RELEASE.replace('unlikely(curs->keep)', 'false')),
	('a last reference is kept', '\tif (kref_read(&bo->kref) == 1)\n\t\treturn false;\n', '',
	 BOOTED),
	('what is kept is given back, too', RELEASE,
	 RELEASE.replace('\t\t\treturn;\n', '\t\t\t;\n')),
	('what was replaced by nothing is in', IS_IN,
	 IS_IN.replace('bo->resource &&\n\t       ', ''), BOOTED),
	('what is elsewhere is in', IS_IN, 'return bo->resource;'),
	('what is nowhere any more is out', IS_IN, 'return false;'),
	('another resource is the one that was met',
	 'if (likely(curs->locked && bo->resource == res))', 'if (likely(curs->locked))', BOOTED),
	('what is not locked is returned', 'if (likely(curs->locked && bo->resource == res))',
	 'if (likely(bo->resource == res))'),
	('what is locked is waited for',
	 '\t\tret = curs->locked ? 0 : ttm_lru_walk_lock(curs, bo);\n',
	 '\t\tret = ttm_lru_walk_lock(curs, bo);\n', BOOTED),
	('what was waited for in vain is returned',
	 '\t\tif (!ret && ttm_lru_walk_is_in(bo, man))\n',
	 '\t\tif (ttm_lru_walk_is_in(bo, man))\n'),
	('what has gone is returned', '\t\tif (!ret && ttm_lru_walk_is_in(bo, man))\n',
	 '\t\tif (!ret)\n'),
	('what was replaced is not left out',
	 '\t\tif (!ret && !curs->locked)\n\t\t\tcurs->left_out.replaced++;\n', '', BOOTED),
	('what has no buffer is left out', '\t\tif (!ret && !curs->locked)\n', '\t\tif (!ret)\n',
	 BOOTED),
	("what couldn't be locked was replaced", '\t\tif (!ret && !curs->locked)\n',
	 '\t\tif (!curs->locked)\n', BOOTED),
	('what is not returned is not released',
	 '\t\t\tcurs->left_out.replaced++;\n\t\tttm_bo_lru_cursor_release(curs);\n',
	 '\t\t\tcurs->left_out.replaced++;\n'),
	("one's own lock ends the walk", '\t\tif (ret && ret != -EALREADY) {\n',
	 '\t\tif (ret) {\n', equivalent('what the transaction holds already is never waited for')),
	('no lock ends the walk', '\t\tif (ret && ret != -EALREADY) {\n', '\t\tif (false) {\n'),
	("the walk's end isn't one",
	 '\t\t\tttm_bo_lru_cursor_end(curs);\n\t\t\treturn ERR_PTR(ret);',
	 '\t\t\treturn ERR_PTR(ret);', BOOTED),
	('an error is an end', '\t\t\tttm_bo_lru_cursor_end(curs);\n\t\t\treturn ERR_PTR(ret);',
	 '\t\t\tttm_bo_lru_cursor_end(curs);\n\t\t\treturn NULL;'),
	('an unbounded walk does not know when it began', BEGAN,
	 '\t\tcurs->began = curs->since;\n'),
	('an unbounded walk began in the past', BEGAN,
	 BEGAN.replace('ttm_resource_manager_tick(curs->man)', 'curs->man->lru_clock')),
	('a bounded walk began never', BEGAN, BEGAN.replace('curs->since', '0'),
	 equivalent('a bounded walk returns nothing that has moved, and searches, which keep,'
	            ' have none')),
	('what is limited is simply taken',
	 '\t\tif (curs->arg->max_moved)\n\t\t\tcurs->since = curs->began;\n', ''),
	('all has entered',
	 '\t\tcurs->entries = ttm_resource_manager_entries(curs->man);\n', '', BOOTED),
	('an entry that the walk counted is taken back',
	 '\t\tcurs->entries = ttm_resource_manager_entries(curs->man);\n',
	 '\t\tcurs->entries = curs->man->lru_entries;\n', BOOTED),
	('a full place ends a walk', GOES_ON, GOES_ON.replace(' ||\n\t       err == -ENOSPC', '')),
	('a busy buffer ends a walk', GOES_ON, GOES_ON.replace('err == -EBUSY || ', '')),
	('a lack of memory ends a walk', GOES_ON, GOES_ON.replace(' || err == -ENOMEM', ''),
	 BOOTED),
	('-EDEADLK is of one buffer alone', GOES_ON,
	 GOES_ON.replace('err == -ENOSPC', 'err == -ENOSPC || err == -EDEADLK')),
	('signals are of one buffer alone', GOES_ON,
	 GOES_ON.replace('err == -ENOSPC', 'err == -ENOSPC || err == -ERESTARTSYS'), BOOTED),
	('progress is that of all walks', '\twalk->progress = 0;\n', '', BOOTED),
	('progress is that of the last step', '\t\t\twalk->progress += ret;\n',
	 '\t\t\twalk->progress = ret;\n', BOOTED),
	('no error ends a walk', '\t\telse if (ret && !ttm_lru_walk_goes_on(ret))\n\t\t\tbreak;\n',
	 ''),
	('all errors end a walk', '\t\telse if (ret && !ttm_lru_walk_goes_on(ret))\n',
	 '\t\telse if (ret)\n'),
	("a failure of one buffer is the walk's",
	 '\t\tret = 0;\n\t\tif (walk->progress >= target)\n',
	 '\t\tif (walk->progress >= target)\n'),
	('more is done than was asked for', '\t\tif (walk->progress >= target)\n',
	 '\t\tif (walk->progress > target)\n'),
	("what was left out isn't told", '\twalk->left_out = cursor.left_out;\n', ''),
	('a walk is not ended',
	 '\twalk->left_out = cursor.left_out;\n\tttm_bo_lru_cursor_fini(&cursor);\n',
	 '\twalk->left_out = cursor.left_out;\n'),
	('a failure to lock is none',
	 '\tif (IS_ERR(bo))\n\t\treturn PTR_ERR(bo);\n\treturn ret ?:', '\treturn ret ?:'),
	("the error that ended it isn't told", '\treturn ret ?: walk->progress;\n',
	 '\treturn walk->progress;\n'),
)

ENTRIES = faults(
	("what enters isn't counted", '\tman->lru_entries++;\n', '', BOOTED),
	("what enters is no allocation's", '\tWRITE_ONCE(man->lru_newest, new);\n', '', BOOTED),
	("what becomes evictable hasn't entered",
	 '\tif (!stays) {\n\t\tttm_resource_manager_entered(man, NULL);\n', '\tif (!stays) {\n',
	 BOOTED),
	("what joins hasn't entered",
	 '\t\tttm_resource_manager_entered(man, NULL);\n'
	 '\t\tttm_resource_join(res, bo, bulk, man);\n',
	 '\t\tttm_resource_join(res, bo, bulk, man);\n', BOOTED),
	("what is new hasn't entered", '\t\tttm_resource_manager_entered(man, bo);\n', '', BOOTED),
	('what failed had entered', '\tman->lru_entries--;\n', '', BOOTED),
	('another has not entered', '\tif (man->lru_newest != bo)\n\t\treturn;\n', '', BOOTED),
	('what failed fails again',
	 '\tWRITE_ONCE(man->lru_newest, NULL);\n\tman->lru_entries--;\n',
	 '\tman->lru_entries--;\n', BOOTED,
	 equivalent('the next attempt clears it before it allocates; that it is clear already'
		    ' only saves that attempt the lock')),
)
