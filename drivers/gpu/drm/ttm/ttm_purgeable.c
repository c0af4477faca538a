// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The list of purgeable buffers, whose content may be lost; the number of pages
 * that a shrinker could free; and whether enough are left for more buffers.
 */

#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/atomic.h>
#include <linux/dma-resv.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/vmstat.h>

#include <drm/ttm/ttm_backup.h>
#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_device.h>
#include <drm/ttm/ttm_shrinker.h>
#include <drm/ttm/ttm_tt.h>

#include "ttm_bo_internal.h"
#include "ttm_reclaim.h"

/* Pages of all devices that could be purged. */
static atomic_long_t ttm_purgeable_pages;

/**
 * ttm_purgeable_init() - initialize a device's list of purgeable buffers
 * @bdev: The device.
 */
void ttm_purgeable_init(struct ttm_device *bdev)
{
	INIT_LIST_HEAD(&bdev->purgeable);
	bdev->nr_purgeable = 0;
	atomic_long_set(&bdev->shrinkable_pages, 0);
	atomic_long_set(&bdev->purgeable_pages, 0);
}

/**
 * ttm_shrinker_account() - count pages that a shrinker could free
 * @bdev: The device.
 * @tt: The ttm_tt that gets or loses them.
 * @pages: How many it gets; negative if it loses them.
 *
 * TTM calls this when buffers get or lose their pages.
 *
 * Context: Any.
 */
void ttm_shrinker_account(struct ttm_device *bdev, const struct ttm_tt *tt,
			  long pages)
{
	if (IS_ERR_OR_NULL(tt->backup))
		return;

	atomic_long_add(pages, &bdev->shrinkable_pages);
	if (tt->page_flags & TTM_TT_FLAG_PURGEABLE) {
		atomic_long_add(pages, &bdev->purgeable_pages);
		atomic_long_add(pages, &ttm_purgeable_pages);
	}
}

static void ttm_tt_set_purgeable(struct ttm_device *bdev, struct ttm_tt *tt,
				 bool purgeable)
{
	long pages = ttm_tt_is_populated(tt) ? tt->num_pages : 0;

	/* Subtract the pages with the old flag, and add them with the new one. */
	ttm_shrinker_account(bdev, tt, -pages);
	if (purgeable)
		tt->page_flags |= TTM_TT_FLAG_PURGEABLE;
	else
		tt->page_flags &= ~TTM_TT_FLAG_PURGEABLE;
	ttm_shrinker_account(bdev, tt, pages);
}

/* Put @bo on the list or take it off. No other thread does that at this time. */
static void ttm_purgeable_list(struct ttm_buffer_object *bo, bool purgeable)
{
	struct ttm_device *bdev = bo->bdev;

	guard(spinlock)(&bdev->lru_lock);
	bo->purgeable = purgeable;
	if (purgeable) {
		list_add_tail(&bo->purgeable_link, &bdev->purgeable);
		WRITE_ONCE(bdev->nr_purgeable, bdev->nr_purgeable + 1);
	} else {
		list_del(&bo->purgeable_link);
		WRITE_ONCE(bdev->nr_purgeable, bdev->nr_purgeable - 1);
	}
}

static void ttm_purgeable_set(struct ttm_buffer_object *bo, bool purgeable)
{
	if (bo->purgeable == purgeable)
		return;

	ttm_purgeable_list(bo, purgeable);
	if (bo->ttm)
		ttm_tt_set_purgeable(bo->bdev, bo->ttm, purgeable);
}

/**
 * ttm_bo_set_purgeable() - say whether the content of a buffer may be lost
 * @bo: The buffer.
 * @purgeable: Whether a shrinker (ttm_shrinker_create()) may drop its pages instead
 * of backing them up.
 *
 * Buffers are not purgeable at first. When the shrinker has purged a buffer, it is
 * not purgeable any more, as its next content is new.
 *
 * Context: @bo's reservation must be held. Takes &ttm_device.lru_lock.
 */
void ttm_bo_set_purgeable(struct ttm_buffer_object *bo, bool purgeable)
{
	dma_resv_assert_held(bo->base.resv);
	ttm_purgeable_set(bo, purgeable);
}
EXPORT_SYMBOL(ttm_bo_set_purgeable);

/**
 * ttm_purgeable_add_zombie() - make a zombie purgeable: nobody needs its content
 * @bo: The buffer, to which there is no reference at this moment.
 */
void ttm_purgeable_add_zombie(struct ttm_buffer_object *bo)
{
	if (bo->ttm && !IS_ERR_OR_NULL(bo->ttm->backup))
		ttm_purgeable_set(bo, true);
}

/**
 * ttm_purgeable_forget() - take a buffer off the list before it is freed
 * @bo: The buffer, to which there are no references any more.
 */
void ttm_purgeable_forget(struct ttm_buffer_object *bo)
{
	ttm_purgeable_set(bo, false);
}

/**
 * ttm_purgeable_take() - take the next purgeable buffer
 * @bdev: The device.
 *
 * Move the buffer to the tail of the list, so that a buffer that can't be purged
 * does not block the others.
 *
 * Context: Takes &ttm_device.lru_lock, and tries a reservation.
 *
 * Return: The buffer, referenced and reserved, or %NULL if there is none, or its
 * reservation is taken, or it is being released.
 */
struct ttm_buffer_object *ttm_purgeable_take(struct ttm_device *bdev)
{
	struct ttm_buffer_object *bo;

	/* Under this lock, a release replaces the reservation of a buffer. */
	guard(spinlock)(&bdev->lru_lock);
	bo = list_first_entry_or_null(&bdev->purgeable,
				      struct ttm_buffer_object, purgeable_link);
	if (!bo)
		return NULL;

	list_move_tail(&bo->purgeable_link, &bdev->purgeable);
	if (!dma_resv_trylock(bo->base.resv))
		return NULL;
	if (ttm_bo_get_unless_zero(bo))
		return bo;
	dma_resv_unlock(bo->base.resv);
	return NULL;
}

/**
 * ttm_pages_available() - estimate the pages that can be allocated without swapping
 *
 * MemAvailable of /proc/meminfo, plus TTM's pools of free pages, which that omits.
 *
 * Return: Pages that are free, or that reclaim can free at once.
 */
u64 ttm_pages_available(void)
{
	KUNIT_STATIC_STUB_REDIRECT(ttm_pages_available);

	return si_mem_available() + global_node_page_state(NR_GPU_RECLAIM);
}
EXPORT_SYMBOL_IF_KUNIT(ttm_pages_available);

/**
 * ttm_pages_left() - tell whether there are pages left for a buffer
 * @pages: How many it takes.
 *
 * For callers that prefer to fail rather than have a process killed. They must fail
 * while there is memory left: once buffers have taken all of it, the page cache
 * included, the next page fault of any process invokes the OOM killer. That can't
 * find the culprit, since no process is charged for these pages. So keep back a part
 * of the memory, as much as vm.user_reserve_kbytes keeps for processes by default:
 * three percent, at most 128 MiB.
 *
 * Pages that can be purged or swapped out count as available.
 *
 * Context: Any.
 *
 * Return: true if @pages can be allocated.
 */
bool ttm_pages_left(unsigned long pages)
{
	u64 reserve = min(totalram_pages() / 32, SZ_128M >> PAGE_SHIFT);
	long purgeable = atomic_long_read(&ttm_purgeable_pages);
	u64 left = ttm_pages_available() + max(purgeable, 0) +
		   (ttm_backup_bytes_avail() >> PAGE_SHIFT);

	return left >= pages + reserve;
}
