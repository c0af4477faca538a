// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for the steps of which first() and next() consist: restart,
 * advance, pause and skip. A walker calls them in one hold of the lock.
 */

#include <linux/module.h>
#include <linux/seq_buf.h>

#include "lib/ttm_lru_fixture.h"
#include "lib/ttm_lru_links.h"
#include "lib/ttm_lru_steps.h"

static void ttm_lru_advance_writes_nothing(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b* c* d* e | f");

	lru_links_init(w);
	EXPECT_FIRST(w, I, "a");
	EXPECT_NEXT(w, I, "b");
	EXPECT_STEPS(w, H, "r [ aaaaaa ] p", "abcdef0");
	EXPECT_LRU(w, "a b* I c* d* e | f H");
}

static void ttm_lru_advance_from_parked_writes_nothing(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b* c* d* e");

	lru_links_init(w);
	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	EXPECT_STEPS(w, H, "[ aa ] p", "cd0");
	EXPECT_LRU(w, "a b* c* d* H e");
}

static void ttm_lru_advance_returns_all(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b* | c+ d+ e | | f / g");

	EXPECT_STEPS(w, H, "raaaaaaa", "abcdef.");
	EXPECT_LRU(w, "a b* | c+ d+ e | | f / g");
	EXPECT_STEPS(w, H, "aa", "..");
}

static void ttm_lru_advance_in_no_walk(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a");

	EXPECT_STEPS(w, H, "a", ".");
	EXPECT_FIRST(w, H, "a");
	EXPECT_STEPS(w, H, "a", ".");
	EXPECT_STEPS(w, H, "a", ".");
	EXPECT_FIRST(w, H, "a");
	lru_fini(w, H);
	EXPECT_STEPS(w, H, "a", ".");
	EXPECT_LRU(w, "a");
}

static void ttm_lru_advance_off_a_list_takes_the_hitch(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a | b");

	EXPECT_FIRST(w, H, "a");
	EXPECT_STEPS(w, H, "aa", "b.");
	EXPECT_LRU(w, "a | b");
}

static void ttm_lru_pause_behind_the_last_returned(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b c d");

	EXPECT_STEPS(w, H, "raap", "ab");
	EXPECT_LRU(w, "a b H c d");
	EXPECT_STEPS(w, H, "ap", "c");
	EXPECT_LRU(w, "a b c H d");
	EXPECT_NEXT(w, H, "d");
}

static void ttm_lru_pause_before_other_hitches(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b");

	EXPECT_FIRST(w, I, "a");
	EXPECT_FIRST(w, J, "a");
	EXPECT_STEPS(w, H, "rap", "a");
	EXPECT_LRU(w, "a H I J b");
	EXPECT_REST(w, H, "b");
	EXPECT_REST(w, I, "b");
}

static void ttm_lru_pause_when_parked(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c");

	lru_links_init(w);
	EXPECT_STEPS(w, H, "[p]", "0");
	EXPECT_FIRST(w, H, "a");
	EXPECT_STEPS(w, H, "[pp]", "0");
	EXPECT_LRU(w, "a* H b* c");
	EXPECT_REST(w, H, "b c");
	EXPECT_STEPS(w, H, "[p]", "0");
	EXPECT_LRU(w, "a* b* c");
}

static void ttm_lru_pause_on_another_priority(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a | | b c");

	EXPECT_STEPS(w, H, "raap", "ab");
	EXPECT_LRU(w, "a | | b H c");
	EXPECT_FIRST(w, H, "a");
	EXPECT_STEPS(w, H, "ap", "b");
	EXPECT_LRU(w, "a | | b H c");
	lru_free(w, 'b');
	EXPECT_REST(w, H, "c");
}

static void ttm_lru_pause_registers(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "x a* b* c* d+ e+");

	EXPECT_STEPS(w, H, "rap", "x");
	EXPECT_UNREGISTERED(w, H);
	EXPECT_STEPS(w, H, "ap", "a");
	EXPECT_REGISTERED(w, H, "*");
	EXPECT_STEPS(w, H, "aap", "bc");
	EXPECT_UNREGISTERED(w, H);
	EXPECT_STEPS(w, H, "rap aaap", "xabc");
	EXPECT_UNREGISTERED(w, H);
	EXPECT_STEPS(w, H, "raaap aap", "xabcd");
	EXPECT_REGISTERED(w, H, "+");
	lru_bulk_tail(w, STAR);
	EXPECT_LRU(w, "x d+ H e+ a* b* c*");
	lru_bulk_tail(w, PLUS);
	EXPECT_LRU(w, "x H a* b* c* d+ e+");
}

static void ttm_lru_restart_links_nothing(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b | c");

	lru_links_init(w);
	EXPECT_STEPS(w, H, "[r]f", "0");
	EXPECT_LRU(w, "a b | c");
	EXPECT_STEPS(w, H, "rp", "");
	EXPECT_LRU(w, "H a b | c");
	EXPECT_NEXT(w, H, "a");
}

static void ttm_lru_restart_then_pause(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c");

	EXPECT_STEPS(w, H, "rp", "");
	EXPECT_LRU(w, "H a* b* c");
	EXPECT_UNREGISTERED(w, H);
	lru_bulk_tail(w, STAR);
	EXPECT_LRU(w, "H c a* b*");
	lru_tail(w, 'c');
	EXPECT_REST(w, H, "a b c");
}

static void ttm_lru_restart_on_an_empty_list(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "| | a");

	EXPECT_STEPS(w, H, "rp", "");
	EXPECT_LRU(w, "H | | a");
	lru_make(w, 'b', 0, NULL, false);
	EXPECT_LRU(w, "H b | | a");
	EXPECT_REST(w, H, "b a");
}

static void ttm_lru_restart_in_every_state(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* | c");

	/* in no walk, restarted, advanced, inside a range, */
	EXPECT_STEPS(w, H, "ra ra raa rap rap", "aaabaa");
	EXPECT_LRU(w, "a* H b* | c");
	/* at the end of a range, on another list, advanced to another list, */
	EXPECT_STEPS(w, H, "ap rap aap rap aa rap", "babcabca");
	EXPECT_LRU(w, "a* H b* | c");
	/* at the end, and after fini() */
	EXPECT_STEPS(w, H, "aaa rap f rap", "bc.aa");
	EXPECT_LRU(w, "a* H b* | c");
}

static void ttm_lru_first_and_next_when_advanced(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b c");

	EXPECT_STEPS(w, H, "raaF", "aba");
	EXPECT_LRU(w, "a H b c");
	EXPECT_STEPS(w, H, "an", "bc");
	EXPECT_LRU(w, "a b c H");
	EXPECT_STEPS(w, H, "rn", "a");
	EXPECT_LRU(w, "a H b c");
}

static void ttm_lru_fini_when_advanced(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b*");

	EXPECT_STEPS(w, H, "raf", "a");
	EXPECT_LRU(w, "a* b*");
	EXPECT_FIRST(w, H, "a");
	EXPECT_STEPS(w, H, "af", "b");
	EXPECT_LRU(w, "a* b*");
	EXPECT_STEPS(w, H, "rf a", ".");
}

static void ttm_lru_skip_bulk_when_advanced(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "x a* b* c* y");

	EXPECT_STEPS(w, H, "raas ap", "xay");
	EXPECT_STEPS(w, H, "raaas ap", "xaby");
	EXPECT_STEPS(w, H, "raaaas ap", "xabcy");
	EXPECT_LRU(w, "x a* b* c* y H");
}

static void ttm_lru_skip_bulk_when_parked(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "x a* b* c* y");

	EXPECT_STEPS(w, H, "raap", "xa");
	EXPECT_REGISTERED(w, H, "*");
	EXPECT_STEPS(w, H, "sp", "");
	EXPECT_LRU(w, "x a* b* c* H y");
	EXPECT_UNREGISTERED(w, H);
	EXPECT_NEXT(w, H, "y");

	EXPECT_STEPS(w, H, "raaap s ap", "xaby");
	EXPECT_LRU(w, "x a* b* c* y H");
}

static void ttm_lru_skip_bulk_writes_nothing(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "x a* b* c* y");

	lru_links_init(w);
	EXPECT_STEPS(w, H, "raap [ s a ] p", "xay0");
	EXPECT_LRU(w, "x a* b* c* y H");
	EXPECT_STEPS(w, H, "r [ aas a ] p", "xay0");
}

static void ttm_lru_skip_bulk_of_loose_ones(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "x y a* b* z");

	/* advanced to a loose resource, parked behind one, before a range, */
	EXPECT_STEPS(w, H, "ras ap s ap", "xya");
	EXPECT_STEPS(w, H, "raap s", "xy");
	EXPECT_LRU(w, "x y H a* b* z");
	/* and behind a range */
	EXPECT_STEPS(w, H, "aap s", "ab");
	EXPECT_LRU(w, "x y a* b* H z");
	EXPECT_NEXT(w, H, "z");
}

static void ttm_lru_skip_bulk_in_no_walk(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b*");

	EXPECT_STEPS(w, H, "s a", ".");
	EXPECT_STEPS(w, H, "rs ap", "a");
	EXPECT_LRU(w, "a* H b*");
	EXPECT_STEPS(w, H, "aas a", "b..");
	EXPECT_LRU(w, "a* b*");
}

static void ttm_lru_skip_bulk_from_range_to_range(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c+ d+ | e* f* g");

	EXPECT_STEPS(w, H, "rasas asap", "aceg");
	EXPECT_LRU(w, "a* b* c+ d+ | e* f* g H");
	EXPECT_STEPS(w, H, "rap s ap s ap s ap", "aceg");
}

static void ttm_lru_skip_bulk_to_the_end(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b*");

	EXPECT_STEPS(w, H, "ras a", "a.");
	EXPECT_STEPS(w, H, "rap s a a", "a..");
	EXPECT_LRU(w, "a* b*");
}

static void ttm_lru_skip_bulk_looks_at_the_end_only(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "x");
	const char *steps;

	lru_make_flock(w, 10000);
	lru_make(w, 'y', 0, NULL, false);
	lru_poison_inside(w);
	steps = lru_steps(w, H, "raas ap rap ap s ap");
	lru_heal_inside(w);
	KUNIT_EXPECT_STREQ(test, steps, "x~yx~y");
}

static void ttm_lru_skip_bulk_then_bulk_move(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c* d");

	EXPECT_STEPS(w, H, "ras p", "a");
	EXPECT_LRU(w, "a* b* c* H d");
	lru_bulk_tail(w, STAR);
	EXPECT_LRU(w, "H d a* b* c*");
	EXPECT_REST(w, H, "d a b c");
}

static void ttm_lru_skip_bulk_then_join(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a* b* c d");

	EXPECT_STEPS(w, H, "ras p", "a");
	lru_join(w, 'd', STAR);
	EXPECT_LRU(w, "a* b* H d* c");
	EXPECT_REGISTERED(w, H, "*");
	EXPECT_STEPS(w, H, "s ap", "c");
}

struct lru_visited {
	struct lru_world *w;
	struct seq_buf s;
};

static void lru_visit(const struct ttm_lru_item *item, void *arg)
{
	struct lru_visited *v = arg;

	if (ttm_lru_item_is_res(item))
		seq_buf_puts(&v->s, lru_name(v->w, ttm_lru_item_to_res((void *)
								item)));
	else
		seq_buf_putc(&v->s, 'H');
}

static void ttm_lru_visit_every_node(struct kunit *test)
{
	struct lru_world *w = lru_world(test, "a b* c* | d / e");
	struct lru_visited v = { .w = w };

	EXPECT_FIRST(w, H, "a");
	EXPECT_NEXT(w, H, "b");
	seq_buf_init(&v.s, w->steps, sizeof(w->steps));
	scoped_guard(spinlock, &w->bdev->lru_lock)
		ttm_resource_manager_visit_lru(lru_man(w), lru_visit, &v);
	KUNIT_EXPECT_STREQ(test, seq_buf_str(&v.s), "abHcd");
}

static struct kunit_case ttm_lru_cursor_cases[] = {
	KUNIT_CASE(ttm_lru_advance_writes_nothing),
	KUNIT_CASE(ttm_lru_advance_from_parked_writes_nothing),
	KUNIT_CASE(ttm_lru_advance_returns_all),
	KUNIT_CASE(ttm_lru_advance_in_no_walk),
	KUNIT_CASE(ttm_lru_advance_off_a_list_takes_the_hitch),
	KUNIT_CASE(ttm_lru_pause_behind_the_last_returned),
	KUNIT_CASE(ttm_lru_pause_before_other_hitches),
	KUNIT_CASE(ttm_lru_pause_when_parked),
	KUNIT_CASE(ttm_lru_pause_on_another_priority),
	KUNIT_CASE(ttm_lru_pause_registers),
	KUNIT_CASE(ttm_lru_restart_links_nothing),
	KUNIT_CASE(ttm_lru_restart_then_pause),
	KUNIT_CASE(ttm_lru_restart_on_an_empty_list),
	KUNIT_CASE(ttm_lru_restart_in_every_state),
	KUNIT_CASE(ttm_lru_first_and_next_when_advanced),
	KUNIT_CASE(ttm_lru_fini_when_advanced),
	KUNIT_CASE(ttm_lru_skip_bulk_when_advanced),
	KUNIT_CASE(ttm_lru_skip_bulk_when_parked),
	KUNIT_CASE(ttm_lru_skip_bulk_writes_nothing),
	KUNIT_CASE(ttm_lru_skip_bulk_of_loose_ones),
	KUNIT_CASE(ttm_lru_skip_bulk_in_no_walk),
	KUNIT_CASE(ttm_lru_skip_bulk_from_range_to_range),
	KUNIT_CASE(ttm_lru_skip_bulk_to_the_end),
	KUNIT_CASE(ttm_lru_skip_bulk_looks_at_the_end_only),
	KUNIT_CASE(ttm_lru_skip_bulk_then_bulk_move),
	KUNIT_CASE(ttm_lru_skip_bulk_then_join),
	KUNIT_CASE(ttm_lru_visit_every_node),
	{}
};

static struct kunit_suite ttm_lru_cursor_suite = {
	.name = "ttm_lru_cursor",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_cursor_cases,
};

kunit_test_suites(&ttm_lru_cursor_suite);

MODULE_DESCRIPTION("KUnit tests for the steps of TTM's cursors");
MODULE_LICENSE("Dual MIT/GPL");
