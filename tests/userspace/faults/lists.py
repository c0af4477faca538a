# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Faults of ttm_resource.c: registration, ranges, moves between lists, stamps."""

from .fault import PROOF_ONLY, equivalent, proof, faults

JOINED = """\
	range->last = res;
	ttm_resource_latch(res, TTM_LRU_RANGE, priority, man->lru_clock);
"""

SETTLED = """\
		list_move_tail(&res->lru.link, list);
		ttm_resource_latch(res, unevictable ? TTM_LRU_UNEVICTABLE :
						      TTM_LRU_LOOSE,
				   bo->priority,
				   man->lru_clock | TTM_LRU_AT_TAIL);
	}
	if (bulk &&"""

ENTERED = """\
		list_add_tail(&res->lru.link, &man->lru[bo->priority]);
		ttm_resource_latch(res, TTM_LRU_LOOSE, bo->priority,
				   man->lru_clock | TTM_LRU_AT_TAIL);
"""

WENT_TO_TAIL = """\
		list_move_tail(&res->lru.link, &man->lru[priority]);
		ttm_resource_latch(res, TTM_LRU_LOOSE, priority,
				   man->lru_clock | TTM_LRU_AT_TAIL);
"""

TO_RANGE_TAIL = """\
		ttm_range_move_tail(&bulk->pos[res->mem_type][bo->priority],
				    res, state | clock);
"""

LEFT_MIDDLE = """\
				   ttm_lru_item_priority(&res->lru),
				   man->lru_clock);
	}
}
"""

CURSORS_INSIDE = """\
		list_move(&cursor->hitch.link, &cursor->range->last->lru.link);
		ttm_cursor_deregister(cursor);
"""

BULK_WENT = """\
			    &last->lru.link);
	ttm_resource_latch(first, TTM_LRU_RANGE, priority,
			   man->lru_clock | TTM_LRU_AT_TAIL);
"""

LIST_ENDS = """\
		ttm_cursor_unlink(cursor);
		ttm_cursor_set_list(cursor,
				    ttm_resource_cursor_priority(cursor) + 1);
		node = cursor->list;
	}

	ttm_resource_cursor_fini(cursor);
	return NULL;
"""

PARKED = """\
		ttm_cursor_register(cursor, res->bo->bulk_move, range);
	else
		ttm_cursor_deregister(cursor);
"""

LISTS = faults(
	# Linux's own defects, put back
	('7.3: registered though no longer inside (first)',
	 '\t\tttm_cursor_deregister(ttm_lru_item_to_cursor(item));\n',
	 '\t\tif (!forward)\n'
	 '\t\t\tttm_cursor_deregister(ttm_lru_item_to_cursor(item));\n'),
	('7.3: registered though no longer inside (last)',
	 '\t\tttm_cursor_deregister(ttm_lru_item_to_cursor(item));\n',
	 '\t\tif (forward)\n'
	 '\t\t\tttm_cursor_deregister(ttm_lru_item_to_cursor(item));\n'),
	('7.3: unpinned first member stays unevictable', SETTLED, '\t\tif (!bulk)\n\t' + SETTLED),
	('7.3: parked behind last is registered too', '\tif (range && range->last != res)\n',
	 '\tif (range)\n', proof('pause', 'hR')),
	('7.3: reads beyond the last priority',
	 'while (ttm_resource_cursor_priority(cursor) < TTM_MAX_BO_PRIORITY)',
	 'while (ttm_resource_cursor_priority(cursor) <= TTM_MAX_BO_PRIORITY)',
	 proof('advance_within', 'h')),
	('7.3: first goes on at the current priority',
	 '\tttm_resource_cursor_fini(cursor);\n\tttm_cursor_set_list(cursor, 0);\n',
	 '\tunsigned int p = ttm_resource_cursor_priority(cursor);\n\n'
	 '\tttm_resource_cursor_fini(cursor);\n'
	 '\tttm_cursor_set_list(cursor, p % TTM_MAX_BO_PRIORITY);\n'
	 '\tman = (void *)man + p % TTM_MAX_BO_PRIORITY * sizeof(man->lru[0]);\n'),
	("7.3: a walk's end leaves the hitch on the list", LIST_ENDS,
	 '\t\tif (ttm_resource_cursor_priority(cursor) < TTM_MAX_BO_PRIORITY - 1)\n'
	 '\t' + LIST_ENDS.replace('ttm_resource_cursor_fini(cursor)',
	                          'ttm_cursor_set_at(cursor, &cursor->hitch.link)')),
	("7.3: a swapped-out member doesn't leave its range", 'if (!bulk || !stays)\n',
	 'if (!bulk)\n'),
	('7.3: tail of a resource that is in no range yet',
	 '\tif (likely((u8)res->lru.state == (u8)state))\n', '\tif (true)\n', proof('tail', 'r')),
	('7.3: a bulk that ends keeps its members', '\twhile ((res = range->first)) {',
	 '\twhile ((res = NULL)) {', proof('bulk_fini', 'R2')),

	# Registration
	('register keeps the old range', '\tif (cursor->range == range)\n', '\tif (cursor->range)\n'),
	("register forgets the bulk's list",
	 '\tlist_move_tail(&cursor->bulk_link, &bulk->cursor_list);\n', ''),
	("deregister forgets the bulk's list",
	 '\tcursor->range = NULL;\n\tlist_del_init(&cursor->bulk_link);',
	 '\tcursor->range = NULL;'),
	('parking never registers',
	 '\t\tttm_cursor_register(cursor, res->bo->bulk_move, range);\n'
	 '\telse\n\t\tttm_cursor_deregister(cursor);', '\t\tttm_cursor_deregister(cursor);'),
	('parking never deregisters', '\telse\n\t\tttm_cursor_deregister(cursor);\n}', '}'),
	('a step to last leaves the cursor registered',
	 'range ? !one_step || range->last == res :', 'range ? !one_step :', proof('pause', 'RhR')),
	('steps out of a range leave the cursor registered',
	 'range ? !one_step || range->last == res :', 'range ? range->last == res :',
	 proof('pause', 'RhRR')),
	("a step into a range isn't looked at",
	 '\t\t    ttm_lru_item_in_range(&res->lru))\n\t\tttm_cursor_update_range',
	 '\t\t    false)\n\t\tttm_cursor_update_range'),
	('any hold is taken for one step',
	 '\tbool one_step = cursor->hitch.link.next == cursor->at;\n', '\tbool one_step = true;\n'),
	('pause looks at no registration', '\tif (at == cursor->list)\n', '\tif (true)\n'),
	('next looks at no registration', '\tttm_cursor_parked_at(cursor, res, true);\n', '',
	 proof('next', 'hRR')),
	('never registers', PARKED, '\t\t;\n\telse\n\t\tttm_cursor_deregister(cursor);\n',
	 proof('pause', 'hRR')),

	# Ranges
	('the new end is looked for on the wrong side',
	 'ttm_range_new_end(res, true));\n\telse if', 'ttm_range_new_end(res, false));\n\telse if'),
	('an emptied range keeps its ends',
	 '\t\t*range = (struct ttm_lru_bulk_move_pos) {};\n\telse if', '\t\t;\n\telse if',
	 proof('del', 'r')),
	('a member that left is still latched into the range',
	 '\tttm_resource_latch(res, TTM_LRU_LOOSE,\n'
	 '\t\t\t   ttm_lru_item_priority(&res->lru), moved | at_tail);',
	 '\tttm_resource_latch(res, TTM_LRU_RANGE,\n'
	 '\t\t\t   ttm_lru_item_priority(&res->lru), moved | at_tail);'),
	('joins right behind last, before its hitches', '\t\ttail = &item->link;\n', '',
	 proof('add', 'RHr')),
	('joins behind one hitch only', '\t\ttail = &item->link;\n',
	 '\t\ttail = &item->link;\n\t\tbreak;\n'),
	('joining registers nobody',
	 '\t\tttm_cursor_register(ttm_lru_item_to_cursor(item), bulk, range);\n'
	 '\t\ttail', '\t\ttail', proof('add', 'RHr')),
	('a joining resource is not last', JOINED, JOINED.replace('\trange->last = res;\n', ''),
	 proof('add', 'Rr')),
	('relinks a member that follows already',
	 '\tif (tail->next != &res->lru.link)\n\t\tlist_move(', '\tlist_move(',
	 equivalent('taken out and put back in the same place')),
	('an empty range begins without first', '(struct ttm_lru_bulk_move_pos) { res, res };',
	 '(struct ttm_lru_bulk_move_pos) { .last = res };'),
	('leaves the middle and stays there', '\tif (inner) {\n', '\tif (false) {\n',
	 proof('del', 'RrR')),
	('leaves the middle to before last', '\t\tlist_move(&res->lru.link, &last->lru.link);',
	 '\t\tlist_move_tail(&res->lru.link, &last->lru.link);'),
	("leaves the middle to the LRU's tail", '\t\tlist_move(&res->lru.link, &last->lru.link);',
	 '\t\tlist_move_tail(&res->lru.link,\n'
	 '\t\t\t       ttm_resource_list(res->bo->bdev, res));'),
	('leaves an end as if it was the middle', 'bool inner = res != range->first && res != last;',
	 'bool inner = res != last;'),
	('hitches next to a leaving end stay registered',
	 '\t\tttm_cursor_deregister(ttm_lru_item_to_cursor(item));\n', '', proof('del', 'rHR')),

	# Settling
	('a pin is overlooked', 'return bo->pin_count || ttm_resource_is_swapped(res, bo);',
	 'return ttm_resource_is_swapped(res, bo);'),
	('a swap-out is overlooked', 'return bo->pin_count || ttm_resource_is_swapped(res, bo);',
	 'return bo->pin_count;', proof('del', 'r')),
	('swapped out, though not the current resource', 'if (!bo->ttm || bo->resource != res)',
	 'if (!bo->ttm)'),
	('settling moves a resource that stays', '\tif (!stays) {\n', '\tif (true) {\n'),
	('an entering resource goes to the head', SETTLED,
	 SETTLED.replace('list_move_tail', 'list_move')),
	("the new priority isn't latched", SETTLED,
	 SETTLED.replace('bo->priority',
			 'ttm_lru_item_priority(&res->lru)'), proof('add', 'r')),
	('a new priority is overlooked', '->lru[bo->priority];\n\tstays',
	 '->lru[ttm_lru_item_priority(&res->lru)];\n\tstays'),
	('joins from the unevictable list',
	 'if (bulk && ttm_lru_item_place(&res->lru) == TTM_LRU_LOOSE)',
	 'if (bulk && ttm_lru_item_place(&res->lru) != TTM_LRU_RANGE)'),
	('leaving a bulk is overlooked', '\tttm_resource_sync(res, bo, NULL);',
	 '\tttm_resource_sync(res, bo, bo->bulk_move);'),
	('a member that becomes unevictable stays in its range', '\t\tif (!bulk || !stays)\n',
	 '\t\tif (!bulk && stays)\n', proof('del', 'r')),

	# Moving
	('the last resource goes to the tail again',
	 '\tif (range->last == res)\n\t\treturn;\n\tif (range->first', '\tif (range->first'),
	("tail in a range goes to the LRU's tail", '\t} else if (bulk) {\n',
	 '\t} else if (false) {\n', proof('tail', 'rR')),
	('tail in a range goes to before last',
	 '\tlist_move(&res->lru.link, &range->last->lru.link);\n',
	 '\tlist_move_tail(&res->lru.link, &range->last->lru.link);\n'),
	('tail in a range goes ahead of the cursors that passed', TO_RANGE_TAIL,
	 """\
	{
		if (bulk->pos[res->mem_type][bo->priority].last == res)
			return;
		ttm_range_del(ttm_resource_range(res), res);
		ttm_resource_join(res, bo, bulk,
				  ttm_manager_type(bo->bdev, res->mem_type));
	}
""",
	 equivalent("what moved may be met again; that it isn't is proved, and the case "
	            'ttm_lru_p1_member_to_tail_stays_behind'), proof('tail', 'rRH')),
	("tail of a range's first leaves it first",
	 '\t\tttm_range_del_first(range, res, ttm_lru_item_to_res(next));\n', '',
	 proof('tail', 'rR')),
	("tail of a range's first leaves hitches registered",
	 '\t\tif (unlikely(!ttm_lru_item_is_res(next))) {\n',
	 '\t\twhile (!ttm_lru_item_is_res(next))\n'
	 '\t\t\tnext = list_next_entry(next, link);\n'
	 '\t\tif (false) {\n'),
	('tail overlooks a pin',
	 '\tif (unlikely(ttm_resource_is_unevictable(res, bo))) {\n'
	 '\t\tttm_resource_sync_at_tail(res, bo);\n',
	 '\tif (false) {\n\t\tttm_resource_sync_at_tail(res, bo);\n', proof('tail', 'r')),
	("tail of a joining resource doesn't settle",
	 '\telse\n\t\tttm_resource_sync_at_tail(res, bo);\n', ''),
	("tail doesn't look whether it is a member by now",
	 '\tif (likely((u8)res->lru.state == (u8)state))\n',
	 '\tif (ttm_lru_item_place(&res->lru) & (TTM_LRU_RANGE | TTM_LRU_LOOSE))\n'),
	('a bulk takes the cursors inside along', CURSORS_INSIDE,
	 '\t\tttm_cursor_deregister(cursor);\n'),
	('a bulk sees to no cursors', '\tif (unlikely(!list_empty(&bulk->cursor_list)))\n',
	 '\tif (false)\n'),
	('a bulk sets cursors before the range', CURSORS_INSIDE,
	 CURSORS_INSIDE.replace('list_move', 'list_move_tail')
	 .replace('last', 'first'),
	 equivalent('the range goes, and before it is then the same place as behind it')),
	('a bulk sets cursors behind first', CURSORS_INSIDE,
	 CURSORS_INSIDE.replace('last', 'first')),
	('a bulk leaves its cursors registered', CURSORS_INSIDE,
	 CURSORS_INSIDE.replace('\t\tttm_cursor_deregister(cursor);\n', ''),
	 proof('bulk_tail', 'RHR')),
	('a bulk sees to one cursor only', CURSORS_INSIDE, CURSORS_INSIDE + '\t\tbreak;\n'),
	('a bulk moves without its last member', BULK_WENT,
	 BULK_WENT.replace(
	     '&last->lru.link',
	     'first != last ? last->lru.link.prev :\n'
	     '\t\t\t    &last->lru.link')),
	('a bulk stops at the first empty range',
	 '\t\t\tif (bulk->pos[mem_type][priority].first)\n',
	 '\t\t\tif (!bulk->pos[mem_type][priority].first)\n'
	 '\t\t\t\tbreak;\n\t\t\telse\n', proof('bulk_tail', 'RR')),
	('a bulk looks at one priority for all',
	 '\tfor (unsigned int i = 0; i < TTM_MAX_BO_PRIORITY; i++)\n\t\tany |=',
	 '\tfor (unsigned int i = 0; i < 1; i++)\n\t\tany |=', proof('bulk_tail', 'RR')),
	('a bulk moves where it has all priorities only',
	 '\t\tany |= (unsigned long)bulk->pos[mem_type][i].first;\n\treturn any;',
	 '\t\tany += !!bulk->pos[mem_type][i].first;\n'
	 '\treturn any == TTM_MAX_BO_PRIORITY;'),
	('a bulk stops at the first empty memory type',
	 '\t\tif (!ttm_lru_bulk_move_has(bulk, mem_type))\n\t\t\tcontinue;\n',
	 '\t\tif (!ttm_lru_bulk_move_has(bulk, mem_type))\n\t\t\tbreak;\n'),
	("tail of a range's first takes a hitch for the next",
	 '\t\tif (unlikely(!ttm_lru_item_is_res(next))) {\n', '\t\tif (false) {\n',
	 proof('tail', 'rHR')),
	('tail overlooks a new priority', '\tif (likely((u8)res->lru.state == (u8)state))\n',
	 '\tif (ttm_lru_item_in_range(&res->lru))\n', proof('tail', 'r'), PROOF_ONLY),
	('a bulk takes the cursors inside along, registered', CURSORS_INSIDE, '',
	 proof('bulk_tail', 'RHRR')),

	# Ends
	('freed while in its range',
	 '\tif (ttm_lru_item_in_range(&res->lru))\n'
	 '\t\tttm_range_unlink(ttm_resource_range(res), res);\n\tlist_del', '\tlist_del',
	 proof('fini', 'r')),
	('freed, but still latched', '\tres->lru.state = ttm_lru_res_state(TTM_LRU_OFF, 0);\n', '',
	 proof('fini', 'r')),
	("a bulk's end leaves the buffers with it", '\t\tres->bo->bulk_move = NULL;\n', '',
	 proof('bulk_fini', 'R2')),
	("a bulk's end goes unnoticed", '\tWARN(left, ', '\tWARN(0 && left, ',
	 proof('bulk_fini', 'R2')),
	("a bulk's end sees to one priority",
	 '\t\tfor (priority = 0; priority < TTM_MAX_BO_PRIORITY; priority++)\n'
	 '\t\t\tleft +=', '\t\tfor (priority = 0; priority < 1; priority++)\n\t\t\tleft +='),
	('a given resource keeps its old buffer', '\tres->bo = bo;\n}', '}', proof('set_bo', 'r')),
	('a freed resource is counted still', '\tman->usage -= res->size;\n', '',
	 proof('fini', 'r'), PROOF_ONLY),
	('given without the lock', '\tguard(spinlock)(&bo->bdev->lru_lock);\n', '',
	 proof('set_bo', 'r'), PROOF_ONLY),
	("a bulk's end asks the buffer for the range",
	 '\tu64 moved = ttm_range_moved(range, res);\n', '\tu64 moved = ttm_resource_moved(res);\n',
	 proof('bulk_fini', 'RR22'), PROOF_ONLY),

	# Beginnings
	("a new resource's node isn't initialised",
	 '\tttm_lru_item_init(&res->lru, ttm_lru_res_state(TTM_LRU_OFF, 0));\n', '', proof('init', 'r')),
	('a new resource overlooks a pin',
	 '\tif (unlikely(ttm_resource_is_unevictable(res, bo))) {\n'
	 '\t\tttm_resource_sync(res, bo,', '\tif (false) {\n\t\tttm_resource_sync(res, bo,',
	 proof('init', 'r')),
	('a new resource goes to the head', ENTERED, ENTERED.replace('list_add_tail', 'list_add')),
	("a new resource isn't stamped", ENTERED, ENTERED.replace('man->lru_clock |', '0 |')),
	("a new resource doesn't join", '\t\tif (bo->bulk_move)\n\t\t\tttm_resource_join(',
	 '\t\tif (false)\n\t\t\tttm_resource_join(', proof('init', 'r')),
	("a new resource isn't counted", '\tman->usage += res->size;\n', '',
	 proof('init', 'r'), PROOF_ONLY),

	# Stamps
	("a tail isn't stamped", WENT_TO_TAIL,
	 WENT_TO_TAIL.replace('man->lru_clock',
			      'ttm_lru_item_stamp(&res->lru)'), proof('tail', 'Hr')),
	("an entering resource isn't stamped", SETTLED,
	 SETTLED.replace('man->lru_clock',
			 'ttm_lru_item_stamp(&res->lru)')),
	("a range's first member isn't stamped", 'man->lru_clock | at_tail);\n\t\treturn;',
	 'ttm_lru_item_stamp(&res->lru) | at_tail);\n\t\treturn;', proof('add', 'Hr')),
	("a joining resource isn't stamped", JOINED,
	 JOINED.replace('man->lru_clock', 'ttm_lru_item_stamp(&res->lru)'), proof('add', 'HRr')),
	("a move to a range's tail isn't stamped", TO_RANGE_TAIL,
	 TO_RANGE_TAIL.replace('clock',
			       'ttm_lru_item_stamp(&res->lru)'),
	 proof('tail', 'HrR')),
	("leaving the middle isn't stamped", LEFT_MIDDLE,
	 LEFT_MIDDLE.replace('man->lru_clock',
			     'ttm_lru_item_stamp(&res->lru)')),
	("a bulk isn't stamped", BULK_WENT,
	 BULK_WENT.replace('man->lru_clock',
			   'ttm_lru_item_stamp(&first->lru)')),
	("a bulk's last is stamped for all", BULK_WENT, BULK_WENT.replace('(first,', '(last,'),
	 proof('bulk_tail', 'RHR')),
	("a member that leaves hasn't moved with its range",
	 '\tu64 moved = ttm_range_moved(range, res);\n',
	 '\tu64 moved = ttm_lru_item_stamp(&res->lru);\n', proof('del', 'HRr')),
	("members don't move with their range",
	 '\treturn ttm_range_moved(ttm_resource_range(res), res);\n',
	 '\treturn ttm_lru_item_stamp(&res->lru);\n'),
	('a range forgets with its first when it moved',
	 '\tnext->lru.state = max(next->lru.state, res->lru.state);\n', '', proof('del', 'HrR')),
	('a new first forgets that it moved later', 'max(next->lru.state, res->lru.state)',
	 'res->lru.state', proof('del', 'HrR')),
	('a new first takes the earlier stamp', 'max(next->lru.state, res->lru.state)',
	 'next->lru.state < res->lru.state ? next->lru.state :\n'
	 '\t\t\t\t\t\t\t       res->lru.state'),
	("tail of a range's first takes along when it moved",
	 '\t\tttm_range_del_first(range, res, ttm_lru_item_to_res(next));\n',
	 '\t\trange->first = ttm_lru_item_to_res(next);\n'),
	("a range's first member is at the list's tail",
	 '\t\tif (ttm_lru_item_stamp(&res->lru) == man->lru_clock)\n', '', proof('add', 'rR')),
	("a joining resource is at the list's tail", JOINED,
	 JOINED.replace('man->lru_clock',
			'man->lru_clock | TTM_LRU_AT_TAIL'), proof('add', 'Rr')),
	("a range's tail is the list's", TO_RANGE_TAIL,
	 TO_RANGE_TAIL.replace('clock', 'clock | TTM_LRU_AT_TAIL'), proof('tail', 'rR')),
	('a member that leaves is where its range went',
	 '\tu64 at_tail = res->lru.state & TTM_LRU_AT_TAIL;\n',
	 '\tu64 at_tail = range->first->lru.state & TTM_LRU_AT_TAIL;\n', proof('del', 'RrR')),
	("behind a range is the list's tail", LEFT_MIDDLE,
	 LEFT_MIDDLE.replace('man->lru_clock',
			     'man->lru_clock | TTM_LRU_AT_TAIL')),
	('a bulk goes without a stamp',
	 '\tttm_resource_latch(first, TTM_LRU_RANGE, priority,\n'
	 '\t\t\t   man->lru_clock | TTM_LRU_AT_TAIL);\n', '', proof('bulk_tail', 'HR')),
)
