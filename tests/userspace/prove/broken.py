# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Ways to break the core: what it is, whose proof sees it and in what world,
a piece of ttm_resource.c, and what it becomes."""

NEXT_TO_LEAVING = """\
		ttm_cursor_deregister(ttm_lru_item_to_cursor(item));
	}
}"""

JOINING = """\
		ttm_cursor_register(ttm_lru_item_to_cursor(item), bulk,
				    res->mem_type);
		tail"""

CURSORS_INSIDE = """\
		list_move(&hitch->link, &pos->last->lru.link);
		ttm_cursor_deregister(cursor);
"""

PARKED = """\
		ttm_cursor_register(cursor, res->bo->bulk_move, res->mem_type);
	else
		ttm_cursor_deregister(cursor);
"""

UNLINK = """\
	list_del_init(&cursor->hitch.link);
	ttm_cursor_deregister(cursor);
"""

END_WALK = """\
	ttm_cursor_set_at(cursor, NULL);
	ttm_cursor_unlink(cursor);
"""

BROKEN = (
    ("joins before the hitches behind last", "add", "RHr",
     "\t\ttail = &item->link;\n", ""),
    ("joining registers nobody", "add", "RHr", JOINING, "\t\ttail"),
    ("the new priority isn't latched", "add", "r",
     "\t\tres->lru.priority = bo->priority;\n", ""),
    ("who joins is not last", "add", "Rr",
     "\tpos->last = res;\n", ""),
    ("who joins is not stamped", "add", "HRr",
     "\tpos->last = res;\n\tttm_resource_stamp(res, false);\n",
     "\tpos->last = res;\n"),
    ("who joins counts as at the tail", "add", "Rr",
     "\tpos->last = res;\n\tttm_resource_stamp(res, false);\n",
     "\tpos->last = res;\n\tttm_resource_stamp(res, true);\n"),
    ("a new range is stamped though not at the tail", "add", "rR",
     ".stamp = res->lru.at_tail ? res->lru.stamp : 0,",
     ".stamp = res->lru.stamp,"),

    ("leaves the middle and stays there", "del", "RrR",
     "\tif (inner) {\n", "\tif (false) {\n"),
    ("who leaves forgets when its range moved", "del", "Hr",
     "\tres->lru.stamp = max(stamp, pos->stamp);\n", ""),
    ("hitches next to a leaving end stay registered", "del", "rHR",
     NEXT_TO_LEAVING, "\t}\n}"),
    ("an emptied range keeps its ends", "del", "r",
     "\t\t*pos = (struct ttm_lru_bulk_move_pos) {};\n\telse if",
     "\t\t;\n\telse if"),

    ("a swap-out is overlooked", "del_unevictable", "r",
     "bo->pin_count || ttm_resource_is_swapped(res, bo);",
     "bo->pin_count;"),
    ("who becomes unevictable stays in its range", "del_unevictable", "r",
     "\t\tif (!bulk || !stays)\n", "\t\tif (!bulk && stays)\n"),

    ("tail in a range without leaving it first", "tail", "rR",
     "\t\tttm_range_del(ttm_resource_range(res), res);\n\t\tttm_range_add_tail(bo->bulk_move",
     "\t\tttm_range_add_tail(bo->bulk_move"),
    ("tail in a range goes to the LRU's tail", "tail", "rRR",
     "\tif (res->lru.place != TTM_LRU_RANGE) {\n", "\tif (true) {\n"),
    ("who goes to the tail isn't stamped", "tail", "Hr",
     "\t\tlist_move_tail(&res->lru.link, list);\n"
     "\t\tttm_resource_stamp(res, true);\n\t} else",
     "\t\tlist_move_tail(&res->lru.link, list);\n\t} else"),
    ("tail doesn't settle first", "tail", "r",
     "\tttm_resource_settle(res, bo, bo->bulk_move);\n\tlist = ",
     "\tlist = "),

    ("a new resource's node isn't initialised", "init", "r",
     "\tttm_lru_item_init(&res->lru, TTM_LRU_RESOURCE);\n", ""),
    ("a new resource isn't counted", "init", "r",
     "\tttm_manager_type(bdev, place->mem_type)->usage += res->size;\n", ""),

    ("freed while in its range", "fini", "r",
     "\tif (res->lru.place == TTM_LRU_RANGE)\n\t\tttm_range_del(ttm_resource_range(res), res);\n", ""),
    ("freed, but still latched", "fini", "r",
     "\tres->lru.place = TTM_LRU_OFF;\n", ""),
    ("a freed resource is counted still", "fini", "r",
     "\tman->usage -= res->size;\n", ""),

    ("a given resource keeps its old buffer", "set_bo", "r",
     "\tres->bo = bo;\n}", "}"),
    ("given without the lock", "set_bo", "r",
     "\tguard(spinlock)(&bo->bdev->lru_lock);\n", ""),

    ("a bulk takes the cursors inside along", "bulk_tail", "RHRR",
     CURSORS_INSIDE, "\t\t(void)pos;\n\t\t(void)hitch;\n"),
    ("a bulk leaves its cursors registered", "bulk_tail", "RHR",
     CURSORS_INSIDE,
     "\t\tlist_move(&hitch->link, &pos->last->lru.link);\n"),
    ("a bulk stops at the first empty range", "bulk_tail", "RR",
     "\t\t\tif (!pos->first)\n\t\t\t\tcontinue;",
     "\t\t\tif (!pos->first)\n\t\t\t\tbreak;"),

    ("a bulk goes without a stamp", "bulk_tail", "HR",
     "\t\t\tpos->stamp = ttm_manager_type(bdev, mem_type)->lru_clock;\n", ""),

    ("a bulk's end leaves the buffers with it", "bulk_fini", "R2",
     "\t\tres->bo->bulk_move = NULL;\n", ""),
    ("a bulk's end keeps its members", "bulk_fini", "R2",
     "\twhile ((res = pos->first)) {", "\twhile ((res = NULL)) {"),
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
     "since[i] = man ? ++man->lru_clock : 0;",
     "since[i] = man ? man->lru_clock : 0;"),
    ("a walk of the unevictable doesn't stamp", "unevictable_next", "R",
     "\tlist_move(&res->lru.link, &bdev->unevictable);\n"
     "\tttm_resource_stamp(res, false);\n",
     "\tlist_move(&res->lru.link, &bdev->unevictable);\n"),
    ("a walk of the unevictable doesn't turn it", "unevictable_next", "RR",
     "\tlist_move(&res->lru.link, &bdev->unevictable);\n"
     "\tttm_resource_stamp(res, false);\n",
     "\tttm_resource_stamp(res, false);\n"),
    ("a walk of the unevictable ends at who moved", "unevictable_next", "R",
     "if (!res->lru.at_tail && res->lru.stamp >= since[res->mem_type])",
     "if (res->lru.stamp >= since[res->mem_type])"),

    ("a new cursor is in a walk", "cursor_init", "h",
     "\tcursor->hitch.priority = TTM_MAX_BO_PRIORITY;\n"
     "\tINIT_LIST_HEAD(&cursor->bulk_link);\n",
     "\tINIT_LIST_HEAD(&cursor->bulk_link);\n"),
    ("bounds are forgotten", "cursor_init", "h",
     "\tcursor->hitch.bounded = true;\n", ""),

    ("a cursor's end leaves the hitch", "cursor_fini", "h",
     END_WALK, "\tttm_cursor_set_at(cursor, NULL);\n"),
    ("a cursor's end leaves it registered", "cursor_fini", "RhR",
     UNLINK, "\tlist_del_init(&cursor->hitch.link);\n"),
    ("a cursor's end leaves it where it stood", "cursor_fini", "Rh",
     END_WALK, "\tttm_cursor_unlink(cursor);\n"),

    ("a walk starts over at the wrong list", "restart", "h",
     "&man->lru[0]);", "&man->lru[1]);"),
    ("a bounded walk starts in the past", "restart", "h",
     "cursor->hitch.stamp = ++man", "cursor->hitch.stamp = man"),

    ("reads beyond the last priority", "advance_within", "h",
     "while (cursor->hitch.priority < TTM_MAX_BO_PRIORITY)",
     "while (cursor->hitch.priority <= TTM_MAX_BO_PRIORITY)"),
    ("passes the list's end and keeps the hitch there", "advance_within", "hR",
     "\t\tttm_cursor_unlink(cursor);\n\t\t", "\t\t"),
    ("goes over the same list again", "advance_within", "Rh",
     "\t\tnode = list + 1;\n", "\t\tnode = list;\n"),

    ("ignores one moved just before the walk", "advance_within", "hR",
     "ttm_resource_moved(res) >= cursor->hitch.stamp",
     "ttm_resource_moved(res) + 1 >= cursor->hitch.stamp"),
    ("returns one moved at the walk's start", "advance_within", "hR",
     "ttm_resource_moved(res) >= cursor->hitch.stamp",
     "ttm_resource_moved(res) > cursor->hitch.stamp"),
    ("ignores all behind one that was ignored", "advance_within", "hRR",
     "res->lru.at_tail ? list->prev : &res->lru.link", "list->prev"),
    ("ignores all behind a range", "advance_within", "hRR",
     "return pos->stamp >= cursor->hitch.stamp ? list->prev :",
     "return true ? list->prev :"),

    ("who is returned isn't counted", "advance_within", "hR",
     "\t\t\t--*budget;\n\t\t\tif (!ttm_cursor_ignores(cursor, res)) {\n",
     "\t\t\tif (ttm_cursor_ignores(cursor, res)) {\n"
     "\t\t\t\t--*budget;\n\t\t\t} else {\n"),
    ("who is ignored isn't counted", "advance_within", "hRR",
     "\t\t\t--*budget;\n\t\t\tif (!ttm_cursor_ignores(cursor, res)) {\n",
     "\t\t\tif (!ttm_cursor_ignores(cursor, res)) {\n\t\t\t\t--*budget;\n"),
    ("goes on beyond the budget", "advance_within", "hRR",
     "\t\t\tif (!*budget) {\n", "\t\t\tif (false) {\n"),
    ("forgets what the budget was used for", "advance_within", "hR",
     "\t\t\t\tttm_cursor_set_at(cursor, node);\n"
     "\t\t\t\treturn ERR_PTR(-EAGAIN);",
     "\t\t\t\treturn ERR_PTR(-EAGAIN);"),
    ("a plain step has a budget", "advance", "hR",
     "\tunsigned long budget = ULONG_MAX;\n", "\tunsigned long budget = 1;\n"),

    ("parked before what was returned", "pause", "hR",
     "\tlist_move(&cursor->hitch.link, at);\n",
     "\tlist_move_tail(&cursor->hitch.link, at);\n"),
    ("never registers", "pause", "hRR",
     PARKED, "\t\t;\n\telse\n\t\tttm_cursor_deregister(cursor);\n"),
    ("registered behind last", "pause", "hR",
     " &&\n\t    ttm_resource_range(res)->last != res)", ")"),

    ("next doesn't park", "next", "hR",
     "\tttm_resource_cursor_pause(cursor);\n\treturn res;",
     "\treturn res;"),

    ("first goes on", "first", "hR",
     "ttm_resource_manager_next(ttm_resource_cursor_restart(cursor))",
     "ttm_resource_manager_next(cursor)"),

    ("a parked walk doesn't leave the range", "skip_bulk", "RhR",
     "\tif (!at && cursor->bulk) {", "\tif (!at && !cursor->man) {"),
    ("leaves a range that it isn't in", "skip_bulk", "hR",
     "\t\tif (res->lru.place != TTM_LRU_RANGE)\n\t\t\treturn;\n", ""),
)
