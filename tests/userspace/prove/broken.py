# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Ways to break the core: what it is, whose proof sees it, a piece of
ttm_resource.c, and what it becomes."""

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
    ("joins before the hitches behind last", "add",
     "\t\ttail = &item->link;\n", ""),
    ("joining registers nobody", "add", JOINING, "\t\ttail"),
    ("the new priority isn't latched", "add",
     "\t\tres->lru.priority = bo->priority;\n", ""),
    ("who joins is not last", "add", "\tpos->last = res;\n}", "}"),

    ("leaves the middle and stays there", "del",
     "\tif (inner)\n", "\tif (false)\n"),
    ("hitches next to a leaving end stay registered", "del",
     NEXT_TO_LEAVING, "\t}\n}"),
    ("an emptied range keeps its ends", "del",
     "\t\t*pos = (struct ttm_lru_bulk_move_pos) {};\n\telse if",
     "\t\t;\n\telse if"),

    ("a swap-out is overlooked", "del_unevictable",
     "bo->pin_count || ttm_resource_is_swapped(res, bo);",
     "bo->pin_count;"),
    ("who becomes unevictable stays in its range", "del_unevictable",
     "\t\tif (!bulk || !stays)\n", "\t\tif (!bulk && stays)\n"),

    ("tail in a range without leaving it first", "tail",
     "\t\tttm_range_del(res);\n\t\tttm_range_add_tail(bo->bulk_move",
     "\t\tttm_range_add_tail(bo->bulk_move"),
    ("tail in a range goes to the LRU's tail", "tail",
     "\tif (res->lru.place != TTM_LRU_RANGE) {\n", "\tif (true) {\n"),
    ("tail doesn't settle first", "tail",
     "\tttm_resource_settle(res, bo, bo->bulk_move);\n\tlist = ",
     "\tlist = "),

    ("a new resource's node isn't initialised", "init",
     "\tttm_lru_item_init(&res->lru, TTM_LRU_RESOURCE);\n", ""),
    ("a new resource isn't counted", "init",
     "\tttm_manager_type(bdev, place->mem_type)->usage += res->size;\n", ""),

    ("freed while in its range", "fini",
     "\tif (res->lru.place == TTM_LRU_RANGE)\n\t\tttm_range_del(res);\n", ""),
    ("freed, but still latched", "fini",
     "\tres->lru.place = TTM_LRU_OFF;\n", ""),
    ("a freed resource is counted still", "fini",
     "\tman->usage -= res->size;\n", ""),

    ("a given resource keeps its old buffer", "set_bo",
     "\tres->bo = bo;\n}", "}"),
    ("given without the lock", "set_bo",
     "\tguard(spinlock)(&bo->bdev->lru_lock);\n", ""),

    ("a bulk takes the cursors inside along", "bulk_tail",
     CURSORS_INSIDE, "\t\t(void)pos;\n\t\t(void)hitch;\n"),
    ("a bulk sets cursors before the range", "bulk_tail",
     "\t\tlist_move(&hitch->link, &pos->last->lru.link);\n",
     "\t\tlist_move_tail(&hitch->link, &pos->first->lru.link);\n"),
    ("a bulk leaves its cursors registered", "bulk_tail",
     CURSORS_INSIDE,
     "\t\tlist_move(&hitch->link, &pos->last->lru.link);\n"),
    ("a bulk stops at the first empty range", "bulk_tail",
     "\t\t\tif (!pos->first)\n\t\t\t\tcontinue;",
     "\t\t\tif (!pos->first)\n\t\t\t\tbreak;"),

    ("a bulk's end leaves the buffers with it", "bulk_fini",
     "\t\tres->bo->bulk_move = NULL;\n", ""),
    ("a bulk's end keeps its members", "bulk_fini",
     "\twhile ((res = pos->first)) {", "\twhile ((res = NULL)) {"),
    ("a bulk's end goes unnoticed", "bulk_fini",
     "\tWARN(left, ", "\tWARN(0 && left, "),

    ("a cursor's end leaves the hitch", "cursor_fini",
     END_WALK, "\tttm_cursor_set_at(cursor, NULL);\n"),
    ("a cursor's end leaves it registered", "cursor_fini",
     UNLINK, "\tlist_del_init(&cursor->hitch.link);\n"),
    ("a cursor's end leaves it where it stood", "cursor_fini",
     END_WALK, "\tttm_cursor_unlink(cursor);\n"),

    ("a walk starts over at the wrong list", "restart",
     "&cursor->man->lru[0]);", "&cursor->man->lru[1]);"),

    ("reads beyond the last priority", "advance",
     "while (cursor->hitch.priority < TTM_MAX_BO_PRIORITY)",
     "while (cursor->hitch.priority <= TTM_MAX_BO_PRIORITY)"),
    ("passes the list's end and keeps the hitch there", "advance",
     "\t\tttm_cursor_unlink(cursor);\n\t\t", "\t\t"),
    ("goes over the same list again", "advance",
     "\t\tnode = list + 1;\n", "\t\tnode = list;\n"),

    ("parked before what was returned", "pause",
     "\tlist_move(&cursor->hitch.link, at);\n",
     "\tlist_move_tail(&cursor->hitch.link, at);\n"),
    ("never registers", "pause",
     PARKED, "\t\t;\n\telse\n\t\tttm_cursor_deregister(cursor);\n"),
    ("registered behind last", "pause",
     " &&\n\t    ttm_resource_range(res)->last != res)", ")"),

    ("next doesn't park", "next",
     "\tttm_resource_cursor_pause(cursor);\n\treturn res;",
     "\treturn res;"),

    ("first goes on", "first",
     "ttm_resource_manager_next(ttm_resource_cursor_restart(cursor))",
     "ttm_resource_manager_next(cursor)"),

    ("a parked walk doesn't leave the range", "skip_bulk",
     "\tif (!at && cursor->bulk) {", "\tif (!at && !cursor->man) {"),
    ("leaves a range that it isn't in", "skip_bulk",
     "\t\tif (res->lru.place != TTM_LRU_RANGE)\n\t\t\treturn;\n", ""),
)
