// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for E6, reclaim: TTM's shrinker works on real pages of real
 * buffers, under memory pressure as the system makes it. The swap space is
 * pretended: backups stay in shmem.
 */

#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/shrinker.h>
#include <linux/sizes.h>

#include <drm/ttm/ttm_backup.h>
#include <drm/ttm/ttm_pool.h>
#include <drm/ttm/ttm_shrinker.h>

#include "lib/ttm_lru_mock_driver.h"

#define EXPECT_LETTERS(letters, expected) \
	KUNIT_EXPECT_STREQ(test, (letters).text, expected)

/* The driver: buffers whose content may be lost, and what it was told. */
static struct {
	struct lru_world *w;
	const char *purgeable;
	struct lru_letters backed_up;
	struct lru_letters purged;
} shrunk;

static void shrunk_notify(struct ttm_buffer_object *bo, bool purged)
{
	lru_note(purged ? &shrunk.purged : &shrunk.backed_up,
		 lru_letter(shrunk.w, bo));
}

static const struct ttm_shrinker_funcs shrunk_funcs = {
	.shrunk = shrunk_notify,
};

static int shrunk_populate(struct ttm_device *bdev, struct ttm_tt *tt,
			   struct ttm_operation_ctx *ctx)
{
	if (ttm_tt_is_backed_up(tt) && !shrunk.purgeable)
		return ttm_tt_restore(bdev, tt, ctx);
	ttm_tt_clear_backed_up(tt);
	return ttm_pool_alloc(&bdev->pool, tt, ctx);
}

static void shrunk_unpopulate(struct ttm_device *bdev, struct ttm_tt *tt)
{
	ttm_pool_free(&bdev->pool, tt);
}

/* Mark buffers as purgeable. */
static void shrunk_set_purgeable(struct lru_world *w, const char *letters)
{
	shrunk.purgeable = letters;
	for (; *letters; letters++) {
		struct ttm_buffer_object *bo = lru_reserve(w, *letters);

		ttm_bo_set_purgeable(bo, true);
		lru_unreserve(bo);
	}
}

static u64 shrunk_space(void)
{
	return SZ_1M;
}

static struct lru_world *shrunk_world(struct kunit *test, u32 mem_type,
				      const char *picture, const char *filled)
{
	struct lru_world *w = lru_mock_world(test, mem_type, picture);

	w->funcs.ttm_tt_create = lru_shrinkable_create;
	w->funcs.ttm_tt_populate = shrunk_populate;
	w->funcs.ttm_tt_unpopulate = shrunk_unpopulate;
	memset(&shrunk, 0, sizeof(shrunk));
	shrunk.w = w;
	lru_fill(w, filled);
	return w;
}

static long shrunk_pages(struct lru_world *w)
{
	return atomic_long_read(&w->bdev->shrinkable_pages);
}

static struct ttm_shrinker *
shrunk_create(struct kunit *test, const struct ttm_shrinker_funcs *funcs)
{
	struct ttm_shrinker *shrinker;

	shrinker = ttm_shrinker_create(shrunk.w->bdev, funcs, "test");
	KUNIT_ASSERT_FALSE(test, IS_ERR(shrinker));
	return shrinker;
}

static unsigned long shrunk_count(struct ttm_shrinker *shrinker, gfp_t gfp)
{
	struct shrink_control sc = { .gfp_mask = gfp };
	struct shrinker *core = ttm_shrinker_core(shrinker);

	return core->count_objects(core, &sc);
}

static unsigned long shrunk_scan(struct ttm_shrinker *shrinker, gfp_t gfp,
				 unsigned long pages)
{
	struct shrink_control sc = { .gfp_mask = gfp, .nr_to_scan = pages };
	struct shrinker *core = ttm_shrinker_core(shrinker);

	return core->scan_objects(core, &sc);
}

/*
 * Under pressure
 */

static void ttm_lru_shrinker_backs_up(struct kunit *test)
{
	struct lru_world *w = shrunk_world(test, TTM_PL_SYSTEM, "a b | c",
					   "abc");
	struct ttm_shrinker *shrinker;

	kunit_activate_static_stub(test, ttm_backup_bytes_avail, shrunk_space);
	shrinker = shrunk_create(test, &shrunk_funcs);
	KUNIT_EXPECT_EQ(test, shrunk_pages(w), 3);
	drop_slab();
	ttm_shrinker_destroy(shrinker);

	KUNIT_EXPECT_EQ(test, shrunk_pages(w), 0);
	EXPECT_LETTERS(shrunk.backed_up, "abc");
	EXPECT_LETTERS(shrunk.purged, "");
	EXPECT_SOUND(w, "/ a b c");
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "abc"), "");
	KUNIT_EXPECT_EQ(test, shrunk_pages(w), 3);
	EXPECT_SOUND(w, "a b | c");
}

static void ttm_lru_shrinker_moves_to_system_first(struct kunit *test)
{
	struct lru_world *w = shrunk_world(test, TTM_PL_TT, "a* b* c", "abc");
	struct ttm_shrinker *shrinker;

	kunit_activate_static_stub(test, ttm_backup_bytes_avail, shrunk_space);
	shrinker = shrunk_create(test, &shrunk_funcs);
	drop_slab();
	ttm_shrinker_destroy(shrinker);

	EXPECT_LETTERS(lru_mock.moved, "abc");
	EXPECT_LETTERS(shrunk.backed_up, "abc");
	EXPECT_SOUND(w, "/ a b c");
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "abc"), "");
}

static void ttm_lru_shrinker_purges(struct kunit *test)
{
	struct lru_world *w = shrunk_world(test, TTM_PL_SYSTEM, "a b c", "abc");
	struct ttm_shrinker *shrinker;

	/* There is no swap space. */
	shrunk_set_purgeable(w, "b");
	shrinker = shrunk_create(test, &shrunk_funcs);
	drop_slab();
	ttm_shrinker_destroy(shrinker);

	EXPECT_LETTERS(shrunk.backed_up, "");
	EXPECT_LETTERS(shrunk.purged, "b");
	EXPECT_SOUND(w, "a c / b");
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "ac"), "");
	KUNIT_EXPECT_EQ(test, shrunk_pages(w), 2);
}

static void ttm_lru_shrinker_purges_and_backs_up(struct kunit *test)
{
	struct lru_world *w = shrunk_world(test, TTM_PL_SYSTEM, "a b c", "abc");
	struct ttm_shrinker *shrinker;

	kunit_activate_static_stub(test, ttm_backup_bytes_avail, shrunk_space);
	shrunk_set_purgeable(w, "b");
	shrinker = shrunk_create(test, &shrunk_funcs);
	drop_slab();
	ttm_shrinker_destroy(shrinker);

	EXPECT_LETTERS(shrunk.backed_up, "ac");
	EXPECT_LETTERS(shrunk.purged, "b");
	shrunk.purgeable = NULL;
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "ac"), "");
}

static void ttm_lru_shrinker_leaves_pinned_ones(struct kunit *test)
{
	struct lru_world *w = shrunk_world(test, TTM_PL_SYSTEM, "a* b* c* d",
					   "abcd");
	struct ttm_shrinker *shrinker;

	kunit_activate_static_stub(test, ttm_backup_bytes_avail, shrunk_space);
	lru_pin(w, 'b');
	shrinker = shrunk_create(test, NULL);
	drop_slab();
	ttm_shrinker_destroy(shrinker);

	EXPECT_SOUND(w, "/ b a c d");
	KUNIT_EXPECT_TRUE(test, ttm_tt_is_populated(lru_bo(w, 'b')->ttm));
	KUNIT_EXPECT_EQ(test, shrunk_pages(w), 1);
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "abcd"), "");
}

/*
 * Contexts of allocations
 */

static void ttm_lru_shrinker_without_swap_space(struct kunit *test)
{
	struct lru_world *w = shrunk_world(test, TTM_PL_SYSTEM, "a b", "ab");
	struct ttm_shrinker *shrinker = shrunk_create(test, &shrunk_funcs);
	unsigned long count, ret;

	count = shrunk_count(shrinker, GFP_KERNEL);
	ret = shrunk_scan(shrinker, GFP_KERNEL, 100);
	ttm_shrinker_destroy(shrinker);
	KUNIT_EXPECT_EQ(test, count, SHRINK_EMPTY);
	KUNIT_EXPECT_EQ(test, ret, SHRINK_STOP);
	EXPECT_SOUND(w, "a b");
}

static void ttm_lru_shrinker_without_fs(struct kunit *test)
{
	struct lru_world *w = shrunk_world(test, TTM_PL_SYSTEM, "a b", "ab");
	struct ttm_shrinker *shrinker;
	unsigned long count[2], ret[2];

	kunit_activate_static_stub(test, ttm_backup_bytes_avail, shrunk_space);
	shrinker = shrunk_create(test, &shrunk_funcs);
	count[0] = shrunk_count(shrinker, GFP_NOFS);
	ret[0] = shrunk_scan(shrinker, GFP_NOFS, 100);
	count[1] = shrunk_count(shrinker, GFP_KERNEL);
	ret[1] = shrunk_scan(shrinker, GFP_KERNEL, 100);
	ttm_shrinker_destroy(shrinker);
	KUNIT_EXPECT_EQ(test, count[0], SHRINK_EMPTY);
	KUNIT_EXPECT_EQ(test, ret[0], SHRINK_STOP);
	KUNIT_EXPECT_EQ(test, count[1], 2);
	KUNIT_EXPECT_EQ(test, ret[1], 2);
	EXPECT_SOUND(w, "/ a b");
}

static void ttm_lru_shrinker_purges_without_fs(struct kunit *test)
{
	struct lru_world *w = shrunk_world(test, TTM_PL_SYSTEM, "a b", "ab");
	struct ttm_shrinker *shrinker;
	unsigned long count, ret;

	kunit_activate_static_stub(test, ttm_backup_bytes_avail, shrunk_space);
	shrunk_set_purgeable(w, "b");
	shrinker = shrunk_create(test, &shrunk_funcs);
	count = shrunk_count(shrinker, GFP_NOFS);
	ret = shrunk_scan(shrinker, GFP_NOFS, 100);
	ttm_shrinker_destroy(shrinker);
	KUNIT_EXPECT_EQ(test, count, 1);
	KUNIT_EXPECT_EQ(test, ret, 1);
	EXPECT_LETTERS(shrunk.purged, "b");
	EXPECT_SOUND(w, "a / b");
}

/*
 * Zombies, ghosts, and buffers that the GPU uses
 */

/*
 * The last GEM reference is dropped, but TTM still has the buffer: its content
 * is dropped without a word to the driver.
 */
static void ttm_lru_shrinker_zombies(struct kunit *test)
{
	struct lru_world *w = shrunk_world(test, TTM_PL_TT, "a b", "ab");
	struct drm_gem_object *gem = &lru_bo(w, 'a')->base;
	struct ttm_shrinker *shrinker;
	unsigned long ret;

	kunit_activate_static_stub(test, ttm_backup_bytes_avail, shrunk_space);
	shrinker = shrunk_create(test, &shrunk_funcs);
	refcount_set(&gem->refcount.refcount, 0);
	ret = shrunk_scan(shrinker, GFP_KERNEL, 100);
	kref_init(&gem->refcount);
	ttm_shrinker_destroy(shrinker);
	KUNIT_EXPECT_EQ(test, ret, 2);
	EXPECT_LETTERS(lru_mock.moved, "b");
	EXPECT_LETTERS(shrunk.purged, "");
	EXPECT_LETTERS(shrunk.backed_up, "b");
	KUNIT_EXPECT_FALSE(test, ttm_tt_is_populated(lru_bo(w, 'a')->ttm));
}

static void ttm_lru_shrinker_busy_ghosts(struct kunit *test)
{
	struct lru_world *w = shrunk_world(test, TTM_PL_TT, "a b", "ab");
	struct ttm_shrinker *shrinker;
	unsigned long ret;

	kunit_activate_static_stub(test, ttm_backup_bytes_avail, shrunk_space);
	lru_alloc_next(w, 'a');
	lru_move_busy(w, 'a');
	shrinker = shrunk_create(test, &shrunk_funcs);
	ret = shrunk_scan(shrinker, GFP_KERNEL, 100);
	ttm_shrinker_destroy(shrinker);
	KUNIT_EXPECT_EQ(test, ret, 1);
	EXPECT_LETTERS(shrunk.backed_up, "b");
	EXPECT_LRU(w, "a ~ / b");
	lru_idle(w);
	EXPECT_LRU(w, "a / b");
}

/*
 * From scan to scan
 */

/* A buffer that failed is tried again only after the others. */
static void ttm_lru_shrinker_keeps_its_place(struct kunit *test)
{
	struct lru_world *w = shrunk_world(test, TTM_PL_TT, "a b c d", "abcd");
	struct ttm_shrinker *shrinker;
	unsigned long freed = 0;

	kunit_activate_static_stub(test, ttm_backup_bytes_avail, shrunk_space);
	lru_mock.fail = "ab";
	lru_mock.error = -ENOSPC;
	shrinker = shrunk_create(test, &shrunk_funcs);
	for (int i = 0; i < 5; i++)
		freed += shrunk_scan(shrinker, GFP_KERNEL, 1);
	ttm_shrinker_destroy(shrinker);
	KUNIT_EXPECT_EQ(test, freed, 2);
	EXPECT_LETTERS(lru_mock.moved, "abcda");
	EXPECT_LETTERS(shrunk.backed_up, "cd");
	EXPECT_SOUND(w, "a b / c d");
}

static void ttm_lru_shrinker_takes_what_it_is_asked_for(struct kunit *test)
{
	struct lru_world *w = shrunk_world(test, TTM_PL_SYSTEM, "a b c", "abc");
	struct ttm_shrinker *shrinker;
	unsigned long ret;

	kunit_activate_static_stub(test, ttm_backup_bytes_avail, shrunk_space);
	shrinker = shrunk_create(test, NULL);
	ret = shrunk_scan(shrinker, GFP_KERNEL, 2);
	KUNIT_EXPECT_EQ(test, ret, 2);
	KUNIT_EXPECT_STREQ(test, lru_draw_seen(w), "c / a b");
	/* The shrinker's position does not stop lists from changing. */
	lru_free(w, 'b');
	lru_make_alone(w, 'd', 0);
	ret = shrunk_scan(shrinker, GFP_KERNEL, 2);
	KUNIT_EXPECT_EQ(test, ret, 1);
	ttm_shrinker_destroy(shrinker);
	EXPECT_SOUND(w, "d / a c");
}

static struct kunit_case ttm_lru_shrinker_cases[] = {
	KUNIT_CASE(ttm_lru_shrinker_backs_up),
	KUNIT_CASE(ttm_lru_shrinker_moves_to_system_first),
	KUNIT_CASE(ttm_lru_shrinker_purges),
	KUNIT_CASE(ttm_lru_shrinker_purges_and_backs_up),
	KUNIT_CASE(ttm_lru_shrinker_leaves_pinned_ones),
	KUNIT_CASE(ttm_lru_shrinker_without_swap_space),
	KUNIT_CASE(ttm_lru_shrinker_without_fs),
	KUNIT_CASE(ttm_lru_shrinker_purges_without_fs),
	KUNIT_CASE(ttm_lru_shrinker_zombies),
	KUNIT_CASE(ttm_lru_shrinker_busy_ghosts),
	KUNIT_CASE(ttm_lru_shrinker_keeps_its_place),
	KUNIT_CASE(ttm_lru_shrinker_takes_what_it_is_asked_for),
	{}
};

static struct kunit_suite ttm_lru_shrinker_suite = {
	.name = "ttm_lru_shrinker",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_shrinker_cases,
};

kunit_test_suites(&ttm_lru_shrinker_suite);

MODULE_DESCRIPTION("KUnit tests for TTM's shrinker");
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_LICENSE("Dual MIT/GPL");
