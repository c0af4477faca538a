# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Faults of ttm_resource.c: cursors, bounded walks, budgets, the unevictable list."""

from .fault import PROOF_ONLY, equivalent, proof, faults

LIST_ENDS = """\
		ttm_cursor_unlink(cursor);
		ttm_cursor_set_list(cursor,
				    ttm_resource_cursor_priority(cursor) + 1);
		node = cursor->list;
	}

	ttm_resource_cursor_fini(cursor);
	return NULL;
"""

FINI = """\
	ttm_cursor_set_at(cursor, &cursor->hitch.link);
	ttm_cursor_unlink(cursor);
	ttm_cursor_set_list(cursor, TTM_MAX_BO_PRIORITY);
}
"""

RANGE_MOVED = """\
	if (first->state & TTM_LRU_AT_TAIL &&
	    ttm_lru_item_stamp(first) >= ttm_lru_item_stamp(&cursor->hitch))
"""

PLAIN_STEP = """\
	return &item->link != cursor->list &&
	       !((u8)item->state & (u8)cursor->hitch.state);
"""

BUDGET_ENDS = """\
				ttm_cursor_set_at(cursor, node);
				return ERR_PTR(-EAGAIN);
"""

TURNED = '\tlist_move(&res->lru.link, &bdev->unevictable);\n'

TURNED_AT = '\t\t\t   ttm_manager_type(bdev, res->mem_type)->lru_clock);\n'

CURSORS = faults(
	# Cursors
	('a hold goes on from the hitch', '\tstruct list_head *node = cursor->at;\n',
	 '\tstruct list_head *node = &cursor->hitch.link;\n'),
	('a hold goes on behind the hitch and the next',
	 '\tstruct list_head *node = cursor->at;\n',
	 '\tstruct list_head *node = cursor->at == &cursor->hitch.link ?\n'
	 '\t\t\t\t cursor->at->next : cursor->at;\n'),
	('hitches are returned', '\t\t\tif (!ttm_lru_item_is_res(item))\n\t\t\t\tcontinue;\n', ''),
	('a step takes hitches', PLAIN_STEP, '\treturn &item->link != cursor->list;\n'),
	("a step takes the list's head", PLAIN_STEP,
	 PLAIN_STEP.replace('&item->link != cursor->list',
			    'cursor->list')),
	('a bounded step takes what moved', PLAIN_STEP,
	 PLAIN_STEP.replace('(u8)item->state &',
			    '(u8)item->state & TTM_LRU_HITCH &')),
	('a step stays where it was', '\t\tcursor->at = &item->link;\n\t\t*res', '\t\t*res',
	 proof('advance', 'hR')),
	('a priority is passed over', LIST_ENDS, LIST_ENDS.replace('+ 1', '+ 2')),
	('the next priority is begun behind its head', LIST_ENDS,
	 LIST_ENDS.replace('cursor->list;', 'cursor->list->next;')),
	('the end of a walk is not for ever', LIST_ENDS,
	 LIST_ENDS.replace(
	     'ttm_resource_cursor_fini(cursor)',
	     'ttm_cursor_set_list(cursor, 0);\n'
	     '\tttm_cursor_set_at(cursor, &cursor->hitch.link)')),
	('fini leaves the walk open', FINI,
	 FINI.replace('\tttm_cursor_set_list(cursor, TTM_MAX_BO_PRIORITY);\n',
		      '')),
	('fini leaves the hitch', FINI, FINI.replace('\tttm_cursor_unlink(cursor);\n', ''),
	 proof('cursor_fini', 'h')),
	('fini leaves the walk where it stood', FINI,
	 FINI.replace('\tttm_cursor_set_at(cursor, &cursor->hitch.link);\n',
		      ''), proof('cursor_fini', 'Rh')),
	('fini leaves the cursor registered',
	 '\tlist_del_init(&cursor->hitch.link);\n\tttm_cursor_deregister(cursor);',
	 '\tlist_del_init(&cursor->hitch.link);', proof('cursor_fini', 'RhR')),
	('pause parks before what was returned', '\tlist_move(&cursor->hitch.link, at);',
	 '\tlist_move_tail(&cursor->hitch.link, at);', proof('pause', 'hR')),
	('pause parks behind what comes next', '\tlist_move(&cursor->hitch.link, at);',
	 '\tlist_move(&cursor->hitch.link, at->next);'),
	("next doesn't park", '\tlist_move(&cursor->hitch.link, &res->lru.link);\n\tttm_lru',
	 '\tttm_lru', proof('next', 'hR')),
	('next parks before what was returned',
	 '\tlist_move(&cursor->hitch.link, &res->lru.link);\n\tttm_lru',
	 '\tlist_move_tail(&cursor->hitch.link, &res->lru.link);\n\tttm_lru', proof('next', 'hR')),
	('next parks behind what comes next',
	 '\tlist_move(&cursor->hitch.link, &res->lru.link);\n\tttm_lru',
	 '\tlist_move(&cursor->hitch.link, res->lru.link.next);\n\tttm_lru'),
	("next doesn't park behind what it looked for",
	 '\tttm_resource_cursor_pause(cursor);\n\treturn res;', '\treturn res;',
	 proof('next', 'hR')),
	('a bounded next takes what moved, behind a hitch',
	 '\t\t\tif (ttm_resource_cursor_is_next(cursor, item)) {\n',
	 '\t\t\tif (ttm_lru_item_is_res(item)) {\n', proof('next', 'hHR')),
	('next passes hitches, and stays parked before them',
	 '\t\t\t\tttm_cursor_step_parked(cursor, res);\n', ''),
	('next is off the list, and passes hitches',
	 '\tif (ttm_cursor_is_paused(cursor) && !list_empty(&item->link)) {\n',
	 '\tif (ttm_cursor_is_paused(cursor)) {\n'),
	("next isn't paused, and goes on as if it was",
	 '!ttm_cursor_is_paused(cursor) ||\n\t\t     !ttm_resource_cursor_is_next',
	 '!ttm_resource_cursor_is_next', proof('next', 'Rh')),
	('restart forgets where the walk began', '\tttm_cursor_set_at(cursor, man->lru);\n',
	 '\tttm_cursor_set_at(cursor, man->lru[0].next);\n'),
	("skip goes to the range's first", 'ttm_cursor_set_at(cursor, &range->last->lru.link);',
	 'ttm_cursor_set_at(cursor, &range->first->lru.link);'),
	("skip goes past the range's last", 'ttm_cursor_set_at(cursor, &range->last->lru.link);',
	 'ttm_cursor_set_at(cursor, range->last->lru.link.next != cursor->list &&\n'
	 '\t\t\t  ttm_lru_item_is_res(list_next_entry(&range->last->lru, link)) ?\n'
	 '\t\t\t  range->last->lru.link.next : &range->last->lru.link);'),
	('skip while parked does nothing',
	 '\tstruct ttm_lru_bulk_move_pos *range = cursor->range;\n'
	 '\tstruct ttm_resource *res;\n',
	 '\tstruct ttm_lru_bulk_move_pos *range = NULL;\n'
	 '\tstruct ttm_resource *res;\n', proof('skip_bulk', 'RhR')),
	('skip leaves loose resources out', '\t\trange = ttm_lru_item_in_range(&res->lru) ?\n',
	 '\t\trange = res->bo->bulk_move ?\n'),
	('a new cursor is in a walk',
	 '\tcursor->at = &cursor->hitch.link;\n'
	 '\tttm_cursor_set_list(cursor, TTM_MAX_BO_PRIORITY);\n',
	 '\tcursor->at = &cursor->hitch.link;\n', proof('cursor_init', 'h')),
	('a new cursor stands nowhere',
	 '\tcursor->at = &cursor->hitch.link;\n'
	 '\tttm_cursor_set_list(cursor, TTM_MAX_BO_PRIORITY);\n',
	 '\tttm_cursor_set_list(cursor, TTM_MAX_BO_PRIORITY);\n', proof('cursor_init', 'h')),
	('a walk starts over at the wrong list', 'ttm_cursor_set_at(cursor, man->lru);',
	 'ttm_cursor_set_at(cursor, man->lru + 1);', proof('restart', 'h')),
	("passes the list's end and keeps the hitch there",
	 '\t\tttm_cursor_unlink(cursor);\n\t\tttm', '\t\tttm', proof('advance_within', 'hR'),
	 PROOF_ONLY),
	('goes over the same list again', '\t\tnode = cursor->list;\n', '\t\tnode = list;\n',
	 proof('advance_within', 'Rh')),
	('takes a hitch for a resource', '!((u8)item->state & (u8)cursor->hitch.state);', 'true;',
	 proof('advance', 'hH')),
	("takes the list's head for a resource",
	 '\treturn &item->link != cursor->list &&\n\t       !(', '\treturn !(',
	 proof('advance', 'hR')),
	("next isn't paused, and passes hitches as if it was",
	 '\tif (ttm_cursor_is_paused(cursor) && !list_empty(&item->link)) {\n',
	 '\tif (!list_empty(&item->link)) {\n', proof('next', 'hR'), PROOF_ONLY),
	('first goes on', 'ttm_resource_manager_next(ttm_resource_cursor_restart(cursor))',
	 'ttm_resource_manager_next(cursor)', proof('first', 'hR')),
	("leaves a range that it isn't in",
	 '\t\trange = ttm_lru_item_in_range(&res->lru) ?\n'
	 '\t\t\tttm_resource_range(res) : NULL;\n', '\t\trange = ttm_resource_range(res);\n',
	 proof('skip_bulk', 'hR')),
	("takes the list's head for where a walk is",
	 '\t\tif (cursor->at == cursor->list)\n\t\t\treturn;\n', '', proof('skip_bulk', 'h')),

	# Bounded walks
	('no walk is bounded', 'ttm_cursor_init(cursor, man, TTM_LRU_HITCH | TTM_LRU_BOUNDED);',
	 'ttm_cursor_init(cursor, man, TTM_LRU_HITCH);', proof('cursor_init', 'h')),
	('plain walks are bounded, too', '\treturn ttm_resource_cursor_is_bounded(cursor) &&\n\t       ',
	 '\treturn '),
	("the clock doesn't tick", '\t\tcursor->hitch.state |= ttm_resource_manager_tick(man);\n',
	 '\t\tcursor->hitch.state |= man->lru_clock;\n', proof('restart', 'h')),
	('the clock ticks too late',
	 '\t\tcursor->hitch.state |= ttm_resource_manager_tick(man);\n',
	 '\t\tcursor->hitch.state |= ttm_resource_manager_tick(man) - TTM_LRU_TICK;\n'),
	("a walk's stamps are mixed", '\t\tcursor->hitch.state &= ~TTM_LRU_STAMP;\n', '',
	 proof('restart', 'h')),
	('what moved at the beginning is taken for still',
	 'ttm_resource_moved(res) >= ttm_lru_item_stamp(&cursor->hitch)',
	 'ttm_resource_moved(res) > ttm_lru_item_stamp(&cursor->hitch)',
	 proof('advance_within', 'hR')),
	('one new member ends the list', RANGE_MOVED, '\tif (true)\n',
	 proof('advance_within', 'hRR')),
	('a new range ends the list', RANGE_MOVED,
	 RANGE_MOVED.replace('first->state & TTM_LRU_AT_TAIL &&\n\t    ', ''),
	 proof('advance_within', 'hRR')),
	('a new member of a range at the tail ends the list', RANGE_MOVED,
	 '\tif (first->state & TTM_LRU_AT_TAIL)\n', proof('advance_within', 'hRRR')),
	('one moved resource ends the list',
	 '\t\treturn res->lru.state & TTM_LRU_AT_TAIL ? cursor->list->prev :',
	 '\t\treturn true ? cursor->list->prev :', proof('advance_within', 'hRR')),
	('a new range is not known to be at the tail',
	 '\t\t\tat_tail = res->lru.state & TTM_LRU_AT_TAIL;\n', '\t\t\tat_tail = 0;\n',
	 equivalent('costs time only: the case ttm_lru_p7_ends_at_a_new_range')),
	('all that moved is looked at', '\t\t\tnode = ttm_cursor_last_ignored(cursor, res);\n', '',
	 equivalent('costs time only: the case ttm_lru_p7_ends_at_the_first_moved')),
	('ignores one moved just before the walk', 'ttm_resource_moved(res) >= ttm',
	 'ttm_resource_moved(res) + TTM_LRU_TICK >= ttm', proof('advance_within', 'hR')),
	('a bounded walk takes a resource that it should ignore',
	 '!((u8)item->state & (u8)cursor->hitch.state);',
	 '!((u8)item->state & (u8)cursor->hitch.state & TTM_LRU_HITCH);', proof('advance', 'hR')),

	# Budgets
	("what is returned isn't counted",
	 '\t\t\t--*budget;\n\t\t\tif (!ttm_cursor_ignores(cursor, res)) {\n',
	 '\t\t\tif (ttm_cursor_ignores(cursor, res)) {\n'
	 '\t\t\t\t--*budget;\n\t\t\t} else {\n', proof('advance_within', 'hR')),
	("what is ignored isn't counted",
	 '\t\t\t--*budget;\n\t\t\tif (!ttm_cursor_ignores(cursor, res)) {\n',
	 '\t\t\tif (!ttm_cursor_ignores(cursor, res)) {\n\t\t\t\t--*budget;\n',
	 proof('advance_within', 'hRR')),
	('one more than the budget is looked at', '\t\t\tif (!*budget) {\n',
	 '\t\t\tif ((long)*budget < 0) {\n'),
	('hitches are counted', '\t\t\tif (!ttm_lru_item_is_res(item))\n\t\t\t\tcontinue;\n',
	 '\t\t\tif (!ttm_lru_item_is_res(item)) {\n'
	 '\t\t\t\t--*budget;\n\t\t\t\tcontinue;\n\t\t\t}\n'),
	('a step ignores any number of moved resources', '\t\t\tif (!*budget) {\n',
	 '\t\t\tif (false) {\n', proof('advance_within', 'hRR')),
	("the budget's end is forgotten", BUDGET_ENDS, '\t\t\t\treturn ERR_PTR(-EAGAIN);\n',
	 proof('advance_within', 'hR')),
	('the budget leaves out the resource that used it up', BUDGET_ENDS,
	 BUDGET_ENDS.replace('node', 'node->prev')),
	('the budget includes the next resource', BUDGET_ENDS,
	 BUDGET_ENDS.replace('node', 'node->next != list ?\n'
			     '\t\t\t\t\t\t  node->next : node')),
	('the budget ends the walk', BUDGET_ENDS,
	 '\t\t\t\tttm_resource_cursor_fini(cursor);\n\t\t\t\treturn NULL;\n'),
	('a plain step has a budget', '\tunsigned long budget = ULONG_MAX;\n',
	 '\tunsigned long budget = 1;\n', proof('advance', 'hR')),

	# The unevictable list
	("a walk of the unevictable doesn't stamp", TURNED_AT,
	 '\t\t\t   ttm_lru_item_stamp(&res->lru));\n', proof('unevictable_next', 'R')),
	('a walk of the unevictable stamps as others do', TURNED_AT,
	 TURNED_AT.replace('lru_clock',
			   'lru_clock |\n\t\t\t   TTM_LRU_AT_TAIL')),
	("a walk of the unevictable doesn't turn it", TURNED, '', proof('unevictable_next', 'RR')),
	('a walk of the unevictable turns it the wrong way', TURNED,
	 TURNED.replace('list_move', 'list_move_tail')),
	('a walk of the unevictable ends at what moved',
	 '\tif (!(res->lru.state & TTM_LRU_AT_TAIL) &&\n\t    ttm_lru', '\tif (ttm_lru',
	 proof('unevictable_next', 'R')),
	('a walk of the unevictable begins in the past', 'ttm_resource_manager_tick(man) : 0;',
	 'man->lru_clock : 0;', proof('unevictable_start', 'R')),
	('a walk of the unevictable begins too late',
	 'since[i] = man ? ttm_resource_manager_tick(man) : 0;',
	 'since[i] = man ? ttm_resource_manager_tick(man) + TTM_LRU_TICK : 0;'),
	('a walk of the unevictable looks at one memory type',
	 'ttm_lru_item_stamp(&res->lru) >= since[res->mem_type]',
	 'ttm_lru_item_stamp(&res->lru) >= since[0]'),
)
