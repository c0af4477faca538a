// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for P3, unseen: without its hitches, a list is as if no cursor
 * existed.
 */

#include <linux/module.h>

#include "lib/ttm_lru_fixture.h"

/*
 * Do @ops in a world without walks and in one with cursors in many places.
 * After each operation, both must show the same lists to anyone but walkers.
 */
static void lru_expect_unseen(struct kunit *test, const char *picture,
			      const char *ops)
{
	struct lru_world *plain = lru_world(test, picture);
	struct lru_world *walked = lru_world(test, picture);

	for (int i = 0; i < LRU_WALKS; i++) {
		lru_first(walked, i);
		for (int step = 0; step < i; step++)
			lru_next(walked, i);
	}
	for (int n = 0; *ops; n++) {
		const char *op = ops;

		if (*ops == ' ') {
			ops++;
			continue;
		}
		lru_op(plain, op);
		ops = lru_op(walked, op);
		KUNIT_ASSERT_STREQ_MSG(test, lru_draw_seen(walked),
				       lru_draw_seen(plain), "after %s", op);
		if (!*lru_next(walked, n % LRU_WALKS)) {
			lru_renew(walked, n % LRU_WALKS);
			lru_first(walked, n % LRU_WALKS);
		}
	}
}

static void ttm_lru_p3_tail(struct kunit *test)
{
	lru_expect_unseen(test, "a b c d", "ta tb tc td ta tc tb td");
}

static void ttm_lru_p3_tail_in_range(struct kunit *test)
{
	lru_expect_unseen(test, "a* b* c* d e", "ta tb tc ta tc td tc tb ta");
}

static void ttm_lru_p3_join_and_leave(struct kunit *test)
{
	lru_expect_unseen(test, "a* b* c d e",
			  "je* lb jc* la jd* lc ld le ja* jc* jb*");
}

static void ttm_lru_p3_bulk_move(struct kunit *test)
{
	lru_expect_unseen(test, "a* b* c* d+ e+ f",
			  "B* B+ la B* ja* B+ ta B* lb lc B+ la B*");
}

static void ttm_lru_p3_pin_and_unpin(struct kunit *test)
{
	lru_expect_unseen(test, "a* b* c* d",
			  "ka kb kc kd ub ua ud uc kb B* ub ka kc ua uc");
}

static void ttm_lru_p3_free_and_alloc(struct kunit *test)
{
	lru_expect_unseen(test, "a* b* c* d | e+ f",
			  "da ca db dc da cb B* ca cc dd de B+ ce df cd cf");
}

static void ttm_lru_p3_switching_bulks(struct kunit *test)
{
	lru_expect_unseen(test, "a* b* c+ d+ e",
			  "ja+ jc* jb+ B+ je* jd* B* ja* jb*");
}

static void ttm_lru_p3_priorities(struct kunit *test)
{
	lru_expect_unseen(test, "a b | c* d* e",
			  "oa1 ta tb oe0 te B* ob1 tb ja* oe3 te jb* lc oc0 tc B*");
}

static struct kunit_case ttm_lru_p3_cases[] = {
	KUNIT_CASE(ttm_lru_p3_tail),
	KUNIT_CASE(ttm_lru_p3_tail_in_range),
	KUNIT_CASE(ttm_lru_p3_join_and_leave),
	KUNIT_CASE(ttm_lru_p3_bulk_move),
	KUNIT_CASE(ttm_lru_p3_pin_and_unpin),
	KUNIT_CASE(ttm_lru_p3_free_and_alloc),
	KUNIT_CASE(ttm_lru_p3_switching_bulks),
	KUNIT_CASE(ttm_lru_p3_priorities),
	{}
};

static struct kunit_suite ttm_lru_p3_suite = {
	.name = "ttm_lru_p3",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_p3_cases,
};

kunit_test_suites(&ttm_lru_p3_suite);

MODULE_DESCRIPTION("KUnit tests for P3, unseen walks of TTM's LRU lists");
MODULE_LICENSE("Dual MIT/GPL");
