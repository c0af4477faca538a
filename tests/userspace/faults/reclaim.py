# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Faults of the files that free system memory, which user space does not build."""

from .fault import BOOTED, equivalent, faults

WORTH_IT = """\
	return !bo->pin_count && bo->ttm && ttm_tt_is_populated(bo->ttm) &&
	       !(bo->ttm->page_flags & not_to_swap) &&
	       bo->bdev->funcs->eviction_valuable(bo, &place);
"""

TO_SYSTEM = """\
	ret = ttm_swapout_move_to_system(bo, ctx);
	if (!ret)
		ret = ttm_bo_wait_ctx(bo, ctx);
	if (ret)
		return ret;
"""

RESERVED = """\
	if (!ttm_swapout_valuable(bo, TTM_TT_FLAG_EXTERNAL | TTM_TT_FLAG_SWAPPED))
		return -EBUSY;
	if (bo->deleted)
		return ttm_swapout_zombie(bo, ctx);
	return ttm_swapout_bo(bo, ctx, gfp_flags);
"""

TO_BACKUP = """\
	if (!ttm_swapout_valuable(bo, 0))
		return -EBUSY;
	if (bo->deleted)
		return ttm_swapout_zombie(bo, ctx);
	if (!ttm_backup_bytes_avail())
		return -ENOSPC;

	ret = ttm_bo_wait_ctx(bo, ctx);
	if (ret)
		return ret;
	return ttm_swapout_notify(bo) ? ttm_bo_shrink(ctx, bo, flags) : 0;
"""

AGAIN = 'while (ret > 0 && *left > 0 && ttm_lru_left_out_any(&walk->left_out));'

MANAGERS = """\
		if (!man || !man->use_tt)
			continue;
		ret = ttm_manager_swapout(man, ctx, gfp_flags, back_up, left);
		if (ret || *left <= 0)
			break;
"""

ALL_DEVICES = """\
	ret = ttm_devices_swapout(last, U64_MAX, ctx, gfp_flags, &left);
	if (left > 0)
		ret = ttm_devices_swapout(0, last, ctx, gfp_flags, &left) ?: ret;
"""

SUITS = """\
	return bo->resource &&
	       ttm_manager_type(bdev, bo->resource->mem_type)->use_tt &&
	       ttm_bo_shrink_suitable(bo, &scan->ctx) &&
	       !IS_ERR_OR_NULL(bo->ttm->backup);
"""

PURGE = """\
		if (bo && ttm_shrinker_suits(bo, scan))
			ttm_shrinker_bo(shrinker, bo, scan,
					(struct ttm_bo_shrink_flags) { .purge = true });
		else
			scan->scanned++;
"""

STEP = """\
	passed = ttm_shrinker_passed(shrinker) - before;
	scan->passed |= passed;
	if (bo)
		scan->scanned += passed;
"""

LAP_ENDS = """\
	WRITE_ONCE(shrinker->in_vain, tried && !backed_up);
	WRITE_ONCE(shrinker->tried, false);
	WRITE_ONCE(shrinker->backed_up, false);
"""

IN_VAIN = 'tried && !backed_up'

BACK_UP = """\
		.purge = !ttm_bo_is_alive(bo) || bo->purgeable,
		.writeback = scan->may_write && READ_ONCE(shrinker->in_vain),
"""

SCAN = """\
		.may_back_up = sc->gfp_mask & __GFP_FS && ttm_backup_bytes_avail(),
		.may_write = !ttm_bo_shrink_avoid_wait(),
"""

UNPOPULATE = """\
			dma_resv_lock(bo->base.resv, NULL);
			tear_down(bo);
			dma_resv_unlock(bo->base.resv);
			ttm_bo_put(bo);
"""

LEFT = """\
	u64 left = ttm_pages_available() + max(purgeable, 0) +
		   (ttm_backup_bytes_avail() >> PAGE_SHIFT);
"""

SWAPOUT = faults(
	('no buffer has a backup', 'return bo->ttm && !IS_ERR_OR_NULL(bo->ttm->backup);',
	 'return bo->ttm && false;', BOOTED),
	('all buffers have pages', 'return bo->ttm && !IS_ERR_OR_NULL(bo->ttm->backup);',
	 'return !IS_ERR_OR_NULL(bo->ttm->backup);', BOOTED),
	('what is nowhere is swapped out',
	 '\tif (!bo->resource)\n\t\treturn false;\n\tplace.mem_type', '\tplace.mem_type', BOOTED),
	('pinned ones are swapped out', WORTH_IT, WORTH_IT.replace('!bo->pin_count && ', ''),
	 BOOTED),
	('what never had pages is swapped out', WORTH_IT, WORTH_IT.replace('bo->ttm && ', ''),
	 BOOTED),
	('what has no pages is swapped out', WORTH_IT,
	 WORTH_IT.replace('ttm_tt_is_populated(bo->ttm) &&', ''), BOOTED),
	('what is not to be swapped is', WORTH_IT,
	 WORTH_IT.replace('!(bo->ttm->page_flags & not_to_swap) &&', ''), BOOTED),
	("the driver isn't asked", WORTH_IT,
	 WORTH_IT.replace('bo->bdev->funcs->eviction_valuable(bo, &place)', 'true'), BOOTED),
	('a zombie keeps its pages', 'ttm_bo_evict_zombie(bo, ctx);\n\n\treturn ret ?: pages;',
	 '0;\n\n\treturn ret ?: pages;', BOOTED),
	('a zombie whose GPU works has gone', 'return ret ?: pages;', 'return pages;', BOOTED),
	('a zombie had no pages', 'return ret ?: pages;', 'return ret;', BOOTED),
	('what is in system memory moves there',
	 '\tif (bo->resource->mem_type == TTM_PL_SYSTEM)\n\t\treturn 0;\n', '', BOOTED),
	('a place in system memory is lost', '\t\tttm_resource_free(bo, &res);\n', '', BOOTED),
	('a failure to move is none', TO_SYSTEM,
	 TO_SYSTEM.replace('\tif (!ret)\n\t\tret =', '\tret ='), BOOTED),
	("the GPU isn't waited for", TO_SYSTEM,
	 TO_SYSTEM.replace('\tif (!ret)\n\t\tret = ttm_bo_wait_ctx(bo, ctx);\n', ''), BOOTED),
	('swapped out come what may', TO_SYSTEM,
	 TO_SYSTEM.replace('\tif (ret)\n\t\treturn ret;\n', ''), BOOTED),

	# That what is mapped stays so is for a program to see: vttm-fill-swapout.
	("the driver isn't told",
	 '\tif (bo->bdev->funcs->swap_notify)\n'
	 '\t\tbo->bdev->funcs->swap_notify(bo);\n', '', BOOTED),
	('all drivers want to be told', '\tif (bo->bdev->funcs->swap_notify)\n', '', BOOTED),
	('what the driver let go is swapped out',
	 '\tif (!ttm_swapout_notify(bo))\n\t\treturn 0;\n', '\tttm_swapout_notify(bo);\n', BOOTED),
	("the list isn't told", '\tif (ret > 0)\n\t\tttm_bo_move_to_lru_tail_unlocked(bo);\n', '',
	 BOOTED),
	# A bug of Linux 7.2: the number of pages was tested as if it were an error.
	('7.2: a swap-out that succeeds is an error',
	 '\tif (ret > 0)\n\t\tttm_bo_move_to_lru_tail_unlocked(bo);\n',
	 '\tif (!ret)\n\t\tttm_bo_move_to_lru_tail_unlocked(bo);\n', BOOTED),
	('what is external is swapped out', RESERVED,
	 RESERVED.replace('TTM_TT_FLAG_EXTERNAL | ', ''), BOOTED),
	('a zombie is swapped out', RESERVED,
	 RESERVED.replace(
	    '\tif (bo->deleted)\n\t\treturn ttm_swapout_zombie(bo, ctx);\n', ''), BOOTED),
	("what is not in system memory isn't backed up",
	 'const struct ttm_bo_shrink_flags flags = { .allow_move = true };',
	 'const struct ttm_bo_shrink_flags flags = {};', BOOTED),
	('what is not worth it is backed up', TO_BACKUP,
	 TO_BACKUP.replace('\tif (!ttm_swapout_valuable(bo, 0))\n\t\treturn -EBUSY;\n', ''),
	 BOOTED),
	('a zombie is backed up', TO_BACKUP,
	 TO_BACKUP.replace(
	    '\tif (bo->deleted)\n\t\treturn ttm_swapout_zombie(bo, ctx);\n', ''), BOOTED),
	('backed up without swap space', TO_BACKUP,
	 TO_BACKUP.replace('\tif (!ttm_backup_bytes_avail())\n\t\treturn -ENOSPC;\n', ''), BOOTED),
	("the driver isn't told of backups", TO_BACKUP,
	 TO_BACKUP.replace(
	    'ttm_swapout_notify(bo) ? ttm_bo_shrink(ctx, bo, flags) : 0',
	    'ttm_bo_shrink(ctx, bo, flags)'),
	 BOOTED),
	('what has a backup is backed up always',
	 'if (swapout->back_up && ttm_swapout_has_backup(bo))', 'if (ttm_swapout_has_backup(bo))',
	 BOOTED),
	('what has a backup is never backed up',
	 'if (swapout->back_up && ttm_swapout_has_backup(bo))', 'if (false)', BOOTED),
	('swap-out waits for reservations', '.arg = { .ctx = ctx, .trylock_only = true },',
	 '.arg = { .ctx = ctx, .sleeping_lock = true },', BOOTED),
	('progress is forgotten', '\t\t*left -= walk->progress;\n', '', BOOTED),
	('another look though nothing helps', AGAIN, AGAIN.replace('ret > 0 && ', ''), BOOTED),
	('another look though it is enough', AGAIN, AGAIN.replace('*left > 0 && ', ''), BOOTED),
	('another look though nothing was left out', AGAIN,
	 AGAIN.replace(' && ttm_lru_left_out_any(&walk->left_out)', ''), BOOTED),
	('no other look', AGAIN, 'while (false);', BOOTED),
	('an error is lost', '\treturn ret < 0 ? ret : 0;\n', '\treturn 0;\n', BOOTED),
	('there is a manager for each memory type', MANAGERS, MANAGERS.replace('!man || ', ''),
	 BOOTED),
	('what is not made of pages is swapped out', MANAGERS,
	 MANAGERS.replace(' || !man->use_tt', ''), BOOTED),
	('an error of one manager is none', MANAGERS, MANAGERS.replace('ret || ', ''), BOOTED),
	("one manager's is not enough", MANAGERS, MANAGERS.replace(' || *left <= 0', ''), BOOTED),
	('an error hides progress', '\treturn left < target ? target - left : ret;\n',
	 '\treturn ret ?: target - left;\n', BOOTED),
	('one buffer is all', '\ts64 left = 1;\n', '\ts64 left = S64_MAX;\n', BOOTED),
	('all devices have one serial', '\tbdev->serial = ++ttm_swapout_serials;\n',
	 '\tbdev->serial = 1;\n', BOOTED),
	('a device goes though it is swapped out',
	 '\twait_var_event(&bdev->swapping, !atomic_read(&bdev->swapping));\n', '', BOOTED),
	('a device is not held', '\t\t\tatomic_inc(&bdev->swapping);\n', '', BOOTED),
	('devices before are met as well', 'bdev->serial > after && ', '', BOOTED),
	('devices behind are met as well', ' && bdev->serial <= last', '', BOOTED),
	("no device's turn is over", '\t\t\tttm_swapout_last = bdev->serial;\n', '\t\t\t;\n',
	 BOOTED),
	("all devices' turns are over", '\tif (gave) {\n\t\tscoped_guard(mutex, &ttm_global',
	 '\t{\n\t\tscoped_guard(mutex, &ttm_global', BOOTED),
	("a waiting ttm_device_fini() isn't woken", '\t\twake_up_var(&bdev->swapping);\n',
	 '\t\t;\n', BOOTED),
	('more than is asked for', 'while (*left > 0 && (bdev =', 'while ((bdev =', BOOTED),
	('each device gave something', 'ttm_swapout_put(bdev, *left < before);',
	 'ttm_swapout_put(bdev, true);', BOOTED),
	('all begin with the first device', ALL_DEVICES,
	 ALL_DEVICES.replace('(last, U64_MAX', '(0, U64_MAX'), BOOTED),
	("those before aren't tried", ALL_DEVICES,
	 ALL_DEVICES.replace(
	    '\tif (left > 0)\n'
	    '\t\tret = ttm_devices_swapout(0, last, ctx, gfp_flags, &left) ?: ret;\n',
	    ''), BOOTED),
	('the first error is lost', ALL_DEVICES, ALL_DEVICES.replace(' ?: ret', ''), BOOTED),
)

SHRINK = faults(
	# The same bug of Linux 7.2 in ttm_bo_shrink().
	('7.2: a backup that succeeds is an error', '\tif (lret > 0) {\n', '\tif (!lret) {\n',
	 BOOTED),
	("the list isn't told of a backup", '\tif (lret > 0) {\n', '\tif (false) {\n', BOOTED),
)

SHRINKER = faults(
	('the dead are alive',
	 'return !bo->deleted && bo->base.dev && kref_read(&bo->base.refcount);', 'return true;',
	 BOOTED),
	('zombies are alive',
	 'return !bo->deleted && bo->base.dev && kref_read(&bo->base.refcount);',
	 'return bo->base.dev && kref_read(&bo->base.refcount);', BOOTED),
	('ghosts are alive',
	 'return !bo->deleted && bo->base.dev && kref_read(&bo->base.refcount);',
	 'return !bo->deleted && kref_read(&bo->base.refcount);',
	 equivalent('their last reference is dropped as soon as they are made, which sets '
	            "deleted; before, the GPU is at work with them, so they don't suit"), BOOTED),
	('what is nowhere suits', SUITS, SUITS.replace('bo->resource &&\n\t       ', ''), BOOTED),
	('what is not made of pages suits', SUITS,
	 SUITS.replace(
	    'ttm_manager_type(bdev, bo->resource->mem_type)->use_tt &&', 'bdev &&'), BOOTED),
	("what doesn't suit does", SUITS,
	 SUITS.replace(
	    'ttm_bo_shrink_suitable(bo, &scan->ctx) &&', ''), BOOTED),
	('what has no backup suits', SUITS,
	 SUITS.replace('!IS_ERR_OR_NULL(bo->ttm->backup)', 'true'), BOOTED),
	("what is tried isn't counted", '\tscan->scanned += bo->ttm->num_pages;\n', '', BOOTED),
	('nothing moves to be shrunk', '\tflags.allow_move = alive;\n', '', BOOTED),
	('the dead move to be shrunk', '\tflags.allow_move = alive;\n',
	 '\tflags.allow_move = true;\n', BOOTED),
	('a failure is progress', '\tif (pages <= 0)\n\t\treturn false;\n', '', BOOTED),
	("what is freed isn't counted", '\tscan->freed += pages;\n', '', BOOTED),
	('what was purged stays purgeable',
	 '\tif (flags.purge)\n\t\tttm_bo_set_purgeable(bo, false);\n', '', BOOTED),
	("the driver isn't told", '\t\tshrinker->funcs->shrunk(bo, flags.purge);\n', '\t\t;\n',
	 BOOTED),
	('the driver is told of the dead', '\tif (alive && shrinker->funcs &&',
	 '\tif (shrinker->funcs &&', BOOTED),
	('the driver is told the contrary', '->shrunk(bo, flags.purge);',
	 '->shrunk(bo, !flags.purge);', BOOTED),
	('a reservation is kept',
	 '\tdma_resv_unlock(bo->base.resv);\n\tttm_bo_put_in_reclaim(bo);\n',
	 '\tttm_bo_put_in_reclaim(bo);\n', BOOTED),
	('a reference is kept',
	 '\tdma_resv_unlock(bo->base.resv);\n\tttm_bo_put_in_reclaim(bo);\n',
	 '\tdma_resv_unlock(bo->base.resv);\n', BOOTED),
	('last references are dropped in place',
	 '\tdma_resv_unlock(bo->base.resv);\n\tttm_bo_put_in_reclaim(bo);\n',
	 '\tdma_resv_unlock(bo->base.resv);\n\tttm_bo_put(bo);\n', BOOTED),
	('all that is purgeable is purged',
	 'for (; left && scan->scanned < scan->to_scan; left--)', 'for (; left; left--)', BOOTED),
	("what can't be purged isn't counted", PURGE,
	 PURGE.replace('\t\telse\n\t\t\tscan->scanned++;\n', ''), BOOTED),
	("what can't be purged is", PURGE,
	 PURGE.replace('bo && ttm_shrinker_suits(bo, scan)', 'bo'), BOOTED),
	('what is purged is backed up', PURGE, PURGE.replace('.purge = true', '.purge = false'),
	 BOOTED),
	('what is busy was not passed by', '\t\telse\n\t\t\tscan->passed = true;\n', '', BOOTED),
	('there is always more to purge', '\treturn !left;\n', '\treturn false;\n', BOOTED),
	('there is never more to purge', '\treturn !left;\n', '\treturn true;\n', BOOTED),
	('busy ones are not passed by', '\treturn left_out->busy + left_out->moved +',
	 '\treturn left_out->moved +', BOOTED),
	('dying ones are not passed by', ' + left_out->zombies +\n', ' +\n', BOOTED),
	('each step begins a walk', '\tif (shrinker->walking) {\n', '\tif (false) {\n', BOOTED),
	('what was passed by before counts', '\t\tbefore = ttm_shrinker_passed(shrinker);\n', '',
	 BOOTED),
	('what is passed by is not noticed', STEP, STEP.replace('\tscan->passed |= passed;\n', ''),
	 BOOTED),
	('what is passed by is not counted', STEP,
	 STEP.replace('\tif (bo)\n\t\tscan->scanned += passed;\n', ''), BOOTED),
	('a walk has always ended', '\tshrinker->walking = bo;\n',
	 '\tshrinker->walking = false;\n', BOOTED),
	('a walk keeps what it returned', '\tcursor->bo = NULL;\n\treturn bo;', '\treturn bo;',
	 BOOTED),
	('one lap is all', '\tshrinker->mem_type = TTM_PL_SYSTEM;\n\tWRITE_ONCE(',
	 '\tWRITE_ONCE(', BOOTED),
	('no lap is in vain', LAP_ENDS,
	 LAP_ENDS.replace(IN_VAIN, 'false'), BOOTED),
	('all laps are in vain', LAP_ENDS,
	 LAP_ENDS.replace(IN_VAIN, 'true'), BOOTED),
	('a lap that tried nothing is in vain', LAP_ENDS,
	 LAP_ENDS.replace('tried && ', ''), BOOTED),
	("one lap's attempts are all laps'", LAP_ENDS,
	 LAP_ENDS.replace('\tWRITE_ONCE(shrinker->tried, false);\n', ''), BOOTED),
	("one lap's success is all laps'", LAP_ENDS,
	 LAP_ENDS.replace('\tWRITE_ONCE(shrinker->backed_up, false);\n', ''), BOOTED),
	('laps are not counted', '\tWRITE_ONCE(shrinker->laps, shrinker->laps + 1);\n', '', BOOTED),
	('there is a manager for each memory type',
	 '\t\tif (!man || !man->use_tt)\n\t\t\tcontinue;\n\t\tbo = ',
	 '\t\tif (!man->use_tt)\n\t\t\tcontinue;\n\t\tbo = ', BOOTED),
	('what is not made of pages is walked',
	 '\t\tif (!man || !man->use_tt)\n\t\t\tcontinue;\n\t\tbo = ',
	 '\t\tif (!man)\n\t\t\tcontinue;\n\t\tbo = ', BOOTED),
	('a lap under way is a whole one',
	 '\treturn shrinker->laps + 1 +\n'
	 '\t       (shrinker->walking || shrinker->mem_type != TTM_PL_SYSTEM);\n',
	 '\treturn shrinker->laps + 1;\n', BOOTED),
	('two laps always',
	 '\treturn shrinker->laps + 1 +\n'
	 '\t       (shrinker->walking || shrinker->mem_type != TTM_PL_SYSTEM);\n',
	 '\treturn shrinker->laps + 2;\n', BOOTED),
	('the dead are backed up', BACK_UP, BACK_UP.replace('!ttm_bo_is_alive(bo) || ', ''),
	 BOOTED),
	('the lap backs up what is purgeable', BACK_UP, BACK_UP.replace(' || bo->purgeable', ''),
	 BOOTED),
	('all is written that may be', BACK_UP,
	 BACK_UP.replace(' && READ_ONCE(shrinker->in_vain)', ''), BOOTED),
	('written though it may not be', BACK_UP, BACK_UP.replace('scan->may_write && ', ''),
	 BOOTED),
	('nothing is written', BACK_UP, '\t\t.purge = !ttm_bo_is_alive(bo) || bo->purgeable,\n',
	 BOOTED),
	("what can't be backed up isn't counted", '\t\tscan->scanned++;\n\t\treturn;\n',
	 '\t\treturn;\n', BOOTED),
	("what can't be backed up is", '\tif (!ttm_shrinker_suits(bo, scan)) {\n',
	 '\tif (false) {\n', BOOTED),
	('no attempt is noted', '\tWRITE_ONCE(shrinker->tried, true);\n', '', BOOTED),
	('no success is noted', '\t\tWRITE_ONCE(shrinker->backed_up, true);\n', '\t\t;\n', BOOTED),
	('all is backed up', '\twhile (scan->scanned < scan->to_scan) {\n', '\twhile (true) {\n',
	 BOOTED),
	('a lap has no end',
	 '\t\tif ((long)(READ_ONCE(shrinker->laps) - end) >= 0)\n\t\t\treturn true;\n', '', BOOTED),
	('a lap never saw all',
	 '\t\tif ((long)(READ_ONCE(shrinker->laps) - end) >= 0)\n\t\t\treturn true;\n',
	 '\t\tif ((long)(READ_ONCE(shrinker->laps) - end) >= 0)\n\t\t\treturn false;\n', BOOTED),
	('nothing is purged', 'bool all = ttm_shrinker_purge(shrinker, scan);', 'bool all = true;',
	 BOOTED),
	('backed up though it may not be', '\tif (scan->may_back_up)\n\t\tall =', '\t\tall =',
	 BOOTED),
	('all was seen if the lap saw it', 'ttm_shrinker_lap(shrinker, scan) && all;',
	 'ttm_shrinker_lap(shrinker, scan);',
	 equivalent('the purge ends before it has seen all only if nothing is left to scan, '
	            'and then the lap sees nothing'), BOOTED),
	('an allocation without I/O gets some',
	 '\tif (!(gfp & __GFP_IO))\n\t\treturn PF_MEMALLOC_NOIO;\n', '', BOOTED),
	('an allocation without file systems enters them',
	 '\treturn gfp & __GFP_FS ? 0 : PF_MEMALLOC_NOFS;\n', '\treturn 0;\n', BOOTED),
	("the scope isn't set", 'memalloc_flags_save(ttm_shrinker_scope(sc->gfp_mask));',
	 'memalloc_flags_save(0);', BOOTED),
	('the scope stays', '\tmemalloc_flags_restore(flags);\n', '', BOOTED),
	('a scan waits for the GPU', '\t\t.ctx = { .no_wait_gpu = true },\n', '', BOOTED),
	('backed up where file systems must not be entered', SCAN,
	 SCAN.replace('sc->gfp_mask & __GFP_FS && ', ''), BOOTED),
	('backed up without swap space', SCAN, SCAN.replace(' && ttm_backup_bytes_avail()', ''),
	 BOOTED),
	('all write', SCAN, SCAN.replace('!ttm_bo_shrink_avoid_wait()', 'true'), BOOTED),
	('a scan stops though it freed something', 'if (all && !scan.freed && !scan.passed)',
	 'if (all && !scan.passed)', BOOTED),
	('a scan stops though others hold buffers', 'if (all && !scan.freed && !scan.passed)',
	 'if (all && !scan.freed)', BOOTED),
	('a scan stops before it has seen all', 'if (all && !scan.freed && !scan.passed)',
	 'if (!scan.freed && !scan.passed)', BOOTED),
	('a scan never stops', 'if (all && !scan.freed && !scan.passed)', 'if (false)', BOOTED),
	("what was scanned isn't told", '\tsc->nr_scanned = max(scan.scanned, scan.to_scan);\n',
	 '', BOOTED),
	('more can be backed up than is there',
	 '\tlong pages = atomic_long_read(&bdev->shrinkable_pages) -\n'
	 '\t\t     atomic_long_read(&bdev->purgeable_pages);\n',
	 '\tlong pages = atomic_long_read(&bdev->shrinkable_pages);\n', BOOTED),
	('counted though file systems must not be entered',
	 '\tif (!(gfp & __GFP_FS))\n\t\treturn 0;\n', '', BOOTED),
	('counted without swap space',
	 'min_t(u64, max(pages, 0), ttm_backup_bytes_avail() >> PAGE_SHIFT);', 'max(pages, 0);',
	 BOOTED),
	('bytes are pages', 'ttm_backup_bytes_avail() >> PAGE_SHIFT);',
	 'ttm_backup_bytes_avail());', BOOTED),
	("what is purgeable isn't counted", 'max(atomic_long_read(&bdev->purgeable_pages), 0) +',
	 '0 +', BOOTED),
	('nothing is not empty', '\treturn pages ?: SHRINK_EMPTY;\n', '\treturn pages;\n', BOOTED),
	('the lap is not one of reclaim', '\tshrinker->arg.reclaim = true;\n', '', BOOTED),
	("the lap's walk is left open",
	 '\tif (shrinker->walking)\n\t\tttm_bo_lru_cursor_fini(&shrinker->cursor);\n', '', BOOTED),
)

TEARDOWN = faults(
	('what never had pages is unpopulated', '\tif (bo->ttm)\n\t\tttm_tt_unpopulate',
	 '\t\tttm_tt_unpopulate', BOOTED),
	('nothing is unpopulated', '\tif (bo->ttm)\n\t\tttm_tt_unpopulate(bo->bdev, bo->ttm);\n',
	 '', BOOTED),
	("teardown doesn't wait for reservations", '\t\t.sleeping_lock = true,\n', '', BOOTED),
	('teardown is bounded', '\t\t.unbounded = true,\n', '',
	 equivalent('what such a walk does not meet, as it moved, counts as left out: the '
	            'next look meets it'), BOOTED),
	('what a walk left out is forgotten', '\treturn ttm_lru_left_out_any(&cursor.left_out);\n',
	 '\treturn false;\n', BOOTED),
	('an unevictable one is unpopulated under no lock', UNPOPULATE,
	 '\t\t\ttear_down(bo);\n\t\t\tttm_bo_put(bo);\n', BOOTED),
	('an unevictable one stays reserved', UNPOPULATE,
	 UNPOPULATE.replace('\t\t\tdma_resv_unlock(bo->base.resv);\n', ''), BOOTED),
	('an unevictable one is never freed', UNPOPULATE,
	 UNPOPULATE.replace('\t\t\tttm_bo_put(bo);\n', ''), BOOTED),
	('an unevictable one keeps its pages', UNPOPULATE,
	 UNPOPULATE.replace('\t\t\ttear_down(bo);\n', ''), BOOTED),
	('an unevictable one that is being released is overlooked', '\t\t\tdying = true;\n',
	 '\t\t\t;\n', BOOTED),
	('the unevictable keep their pages', 'bool left_out = ttm_unevictable_tear_down(bdev, tear_down);',
	 'bool left_out = false;', BOOTED),
	('there is a manager for each memory type', '\t\tif (man)\n', '', BOOTED),
	('managers keep their pages', '\t\tif (man)\n', '\t\tif (false)\n', BOOTED),
	("the last manager's left-outs count", 'left_out |= ttm_manager_tear_down(man, tear_down);',
	 'left_out = ttm_manager_tear_down(man, tear_down);', BOOTED),
	('one look is all', '\twhile (ttm_device_tear_down(bdev, ttm_bo_unpopulate))\n',
	 '\tif (ttm_device_tear_down(bdev, ttm_bo_unpopulate))\n', BOOTED),
)

PURGEABLE = faults(
	('what has no backup is counted', '\tif (IS_ERR_OR_NULL(tt->backup))\n\t\treturn;\n', '',
	 BOOTED),
	("what is purgeable isn't counted as such",
	 '\t\tatomic_long_add(pages, &bdev->purgeable_pages);\n', '\t\t;\n', BOOTED),
	('what has no pages is counted', 'ttm_tt_is_populated(tt) ? tt->num_pages : 0;',
	 'tt->num_pages;', BOOTED),
	('what becomes purgeable is counted twice', '\tttm_shrinker_account(bdev, tt, -pages);\n',
	 '', BOOTED),
	('what becomes purgeable is not counted any more',
	 '\tttm_shrinker_account(bdev, tt, pages);\n', '', BOOTED),
	('what is not purgeable keeps its flag', '\t\ttt->page_flags &= ~TTM_TT_FLAG_PURGEABLE;\n',
	 '\t\t;\n', BOOTED),
	('the list is a stack', 'list_add_tail(&bo->purgeable_link',
	 'list_add(&bo->purgeable_link', BOOTED),
	("what enters isn't counted",
	 '\t\tWRITE_ONCE(bdev->nr_purgeable, bdev->nr_purgeable + 1);\n', '', BOOTED),
	('what leaves is still counted',
	 '\t\tWRITE_ONCE(bdev->nr_purgeable, bdev->nr_purgeable - 1);\n', '', BOOTED),
	('what leaves stays on the list', '\t\tlist_del(&bo->purgeable_link);\n', '', BOOTED),
	('what is purgeable enters again', '\tif (bo->purgeable == purgeable)\n\t\treturn;\n', '',
	 BOOTED),
	('zombies without a backup are purgeable',
	 'if (bo->ttm && !IS_ERR_OR_NULL(bo->ttm->backup))', 'if (bo->ttm)', BOOTED),
	('zombies are not purgeable', '\t\tttm_purgeable_set(bo, true);\n', '\t\t;\n', BOOTED),
	('what is freed stays on the list', '{\n\tttm_purgeable_set(bo, false);\n', '{\n', BOOTED),
	("one that can't be purged keeps all from it",
	 '\tlist_move_tail(&bo->purgeable_link, &bdev->purgeable);\n', '', BOOTED),
	('what is reserved is taken',
	 '\tif (!dma_resv_trylock(bo->base.resv))\n\t\treturn NULL;\n',
	 '\tdma_resv_trylock(bo->base.resv);\n', BOOTED),
	('what is being released stays reserved',
	 '\tdma_resv_unlock(bo->base.resv);\n\treturn NULL;\n', '\treturn NULL;\n', BOOTED),
	("one device's pages alone are purgeable",
	 '\t\tatomic_long_add(pages, &ttm_purgeable_pages);\n', '\t\t;\n', BOOTED),
	('what can be purged is not there', LEFT, LEFT.replace('max(purgeable, 0) +', '0 +'),
	 BOOTED),
	('swap space is not there', LEFT,
	 LEFT.replace('(ttm_backup_bytes_avail() >> PAGE_SHIFT)', '0'), BOOTED),
	('swap space is a multiple of what it is', LEFT, LEFT.replace(' >> PAGE_SHIFT', ''),
	 BOOTED),
	('free memory is not there', LEFT, LEFT.replace('ttm_pages_available() + ', ''), BOOTED),
	('nothing is kept back', '\treturn left >= pages + reserve;\n',
	 '\treturn left >= pages;\n', BOOTED),
	('a buffer of any size fits', '\treturn left >= pages + reserve;\n',
	 '\treturn left >= reserve;\n', BOOTED),
	('too much is kept back', '\treturn left >= pages + reserve;\n',
	 '\treturn left > pages + reserve;\n', BOOTED),
)

RELEASE = faults(
	('nobody reclaims', 'return current->flags & PF_MEMALLOC;', 'return false;', BOOTED),
	("all references are the workqueue's",
	 '\tif (refcount_dec_not_one(&bo->kref.refcount))\n\t\treturn;\n', '', BOOTED),
	("a last reference is nobody's",
	 '\tqueue_work_node(bdev->pool.nid, bdev->wq, &bo->delayed_delete);\n', '', BOOTED),
	('the fences of all are waited for',
	 'if (bo->base.resv != resv && ttm_bo_copy_fences(bo))', 'if (bo->base.resv != resv)',
	 BOOTED),
	('the fences of others are not waited for',
	 'if (bo->base.resv != resv && ttm_bo_copy_fences(bo))', 'if (false)', BOOTED),
	('nothing is waited for',
	 '\tdma_resv_wait_timeout(resv, DMA_RESV_USAGE_BOOKKEEP, false,\n'
	 '\t\t\t      MAX_SCHEDULE_TIMEOUT);\n', '', BOOTED),
)

OWNER = faults(
	('a buffer does not keep its device', '\tdrm_dev_get(owner->drm);\n', '', BOOTED),
	('a module that goes leaves its devices', '\t\towner->leave(owner);\n', '', BOOTED),
	('a module that goes waits for nobody',
	 '\t\t    atomic_read(&owner->pending))\n\t\t\treturn false;',
	 '\t\t    0)\n\t\t\treturn false;', BOOTED),
	('nothing is given up', '\t\t\t\tWRITE_ONCE(owner->gone, true);\n', '\t\t\t\tcontinue;\n',
	 BOOTED),
	('the driver is called for what was given up',
	 'if (!bdev->owner || !READ_ONCE(bdev->owner->gone))', 'if (true)', BOOTED),
	('a device that is gone is still known', '\tlist_del(&owner->link);\n', '', BOOTED),
)
