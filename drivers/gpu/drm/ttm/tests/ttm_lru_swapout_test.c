// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for E7, bounded time, in swap-out and teardown: each buffer is
 * met, whatever others do meanwhile, and nothing holds up other devices.
 *
 * The mock driver's functions do what other threads would do at that point.
 * Built into the kernel, as ttm_lru_shrinker.
 */

#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>

#include <drm/ttm/ttm_backup.h>

#include "../ttm_module.h"
#include "../ttm_pool_internal.h"
#include "../ttm_reclaim.h"
#include "lib/ttm_lru_reclaim.h"
#include "lib/ttm_lru_room.h"
#include "ttm_mock_manager.h"

/* The result of what a driver's function did. */
static bool swapout_result;

/* Buffers with a backup are swapped out to it. */
static void ttm_lru_swapout_to_the_backup(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_TT, "a b* c*", "abc");
	struct ttm_operation_ctx ctx = {};

	lru_mock.fail = "b";
	lru_mock.error = -ENOMEM;
	KUNIT_EXPECT_EQ(test, ttm_device_swapout_all(w->bdev, &ctx, GFP_KERNEL), 0);
	lru_mock.fail = NULL;
	EXPECT_LETTERS(lru_mock.swapped, "abc");
	EXPECT_SOUND(w, "b* / a c");
	KUNIT_EXPECT_TRUE(test, ttm_tt_is_backed_up(lru_bo(w, 'a')->ttm));
	KUNIT_EXPECT_EQ(test, atomic_long_read(&w->bdev->shrinkable_pages), 1);
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "abc"), "");
}

/*
 * Buffers with a backup stay if there is no swap space, and if TTM's limit on
 * pages is exceeded, which doesn't count theirs.
 */
static void ttm_lru_swapout_leaves_backups(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_TT, "a b", "ab");
	struct ttm_operation_ctx ctx = {};

	KUNIT_EXPECT_EQ(test, ttm_global_swapout_pages(&ctx, GFP_KERNEL, 1), 0);
	kunit_deactivate_static_stub(test, ttm_backup_bytes_avail);
	KUNIT_EXPECT_EQ(test, ttm_device_swapout_all(w->bdev, &ctx, GFP_KERNEL), 0);
	EXPECT_LETTERS(lru_mock.moved, "");
	EXPECT_LETTERS(lru_mock.swapped, "");
	EXPECT_SOUND(w, "a b");
}

static void swapout_use_b(struct lru_world *w, char letter)
{
	if (letter != 'a')
		return;
	lru_mock.at = NULL;
	lru_try_do(w, 'b', lru_bo_to_tail);
}

/*
 * While the driver is asked about a, b is moved: it is swapped out all the
 * same.
 */
static void ttm_lru_swapout_meets_what_moves(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_SYSTEM, "a b c");
	struct ttm_operation_ctx ctx = {};

	lru_fill(w, "abc");
	lru_mock.at = swapout_use_b;
	KUNIT_EXPECT_EQ(test, ttm_device_swapout_all(w->bdev, &ctx, GFP_KERNEL), 0);
	EXPECT_LETTERS(lru_mock.swapped, "acb");
	EXPECT_SOUND(w, "/ a c b");
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "abc"), "");
}

static void swapout_look_at_mutex(struct lru_world *w, char letter)
{
	swapout_result |= mutex_is_locked(&ttm_global_mutex);
	/* The device can't go meanwhile. */
	swapout_result |= atomic_read(&w->bdev->swapping) == 0;
}

/* No global lock is held while buffers are swapped out. */
static void ttm_lru_swapout_without_global_lock(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_SYSTEM, "a b c");
	struct ttm_operation_ctx ctx = {};

	lru_fill(w, "abc");
	swapout_result = false;
	lru_mock.at = swapout_look_at_mutex;
	KUNIT_EXPECT_EQ(test, ttm_global_swapout_pages(&ctx, GFP_KERNEL, 3), 3);
	EXPECT_LETTERS(lru_mock.asked, "abc");
	KUNIT_EXPECT_FALSE(test, swapout_result);
	KUNIT_EXPECT_EQ(test, atomic_read(&w->bdev->swapping), 0);
}

static struct completion swapout_under_way, swapout_goes_on;

static void swapout_linger(struct lru_world *w, char letter)
{
	lru_mock.at = NULL;
	complete(&swapout_under_way);
	wait_for_completion(&swapout_goes_on);
	/* Let the other thread get to the wait. */
	msleep(20);
	swapout_result = true;
}

static int swapout_swapper(void *data)
{
	struct ttm_operation_ctx ctx = {};

	ttm_global_swapout_pages(&ctx, GFP_KERNEL, 1);
	return lru_until_stopped();
}

/* A device that goes away waits for the swap-out of its own buffers. */
static void ttm_lru_swapout_device_waits_for_swapout(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_SYSTEM, "a");
	struct task_struct *swapper;

	lru_fill(w, "a");
	swapout_result = false;
	init_completion(&swapout_under_way);
	init_completion(&swapout_goes_on);
	lru_mock.at = swapout_linger;
	swapper = kthread_run(swapout_swapper, NULL, "ttm-lru-swapper");
	KUNIT_ASSERT_FALSE(test, IS_ERR(swapper));
	wait_for_completion(&swapout_under_way);
	complete(&swapout_goes_on);
	ttm_swapout_fini(w->bdev);
	KUNIT_EXPECT_TRUE(test, swapout_result);
	kthread_stop(swapper);
	EXPECT_SOUND(w, "/ a");
}

/*
 * Buffers that are left alone
 */

/* A buffer that the GPU may still write to stays, and is not moved either. */
static void ttm_lru_swapout_spares_what_is_in_use(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_SYSTEM, "a b");
	struct ttm_operation_ctx ctx = { .no_wait_gpu = true };

	lru_fill(w, "ab");
	reclaim_use(w, 'a');
	KUNIT_EXPECT_EQ(test, ttm_device_swapout_all(w->bdev, &ctx, GFP_KERNEL), 0);
	EXPECT_SOUND(w, "a / b");
	KUNIT_EXPECT_TRUE(test, ttm_tt_is_populated(lru_bo(w, 'a')->ttm));
	lru_idle(w);
	KUNIT_EXPECT_EQ(test, ttm_device_swapout_all(w->bdev, &ctx, GFP_KERNEL), 0);
	EXPECT_SOUND(w, "/ b a");
	EXPECT_LETTERS(lru_mock.moved, "");
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "ab"), "");
}

/* A zombie that the GPU may still write to keeps its pages, too. */
static void ttm_lru_swapout_spares_zombies_in_use(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_SYSTEM, "a");
	struct ttm_buffer_object *bo = lru_bo(w, 'a');
	struct ttm_operation_ctx ctx = { .no_wait_gpu = true };

	lru_fill(w, "a");
	reclaim_use(w, 'a');
	bo->deleted = true;
	KUNIT_EXPECT_EQ(test, ttm_device_swapout_all(w->bdev, &ctx, GFP_KERNEL), 0);
	lru_reserve(w, 'a');
	KUNIT_EXPECT_EQ(test, ttm_bo_swapout_reserved(bo, &ctx, GFP_KERNEL), -EBUSY);
	lru_unreserve(bo);
	bo->deleted = false;
	lru_idle(w);
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "a"), "");
	EXPECT_SOUND(w, "a");
}

static s64 swapout_no_backup(struct file *backup, struct folio *folio,
			     unsigned int order, bool writeback, pgoff_t idx,
			     gfp_t folio_gfp, gfp_t alloc_gfp,
			     pgoff_t *nr_pages_backed)
{
	swapout_result = true;
	*nr_pages_backed = 0;
	return -ENOMEM;
}

/* Zombies are not backed up, nor are buffers that the driver wants to keep. */
static void ttm_lru_swapout_backs_up_what_is_worth_it(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_SYSTEM, "a b c", "ac");
	struct ttm_buffer_object *bo = lru_bo(w, 'a');
	struct ttm_operation_ctx ctx = {};

	swapout_result = false;
	kunit_activate_static_stub(test, ttm_backup_backup_folio,
				   swapout_no_backup);
	bo->deleted = true;
	lru_mock.worthless = "c";
	KUNIT_EXPECT_EQ(test, ttm_device_swapout_all(w->bdev, &ctx, GFP_KERNEL), 0);
	bo->deleted = false;
	KUNIT_EXPECT_FALSE(test, swapout_result);
	KUNIT_EXPECT_NULL(test, bo->ttm);
	EXPECT_LETTERS(lru_mock.swapped, "");
	EXPECT_SOUND(w, "b c");
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "c"), "");
}

/* A busy buffer is not waited for, and does not hide others. */
static void ttm_lru_swapout_waits_for_nobody(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_SYSTEM, "a b c d");
	struct lru_holder holder = { .when_waited = true };
	struct ttm_operation_ctx ctx = {};

	lru_fill(w, "abcd");
	lru_hold(&holder, w, 'a');
	KUNIT_EXPECT_EQ(test, ttm_device_swapout(w->bdev, &ctx, GFP_KERNEL), 1);
	EXPECT_LETTERS(lru_mock.swapped, "b");
	KUNIT_EXPECT_EQ(test, ttm_device_swapout_all(w->bdev, &ctx, GFP_KERNEL), 0);
	lru_let_go(&holder);
	EXPECT_LETTERS(lru_mock.swapped, "bcd");
	EXPECT_SOUND(w, "a / b c d");
}

/*
 * The driver
 */

static void ttm_lru_swapout_driver_is_not_told(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a");
	struct ttm_operation_ctx ctx = {};

	w->funcs.swap_notify = NULL;
	lru_fill(w, "a");
	KUNIT_EXPECT_EQ(test, ttm_device_swapout_all(w->bdev, &ctx, GFP_KERNEL), 0);
	EXPECT_SOUND(w, "/ a");
	KUNIT_EXPECT_STREQ(test, lru_verify(w, "a"), "");
}

static void swapout_let_go(struct ttm_buffer_object *bo)
{
	ttm_tt_unpopulate(bo->bdev, bo->ttm);
}

/* The driver gives the pages back when it is told, as if there were none. */
static void ttm_lru_swapout_driver_lets_go(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_SYSTEM, "a");
	struct ttm_operation_ctx ctx = {};

	w->funcs.swap_notify = swapout_let_go;
	lru_fill(w, "a");
	KUNIT_EXPECT_EQ(test, ttm_device_swapout_all(w->bdev, &ctx, GFP_KERNEL), 0);
	EXPECT_SOUND(w, "a");
	KUNIT_EXPECT_FALSE(test, ttm_tt_is_populated(lru_bo(w, 'a')->ttm));
	KUNIT_EXPECT_FALSE(test, lru_bo(w, 'a')->ttm->page_flags &
				 TTM_TT_FLAG_SWAPPED);
}

/*
 * Several managers
 */

/* Make a buffer in another manager, which consists of pages if @use_tt. */
static void swapout_make_in(struct lru_world *w, char letter, u32 mem_type,
			    bool use_tt)
{
	struct ttm_place place = { .mem_type = mem_type };
	struct ttm_placement placement = {
		.num_placement = 1, .placement = &place,
	};
	struct ttm_operation_ctx ctx = {};

	if (mem_type == TTM_PL_PRIV) {
		KUNIT_ASSERT_EQ(w->test, ttm_mock_manager_init(w->bdev, mem_type,
							       PAGE_SIZE), 0);
		ttm_manager_type(w->bdev, mem_type)->use_tt = use_tt;
	}
	lru_make_homeless(w, letter);
	KUNIT_ASSERT_EQ(w->test, lru_place_at(w, letter, &placement, &ctx, NULL),
			0);
	lru_fill(w, (char[]) { letter, 0 });
	lru_mock.moved = (struct lru_letters) {};
}

static bool swapout_is_swapped(struct lru_world *w, char letter)
{
	return lru_bo(w, letter)->ttm->page_flags & TTM_TT_FLAG_SWAPPED;
}

/*
 * An error ends swap-out and is returned; the place of the failed move is
 * freed.
 */
static void ttm_lru_swapout_ends_with_an_error(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");
	struct ttm_resource_manager *system =
		ttm_manager_type(w->bdev, TTM_PL_SYSTEM);
	struct ttm_operation_ctx ctx = {};

	lru_fill(w, "abc");
	swapout_make_in(w, 'd', TTM_PL_PRIV, true);
	lru_mock.fail = "b";
	lru_mock.error = -EIO;
	KUNIT_EXPECT_EQ(test, ttm_device_swapout_all(w->bdev, &ctx, GFP_KERNEL),
			-EIO);
	EXPECT_LETTERS(lru_mock.moved, "ab");
	EXPECT_SOUND(w, "b c / a");
	KUNIT_EXPECT_FALSE(test, swapout_is_swapped(w, 'b'));
	KUNIT_EXPECT_FALSE(test, swapout_is_swapped(w, 'd'));
	KUNIT_EXPECT_EQ(test, system->usage, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, ttm_global_swapout_pages(&ctx, GFP_KERNEL, 1), -EIO);
	lru_mock.fail = NULL;
	lru_free(w, 'd');
	ttm_mock_manager_fini(w->bdev, TTM_PL_PRIV);
}

/*
 * Buffers in memory of the device are not swapped out: their pages are a copy.
 */
static void ttm_lru_swapout_of_pages_only(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_SYSTEM, "a");
	struct ttm_operation_ctx ctx = {};

	lru_fill(w, "a");
	swapout_make_in(w, 'b', TTM_PL_PRIV, false);
	KUNIT_EXPECT_EQ(test, ttm_device_swapout_all(w->bdev, &ctx, GFP_KERNEL), 0);
	EXPECT_LETTERS(lru_mock.asked, "a");
	EXPECT_LETTERS(lru_mock.moved, "");
	lru_free(w, 'b');
	ttm_mock_manager_fini(w->bdev, TTM_PL_PRIV);
}

/* Once one manager has given enough, the others keep their buffers. */
static void ttm_lru_swapout_of_one_manager(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a");
	struct ttm_operation_ctx ctx = {};

	lru_fill(w, "a");
	swapout_make_in(w, 'b', TTM_PL_SYSTEM, true);
	KUNIT_EXPECT_EQ(test, ttm_device_swapout(w->bdev, &ctx, GFP_KERNEL), 1);
	EXPECT_LETTERS(lru_mock.swapped, "b");
	KUNIT_EXPECT_FALSE(test, swapout_is_swapped(w, 'a'));
}

/*
 * Several devices
 */

/* A device that gave nothing keeps its turn. */
static void ttm_lru_swapout_turns(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_SYSTEM, "a b");
	struct ttm_operation_ctx ctx = {};
	struct lru_world *other;

	lru_fill(w, "a");
	other = lru_mock_world(test, TTM_PL_SYSTEM, "c");
	KUNIT_EXPECT_EQ(test, ttm_global_swapout_pages(&ctx, GFP_KERNEL, 2), 1);
	lru_fill(w, "b");
	lru_fill(other, "c");
	KUNIT_EXPECT_EQ(test, ttm_global_swapout_pages(&ctx, GFP_KERNEL, 1), 1);
	EXPECT_SOUND(w, "b / a");
	EXPECT_SOUND(other, "/ c");
}

/* Each device is looked at once. */
static void ttm_lru_swapout_looks_once(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_SYSTEM, "a");
	struct ttm_operation_ctx ctx = {};

	lru_fill(w, "a");
	lru_mock.worthless = "a";
	KUNIT_EXPECT_EQ(test, ttm_global_swapout_pages(&ctx, GFP_KERNEL, 1), 0);
	EXPECT_LETTERS(lru_mock.asked, "a");
}

/*
 * Teardown
 */

/* While teardown waits for a, a moves where teardown has already been. */
static void ttm_lru_swapout_teardown_meets_what_moves(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b");
	struct lru_holder holder = {
		.when_waited = true,
		.before = lru_move_to_system,
	};

	lru_fill(w, "ab");
	lru_hold(&holder, w, 'a');
	ttm_device_clear_dma_mappings(w->bdev);
	lru_let_go(&holder);
	KUNIT_EXPECT_FALSE(test, ttm_tt_is_populated(lru_bo(w, 'a')->ttm));
	KUNIT_EXPECT_FALSE(test, ttm_tt_is_populated(lru_bo(w, 'b')->ttm));
}

/* Buffers that never had pages have none to give back, pinned or not. */
static void ttm_lru_swapout_teardown_of_unused(struct kunit *test)
{
	struct lru_world *w = lru_mock_world(test, TTM_PL_TT, "a b c");

	lru_pin(w, 'b');
	lru_fill(w, "c");
	ttm_device_clear_dma_mappings(w->bdev);
	KUNIT_EXPECT_NULL(test, lru_bo(w, 'a')->ttm);
	KUNIT_EXPECT_FALSE(test, ttm_tt_is_populated(lru_bo(w, 'c')->ttm));
	EXPECT_SOUND(w, "a c / b");
}

static struct kunit_case ttm_lru_swapout_cases[] = {
	KUNIT_CASE(ttm_lru_swapout_to_the_backup),
	KUNIT_CASE(ttm_lru_swapout_leaves_backups),
	KUNIT_CASE(ttm_lru_swapout_meets_what_moves),
	KUNIT_CASE(ttm_lru_swapout_without_global_lock),
	KUNIT_CASE(ttm_lru_swapout_device_waits_for_swapout),
	KUNIT_CASE(ttm_lru_swapout_spares_what_is_in_use),
	KUNIT_CASE(ttm_lru_swapout_spares_zombies_in_use),
	KUNIT_CASE(ttm_lru_swapout_backs_up_what_is_worth_it),
	KUNIT_CASE(ttm_lru_swapout_waits_for_nobody),
	KUNIT_CASE(ttm_lru_swapout_driver_is_not_told),
	KUNIT_CASE(ttm_lru_swapout_driver_lets_go),
	KUNIT_CASE(ttm_lru_swapout_ends_with_an_error),
	KUNIT_CASE(ttm_lru_swapout_of_pages_only),
	KUNIT_CASE(ttm_lru_swapout_of_one_manager),
	KUNIT_CASE(ttm_lru_swapout_turns),
	KUNIT_CASE(ttm_lru_swapout_looks_once),
	KUNIT_CASE(ttm_lru_swapout_teardown_meets_what_moves),
	KUNIT_CASE(ttm_lru_swapout_teardown_of_unused),
	{}
};

static struct kunit_suite ttm_lru_swapout_suite = {
	.name = "ttm_lru_swapout",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_swapout_cases,
};

kunit_test_suites(&ttm_lru_swapout_suite);

MODULE_DESCRIPTION("KUnit tests for TTM's swap-out and teardown");
MODULE_IMPORT_NS("EXPORTED_FOR_KUNIT_TESTING");
MODULE_LICENSE("Dual MIT/GPL");
