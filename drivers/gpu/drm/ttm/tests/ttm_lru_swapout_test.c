// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for swap-out and teardown: each buffer is met, whatever others do
 * meanwhile, and nothing holds up other devices.
 *
 * What others do is done from within the driver's functions, at the very point
 * where it matters. Built into the kernel, as ttm_lru_shrinker.
 */

#include <kunit/static_stub.h>
#include <kunit/visibility.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>

#include <drm/ttm/ttm_backup.h>

#include "../ttm_module.h"
#include "../ttm_reclaim.h"
#include "ttm_lru_reclaim.h"

/* What came of what happened meanwhile. */
static bool swapout_result;

/* Buffers with a backup are swapped out to that. */
static void ttm_lru_swapout_to_the_backup(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_TT, "a b* c*", "abc");
	struct ttm_operation_ctx ctx = {};

	lru_script.fail = "b";
	lru_script.error = -ENOMEM;
	KUNIT_EXPECT_EQ(test, ttm_device_swapout_all(w->bdev, &ctx, GFP_KERNEL), 0);
	lru_script.fail = NULL;
	EXPECT_LETTERS(lru_script.swapped, "abc");
	EXPECT_SOUND(w, "b* / a c");
	KUNIT_EXPECT_TRUE(test, ttm_tt_is_backed_up(lru_bo(w, 'a')->ttm));
	KUNIT_EXPECT_EQ(test, atomic_long_read(&w->bdev->shrinkable_pages), 1);
	KUNIT_EXPECT_STREQ(test, lru_check(w, "abc"), "");
}

/* Not without swap space; and TTM's limit doesn't count their pages. */
static void ttm_lru_swapout_leaves_backups(struct kunit *test)
{
	struct lru_world *w = reclaim_world(test, TTM_PL_TT, "a b", "ab");
	struct ttm_operation_ctx ctx = {};

	KUNIT_EXPECT_EQ(test, ttm_global_swapout_pages(&ctx, GFP_KERNEL, 1), 0);
	kunit_deactivate_static_stub(test, ttm_backup_bytes_avail);
	KUNIT_EXPECT_EQ(test, ttm_device_swapout_all(w->bdev, &ctx, GFP_KERNEL), 0);
	EXPECT_LETTERS(lru_script.moved, "");
	EXPECT_LETTERS(lru_script.swapped, "");
	EXPECT_SOUND(w, "a b");
}

static void swapout_use_b(struct lru_world *w, char letter)
{
	struct ttm_buffer_object *bo = lru_bo(w, 'b');

	if (letter != 'a' || !dma_resv_trylock(bo->base.resv))
		return;
	lru_script.at = NULL;
	scoped_guard(spinlock, &w->bdev->lru_lock)
		ttm_bo_move_to_lru_tail(bo);
	dma_resv_unlock(bo->base.resv);
}

/* While a is asked, b is used: it is met all the same. */
static void ttm_lru_swapout_meets_what_moves(struct kunit *test)
{
	struct lru_world *w = lru_scripted(test, TTM_PL_SYSTEM, "a b c");
	struct ttm_operation_ctx ctx = {};

	lru_fill(w, "abc");
	lru_script.at = swapout_use_b;
	KUNIT_EXPECT_EQ(test, ttm_device_swapout_all(w->bdev, &ctx, GFP_KERNEL), 0);
	EXPECT_LETTERS(lru_script.swapped, "acb");
	EXPECT_SOUND(w, "/ a c b");
	KUNIT_EXPECT_STREQ(test, lru_check(w, "abc"), "");
}

static void swapout_look_at_mutex(struct lru_world *w, char letter)
{
	swapout_result |= mutex_is_locked(&ttm_global_mutex);
	/* It doesn't go meanwhile. */
	swapout_result |= atomic_read(&w->bdev->swapping) == 0;
}

/* While buffers are swapped out, devices come and go. */
static void ttm_lru_swapout_without_global_lock(struct kunit *test)
{
	struct lru_world *w = lru_scripted(test, TTM_PL_SYSTEM, "a b c");
	struct ttm_operation_ctx ctx = {};

	lru_fill(w, "abc");
	swapout_result = false;
	lru_script.at = swapout_look_at_mutex;
	KUNIT_EXPECT_EQ(test, ttm_global_swapout_pages(&ctx, GFP_KERNEL, 3), 3);
	EXPECT_LETTERS(lru_script.asked, "abc");
	KUNIT_EXPECT_FALSE(test, swapout_result);
	KUNIT_EXPECT_EQ(test, atomic_read(&w->bdev->swapping), 0);
}

static struct completion swapout_under_way, swapout_goes_on;

static void swapout_linger(struct lru_world *w, char letter)
{
	lru_script.at = NULL;
	complete(&swapout_under_way);
	wait_for_completion(&swapout_goes_on);
	/* Let it get there. */
	msleep(20);
	swapout_result = true;
}

static int swapout_swapper(void *data)
{
	struct ttm_operation_ctx ctx = {};

	ttm_global_swapout_pages(&ctx, GFP_KERNEL, 1);
	while (!kthread_should_stop())
		usleep_range(50, 100);
	return 0;
}

/* But for a device whose buffers are being swapped out. */
static void ttm_lru_swapout_device_waits_for_swapout(struct kunit *test)
{
	struct lru_world *w = lru_scripted(test, TTM_PL_SYSTEM, "a");
	struct task_struct *swapper;

	lru_fill(w, "a");
	swapout_result = false;
	init_completion(&swapout_under_way);
	init_completion(&swapout_goes_on);
	lru_script.at = swapout_linger;
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
 * Teardown
 */

static void swapout_to_system(struct lru_world *w, char letter)
{
	struct ttm_place place = { .mem_type = TTM_PL_SYSTEM };
	struct ttm_buffer_object *bo = lru_bo(w, letter);
	struct ttm_resource *res;

	if (!ttm_resource_alloc(bo, &place, &res, NULL))
		ttm_bo_move_null(bo, res);
}

/* While it is waited for, a moves where teardown has been already. */
static void ttm_lru_swapout_teardown_meets_what_moves(struct kunit *test)
{
	struct lru_world *w = lru_scripted(test, TTM_PL_TT, "a b");
	struct lru_holder holder = {
		.when_waited = true,
		.before = swapout_to_system,
	};

	lru_fill(w, "ab");
	lru_hold(&holder, w, 'a');
	ttm_device_clear_dma_mappings(w->bdev);
	lru_let_go(&holder);
	KUNIT_EXPECT_FALSE(test, ttm_tt_is_populated(lru_bo(w, 'a')->ttm));
	KUNIT_EXPECT_FALSE(test, ttm_tt_is_populated(lru_bo(w, 'b')->ttm));
}

static struct kunit_case ttm_lru_swapout_cases[] = {
	KUNIT_CASE(ttm_lru_swapout_to_the_backup),
	KUNIT_CASE(ttm_lru_swapout_leaves_backups),
	KUNIT_CASE(ttm_lru_swapout_meets_what_moves),
	KUNIT_CASE(ttm_lru_swapout_without_global_lock),
	KUNIT_CASE(ttm_lru_swapout_device_waits_for_swapout),
	KUNIT_CASE(ttm_lru_swapout_teardown_meets_what_moves),
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
