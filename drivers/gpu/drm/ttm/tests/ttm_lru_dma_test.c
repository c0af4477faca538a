// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for pages that are mapped for a device, and backed up.
 *
 * Each case counts the pages that are mapped: one that stays mapped, or is unmapped
 * twice, shows in the count.
 */

#include <kunit/static_stub.h>
#include <kunit/test-bug.h>
#include <kunit/visibility.h>
#include <linux/fault-inject.h>
#include <linux/highmem.h>
#include <linux/module.h>
#include <linux/sizes.h>

#include <drm/ttm/ttm_backup.h>
#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_device.h>
#include <drm/ttm/ttm_pool.h>
#include <drm/ttm/ttm_tt.h>

#include "../ttm_pool_internal.h"
#include "ttm_kunit_helpers.h"

/* Blocks of 16, 8, 4, 2 and 1 pages. */
#define DMA_PAGES	31
#define DMA_BLOCKS	5

static struct ttm_device_funcs dma_funcs;
static struct ttm_operation_ctx dma_ctx;

/* So many backups of blocks succeed, and the last one only by half if @half. */
static struct {
	int succeed;
	bool half;
} dma_backups;

static int dma_populate(struct ttm_device *bdev, struct ttm_tt *tt,
			struct ttm_operation_ctx *ctx)
{
	if (ttm_tt_is_backed_up(tt))
		return ttm_tt_restore(bdev, tt, ctx);
	return ttm_pool_alloc(&bdev->pool, tt, ctx);
}

static void dma_unpopulate(struct ttm_device *bdev, struct ttm_tt *tt)
{
	ttm_pool_free(&bdev->pool, tt);
}

static u64 dma_swap(void)
{
	return SZ_1M;
}

static s64 dma_backup_folio(struct file *backup, struct folio *folio,
			    unsigned int order, bool writeback, pgoff_t idx,
			    gfp_t folio_gfp, gfp_t alloc_gfp, pgoff_t *backed)
{
	struct kunit *test = kunit_get_current_test();
	s64 handle;

	*backed = 0;
	if (!dma_backups.succeed)
		return -ENOMEM;
	if (!--dma_backups.succeed && dma_backups.half)
		order--;

	kunit_deactivate_static_stub(test, ttm_backup_backup_folio);
	handle = ttm_backup_backup_folio(backup, folio, order, writeback, idx,
					 folio_gfp, alloc_gfp, backed);
	kunit_activate_static_stub(test, ttm_backup_backup_folio,
				   dma_backup_folio);
	return handle;
}

static struct ttm_device *dma_device(struct kunit *test)
{
	struct ttm_test_devices *devs = test->priv;

	return devs->ttm_dev;
}

static long dma_pages(struct kunit *test)
{
	return atomic_long_read(&dma_device(test)->pool.dma_pages);
}

static int dma_fill(struct kunit *test, struct ttm_tt *tt)
{
	int ret = ttm_tt_populate(dma_device(test), tt, &dma_ctx);

	for (pgoff_t i = 0; !ret && i < tt->num_pages; i++)
		memset_page(tt->pages[i], 0, i + 1, PAGE_SIZE);
	return ret;
}

/* A ttm_tt with pages that are numbered. */
static struct ttm_tt *dma_tt(struct kunit *test)
{
	struct ttm_buffer_object *bo;
	struct ttm_tt *tt;

	bo = ttm_bo_kunit_init(test, test->priv, DMA_PAGES * PAGE_SIZE, NULL);
	tt = kunit_kzalloc(test, sizeof(*tt), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, tt);
	KUNIT_ASSERT_EQ(test, ttm_sg_tt_init(tt, bo, 0, ttm_cached), 0);
	/* It is freed with the test, and has a file. */
	drm_gem_object_release(&bo->base);
	tt->page_flags |= TTM_TT_FLAG_EXTERNAL | TTM_TT_FLAG_EXTERNAL_MAPPABLE;
	KUNIT_ASSERT_EQ(test, ttm_tt_setup_backup(tt), 0);
	KUNIT_ASSERT_EQ(test, dma_fill(test, tt), 0);
	KUNIT_ASSERT_EQ(test, dma_pages(test), DMA_PAGES);
	return tt;
}

static bool dma_is_filled(struct ttm_tt *tt)
{
	for (pgoff_t i = 0; i < tt->num_pages; i++) {
		u8 *page = kmap_local_page(tt->pages[i]);
		bool same = page[0] == i + 1 && page[PAGE_SIZE - 1] == i + 1;

		kunmap_local(page);
		if (!same)
			return false;
	}
	return true;
}

static long dma_backup(struct kunit *test, struct ttm_tt *tt, int succeed,
		       bool half)
{
	long ret;

	dma_backups.succeed = succeed;
	dma_backups.half = half;
	kunit_activate_static_stub(test, ttm_backup_backup_folio,
				   dma_backup_folio);
	ret = ttm_tt_backup(dma_device(test), tt, (struct ttm_backup_flags) {});
	kunit_deactivate_static_stub(test, ttm_backup_backup_folio);
	return ret;
}

static void dma_restore(struct kunit *test, struct ttm_tt *tt)
{
	KUNIT_EXPECT_EQ(test, ttm_tt_populate(dma_device(test), tt, &dma_ctx), 0);
	KUNIT_EXPECT_TRUE(test, dma_is_filled(tt));
	if (tt->dma_address)
		KUNIT_EXPECT_EQ(test, dma_pages(test), DMA_PAGES);
}

static void dma_free(struct kunit *test, struct ttm_tt *tt)
{
	ttm_tt_unpopulate(dma_device(test), tt);
	ttm_tt_fini(tt);
	KUNIT_EXPECT_EQ(test, dma_pages(test), 0);
}

static void ttm_lru_dma_backed_up(struct kunit *test)
{
	struct ttm_tt *tt = dma_tt(test);

	KUNIT_EXPECT_EQ(test, dma_backup(test, tt, DMA_BLOCKS, false), DMA_PAGES);
	KUNIT_EXPECT_TRUE(test, ttm_tt_is_backed_up(tt));
	KUNIT_EXPECT_EQ(test, dma_pages(test), 0);
	dma_restore(test, tt);
	dma_free(test, tt);
}

/* No page was backed up: the buffer goes on as before. */
static void ttm_lru_dma_backup_fails(struct kunit *test)
{
	struct ttm_tt *tt = dma_tt(test);

	KUNIT_EXPECT_EQ(test, dma_backup(test, tt, 0, false), -ENOMEM);
	KUNIT_EXPECT_TRUE(test, ttm_tt_is_populated(tt));
	KUNIT_EXPECT_EQ(test, dma_pages(test), DMA_PAGES);
	dma_restore(test, tt);
	dma_free(test, tt);
}

static void ttm_lru_dma_backup_fails_later(struct kunit *test)
{
	for (int half = 0; half < 2; half++) {
		for (int n = 1; n < DMA_BLOCKS; n++) {
			struct ttm_tt *tt = dma_tt(test);

			KUNIT_EXPECT_GT(test, dma_backup(test, tt, n, half), 0);
			KUNIT_EXPECT_TRUE(test, ttm_tt_is_backed_up(tt));
			KUNIT_EXPECT_EQ(test, dma_pages(test), 0);
			dma_restore(test, tt);
			dma_free(test, tt);
		}
	}
}

/* Dropped while part of it is backed up. */
static void ttm_lru_dma_partly_backed_up(struct kunit *test)
{
	for (int half = 0; half < 2; half++) {
		struct ttm_tt *tt = dma_tt(test);

		KUNIT_EXPECT_GT(test, dma_backup(test, tt, 2, half), 0);
		dma_free(test, tt);
	}
}

static void ttm_lru_dma_purged(struct kunit *test)
{
	struct ttm_tt *tt = dma_tt(test);
	long ret = ttm_tt_backup(dma_device(test), tt,
				 (struct ttm_backup_flags) { .purge = true });

	KUNIT_EXPECT_EQ(test, ret, DMA_PAGES);
	dma_free(test, tt);
}

static void ttm_lru_dma_unmapped(struct kunit *test)
{
	struct ttm_tt *tt = dma_tt(test);

	ttm_pool_unmap_tt(&dma_device(test)->pool, tt);
	KUNIT_EXPECT_EQ(test, dma_pages(test), 0);
	KUNIT_EXPECT_TRUE(test, dma_is_filled(tt));
	/* Again, and backed up and restored without addresses. */
	ttm_pool_unmap_tt(&dma_device(test)->pool, tt);
	KUNIT_EXPECT_EQ(test, dma_backup(test, tt, DMA_BLOCKS, false), DMA_PAGES);
	dma_restore(test, tt);
	dma_free(test, tt);
}

#ifdef CONFIG_FAULT_INJECTION
/* So many mappings succeed, and then one fails. */
static void dma_fail_after(int n)
{
	ttm_dma_map_fault_inject.probability = 100;
	ttm_dma_map_fault_inject.verbose = 0;
	atomic_set(&ttm_dma_map_fault_inject.space, n + 1);
	atomic_set(&ttm_dma_map_fault_inject.times, 1);
}

/* A ttm_tt of which @n blocks were restored. */
static struct ttm_tt *dma_tt_restored(struct kunit *test, int n)
{
	struct ttm_tt *tt = dma_tt(test);
	int ret;

	KUNIT_EXPECT_EQ(test, dma_backup(test, tt, DMA_BLOCKS, false), DMA_PAGES);
	dma_fail_after(n);
	ret = ttm_tt_populate(dma_device(test), tt, &dma_ctx);
	ttm_dma_map_fault_inject.probability = 0;
	KUNIT_EXPECT_EQ(test, ret, -EFAULT);
	KUNIT_EXPECT_TRUE(test, ttm_tt_is_backed_up(tt));
	return tt;
}

static void ttm_lru_dma_restore_fails(struct kunit *test)
{
	for (int n = 0; n < DMA_BLOCKS; n++) {
		struct ttm_tt *tt = dma_tt_restored(test, n);

		dma_restore(test, tt);
		dma_free(test, tt);

		tt = dma_tt_restored(test, n);
		dma_free(test, tt);
	}
}

static void ttm_lru_dma_unmapped_when_restored_in_part(struct kunit *test)
{
	for (int n = 0; n < DMA_BLOCKS; n++) {
		struct ttm_tt *tt = dma_tt_restored(test, n);

		ttm_pool_unmap_tt(&dma_device(test)->pool, tt);
		KUNIT_EXPECT_EQ(test, dma_pages(test), 0);
		dma_restore(test, tt);
		dma_free(test, tt);

		tt = dma_tt_restored(test, n);
		ttm_pool_unmap_tt(&dma_device(test)->pool, tt);
		dma_free(test, tt);
	}
}
#endif

static int ttm_lru_dma_init(struct kunit *test)
{
	int ret = ttm_test_devices_all_init(test);

	if (ret)
		return ret;
	dma_funcs = *dma_device(test)->funcs;
	dma_funcs.ttm_tt_populate = dma_populate;
	dma_funcs.ttm_tt_unpopulate = dma_unpopulate;
	dma_device(test)->funcs = &dma_funcs;
	kunit_activate_static_stub(test, ttm_backup_bytes_avail, dma_swap);
	return 0;
}

static struct kunit_case ttm_lru_dma_cases[] = {
	KUNIT_CASE(ttm_lru_dma_backed_up),
	KUNIT_CASE(ttm_lru_dma_backup_fails),
	KUNIT_CASE(ttm_lru_dma_backup_fails_later),
	KUNIT_CASE(ttm_lru_dma_partly_backed_up),
	KUNIT_CASE(ttm_lru_dma_purged),
	KUNIT_CASE(ttm_lru_dma_unmapped),
#ifdef CONFIG_FAULT_INJECTION
	KUNIT_CASE(ttm_lru_dma_restore_fails),
	KUNIT_CASE(ttm_lru_dma_unmapped_when_restored_in_part),
#endif
	{}
};

static struct kunit_suite ttm_lru_dma_suite = {
	.name = "ttm_lru_dma",
	.init = ttm_lru_dma_init,
	.exit = ttm_test_devices_fini,
	.test_cases = ttm_lru_dma_cases,
};

kunit_test_suites(&ttm_lru_dma_suite);

MODULE_DESCRIPTION("KUnit tests for pages of TTM that are mapped for a device");
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_LICENSE("Dual MIT/GPL");
