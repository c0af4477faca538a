// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for P4, ranges: a range holds exactly its members, and the
 * hitches registered with its bulk are those strictly between its ends.
 */

#include <linux/module.h>
#include <linux/slab.h>

#include "lib/ttm_lru_fixture.h"

static void ttm_lru_p4_registered_inside_only(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "x a* b* c* y");

	EXPECT_FIRST(w, H, "x");
	EXPECT_UNREGISTERED(w, H);
	EXPECT_NEXT(w, H, "a");
	EXPECT_REGISTERED(w, H, "*");
	EXPECT_NEXT(w, H, "b");
	EXPECT_REGISTERED(w, H, "*");
	EXPECT_NEXT(w, H, "c");
	EXPECT_UNREGISTERED(w, H);
	EXPECT_NEXT(w, H, "y");
	EXPECT_UNREGISTERED(w, H);
}

static void ttm_lru_p4_one_member_has_no_inside(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "x a* y");

	EXPECT_FIRST(w, H, "x");
	EXPECT_NEXT(w, H, "a");
	EXPECT_SOUND(w, "x a* H y");
	EXPECT_UNREGISTERED(w, H);
}

static void ttm_lru_p4_from_range_to_range(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c+ d+");

	EXPECT_FIRST(w, H, "a");
	EXPECT_REGISTERED(w, H, "*");
	EXPECT_NEXT(w, H, "b");
	EXPECT_UNREGISTERED(w, H);
	EXPECT_NEXT(w, H, "c");
	EXPECT_REGISTERED(w, H, "+");
	KUNIT_EXPECT_TRUE(test, list_empty(&w->bulk[STAR].cursor_list));
	lru_bulk_tail(w, STAR);
	EXPECT_SOUND(w, "c+ H d+ a* b*");
	EXPECT_REST(w, H, "d a b");
}

static void ttm_lru_p4_from_priority_to_priority(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* | c* d* x");

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	EXPECT_UNREGISTERED(w, H);
	EXPECT_NEXT(w, H, "c");
	EXPECT_REGISTERED(w, H, "*");
	lru_bulk_tail(w, STAR);
	EXPECT_SOUND(w, "a* b* | H x c* d*");
	EXPECT_UNREGISTERED(w, H);
}

static void ttm_lru_p4_first_leaves(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c*");

	EXPECT_FIRST(w, H, "a");
	EXPECT_FIRST(w, I, "a");
	EXPECT_NEXT(w, I, "b");
	EXPECT_REGISTERED(w, H, "*");
	lru_leave(w, 'a');
	EXPECT_SOUND(w, "a H b* I c*");
	EXPECT_UNREGISTERED(w, H);
	EXPECT_REGISTERED(w, I, "*");
}

static void ttm_lru_p4_first_is_freed(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c*");

	EXPECT_FIRST(w, H, "a");
	lru_free(w, 'a');
	EXPECT_SOUND(w, "H b* c*");
	EXPECT_UNREGISTERED(w, H);
}

static void ttm_lru_p4_middle_leaves(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	EXPECT_FIRST(w, H, "a");
	EXPECT_FIRST(w, I, "a");
	EXPECT_NEXT(w, I, "b");
	lru_leave(w, 'b');
	EXPECT_SOUND(w, "a* H I c* b d");
	EXPECT_REGISTERED(w, H, "*");
	EXPECT_REGISTERED(w, I, "*");
}

static void ttm_lru_p4_middle_is_freed(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	lru_free(w, 'b');
	EXPECT_SOUND(w, "a* H c* d");
	EXPECT_REGISTERED(w, H, "*");
	EXPECT_REST(w, H, "c d");
}

static void ttm_lru_p4_last_leaves(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	EXPECT_FIRST(w, H, "a");
	EXPECT_FIRST(w, I, "a");
	EXPECT_NEXT(w, I, "b");
	lru_leave(w, 'c');
	EXPECT_SOUND(w, "a* H b* I c d");
	EXPECT_REGISTERED(w, H, "*");
	EXPECT_UNREGISTERED(w, I);
}

static void ttm_lru_p4_last_is_freed(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* d");

	EXPECT_FIRST(w, H, "a");
	lru_free(w, 'b');
	EXPECT_SOUND(w, "a* H d");
	EXPECT_UNREGISTERED(w, H);
}

static void ttm_lru_p4_first_goes_to_tail(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	EXPECT_FIRST(w, H, "a");
	lru_tail(w, 'a');
	EXPECT_SOUND(w, "H b* c* a* d");
	EXPECT_UNREGISTERED(w, H);
	lru_tail(w, 'b');
	EXPECT_SOUND(w, "H c* a* b* d");
}

static void ttm_lru_p4_two_members_change_places(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c");

	EXPECT_FIRST(w, H, "a");
	EXPECT_FIRST(w, I, "a");
	EXPECT_NEXT(w, I, "b");
	lru_tail(w, 'a');
	EXPECT_SOUND(w, "H b* a* I c");
	EXPECT_UNREGISTERED(w, H);
	EXPECT_UNREGISTERED(w, I);
	EXPECT_REST(w, I, "c");
}

static void ttm_lru_p4_joining_registers(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b c");

	EXPECT_FIRST(w, H, "a");
	EXPECT_FIRST(w, I, "a");
	EXPECT_UNREGISTERED(w, H);
	lru_join(w, 'c', STAR);
	EXPECT_SOUND(w, "a* H I c* b");
	EXPECT_REGISTERED(w, H, "*");
	EXPECT_REGISTERED(w, I, "*");
}

static void ttm_lru_p4_joining_from_behind_a_hitch(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b c");

	EXPECT_FIRST(w, H, "a");
	lru_join(w, 'b', STAR);
	/* Only the hitch separated b from the range. */
	EXPECT_SOUND(w, "a* H b* c");
	EXPECT_REGISTERED(w, H, "*");
	EXPECT_REST(w, H, "b c");
}

static void ttm_lru_p4_alloc_registers(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b");

	EXPECT_FIRST(w, H, "a");
	lru_make(w, 'c', 0, &w->bulk[STAR], false);
	EXPECT_SOUND(w, "a* H c* b");
	EXPECT_REGISTERED(w, H, "*");
}

static void ttm_lru_p4_range_empties(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c");

	EXPECT_FIRST(w, H, "a");
	lru_free(w, 'b');
	lru_free(w, 'a');
	EXPECT_SOUND(w, "H c");
	KUNIT_EXPECT_TRUE(test, list_empty(&w->bulk[STAR].cursor_list));
	KUNIT_EXPECT_NULL(test, w->bulk[STAR].pos[w->mem_type][0].first);
	KUNIT_EXPECT_NULL(test, w->bulk[STAR].pos[w->mem_type][0].last);
}

static void ttm_lru_p4_bulk_move_deregisters(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	EXPECT_FIRST(w, H, "a");
	EXPECT_FIRST(w, I, "a");
	EXPECT_NEXT(w, I, "b");
	lru_bulk_tail(w, STAR);
	EXPECT_SOUND(w, "H I d a* b* c*");
	EXPECT_UNREGISTERED(w, H);
	EXPECT_UNREGISTERED(w, I);
	KUNIT_EXPECT_TRUE(test, list_empty(&w->bulk[STAR].cursor_list));
}

static void ttm_lru_p4_fini_deregisters(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b*");

	EXPECT_FIRST(w, H, "a");
	lru_fini(w, H);
	EXPECT_SOUND(w, "a* b*");
	EXPECT_UNREGISTERED(w, H);
	KUNIT_EXPECT_TRUE(test, list_empty(&w->bulk[STAR].cursor_list));
}

static void ttm_lru_p4_switching_bulks(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d+ e+ f");

	EXPECT_FIRST(w, H, "a");
	lru_join(w, 'a', PLUS);
	EXPECT_SOUND(w, "H b* c* d+ e+ a+ f");
	lru_join(w, 'c', PLUS);
	EXPECT_SOUND(w, "H b* d+ e+ a+ c+ f");
	lru_join(w, 'b', PLUS);
	EXPECT_SOUND(w, "H d+ e+ a+ c+ b+ f");
	KUNIT_EXPECT_NULL(test, w->bulk[STAR].pos[w->mem_type][0].first);
	lru_join(w, 'e', STAR);
	EXPECT_SOUND(w, "H d+ a+ c+ b+ e* f");
}

static void ttm_lru_p4_joining_in_all_places(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b c d e");

	/* A resource joins an empty range in place, */
	lru_join(w, 'c', STAR);
	EXPECT_SOUND(w, "a b c* d e");
	/* and in place if it is right behind the range, */
	lru_join(w, 'd', STAR);
	EXPECT_SOUND(w, "a b c* d* e");
	/* else it moves to the range's tail, from either side. */
	lru_join(w, 'a', STAR);
	EXPECT_SOUND(w, "b c* d* a* e");
	lru_make(w, 'f', 0, NULL, false);
	lru_join(w, 'f', STAR);
	EXPECT_SOUND(w, "b c* d* a* f* e");
	/* To join once more changes nothing. */
	lru_join(w, 'c', STAR);
	EXPECT_SOUND(w, "b c* d* a* f* e");
}

static void ttm_lru_p4_leaving_from_all_places(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d* e");

	lru_leave(w, 'b');
	EXPECT_SOUND(w, "a* c* d* b e");
	lru_leave(w, 'a');
	EXPECT_SOUND(w, "a c* d* b e");
	lru_leave(w, 'd');
	EXPECT_SOUND(w, "a c* d b e");
	lru_leave(w, 'c');
	EXPECT_SOUND(w, "a c d b e");
	lru_leave(w, 'c');
	EXPECT_SOUND(w, "a c d b e");
	lru_bulk_tail(w, STAR);
	EXPECT_SOUND(w, "a c d b e");
}

static void ttm_lru_p4_tail_in_range(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	lru_tail(w, 'a');
	EXPECT_SOUND(w, "b* c* a* d");
	lru_tail(w, 'c');
	EXPECT_SOUND(w, "b* a* c* d");
	lru_tail(w, 'c');
	EXPECT_SOUND(w, "b* a* c* d");
	lru_tail(w, 'd');
	EXPECT_SOUND(w, "b* a* c* d");
}

/* Walkers see a resource as soon as its manager has initialised it. */
static void ttm_lru_p4_init_joins_at_once(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b");
	struct ttm_place place = { .mem_type = w->mem_type };
	struct ttm_resource *res = kunit_kzalloc(test, sizeof(*res),
						 GFP_KERNEL);
	struct ttm_buffer_object *bo;

	KUNIT_ASSERT_NOT_NULL(test, res);
	bo = lru_reserve(w, 'a');
	ttm_resource_init(bo, &place, res);
	lru_unreserve(bo);
	w->next[0] = res;
	EXPECT_SOUND(w, "a* a'* b");
	lru_tail(w, 'a');
	EXPECT_SOUND(w, "a'* a* b");

	ttm_resource_fini(lru_man(w), res);
	w->next[0] = NULL;
	EXPECT_SOUND(w, "a* b");
}

/*
 * Managers also call ttm_resource_fini() in error paths, where nobody has taken
 * the resource out of its range.
 */
static void ttm_lru_p4_fini_leaves_range(struct kunit *test)
{
	static const char * const left[] = {
		"H b* c* d | e", "H c* d | e", "H d | e", "H | e", "H",
	};
	struct lru_world *w = lru_world(test, "a* b* c* d | e");

	EXPECT_FIRST(w, H, "a");
	for (int i = 0; i < ARRAY_SIZE(left); i++) {
		struct ttm_resource *res = w->bo[i]->resource;

		ttm_resource_fini(lru_man(w), res);
		KUNIT_EXPECT_TRUE(test, list_empty(&res->lru.link));
		/* The buffer's end accounts for it once more. */
		scoped_guard(spinlock, &w->bdev->lru_lock)
			lru_man(w)->usage += res->size;
		EXPECT_SOUND(w, left[i]);
	}
	EXPECT_REST(w, H, "");
}

static struct kunit_case ttm_lru_p4_cases[] = {
	KUNIT_CASE(ttm_lru_p4_registered_inside_only),
	KUNIT_CASE(ttm_lru_p4_one_member_has_no_inside),
	KUNIT_CASE(ttm_lru_p4_from_range_to_range),
	KUNIT_CASE(ttm_lru_p4_from_priority_to_priority),
	KUNIT_CASE(ttm_lru_p4_first_leaves),
	KUNIT_CASE(ttm_lru_p4_first_is_freed),
	KUNIT_CASE(ttm_lru_p4_middle_leaves),
	KUNIT_CASE(ttm_lru_p4_middle_is_freed),
	KUNIT_CASE(ttm_lru_p4_last_leaves),
	KUNIT_CASE(ttm_lru_p4_last_is_freed),
	KUNIT_CASE(ttm_lru_p4_first_goes_to_tail),
	KUNIT_CASE(ttm_lru_p4_two_members_change_places),
	KUNIT_CASE(ttm_lru_p4_joining_registers),
	KUNIT_CASE(ttm_lru_p4_joining_from_behind_a_hitch),
	KUNIT_CASE(ttm_lru_p4_alloc_registers),
	KUNIT_CASE(ttm_lru_p4_range_empties),
	KUNIT_CASE(ttm_lru_p4_bulk_move_deregisters),
	KUNIT_CASE(ttm_lru_p4_fini_deregisters),
	KUNIT_CASE(ttm_lru_p4_switching_bulks),
	KUNIT_CASE(ttm_lru_p4_joining_in_all_places),
	KUNIT_CASE(ttm_lru_p4_leaving_from_all_places),
	KUNIT_CASE(ttm_lru_p4_tail_in_range),
	KUNIT_CASE(ttm_lru_p4_init_joins_at_once),
	KUNIT_CASE(ttm_lru_p4_fini_leaves_range),
	{}
};

static struct kunit_suite ttm_lru_p4_suite = {
	.name = "ttm_lru_p4",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_p4_cases,
};

kunit_test_suites(&ttm_lru_p4_suite);

MODULE_DESCRIPTION("KUnit tests for P4, bulk ranges of TTM's LRU lists");
MODULE_LICENSE("Dual MIT/GPL");
