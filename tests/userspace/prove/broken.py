# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Ways to break the core: what it is, whose proof sees it and in what world,
a piece of ttm_resource.c or of its header, and what it becomes."""

CURSORS_INSIDE = """\
		list_move(&cursor->hitch.link, &cursor->range->last->lru.link);
		ttm_cursor_deregister(cursor);
"""

PARKED = """\
		ttm_cursor_register(cursor, res->bo->bulk_move, range);
	else
		ttm_cursor_deregister(cursor);
"""

UNLINK = """\
	list_del_init(&cursor->hitch.link);
	ttm_cursor_deregister(cursor);
"""

END_WALK = """\
	ttm_cursor_set_at(cursor, &cursor->hitch.link);
	ttm_cursor_unlink(cursor);
"""

JOINED = """\
	pos->last = res;
	ttm_resource_latch(res, TTM_LRU_RANGE, priority, man->lru_clock);
"""

SETTLED = """\
				   bo->priority,
				   man->lru_clock | TTM_LRU_AT_TAIL);
	}
	if (bulk &&"""

WENT_TO_TAIL = """\
		list_move_tail(&res->lru.link, &man->lru[priority]);
		ttm_resource_latch(res, TTM_LRU_LOOSE, priority,
				   man->lru_clock | TTM_LRU_AT_TAIL);
"""

TO_RANGE_TAIL = """\
		ttm_range_move_tail(&bulk->pos[res->mem_type][bo->priority],
				    res, state | clock);
"""

RANGE_MOVED = """\
	if (first->state & TTM_LRU_AT_TAIL &&
	    ttm_lru_item_stamp(first) >= ttm_lru_item_stamp(&cursor->hitch))
"""

BROKEN = (
    ("joins before the hitches behind last", "add", "RHr",
     "\t\ttail = &item->link;\n", ""),
    ("joining registers nobody", "add", "RHr",
     "\t\tttm_cursor_register(ttm_lru_item_to_cursor(item), bulk, pos);\n"
     "\t\ttail", "\t\ttail"),
    ("the new priority isn't latched", "add", "r",
     SETTLED, SETTLED.replace("bo->priority",
                              "ttm_lru_item_priority(&res->lru)")),
    ("a joining resource is not last", "add", "Rr",
     JOINED, JOINED.replace("\tpos->last = res;\n", "")),
    ("a joining resource is not stamped", "add", "HRr",
     JOINED, JOINED.replace("man->lru_clock",
                            "ttm_lru_item_stamp(&res->lru)")),
    ("a joining resource counts as at the tail", "add", "Rr",
     JOINED, JOINED.replace("man->lru_clock",
                            "man->lru_clock | TTM_LRU_AT_TAIL")),
    ("a new range isn't stamped", "add", "Hr",
     "man->lru_clock | at_tail);\n\t\treturn;",
     "ttm_lru_item_stamp(&res->lru) | at_tail);\n\t\treturn;"),
    ("a new range is stamped though not at the tail", "add", "rR",
     "\t\tif (ttm_lru_item_stamp(&res->lru) == man->lru_clock)\n", ""),

    ("leaves the middle and stays there", "del", "RrR",
     "\tif (inner) {\n", "\tif (false) {\n"),
    ("a member that leaves forgets when its range moved", "del", "HRr",
     "\tu64 moved = ttm_range_moved(pos, res);\n",
     "\tu64 moved = ttm_lru_item_stamp(&res->lru);\n"),
    ("a member that leaves is where its range went", "del", "RrR",
     "\tu64 at_tail = res->lru.state & TTM_LRU_AT_TAIL;\n",
     "\tu64 at_tail = pos->first->lru.state & TTM_LRU_AT_TAIL;\n"),
    ("a range forgets with its first when it moved", "del", "HrR",
     "\tnext->lru.state = max(next->lru.state, res->lru.state);\n", ""),
    ("a new first forgets that it moved later", "del", "HrR",
     "max(next->lru.state, res->lru.state)", "res->lru.state"),
    ("hitches next to a leaving end stay registered", "del", "rHR",
     "\t\tttm_cursor_deregister(ttm_lru_item_to_cursor(item));\n", ""),
    ("an emptied range keeps its ends", "del", "r",
     "\t\t*pos = (struct ttm_lru_bulk_move_pos) {};\n\telse if",
     "\t\t;\n\telse if"),

    ("a swap-out is overlooked", "del_unevictable", "r",
     "bo->pin_count || ttm_resource_is_swapped(res, bo);",
     "bo->pin_count;"),
    ("who becomes unevictable stays in its range", "del_unevictable", "r",
     "\t\tif (!bulk || !stays)\n", "\t\tif (!bulk && stays)\n"),

    ("tail in a range goes to the LRU's tail", "tail", "rR",
     "\t} else if (bulk) {\n", "\t} else if (false) {\n"),
    ("tail of a range's first leaves it first", "tail", "rR",
     "\t\tttm_range_del_first(pos, res, ttm_lru_item_to_res(next));\n", ""),
    ("tail of a range's first takes a hitch for the next", "tail", "rHR",
     "\t\tif (unlikely(!ttm_lru_item_is_res(next))) {\n",
     "\t\tif (false) {\n"),
    ("tail in a range goes ahead of the cursors that passed", "tail", "rRH",
     TO_RANGE_TAIL, """\
	{
		if (bulk->pos[res->mem_type][bo->priority].last == res)
			return;
		ttm_range_del(ttm_resource_range(res), res);
		ttm_resource_join(res, bo, bulk,
				  ttm_manager_type(bo->bdev, res->mem_type));
	}
"""),
    ("a move to a range's tail isn't stamped", "tail", "HrR",
     TO_RANGE_TAIL, TO_RANGE_TAIL.replace(
         "clock", "ttm_lru_item_stamp(&res->lru)")),
    ("a move to a range's tail counts as one to the list's", "tail", "rR",
     TO_RANGE_TAIL, TO_RANGE_TAIL.replace(
         "clock", "clock | TTM_LRU_AT_TAIL")),
    ("a move to the tail isn't stamped", "tail", "Hr",
     WENT_TO_TAIL, WENT_TO_TAIL.replace(
         "man->lru_clock", "ttm_lru_item_stamp(&res->lru)")),
    ("tail overlooks a pin", "tail", "r",
     "\tif (unlikely(ttm_resource_is_unevictable(res, bo))) {\n"
     "\t\tttm_resource_settle_at_tail(res, bo);\n",
     "\tif (false) {\n\t\tttm_resource_settle_at_tail(res, bo);\n"),
    ("tail takes anyone for a member", "tail", "r",
     "\tif (likely((u8)res->lru.state == (u8)state))\n", "\tif (true)\n"),
    ("tail overlooks a new priority", "tail", "r",
     "\tif (likely((u8)res->lru.state == (u8)state))\n",
     "\tif (ttm_lru_item_in_range(&res->lru))\n"),

    ("a new resource's node isn't initialised", "init", "r",
     "\tttm_lru_item_init(&res->lru, ttm_lru_res_state(TTM_LRU_OFF, 0));\n", ""),
    ("a new resource isn't counted", "init", "r",
     "\tman->usage += res->size;\n", ""),
    ("a new resource overlooks a pin", "init", "r",
     "\tif (unlikely(ttm_resource_is_unevictable(res, bo))) {\n"
     "\t\tttm_resource_settle(res, bo,",
     "\tif (false) {\n\t\tttm_resource_settle(res, bo,"),
    ("a new resource doesn't join", "init", "r",
     "\t\tif (bo->bulk_move)\n\t\t\tttm_resource_join(",
     "\t\tif (false)\n\t\t\tttm_resource_join("),

    ("freed while in its range", "fini", "r",
     "\tif (ttm_lru_item_in_range(&res->lru))\n"
     "\t\tttm_range_unlink(ttm_resource_range(res), res);\n", ""),
    ("freed, but still latched", "fini", "r",
     "\tres->lru.state = ttm_lru_res_state(TTM_LRU_OFF, 0);\n", ""),
    ("a freed resource is counted still", "fini", "r",
     "\tman->usage -= res->size;\n", ""),

    ("a given resource keeps its old buffer", "set_bo", "r",
     "\tres->bo = bo;\n}", "}"),
    ("given without the lock", "set_bo", "r",
     "\tguard(spinlock)(&bo->bdev->lru_lock);\n", ""),

    ("a bulk takes the cursors inside along", "bulk_tail", "RHRR",
     CURSORS_INSIDE, ""),
    ("a bulk leaves its cursors registered", "bulk_tail", "RHR",
     CURSORS_INSIDE,
     "\t\tlist_move(&cursor->hitch.link, &cursor->range->last->lru.link);\n"),
    ("a bulk stops at the first empty range", "bulk_tail", "RR",
     "\t\t\tif (bulk->pos[mem_type][priority].first)\n",
     "\t\t\tif (!bulk->pos[mem_type][priority].first)\n"
     "\t\t\t\tbreak;\n\t\t\telse\n"),
    ("a bulk looks at one priority for all", "bulk_tail", "RR",
     "\tfor (unsigned int i = 0; i < TTM_MAX_BO_PRIORITY; i++)\n\t\tany |=",
     "\tfor (unsigned int i = 0; i < 1; i++)\n\t\tany |="),
    ("a bulk goes without a stamp", "bulk_tail", "HR",
     "\tttm_resource_latch(first, TTM_LRU_RANGE, priority,\n"
     "\t\t\t   man->lru_clock | TTM_LRU_AT_TAIL);\n", ""),
    ("a bulk's last is stamped for all", "bulk_tail", "RHR",
     "\tttm_resource_latch(first, TTM_LRU_RANGE,",
     "\tttm_resource_latch(last, TTM_LRU_RANGE,"),

    ("a bulk's end leaves the buffers with it", "bulk_fini", "R2",
     "\t\tres->bo->bulk_move = NULL;\n", ""),
    ("a bulk's end keeps its members", "bulk_fini", "R2",
     "\twhile ((res = pos->first)) {", "\twhile ((res = NULL)) {"),
    ("a bulk's end asks the buffer for the range", "bulk_fini", "RR22",
     "\tu64 moved = ttm_range_moved(pos, res);\n",
     "\tu64 moved = ttm_resource_moved(res);\n"),
    ("a bulk's end goes unnoticed", "bulk_fini", "R2",
     "\tWARN(left, ", "\tWARN(0 && left, "),

    ("a range's last alone tells whose lock it is", "in_shared_bulk", "Rr",
     "\treturn pos->first->bo->base.resv == resv &&\n"
     "\t       pos->last->bo->base.resv == resv;",
     "\treturn pos->last->bo->base.resv == resv;"),
    ("a range's first alone tells whose lock it is", "in_shared_bulk", "rR",
     "\treturn pos->first->bo->base.resv == resv &&\n"
     "\t       pos->last->bo->base.resv == resv;",
     "\treturn pos->first->bo->base.resv == resv;"),

    ("a walk of the unevictable begins in the past", "unevictable_start", "R",
     "ttm_resource_manager_tick(man) : 0;", "man->lru_clock : 0;"),
    ("a walk of the unevictable doesn't stamp", "unevictable_next", "R",
     "\t\t\t   ttm_manager_type(bdev, res->mem_type)->lru_clock);\n",
     "\t\t\t   ttm_lru_item_stamp(&res->lru));\n"),
    ("a walk of the unevictable doesn't turn it", "unevictable_next", "RR",
     "\tlist_move(&res->lru.link, &bdev->unevictable);\n", ""),
    ("a walk of the unevictable ends at what moved", "unevictable_next", "R",
     "\tif (!(res->lru.state & TTM_LRU_AT_TAIL) &&\n\t    ttm_lru",
     "\tif (ttm_lru"),

    ("a new cursor is in a walk", "cursor_init", "h",
     "\tcursor->at = &cursor->hitch.link;\n"
     "\tttm_cursor_set_list(cursor, TTM_MAX_BO_PRIORITY);\n",
     "\tcursor->at = &cursor->hitch.link;\n"),
    ("a new cursor stands nowhere", "cursor_init", "h",
     "\tcursor->at = &cursor->hitch.link;\n"
     "\tttm_cursor_set_list(cursor, TTM_MAX_BO_PRIORITY);\n",
     "\tttm_cursor_set_list(cursor, TTM_MAX_BO_PRIORITY);\n"),
    ("bounds are forgotten", "cursor_init", "h",
     "\tttm_cursor_init(cursor, man, TTM_LRU_HITCH | TTM_LRU_BOUNDED);\n",
     "\tttm_cursor_init(cursor, man, TTM_LRU_HITCH);\n"),

    ("a cursor's end leaves the hitch", "cursor_fini", "h",
     END_WALK, "\tttm_cursor_set_at(cursor, &cursor->hitch.link);\n"),
    ("a cursor's end leaves it registered", "cursor_fini", "RhR",
     UNLINK, "\tlist_del_init(&cursor->hitch.link);\n"),
    ("a cursor's end leaves it where it stood", "cursor_fini", "Rh",
     END_WALK, "\tttm_cursor_unlink(cursor);\n"),

    ("a walk starts over at the wrong list", "restart", "h",
     "ttm_cursor_set_at(cursor, man->lru);",
     "ttm_cursor_set_at(cursor, man->lru + 1);"),
    ("a bounded walk starts in the past", "restart", "h",
     "\t\tcursor->hitch.state |= ttm_resource_manager_tick(man);\n",
     "\t\tcursor->hitch.state |= man->lru_clock;\n"),
    ("a bounded walk mixes its stamps", "restart", "h",
     "\t\tcursor->hitch.state &= ~TTM_LRU_STAMP;\n", ""),

    ("reads beyond the last priority", "advance_within", "h",
     "while (ttm_resource_cursor_priority(cursor) < TTM_MAX_BO_PRIORITY)",
     "while (ttm_resource_cursor_priority(cursor) <= TTM_MAX_BO_PRIORITY)"),
    ("passes the list's end and keeps the hitch there", "advance_within", "hR",
     "\t\tttm_cursor_unlink(cursor);\n\t\tttm", "\t\tttm"),
    ("goes over the same list again", "advance_within", "Rh",
     "\t\tnode = cursor->list;\n", "\t\tnode = list;\n"),

    ("ignores one moved just before the walk", "advance_within", "hR",
     "ttm_resource_moved(res) >= ttm",
     "ttm_resource_moved(res) + TTM_LRU_TICK >= ttm"),
    ("returns one moved at the walk's start", "advance_within", "hR",
     "ttm_resource_moved(res) >= ttm", "ttm_resource_moved(res) > ttm"),
    ("ignores all behind one that was ignored", "advance_within", "hRR",
     "return res->lru.state & TTM_LRU_AT_TAIL ? cursor", "return true ? cursor"),
    ("ignores all behind a range", "advance_within", "hRR",
     RANGE_MOVED, "\tif (true)\n"),
    ("ignores all behind a new range", "advance_within", "hRR",
     RANGE_MOVED,
     RANGE_MOVED.replace("first->state & TTM_LRU_AT_TAIL &&\n\t    ", "")),
    ("ignores all behind a range that moved once", "advance_within", "hRRR",
     RANGE_MOVED, "\tif (first->state & TTM_LRU_AT_TAIL)\n"),

    ("the returned resource isn't counted", "advance_within", "hR",
     "\t\t\t--*budget;\n\t\t\tif (!ttm_cursor_ignores(cursor, res)) {\n",
     "\t\t\tif (ttm_cursor_ignores(cursor, res)) {\n"
     "\t\t\t\t--*budget;\n\t\t\t} else {\n"),
    ("an ignored resource isn't counted", "advance_within", "hRR",
     "\t\t\t--*budget;\n\t\t\tif (!ttm_cursor_ignores(cursor, res)) {\n",
     "\t\t\tif (!ttm_cursor_ignores(cursor, res)) {\n\t\t\t\t--*budget;\n"),
    ("goes on beyond the budget", "advance_within", "hRR",
     "\t\t\tif (!*budget) {\n", "\t\t\tif (false) {\n"),
    ("forgets what the budget was used for", "advance_within", "hR",
     "\t\t\t\tttm_cursor_set_at(cursor, node);\n"
     "\t\t\t\treturn ERR_PTR(-EAGAIN);",
     "\t\t\t\treturn ERR_PTR(-EAGAIN);"),

    ("a bounded walk takes whom it should ignore", "advance", "hR",
     "!((u8)item->state & (u8)cursor->hitch.state);",
     "!((u8)item->state & (u8)cursor->hitch.state & TTM_LRU_HITCH);"),
    ("takes a hitch for a resource", "advance", "hH",
     "!((u8)item->state & (u8)cursor->hitch.state);", "true;"),
    ("takes the list's head for a resource", "advance", "hR",
     "\treturn &item->link != cursor->list &&\n\t       !(", "\treturn !("),
    ("takes the next resource and stays behind", "advance", "hR",
     "\t\tcursor->at = &item->link;\n\t\t*res", "\t\t*res"),
    ("a plain step has a budget", "advance", "hR",
     "\tunsigned long budget = ULONG_MAX;\n", "\tunsigned long budget = 1;\n"),

    ("parked before what was returned", "pause", "hR",
     "\tlist_move(&cursor->hitch.link, at);\n",
     "\tlist_move_tail(&cursor->hitch.link, at);\n"),
    ("never registers", "pause", "hRR",
     PARKED, "\t\t;\n\telse\n\t\tttm_cursor_deregister(cursor);\n"),
    ("registered behind last", "pause", "hR",
     "\tif (range && range->last != res)\n", "\tif (range)\n"),
    ("still registered behind last", "pause", "RhR",
     "range ? !one_step || range->last == res :", "range ? !one_step :"),
    ("still registered two steps on", "pause", "RhRR",
     "range ? !one_step || range->last == res :",
     "range ? range->last == res :"),

    ("next doesn't park", "next", "hR",
     "\tlist_move(&cursor->hitch.link, &res->lru.link);\n\tttm_lru",
     "\tttm_lru"),
    ("next parks before what it returns", "next", "hR",
     "\tlist_move(&cursor->hitch.link, &res->lru.link);\n\tttm_lru",
     "\tlist_move_tail(&cursor->hitch.link, &res->lru.link);\n\tttm_lru"),
    ("next never registers", "next", "hRR",
     "\tttm_cursor_parked_at(cursor, res, true);\n", ""),
    ("next doesn't park behind what it looked for", "next", "hR",
     "\tttm_resource_cursor_pause(cursor);\n\treturn res;", "\treturn res;"),
    ("next takes anyone behind a hitch", "next", "hHR",
     "\t\t\tif (ttm_resource_cursor_is_next(cursor, item)) {\n",
     "\t\t\tif (ttm_lru_item_is_res(item)) {\n"),
    ("next isn't paused, and passes hitches as if it was", "next", "hR",
     "\tif (ttm_cursor_is_paused(cursor) && !list_empty(&item->link)) {\n",
     "\tif (!list_empty(&item->link)) {\n"),
    ("next isn't paused, and goes on as if it was", "next", "Rh",
     "!ttm_cursor_is_paused(cursor) ||\n\t\t     !ttm_resource_cursor_is_next",
     "!ttm_resource_cursor_is_next"),

    ("first goes on", "first", "hR",
     "ttm_resource_manager_next(ttm_resource_cursor_restart(cursor))",
     "ttm_resource_manager_next(cursor)"),

    ("a parked walk doesn't leave the range", "skip_bulk", "RhR",
     "\tstruct ttm_lru_bulk_move_pos *range = cursor->range;\n",
     "\tstruct ttm_lru_bulk_move_pos *range = NULL;\n"),
    ("leaves a range that it isn't in", "skip_bulk", "hR",
     "\t\trange = ttm_lru_item_in_range(&res->lru) ?\n"
     "\t\t\tttm_resource_range(res) : NULL;\n",
     "\t\trange = ttm_resource_range(res);\n"),
    ("takes the list's head for where a walk is", "skip_bulk", "h",
     "\t\tif (cursor->at == cursor->list)\n\t\t\treturn;\n", ""),
)
