# SPDX-License-Identifier: GPL-2.0 OR MIT
"""Mutants of what user space has nothing of, file by file from top to bottom: a name, a
piece, what it becomes. What it has, and does not notice, comes from there.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / 'userspace'))

import mutants_evict	# noqa: E402 (it is found there)
import mutants_walk	# noqa: E402

# What can't be told from the original, and why.
EQUIVALENT = {
    "teardown is bounded":
        "what such a walk does not meet, as it moved, counts as left out: the next look meets it",
    "all was seen if the lap saw it":
        "the purge ends before it has seen all only if nothing is left to scan, and then the lap sees"
        " nothing",
    "a failed wait for a move is none":
        "a wait that can't be interrupted does not fail",
    "ghosts are alive":
        "their last reference is dropped as soon as they are made, which sets deleted; before, the"
        " GPU is at work with them, so they don't suit",
}

# Pieces that several mutants begin with.
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
	if (!ttm_swapout_worth_it(bo, TTM_TT_FLAG_EXTERNAL | TTM_TT_FLAG_SWAPPED))
		return -EBUSY;
	if (bo->deleted)
		return ttm_swapout_zombie(bo, ctx);
	return ttm_swapout_bo(bo, ctx, gfp_flags);
"""

TO_BACKUP = """\
	if (!ttm_swapout_worth_it(bo, 0))
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

AGAIN = "while (ret > 0 && *left > 0 && ttm_lru_left_out_any(&walk->left_out));"

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

SWAPOUT = [
    ("no buffer has a backup",
     "return bo->ttm && !IS_ERR_OR_NULL(bo->ttm->backup);", "return bo->ttm && false;"),
    ("all buffers have pages", "return bo->ttm && !IS_ERR_OR_NULL(bo->ttm->backup);",
     "return !IS_ERR_OR_NULL(bo->ttm->backup);"),
    ("what is nowhere is swapped out",
     "\tif (!bo->resource)\n\t\treturn false;\n\tplace.mem_type",
     "\tplace.mem_type"),
    ("pinned ones are swapped out", WORTH_IT, WORTH_IT.replace("!bo->pin_count && ", "")),
    ("what never had pages is swapped out", WORTH_IT, WORTH_IT.replace("bo->ttm && ", "")),
    ("what has no pages is swapped out",
     WORTH_IT, WORTH_IT.replace("ttm_tt_is_populated(bo->ttm) &&", "")),
    ("what is not to be swapped is", WORTH_IT,
     WORTH_IT.replace("!(bo->ttm->page_flags & not_to_swap) &&", "")),
    ("the driver isn't asked", WORTH_IT,
     WORTH_IT.replace("bo->bdev->funcs->eviction_valuable(bo, &place)", "true")),
    ("a zombie keeps its pages", "ttm_bo_evict_zombie(bo, ctx);\n\n\treturn ret ?: pages;",
     "0;\n\n\treturn ret ?: pages;"),
    ("a zombie whose GPU works has gone", "return ret ?: pages;", "return pages;"),
    ("a zombie had no pages", "return ret ?: pages;", "return ret;"),
    ("what is in system memory moves there",
     "\tif (bo->resource->mem_type == TTM_PL_SYSTEM)\n\t\treturn 0;\n", ""),
    ("a place in system memory is lost", "\t\tttm_resource_free(bo, &res);\n", ""),
    ("a failure to move is none", TO_SYSTEM,
     TO_SYSTEM.replace("\tif (!ret)\n\t\tret =", "\tret =")),
    ("the GPU isn't waited for", TO_SYSTEM,
     TO_SYSTEM.replace("\tif (!ret)\n\t\tret = ttm_bo_wait_ctx(bo, ctx);\n", "")),
    ("swapped out come what may", TO_SYSTEM,
     TO_SYSTEM.replace("\tif (ret)\n\t\treturn ret;\n", "")),
    # That what is mapped stays so is for a program to see: vttm-fill-swapout.
    ("the driver isn't told", "\tif (bo->bdev->funcs->swap_notify)\n"
     "\t\tbo->bdev->funcs->swap_notify(bo);\n", ""),
    ("all drivers want to be told", "\tif (bo->bdev->funcs->swap_notify)\n", ""),
    ("what the driver let go is swapped out",
     "\tif (!ttm_swapout_notify(bo))\n\t\treturn 0;\n", "\tttm_swapout_notify(bo);\n"),
    ("the list isn't told", "\tif (ret > 0)\n\t\tttm_bo_move_to_lru_tail_unlocked(bo);\n", ""),
    ("what is external is swapped out", RESERVED,
     RESERVED.replace("TTM_TT_FLAG_EXTERNAL | ", "")),
    ("a zombie is swapped out", RESERVED, RESERVED.replace(
        "\tif (bo->deleted)\n\t\treturn ttm_swapout_zombie(bo, ctx);\n", "")),
    ("what is not in system memory isn't backed up",
     "const struct ttm_bo_shrink_flags flags = { .allow_move = true };",
     "const struct ttm_bo_shrink_flags flags = {};"),
    ("what is not worth it is backed up", TO_BACKUP,
     TO_BACKUP.replace("\tif (!ttm_swapout_worth_it(bo, 0))\n\t\treturn -EBUSY;\n", "")),
    ("a zombie is backed up", TO_BACKUP, TO_BACKUP.replace(
        "\tif (bo->deleted)\n\t\treturn ttm_swapout_zombie(bo, ctx);\n", "")),
    ("backed up without swap space", TO_BACKUP,
     TO_BACKUP.replace("\tif (!ttm_backup_bytes_avail())\n\t\treturn -ENOSPC;\n", "")),
    ("the driver isn't told of backups", TO_BACKUP, TO_BACKUP.replace(
        "ttm_swapout_notify(bo) ? ttm_bo_shrink(ctx, bo, flags) : 0", "ttm_bo_shrink(ctx, bo, flags)")),
    ("what has a backup is backed up always",
     "if (swapout->back_up && ttm_swapout_has_backup(bo))",
     "if (ttm_swapout_has_backup(bo))"),
    ("what has a backup is never backed up",
     "if (swapout->back_up && ttm_swapout_has_backup(bo))", "if (false)"),
    ("swap-out waits for reservations", ".arg = { .ctx = ctx, .trylock_only = true },",
     ".arg = { .ctx = ctx, .sleeping_lock = true },"),
    ("progress is forgotten", "\t\t*left -= walk->progress;\n", ""),
    ("another look though nothing helps", AGAIN, AGAIN.replace("ret > 0 && ", "")),
    ("another look though it is enough", AGAIN, AGAIN.replace("*left > 0 && ", "")),
    ("another look though nothing was left out", AGAIN,
     AGAIN.replace(" && ttm_lru_left_out_any(&walk->left_out)", "")),
    ("no other look", AGAIN, "while (false);"),
    ("an error is lost", "\treturn ret < 0 ? ret : 0;\n", "\treturn 0;\n"),
    ("there is a manager for each memory type", MANAGERS, MANAGERS.replace("!man || ", "")),
    ("what is not made of pages is swapped out", MANAGERS,
     MANAGERS.replace(" || !man->use_tt", "")),
    ("an error of one manager is none", MANAGERS, MANAGERS.replace("ret || ", "")),
    ("one manager's is not enough", MANAGERS, MANAGERS.replace(" || *left <= 0", "")),
    ("an error hides progress", "\treturn left < target ? target - left : ret;\n",
     "\treturn ret ?: target - left;\n"),
    ("one buffer is all", "\ts64 left = 1;\n", "\ts64 left = S64_MAX;\n"),
    ("all devices have one serial",
     "\tbdev->serial = ++ttm_swapout_serials;\n", "\tbdev->serial = 1;\n"),
    ("a device goes though it is swapped out",
     "\twait_var_event(&bdev->swapping, !atomic_read(&bdev->swapping));\n", ""),
    ("a device is not held", "\t\t\tatomic_inc(&bdev->swapping);\n", ""),
    ("devices before are met as well", "bdev->serial > after && ", ""),
    ("devices behind are met as well", " && bdev->serial <= last", ""),
    ("no device's turn is over", "\t\t\tttm_swapout_last = bdev->serial;\n", "\t\t\t;\n"),
    ("all devices' turns are over", "\tif (gave) {\n\t\tscoped_guard(mutex, &ttm_global",
     "\t{\n\t\tscoped_guard(mutex, &ttm_global"),
    ("a waiting ttm_device_fini() isn't woken", "\t\twake_up_var(&bdev->swapping);\n", "\t\t;\n"),
    ("more than is asked for", "while (*left > 0 && (bdev =", "while ((bdev ="),
    ("each device gave something", "ttm_swapout_put(bdev, *left < before);",
     "ttm_swapout_put(bdev, true);"),
    ("all begin with the first device", ALL_DEVICES, ALL_DEVICES.replace("(last, U64_MAX", "(0, U64_MAX")),
    ("those before aren't tried", ALL_DEVICES, ALL_DEVICES.replace(
        "\tif (left > 0)\n\t\tret = ttm_devices_swapout(0, last, ctx, gfp_flags, &left) ?: ret;\n",
        "")),
    ("the first error is lost", ALL_DEVICES, ALL_DEVICES.replace(" ?: ret", "")),
]

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
	shrinker->in_vain = shrinker->tried && !shrinker->backed_up;
	shrinker->tried = false;
	shrinker->backed_up = false;
"""

BACK_UP = """\
		.purge = !ttm_bo_is_alive(bo) || bo->purgeable,
		.writeback = scan->may_write && READ_ONCE(shrinker->in_vain),
"""

SCAN = """\
		.may_back_up = sc->gfp_mask & __GFP_FS && ttm_backup_bytes_avail(),
		.may_write = !ttm_bo_shrink_avoid_wait(),
"""

SHRINKER = [
    ("the dead are alive",
     "return !bo->deleted && bo->base.dev && kref_read(&bo->base.refcount);",
     "return true;"),
    ("zombies are alive",
     "return !bo->deleted && bo->base.dev && kref_read(&bo->base.refcount);",
     "return bo->base.dev && kref_read(&bo->base.refcount);"),
    ("ghosts are alive",
     "return !bo->deleted && bo->base.dev && kref_read(&bo->base.refcount);",
     "return !bo->deleted && kref_read(&bo->base.refcount);"),
    ("what is nowhere suits", SUITS, SUITS.replace("bo->resource &&\n\t       ", "")),
    ("what is not made of pages suits", SUITS, SUITS.replace(
        "ttm_manager_type(bdev, bo->resource->mem_type)->use_tt &&", "bdev &&")),
    ("what doesn't suit does", SUITS, SUITS.replace(
        "ttm_bo_shrink_suitable(bo, &scan->ctx) &&", "")),
    ("what has no backup suits", SUITS, SUITS.replace("!IS_ERR_OR_NULL(bo->ttm->backup)", "true")),
    ("what is tried isn't counted", "\tscan->scanned += bo->ttm->num_pages;\n", ""),
    ("nothing moves to be shrunk", "\tflags.allow_move = alive;\n", ""),
    ("the dead move to be shrunk", "\tflags.allow_move = alive;\n",
     "\tflags.allow_move = true;\n"),
    ("a failure is progress", "\tif (pages <= 0)\n\t\treturn false;\n", ""),
    ("what is freed isn't counted", "\tscan->freed += pages;\n", ""),
    ("what was purged stays purgeable",
     "\tif (flags.purge)\n\t\tttm_bo_set_purgeable(bo, false);\n", ""),
    ("the driver isn't told", "\t\tshrinker->funcs->shrunk(bo, flags.purge);\n", "\t\t;\n"),
    ("the driver is told of the dead", "\tif (alive && shrinker->funcs &&",
     "\tif (shrinker->funcs &&"),
    ("the driver is told the contrary", "->shrunk(bo, flags.purge);", "->shrunk(bo, !flags.purge);"),
    ("a reservation is kept", "\tdma_resv_unlock(bo->base.resv);\n\tttm_bo_put_in_reclaim(bo);\n",
     "\tttm_bo_put_in_reclaim(bo);\n"),
    ("a reference is kept", "\tdma_resv_unlock(bo->base.resv);\n\tttm_bo_put_in_reclaim(bo);\n",
     "\tdma_resv_unlock(bo->base.resv);\n"),
    ("last references are dropped in place",
     "\tdma_resv_unlock(bo->base.resv);\n\tttm_bo_put_in_reclaim(bo);\n",
     "\tdma_resv_unlock(bo->base.resv);\n\tttm_bo_put(bo);\n"),
    ("all that is purgeable is purged", "for (; left && scan->scanned < scan->to_scan; left--)",
     "for (; left; left--)"),
    ("what can't be purged isn't counted", PURGE,
     PURGE.replace("\t\telse\n\t\t\tscan->scanned++;\n", "")),
    ("what can't be purged is", PURGE, PURGE.replace("bo && ttm_shrinker_suits(bo, scan)", "bo")),
    ("what is purged is backed up", PURGE, PURGE.replace(".purge = true", ".purge = false")),
    ("what is busy was not passed by", "\t\telse\n\t\t\tscan->passed = true;\n", ""),
    ("there is always more to purge", "\treturn !left;\n", "\treturn false;\n"),
    ("there is never more to purge", "\treturn !left;\n", "\treturn true;\n"),
    ("busy ones are not passed by", "\treturn left_out->busy + left_out->moved +",
     "\treturn left_out->moved +"),
    ("dying ones are not passed by", " + left_out->dying +\n", " +\n"),
    ("each step begins a walk", "\tif (shrinker->walking) {\n", "\tif (false) {\n"),
    ("what was passed by before counts", "\t\tbefore = ttm_shrinker_passed(shrinker);\n", ""),
    ("what is passed by is not noticed", STEP, STEP.replace("\tscan->passed |= passed;\n", "")),
    ("what is passed by is not counted", STEP,
     STEP.replace("\tif (bo)\n\t\tscan->scanned += passed;\n", "")),
    ("a walk has always ended", "\tshrinker->walking = bo;\n", "\tshrinker->walking = false;\n"),
    ("a walk keeps what it returned", "\tcursor->bo = NULL;\n\treturn bo;", "\treturn bo;"),
    ("one lap is all", "\tshrinker->mem_type = TTM_PL_SYSTEM;\n\tshrinker->in_vain",
     "\tshrinker->in_vain"),
    ("no lap is in vain", LAP_ENDS, LAP_ENDS.replace("shrinker->tried && !shrinker->backed_up", "false")),
    ("all laps are in vain", LAP_ENDS, LAP_ENDS.replace("shrinker->tried && !shrinker->backed_up", "true")),
    ("a lap that tried nothing is in vain", LAP_ENDS, LAP_ENDS.replace("shrinker->tried && ", "")),
    ("one lap's attempts are all laps'", LAP_ENDS, LAP_ENDS.replace("\tshrinker->tried = false;\n", "")),
    ("one lap's success is all laps'", LAP_ENDS, LAP_ENDS.replace("\tshrinker->backed_up = false;\n", "")),
    ("laps are not counted", "\tshrinker->laps++;\n", ""),
    ("there is a manager for each memory type", "\t\tif (!man || !man->use_tt)\n\t\t\tcontinue;\n\t\tbo = ",
     "\t\tif (!man->use_tt)\n\t\t\tcontinue;\n\t\tbo = "),
    ("what is not made of pages is walked", "\t\tif (!man || !man->use_tt)\n\t\t\tcontinue;\n\t\tbo = ",
     "\t\tif (!man)\n\t\t\tcontinue;\n\t\tbo = "),
    ("a lap under way is a whole one",
     "\treturn shrinker->laps + 1 +\n"
     "\t       (shrinker->walking || shrinker->mem_type != TTM_PL_SYSTEM);\n",
     "\treturn shrinker->laps + 1;\n"),
    ("two laps always",
     "\treturn shrinker->laps + 1 +\n"
     "\t       (shrinker->walking || shrinker->mem_type != TTM_PL_SYSTEM);\n",
     "\treturn shrinker->laps + 2;\n"),
    ("the dead are backed up", BACK_UP, BACK_UP.replace("!ttm_bo_is_alive(bo) || ", "")),
    ("the lap backs up what is purgeable", BACK_UP, BACK_UP.replace(" || bo->purgeable", "")),
    ("all is written that may be", BACK_UP, BACK_UP.replace(" && READ_ONCE(shrinker->in_vain)", "")),
    ("written though it may not be", BACK_UP, BACK_UP.replace("scan->may_write && ", "")),
    ("nothing is written", BACK_UP, "\t\t.purge = !ttm_bo_is_alive(bo) || bo->purgeable,\n"),
    ("what can't be backed up isn't counted", "\t\tscan->scanned++;\n\t\treturn;\n", "\t\treturn;\n"),
    ("what can't be backed up is", "\tif (!ttm_shrinker_suits(bo, scan)) {\n", "\tif (false) {\n"),
    ("no attempt is noted", "\tWRITE_ONCE(shrinker->tried, true);\n", ""),
    ("no success is noted", "\t\tWRITE_ONCE(shrinker->backed_up, true);\n", "\t\t;\n"),
    ("all is backed up", "\twhile (scan->scanned < scan->to_scan) {\n", "\twhile (true) {\n"),
    ("a lap has no end", "\t\tif ((long)(READ_ONCE(shrinker->laps) - end) >= 0)\n\t\t\treturn true;\n", ""),
    ("a lap never saw all", "\t\tif ((long)(READ_ONCE(shrinker->laps) - end) >= 0)\n\t\t\treturn true;\n",
     "\t\tif ((long)(READ_ONCE(shrinker->laps) - end) >= 0)\n\t\t\treturn false;\n"),
    ("nothing is purged", "bool all = ttm_shrinker_purge(shrinker, scan);", "bool all = true;"),
    ("backed up though it may not be", "\tif (scan->may_back_up)\n\t\tall =", "\t\tall ="),
    ("all was seen if the lap saw it", "ttm_shrinker_lap(shrinker, scan) && all;",
     "ttm_shrinker_lap(shrinker, scan);"),
    ("an allocation without I/O gets some",
     "\tif (!(gfp & __GFP_IO))\n\t\treturn PF_MEMALLOC_NOIO;\n", ""),
    ("an allocation without file systems enters them",
     "\treturn gfp & __GFP_FS ? 0 : PF_MEMALLOC_NOFS;\n", "\treturn 0;\n"),
    ("the scope isn't set", "memalloc_flags_save(ttm_shrinker_scope(sc->gfp_mask));",
     "memalloc_flags_save(0);"),
    ("the scope stays", "\tmemalloc_flags_restore(flags);\n", ""),
    ("a scan waits for the GPU", "\t\t.ctx = { .no_wait_gpu = true },\n", ""),
    ("backed up where file systems must not be entered", SCAN,
     SCAN.replace("sc->gfp_mask & __GFP_FS && ", "")),
    ("backed up without swap space", SCAN, SCAN.replace(" && ttm_backup_bytes_avail()", "")),
    ("all write", SCAN, SCAN.replace("!ttm_bo_shrink_avoid_wait()", "true")),
    ("a scan stops though it freed something", "if (all && !scan.freed && !scan.passed)",
     "if (all && !scan.passed)"),
    ("a scan stops though others hold buffers", "if (all && !scan.freed && !scan.passed)",
     "if (all && !scan.freed)"),
    ("a scan stops before it has seen all", "if (all && !scan.freed && !scan.passed)",
     "if (!scan.freed && !scan.passed)"),
    ("a scan never stops", "if (all && !scan.freed && !scan.passed)", "if (false)"),
    ("what was scanned isn't told", "\tsc->nr_scanned = max(scan.scanned, scan.to_scan);\n", ""),
    ("more can be backed up than is there",
     "\tlong pages = atomic_long_read(&bdev->shrinkable_pages) -\n"
     "\t\t     atomic_long_read(&bdev->purgeable_pages);\n",
     "\tlong pages = atomic_long_read(&bdev->shrinkable_pages);\n"),
    ("counted though file systems must not be entered",
     "\tif (!(gfp & __GFP_FS))\n\t\treturn 0;\n", ""),
    ("counted without swap space",
     "min_t(u64, max(pages, 0), ttm_backup_bytes_avail() >> PAGE_SHIFT);", "max(pages, 0);"),
    ("bytes are pages", "ttm_backup_bytes_avail() >> PAGE_SHIFT);", "ttm_backup_bytes_avail());"),
    ("what is purgeable isn't counted", "max(atomic_long_read(&bdev->purgeable_pages), 0) +", "0 +"),
    ("nothing is not empty", "\treturn pages ?: SHRINK_EMPTY;\n", "\treturn pages;\n"),
    ("the lap is not one of reclaim", "\tshrinker->arg.reclaim = true;\n", ""),
    ("the lap's walk is left open", "\tif (shrinker->walking)\n\t\tttm_bo_lru_cursor_fini(&shrinker->cursor);\n", ""),
]

UNPOPULATE = """\
			dma_resv_lock(bo->base.resv, NULL);
			ttm_bo_unpopulate(bo);
			dma_resv_unlock(bo->base.resv);
			ttm_bo_put(bo);
"""

TEARDOWN = [
    ("what never had pages is unpopulated", "\tif (bo->ttm)\n\t\tttm_tt_unpopulate", "\t\tttm_tt_unpopulate"),
    ("nothing is unpopulated", "\tif (bo->ttm)\n\t\tttm_tt_unpopulate(bo->bdev, bo->ttm);\n", ""),
    ("teardown doesn't wait for reservations", "\t\t.sleeping_lock = true,\n", ""),
    ("teardown is bounded", "\t\t.unbounded = true,\n", ""),
    ("what a walk left out is forgotten",
     "\treturn ttm_lru_left_out_any(&cursor.left_out);\n", "\treturn false;\n"),
    ("an unevictable one is unpopulated under no lock", UNPOPULATE,
     "\t\t\tttm_bo_unpopulate(bo);\n\t\t\tttm_bo_put(bo);\n"),
    ("an unevictable one stays reserved", UNPOPULATE,
     UNPOPULATE.replace("\t\t\tdma_resv_unlock(bo->base.resv);\n", "")),
    ("an unevictable one is never freed", UNPOPULATE,
     UNPOPULATE.replace("\t\t\tttm_bo_put(bo);\n", "")),
    ("an unevictable one keeps its pages", UNPOPULATE,
     UNPOPULATE.replace("\t\t\tttm_bo_unpopulate(bo);\n", "")),
    ("an unevictable one that is being released is overlooked",
     "\t\t\tdying = true;\n", "\t\t\t;\n"),
    ("the unevictable keep their pages",
     "bool left_out = ttm_unevictable_unpopulate(bdev);", "bool left_out = false;"),
    ("there is a manager for each memory type", "if (man && man->use_tt)", "if (man->use_tt)"),
    ("managers keep their pages", "if (man && man->use_tt)", "if (false)"),
    ("the last manager's left-outs count",
     "left_out |= ttm_manager_unpopulate(man);", "left_out = ttm_manager_unpopulate(man);"),
    ("one look is all", "\twhile (ttm_device_unpopulate(bdev))\n", "\tif (ttm_device_unpopulate(bdev))\n"),
]

LEFT = """\
	u64 left = ttm_pages_available() + max(purgeable, 0) +
		   (ttm_backup_bytes_avail() >> PAGE_SHIFT);
"""

PURGEABLE = [
    ("what has no backup is counted", "\tif (IS_ERR_OR_NULL(tt->backup))\n\t\treturn;\n", ""),
    ("what is purgeable isn't counted as such",
     "\t\tatomic_long_add(pages, &bdev->purgeable_pages);\n", "\t\t;\n"),
    ("what has no pages is counted", "ttm_tt_is_populated(tt) ? tt->num_pages : 0;", "tt->num_pages;"),
    ("what becomes purgeable is counted twice", "\tttm_shrinker_account(bdev, tt, -pages);\n", ""),
    ("what becomes purgeable is not counted any more",
     "\tttm_shrinker_account(bdev, tt, pages);\n", ""),
    ("what is not purgeable keeps its flag",
     "\t\ttt->page_flags &= ~TTM_TT_FLAG_PURGEABLE;\n", "\t\t;\n"),
    ("the list is a stack", "list_add_tail(&bo->purgeable_link", "list_add(&bo->purgeable_link"),
    ("what enters isn't counted", "\t\tbdev->nr_purgeable++;\n", ""),
    ("what leaves is still counted", "\t\tbdev->nr_purgeable--;\n", ""),
    ("what leaves stays on the list", "\t\tlist_del(&bo->purgeable_link);\n", ""),
    ("what is purgeable enters again", "\tif (bo->purgeable == purgeable)\n\t\treturn;\n", ""),
    ("zombies without a backup are purgeable", "if (bo->ttm && !IS_ERR_OR_NULL(bo->ttm->backup))",
     "if (bo->ttm)"),
    ("zombies are not purgeable", "\t\tttm_purgeable_set(bo, true);\n", "\t\t;\n"),
    ("what is freed stays on the list",
     "{\n\tttm_purgeable_set(bo, false);\n", "{\n"),
    ("one that can't be purged keeps all from it",
     "\tlist_move_tail(&bo->purgeable_link, &bdev->purgeable);\n", ""),
    ("what is reserved is taken", "\tif (!dma_resv_trylock(bo->base.resv))\n\t\treturn NULL;\n",
     "\tdma_resv_trylock(bo->base.resv);\n"),
    ("what is being released stays reserved",
     "\tdma_resv_unlock(bo->base.resv);\n\treturn NULL;\n", "\treturn NULL;\n"),
    ("one device's pages alone are purgeable",
     "\t\tatomic_long_add(pages, &ttm_purgeable_pages);\n", "\t\t;\n"),
    ("what can be purged is not there", LEFT, LEFT.replace("max(purgeable, 0) +", "0 +")),
    ("swap space is not there", LEFT, LEFT.replace("(ttm_backup_bytes_avail() >> PAGE_SHIFT)", "0")),
    ("swap space is a multiple of what it is", LEFT, LEFT.replace(" >> PAGE_SHIFT", "")),
    ("free memory is not there", LEFT, LEFT.replace("ttm_pages_available() + ", "")),
    ("nothing is kept back", "\treturn left >= pages + reserve;\n", "\treturn left >= pages;\n"),
    ("a buffer of any size fits", "\treturn left >= pages + reserve;\n", "\treturn left >= reserve;\n"),
    ("too much is kept back", "\treturn left >= pages + reserve;\n", "\treturn left > pages + reserve;\n"),
]

RELEASE = [
    ("nobody reclaims", "return current->flags & PF_MEMALLOC;", "return false;"),
    ("all references are the workqueue's",
     "\tif (refcount_dec_not_one(&bo->kref.refcount))\n\t\treturn;\n", ""),
    ("a last reference is nobody's",
     "\tqueue_work_node(bdev->pool.nid, bdev->wq, &bo->delayed_delete);\n", ""),
    ("the fences of all are waited for",
     "if (bo->base.resv != resv && ttm_bo_copy_fences(bo))", "if (bo->base.resv != resv)"),
    ("the fences of others are not waited for",
     "if (bo->base.resv != resv && ttm_bo_copy_fences(bo))", "if (false)"),
    ("nothing is waited for",
     "\tdma_resv_wait_timeout(resv, DMA_RESV_USAGE_BOOKKEEP, false,\n"
     "\t\t\t      MAX_SCHEDULE_TIMEOUT);\n", ""),
]

OWNER = [
    ("a buffer does not keep its device", "\tdrm_dev_get(owner->drm);\n", ""),
    ("a module that goes leaves its devices", "\t\towner->leave(owner);\n", ""),
    ("a module that goes waits for nobody",
     "\t\t    atomic_read(&owner->pending))\n\t\t\treturn false;", "\t\t    0)\n\t\t\treturn false;"),
    ("nothing is given up", "\t\t\t\tWRITE_ONCE(owner->gone, true);\n", "\t\t\t\tcontinue;\n"),
    ("the driver is called for what was given up",
     "if (!bdev->owner || !READ_ONCE(bdev->owner->gone))", "if (true)"),
    ("a device that is gone is still known", "\tlist_del(&owner->link);\n", ""),
]

PROTECTED = "\tif (!state->may_try_low && owner == state->charge_pool)\n\t\treturn false;\n"

COMMON = """\
		common = dmem_cgroup_get_common_ancestor(owner,
							 state->charge_pool);
		top = common;
"""

PUT_COMMON = "\tif (common)\n\t\tdmem_cgroup_pool_state_put(common);\n"

ALLOWS = """\
	allows = dmem_cgroup_state_evict_valuable(top, owner, evict->try_low,
						  &evict->hit_low);
"""

LOW = "\tif (freed < 0 || freed >= target || !evict->hit_low || !may_try_low)\n"

UNCHARGE = "\t\tdmem_cgroup_uncharge(state.charge_pool, bo->base.size);\n"

CGROUPS = [
    ("the protected evict what is their own", PROTECTED, ""),
    ("nobody evicts what is their own", PROTECTED, PROTECTED.replace("!state->may_try_low && ", "")),
    ("the protected evict nothing", PROTECTED, PROTECTED.replace(" && owner == state->charge_pool", "")),
    ("a limit that was hit is nobody's", "\ttop = state->limit_pool;\n", "\ttop = NULL;\n"),
    ("protection is seen from the root", COMMON, ""),
    ("protection is seen from the owner", COMMON, "\t\ttop = owner;\n"),
    ("protection is seen from the evictor", COMMON, "\t\ttop = state->charge_pool;\n"),
    ("where cgroups part is kept", PUT_COMMON, ""),
    ("limits allow everything", ALLOWS, ALLOWS + "\tallows = true;\n"),
    ("limits allow nothing", ALLOWS, ALLOWS + "\tallows = false;\n"),
    ("low protects nothing", ALLOWS, ALLOWS.replace("evict->try_low", "true")),
    ("low protects always", ALLOWS, ALLOWS.replace("evict->try_low", "false")),
    ("what low protects is not noticed", ALLOWS, ALLOWS.replace("&evict->hit_low", "&(bool){ false }")),
    ("limits are not looked at",
     "return ttm_evict_cgroup_allows(evict, bo) && !bo->pin_count &&", "return !bo->pin_count &&"),
    ("low yields at once", "\tevict->try_low = false;\n", "\tevict->try_low = true;\n"),
    ("low yields to nobody", "\tevict->try_low = true;\n", ""),
    ("low yields to all", LOW, LOW.replace(" || !may_try_low", "")),
    ("low always keeps something", LOW, LOW.replace("!evict->hit_low", "true")),
    ("low yields even if that is enough", LOW, LOW.replace("freed >= target || ", "")),
    ("what low yields is more than is asked for",
     "ret = ttm_evict_pass(evict, man, target - freed, effort);", "ret = ttm_evict_pass(evict, man, target, effort);"),
    ("what low yields is all that is freed", "return ret < 0 ? ret : freed + ret;", "return ret;"),
    ("a limit that was hit is kept", "\tdmem_cgroup_pool_state_put(state.limit_pool);\n", ""),
    ("who got nothing is charged", UNCHARGE, ""),
]

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

EVICT = [
    ("a failure to reserve fences is none",
     "\tret = dma_resv_reserve_fences(bo->base.resv, TTM_NUM_MOVE_FENCES) ?:\n"
     "\t      ttm_bo_add_pipelined_eviction_fences(bo, man,\n",
     "\tdma_resv_reserve_fences(bo->base.resv, TTM_NUM_MOVE_FENCES);\n"
     "\tret = ttm_bo_add_pipelined_eviction_fences(bo, man,\n"),
    ("no fences are reserved",
     "\tret = dma_resv_reserve_fences(bo->base.resv, TTM_NUM_MOVE_FENCES) ?:\n\t      ttm_bo",
     "\tret = ttm_bo"),
    ("moves out of the way are not waited for", FENCES, "\tret = 0;\n"),
    ("a caller that must not wait waits for moves", FENCES,
     FENCES.replace("search->ctx->no_wait_gpu", "false")),
    ("a place is lost", FENCES, FENCES.replace("\tif (ret)\n\t\tttm_resource_free(bo, search->res);\n", "")),
    ("unused managers are looked at",
     "return man && ttm_resource_manager_used(man) &&", "return man &&"),
    ("there is a manager for each place",
     "return man && ttm_resource_manager_used(man) &&", "return ttm_resource_manager_used(man) &&"),
    ("emptying does not wait for moves", WAIT, WAIT.replace(
        "\t\tif (fence)\n\t\t\tret = dma_fence_wait(fence, false);\n", "")),
    ("a failed wait for a move is none", WAIT, WAIT.replace("\t\tif (ret)\n\t\t\treturn ret;\n", "")),
    ("one move is waited for", WAIT, WAIT.replace("\t\tif (ret)\n\t\t\treturn ret;\n",
                                                 "\t\tif (ret || fence)\n\t\t\treturn ret;\n")),
]


def booted(mutants, names):
    return [m for m in mutants if m[0] in names]


WALK = "ttm_lru_walk"
WALKS = ("ttm_lru_policy", "ttm_lru_room", WALK)

LISTS = (
    ("ttm_swapout.c", ("ttm_lru_swapout", "ttm_lru_policy", f"{WALK}.*swapout*", f"{WALK}.*hibernation*"), SWAPOUT),
    ("ttm_shrinker.c", ("ttm_lru_shrinker", "ttm_lru_reclaim"), SHRINKER),
    ("ttm_teardown.c", ("ttm_lru_swapout", f"{WALK}.*teardown*", f"{WALK}.*defect8*"), TEARDOWN),
    ("ttm_purgeable.c", ("ttm_lru_shrinker", "ttm_lru_reclaim"), PURGEABLE),
    ("ttm_owner.c", ("rust_ttm_lifetime",), OWNER),
    ("ttm_release.c", ("ttm_lru_shrinker", "ttm_lru_reclaim"), RELEASE),
    ("ttm_evict.c", ("ttm_lru_policy", "ttm_lru_search", "ttm_lru_room", f"{WALK}.*evict*",
                     f"{WALK}.*failing*", "ttm_lru_cgroup", "ttm_bo_validate"),
     EVICT + booted(mutants_evict.EVICT, mutants_evict.BOOTED)),
    ("ttm_evict.c", ("ttm_lru_cgroup",), CGROUPS),
    ("ttm_evict_scope.c", WALKS, booted(mutants_evict.SCOPE, mutants_evict.BOOTED)),
    ("ttm_lru_walk.c", WALKS, booted(mutants_walk.WALKS, mutants_walk.BOOTED)),
    ("ttm_resource.c", WALKS, booted(mutants_walk.CORE, mutants_walk.BOOTED)),
)
