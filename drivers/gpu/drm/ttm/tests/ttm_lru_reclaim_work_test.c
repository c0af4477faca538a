// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for E6, reclaim: a scan does work in proportion to nr_to_scan,
 * and purges first. Built into the kernel, as ttm_lru_shrinker.
 */

#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/module.h>
#include <linux/shrinker.h>
#include <linux/slab.h>

#include <drm/ttm/ttm_backup.h>

#include "lib/ttm_lru_mass.h"
#include "lib/ttm_lru_reclaim.h"

#ifdef CONFIG_DRM_TTM_LRU_DEBUG
#define RECLAIM_ASKED	64
/* One hold of the lock may look at this many more. */
#define RECLAIM_HOLD	32

/* The number of buffers that a scan looks at, if it finds nothing among @n. */
static unsigned long reclaim_looked_at(struct lru_world *w, unsigned int n,
				       bool busy)
{
	struct lru_mass mass;
	unsigned long before;

	lru_mass_init(&mass, w, n, 0);
	if (busy)
		dma_resv_lock(&mass.resv[0], NULL);
	before = lru_man(w)->lru_stats.examined;
	reclaim.result = reclaim_scan(GFP_KERNEL, RECLAIM_ASKED);
	before = lru_man(w)->lru_stats.examined - before;
	if (busy)
		dma_resv_unlock(&mass.resv[0]);
	lru_mass_fini(&mass, w);
	return before;
}

static void ttm_lru_reclaim_work_in_proportion(struct kunit *test)
{
	static const unsigned int many[] = { 100, 20000 };
	unsigned long looked;

	reclaim_world(test, TTM_PL_SYSTEM, "", "");
	reclaim_start(test);
	for (int i = 0; i < 2 * ARRAY_SIZE(many); i++) {
		looked = reclaim_looked_at(reclaim.w, many[i / 2], i % 2);
		kunit_info(test, "%u %s buffers, asked for %u: looked at %lu\n",
			   many[i / 2], i % 2 ? "busy" : "empty",
			   RECLAIM_ASKED, looked);
		KUNIT_EXPECT_GE(test, looked, RECLAIM_ASKED - RECLAIM_HOLD);
		KUNIT_EXPECT_LE(test, looked, RECLAIM_ASKED + RECLAIM_HOLD);
		KUNIT_EXPECT_EQ(test, reclaim.result, 0);
	}
	reclaim_stop();
}

/* Without swap space, a scan looks only at the list of purgeable buffers. */
static void ttm_lru_reclaim_purgeable_among_many(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, "a b", "ab");
	struct lru_mass mass;
	unsigned long before, ret[2];

	kunit_deactivate_static_stub(test, ttm_backup_bytes_avail);
	lru_mass_init(&mass, w, 2000, 0);
	lru_tail(w, 'b');
	reclaim_start(test);
	before = lru_man(w)->lru_stats.examined;
	ret[0] = reclaim_scan(GFP_KERNEL, 1);
	reclaim_set_purgeable(w, 'b', true);
	ret[1] = reclaim_scan(GFP_KERNEL, 1);
	KUNIT_EXPECT_EQ(test, lru_man(w)->lru_stats.examined, before);
	reclaim_stop();
	lru_mass_fini(&mass, w);
	KUNIT_EXPECT_EQ(test, ret[0], SHRINK_STOP);
	KUNIT_EXPECT_EQ(test, ret[1], 1);
	EXPECT_LETTERS(reclaim.purged, "b");
}
#endif

/* A buffer that is passed over counts as one page, once. */
static void ttm_lru_reclaim_counts_what_is_passed_by(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, "a b c d e",
					    "abcde");
	unsigned long ret;

	lru_reserve(w, 'a');
	reclaim_start(test);
	ret = reclaim_scan(GFP_KERNEL, 1);
	KUNIT_EXPECT_EQ(test, ret, 1);
	KUNIT_EXPECT_EQ(test, reclaim.scanned, 2);
	ret = reclaim_scan(GFP_KERNEL, 3);
	KUNIT_EXPECT_EQ(test, ret, 3);
	KUNIT_EXPECT_EQ(test, reclaim.scanned, 3);
	reclaim_stop();
	lru_unreserve(lru_bo(w, 'a'));
	EXPECT_LETTERS(reclaim.backed_up, "bcde");
}

/* A buffer that can't be purged does not keep a scan from the next. */
static void ttm_lru_reclaim_purges_past_busy_ones(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, "a b c", "abc");
	unsigned long ret[3];

	for (char c = 'a'; c <= 'c'; c++)
		reclaim_set_purgeable(w, c, true);
	lru_pin(w, 'b');
	lru_reserve(w, 'a');
	reclaim_start(test);
	for (int i = 0; i < 3; i++)
		ret[i] = reclaim_scan(GFP_NOFS, 1);
	reclaim_stop();
	lru_unreserve(lru_bo(w, 'a'));
	KUNIT_EXPECT_EQ(test, ret[0], 0);
	KUNIT_EXPECT_EQ(test, ret[1], 0);
	KUNIT_EXPECT_EQ(test, ret[2], 1);
	EXPECT_LETTERS(reclaim.purged, "c");
}

/* A buffer that is being released does not stay locked. */
static void ttm_lru_reclaim_lets_go_of_the_dying(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, "a b", "ab");

	reclaim_set_purgeable(w, 'a', true);
	reclaim_set_purgeable(w, 'b', true);
	lru_drop_last(w, 'a');
	reclaim_start(test);
	KUNIT_EXPECT_EQ(test, reclaim_scan(GFP_NOFS, 2), 1);
	reclaim_stop();
	lru_undrop_last(w, 'a');
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(lru_bo(w, 'a')->base.resv));
	EXPECT_LETTERS(reclaim.purged, "b");
}

/* Purgeable buffers go first, and alone if they suffice. */
static void ttm_lru_reclaim_purges_first(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_TT, "a b c", "abc");

	reclaim_set_purgeable(w, 'c', true);
	reclaim_start(test);
	KUNIT_EXPECT_EQ(test, reclaim_scan(GFP_KERNEL, 1), 1);
	EXPECT_LETTERS(reclaim.purged, "c");
	EXPECT_LETTERS(reclaim.backed_up, "");
	KUNIT_EXPECT_EQ(test, reclaim_scan(GFP_KERNEL, 1), 1);
	EXPECT_LETTERS(reclaim.backed_up, "a");
	reclaim_stop();
}

/* A note of each backup: 'w' with writeback, '-' without. All of them fail. */
static struct lru_letters reclaim_attempts;

static s64 reclaim_no_memory(struct file *backup, struct folio *folio,
			     unsigned int order, bool writeback, pgoff_t idx,
			     gfp_t folio_gfp, gfp_t alloc_gfp,
			     pgoff_t *nr_pages_backed)
{
	lru_note(&reclaim_attempts, writeback ? 'w' : '-');
	*nr_pages_backed = 0;
	return -ENOMEM;
}

static void ttm_lru_reclaim_writes_back_last(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, "a b", "");

	reclaim_attempts = (struct lru_letters) {};
	kunit_activate_static_stub(test, ttm_backup_backup_folio,
				   reclaim_no_memory);
	reclaim_start(test);
	/* A lap without attempts is not a failed lap. */
	reclaim_scan_kswapd(10);
	lru_fill(w, "ab");
	for (int i = 0; i < 3; i++)
		reclaim_scan_kswapd(1);
	EXPECT_LETTERS(reclaim_attempts, "--w");
	/* Direct reclaim never writes back. */
	reclaim_scan(GFP_KERNEL, 1);
	EXPECT_LETTERS(reclaim_attempts, "--w-");
	kunit_deactivate_static_stub(test, ttm_backup_backup_folio);
	reclaim_scan_kswapd(1);
	kunit_activate_static_stub(test, ttm_backup_backup_folio,
				   reclaim_no_memory);
	/* One backup succeeded: the next lap starts without writeback. */
	reclaim_scan_kswapd(1);
	reclaim_scan_kswapd(1);
	reclaim_stop();
	EXPECT_LETTERS(reclaim_attempts, "--w-w-");
}

/* A world whose backups fail. */
static struct lru_world *reclaim_world_in_vain(struct kunit *test,
					       const char *picture,
					       const char *filled)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, picture, filled);

	reclaim_attempts = (struct lru_letters) {};
	kunit_activate_static_stub(test, ttm_backup_backup_folio,
				   reclaim_no_memory);
	return w;
}

/* A scan tries each buffer once, however many pages it is asked for. */
static void ttm_lru_reclaim_one_lap_is_enough(struct kunit *test)
{
	reclaim_world_in_vain(test, "a b", "ab");
	reclaim_start(test);
	KUNIT_EXPECT_EQ(test, reclaim_scan(GFP_KERNEL, 100), SHRINK_STOP);
	reclaim_stop();
	EXPECT_LETTERS(reclaim_attempts, "--");
}

/*
 * A lap without attempts does not count as failed, though the one before did.
 */
static void ttm_lru_reclaim_forgets_attempts(struct kunit *test)
{
	struct lru_world *w = reclaim_world_in_vain(test, "a* b*", "ab");

	reclaim_start(test);
	reclaim_scan_kswapd(1);
	reclaim_scan_kswapd(1);
	lru_reserve(w, 'a');
	reclaim_scan_kswapd(10);
	lru_unreserve(lru_bo(w, 'a'));
	reclaim_scan_kswapd(1);
	reclaim_stop();
	EXPECT_LETTERS(reclaim_attempts, "---");
}

/* A lap in which all attempts failed counts, though one before succeeded. */
static void ttm_lru_reclaim_forgets_success(struct kunit *test)
{
	reclaim_world_in_vain(test, "a b c", "abc");
	reclaim_start(test);
	kunit_deactivate_static_stub(test, ttm_backup_backup_folio);
	KUNIT_EXPECT_EQ(test, reclaim_scan_kswapd(1), 1);
	kunit_activate_static_stub(test, ttm_backup_backup_folio,
				   reclaim_no_memory);
	for (int i = 0; i < 5; i++)
		reclaim_scan_kswapd(1);
	reclaim_stop();
	EXPECT_LETTERS(reclaim_attempts, "----w");
}

/* A zombie's content is dropped: no swap space, no move. */
static void ttm_lru_reclaim_backs_up_no_zombies(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_TT, "a b", "ab");

	reclaim_attempts = (struct lru_letters) {};
	kunit_activate_static_stub(test, ttm_backup_backup_folio,
				   reclaim_no_memory);
	lru_bo(w, 'a')->deleted = true;
	reclaim_start(test);
	KUNIT_EXPECT_EQ(test, reclaim_scan(GFP_KERNEL, 2), 1);
	reclaim_stop();
	lru_bo(w, 'a')->deleted = false;
	EXPECT_LETTERS(reclaim_attempts, "-");
	EXPECT_LETTERS(lru_mock.moved, "b");
	EXPECT_LETTERS(reclaim.purged, "");
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "b"), "");
}

static struct kunit_case ttm_lru_reclaim_work_cases[] = {
#ifdef CONFIG_DRM_TTM_LRU_DEBUG
	KUNIT_CASE_SLOW(ttm_lru_reclaim_work_in_proportion),
	KUNIT_CASE(ttm_lru_reclaim_purgeable_among_many),
#endif
	KUNIT_CASE(ttm_lru_reclaim_counts_what_is_passed_by),
	KUNIT_CASE(ttm_lru_reclaim_purges_past_busy_ones),
	KUNIT_CASE(ttm_lru_reclaim_lets_go_of_the_dying),
	KUNIT_CASE(ttm_lru_reclaim_purges_first),
	KUNIT_CASE(ttm_lru_reclaim_writes_back_last),
	KUNIT_CASE(ttm_lru_reclaim_one_lap_is_enough),
	KUNIT_CASE(ttm_lru_reclaim_forgets_attempts),
	KUNIT_CASE(ttm_lru_reclaim_forgets_success),
	KUNIT_CASE(ttm_lru_reclaim_backs_up_no_zombies),
	{}
};

static struct kunit_suite ttm_lru_reclaim_work_suite = {
	.name = "ttm_lru_reclaim_work",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_reclaim_work_cases,
};

kunit_test_suites(&ttm_lru_reclaim_work_suite);

MODULE_DESCRIPTION("KUnit tests for the work of TTM's shrinker");
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_LICENSE("Dual MIT/GPL");
