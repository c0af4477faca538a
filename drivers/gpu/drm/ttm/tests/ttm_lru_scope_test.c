// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * KUnit suite for which buffers a search for room may evict although they are locked, and
 * what it remembers of them (E1, E3): victims need places, too, and searches for these
 * places nest.
 *
 * Worlds and pictures are those of ttm_lru_test.c: x looks for a place in TT.
 */

#include <linux/module.h>

#include <drm/ttm/ttm_placement.h>

#include "lib/ttm_lru_mock_driver.h"
#include "ttm_mock_manager.h"

static const struct ttm_place scope_places[] = {
	{ .mem_type = TTM_PL_TT },
	{ .mem_type = TTM_PL_SYSTEM, .flags = TTM_PL_FLAG_FALLBACK },
	{ .mem_type = TTM_PL_PRIV },
	{ .mem_type = TTM_PL_SYSTEM, .flags = TTM_PL_FLAG_FALLBACK },
	{ .mem_type = TTM_PL_VRAM },
	{ .mem_type = TTM_PL_SYSTEM },
};

static const struct ttm_placement scope_tt = {
	.num_placement = 1, .placement = &scope_places[0],
};

static const struct ttm_placement scope_tt_or_system = {
	.num_placement = 2, .placement = &scope_places[0],
};

static const struct ttm_placement scope_priv = {
	.num_placement = 1, .placement = &scope_places[2],
};

static const struct ttm_placement scope_priv_or_system = {
	.num_placement = 2, .placement = &scope_places[2],
};

static const struct ttm_placement scope_vram = {
	.num_placement = 1, .placement = &scope_places[4],
};

static const struct ttm_placement scope_system = {
	.num_placement = 1, .placement = &scope_places[5],
};

/* Where each buffer goes when it is evicted, by the memory type that it is in. */
static const struct ttm_placement *scope_goes[LRU_BUFFERS][TTM_PL_PRIV + 1];
static struct lru_world *scope_world;

static void scope_evict_flags(struct ttm_buffer_object *bo,
			      struct ttm_placement *placement)
{
	int i = lru_letter(scope_world, bo) - 'a';

	*placement = *scope_goes[i][bo->resource->mem_type];
}

static void scope_send(const char *letters, u32 mem_type,
		       const struct ttm_placement *placement)
{
	for (; *letters; letters++)
		scope_goes[*letters - 'a'][mem_type] = placement;
}

/* The driver evicts to where scope_send() says, or to system memory. */
static void scope_begin(struct lru_world *w)
{
	for (int i = 0; i < LRU_BUFFERS; i++)
		for (u32 type = 0; type <= TTM_PL_PRIV; type++)
			scope_goes[i][type] = &scope_system;
	scope_world = w;
	w->funcs.evict_flags = scope_evict_flags;
}

static struct lru_world *scope_full(struct kunit *test, const char *picture)
{
	struct lru_world *w = lru_full(test, picture);

	scope_begin(w);
	return w;
}

/* TT has more buffers, of one VM that moves none of them in bulk. */
static void scope_add_shared(struct lru_world *w, const char *letters)
{
	for (; *letters; letters++) {
		lru_mock.space += PAGE_SIZE;
		lru_make(w, *letters, 0, NULL, false);
	}
}

/* @letters fill another memory. */
static void scope_fill(struct lru_world *w, const char *letters,
		       const struct ttm_placement *placement)
{
	int ret = ttm_mock_manager_init(w->bdev, placement->placement->mem_type,
					strlen(letters) * PAGE_SIZE);

	KUNIT_ASSERT_EQ(w->test, ret, 0);
	for (; *letters; letters++) {
		struct ttm_placement its = *placement;
		struct ttm_operation_ctx ctx = {};

		lru_make_homeless(w, *letters);
		ret = lru_place_at(w, *letters, &its, &ctx, NULL);
		KUNIT_ASSERT_EQ(w->test, ret, 0);
	}
	lru_mock.moved = (struct lru_letters) {};
}

static void scope_empty(struct lru_world *w, u32 mem_type)
{
	for (char c = 'a'; c <= 'z'; c++) {
		struct ttm_buffer_object *bo = w->bo[c - 'a'];

		if (bo && bo->resource && bo->resource->mem_type == mem_type)
			lru_free(w, c);
	}
	ttm_mock_manager_fini(w->bdev, mem_type);
}

static int scope_place(struct lru_world *w)
{
	struct ttm_operation_ctx ctx = { .no_wait_gpu = true };

	return lru_place(w, 'x', &ctx, NULL);
}

/*
 * What must stay where it is
 */

/*
 * While TT is emptied, a goes to another part of it if there is room, or else to system
 * memory. It must not be evicted to make room for itself.
 */
static void ttm_lru_scope_victims_do_not_evict_themselves(struct kunit *test)
{
	struct lru_world *w = scope_full(test, "a");

	scope_send("a", TTM_PL_TT, &scope_tt_or_system);
	KUNIT_EXPECT_EQ(test, ttm_resource_manager_evict_all(w->bdev, lru_man(w)), 0);
	EXPECT_LETTERS(lru_mock.asked, "");
	EXPECT_LETTERS(lru_mock.moved, "a");
	scope_send("a", TTM_PL_TT, &scope_system);
}

/* The same if a is to go where p is, and p to where a is. */
static void ttm_lru_scope_victims_do_not_evict_outer_ones(struct kunit *test)
{
	struct lru_world *w = scope_full(test, "a");

	scope_fill(w, "p", &scope_priv);
	scope_send("a", TTM_PL_TT, &scope_priv_or_system);
	scope_send("p", TTM_PL_PRIV, &scope_tt_or_system);
	KUNIT_EXPECT_EQ(test, ttm_resource_manager_evict_all(w->bdev, lru_man(w)), 0);
	EXPECT_LETTERS(lru_mock.asked, "p");
	EXPECT_LETTERS(lru_mock.moved, "pa");
	scope_empty(w, TTM_PL_PRIV);
}

/*
 * The same for victims whose reservation the caller lends. a and b would go to another part
 * of TT, which is full.
 */
static void ttm_lru_scope_lent_victims_do_not_evict_themselves(struct kunit *test)
{
	struct lru_world *w = scope_full(test, "d");
	struct ttm_operation_ctx ctx = {
		.resv = &w->resv, .allow_res_evict = true, .no_wait_gpu = true,
	};
	int ret;

	scope_add_shared(w, "ab");
	lru_pin(w, 'd');
	scope_send("ab", TTM_PL_TT, &scope_tt);
	KUNIT_ASSERT_TRUE(test, dma_resv_trylock(&w->resv));
	ret = lru_place(w, 'x', &ctx, NULL);
	dma_resv_unlock(&w->resv);
	KUNIT_EXPECT_EQ(test, ret, -ENOSPC);
	EXPECT_LETTERS(lru_mock.asked, "abbaabba");
	EXPECT_LETTERS(lru_mock.moved, "");
}

/* But y, which is to go to TT, may leave its place to a, which is to leave TT. */
static void ttm_lru_scope_changes_places_with_a_lent_victim(struct kunit *test)
{
	struct lru_world *w = scope_full(test, "d");
	struct ttm_placement priv = scope_priv;
	struct ttm_operation_ctx ctx = {};

	scope_add_shared(w, "ay");
	lru_free(w, 'y');
	lru_mock.space -= PAGE_SIZE;
	lru_pin(w, 'd');
	KUNIT_ASSERT_EQ(test, ttm_mock_manager_init(w->bdev, TTM_PL_PRIV, PAGE_SIZE), 0);
	KUNIT_ASSERT_EQ(test, lru_place_at(w, 'y', &priv, &ctx, NULL), 0);
	lru_mock.moved = (struct lru_letters) {};

	scope_send("a", TTM_PL_TT, &scope_priv);
	ctx = (struct ttm_operation_ctx) { .resv = &w->resv, .allow_res_evict = true };
	KUNIT_EXPECT_EQ(test, lru_place(w, 'y', &ctx, NULL), 0);
	EXPECT_LETTERS(lru_mock.moved, "yay");
	scope_empty(w, TTM_PL_PRIV);
}

/*
 * a, b and c are of one VM, and would go to another part of TT, which is full. The search
 * for the place of each one leaves the others to the search for the place of x.
 */
static void ttm_lru_scope_searches_do_not_nest_on_and_on(struct kunit *test)
{
	struct lru_world *w = scope_full(test, "d");

	scope_add_shared(w, "abc");
	lru_pin(w, 'd');
	scope_send("abc", TTM_PL_TT, &scope_tt);
	KUNIT_EXPECT_EQ(test, scope_place(w), -ENOSPC);
	EXPECT_LETTERS(lru_mock.asked, "abcabc");
	EXPECT_LETTERS(lru_mock.moved, "");
}

/* a is to go where p is, and p to TT. b, of the VM of a, is not evicted for p. */
static void ttm_lru_scope_leaves_all_to_the_outermost(struct kunit *test)
{
	struct lru_world *w = scope_full(test, "d");

	scope_add_shared(w, "ab");
	lru_pin(w, 'd');
	scope_fill(w, "p", &scope_priv);
	scope_send("a", TTM_PL_TT, &scope_priv);
	scope_send("p", TTM_PL_PRIV, &scope_tt);
	KUNIT_EXPECT_EQ(test, scope_place(w), 0);
	EXPECT_LETTERS(lru_mock.asked, "apb");
	EXPECT_LETTERS(lru_mock.moved, "bx");
	scope_empty(w, TTM_PL_PRIV);
}

/*
 * What may go
 */

/*
 * a is two pages large, and goes to another part of TT. b and c are of one VM. When the
 * search has evicted b it keeps their reservation, and may evict c as well.
 */
static void ttm_lru_scope_takes_all_that_it_keeps(struct kunit *test)
{
	struct lru_world *w = scope_full(test, "a");

	scope_add_shared(w, "bc");
	lru_bo(w, 'a')->base.size = 2 * PAGE_SIZE;
	scope_send("a", TTM_PL_TT, &scope_tt);
	KUNIT_EXPECT_EQ(test, scope_place(w), 0);
	EXPECT_LETTERS(lru_mock.moved, "bcax");
	lru_bo(w, 'a')->base.size = PAGE_SIZE;
}

/*
 * x needs the places of a and b. a goes to VRAM, and b to where p is, which goes to VRAM.
 * There is room for one: a goes on to system memory.
 */
static void ttm_lru_scope_victims_go_on(struct kunit *test)
{
	struct lru_world *w = scope_full(test, "a b");
	int ret;

	scope_fill(w, "p", &scope_priv);
	scope_fill(w, "v", &scope_vram);
	lru_free(w, 'v');
	scope_send("a", TTM_PL_TT, &scope_vram);
	scope_send("b", TTM_PL_TT, &scope_priv);
	scope_send("p", TTM_PL_PRIV, &scope_vram);
	lru_bo(w, 'x')->base.size = 2 * PAGE_SIZE;
	ret = scope_place(w);
	lru_bo(w, 'x')->base.size = PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_LETTERS(lru_mock.moved, "aapbx");
	scope_empty(w, TTM_PL_VRAM);
	scope_empty(w, TTM_PL_PRIV);
}

/*
 * What is not valuable
 */

static struct lru_holder scope_other;

static void scope_reserve_d(struct lru_world *w, char letter)
{
	if (letter == 'c' && !scope_other.task)
		lru_hold(&scope_other, w, 'd');
}

/* All that are not valuable are remembered: the first wait is for b, and not for d. */
static void ttm_lru_scope_remembers_all(struct kunit *test)
{
	struct lru_world *w = scope_full(test, "a d c b");
	struct lru_holder younger = { .ticket = true, .when_waited = true };
	struct ttm_operation_ctx ctx = {};
	struct ww_acquire_ctx ticket;
	int ret;

	scope_other = (struct lru_holder) { .when_waited = true };
	lru_mock.worthless = "acd";
	lru_mock.at = scope_reserve_d;
	lru_ticket_init(&ticket);
	lru_hold(&younger, w, 'b');
	ret = lru_place(w, 'x', &ctx, &ticket);
	if (scope_other.task)
		lru_let_go(&scope_other);
	ww_acquire_fini(&ticket);
	lru_let_go(&younger);
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_LETTERS(lru_mock.asked, "adcacb");
	EXPECT_LETTERS(lru_mock.moved, "bx");
}

/*
 * What is given back
 */

/* The owner of a buffer drops it. */
static void scope_drop(struct lru_world *w, char letter)
{
	struct ttm_buffer_object *bo = lru_bo(w, letter);

	w->bo[letter - 'a'] = NULL;
	ttm_bo_fini(bo);
}

static void scope_drop_a(struct lru_world *w, char letter)
{
	if (letter == 'c')
		scope_drop(w, 'a');
}

/*
 * The owner of a drops it while the search keeps it, so the search drops the last reference.
 * From then on a does not share its VM's reservation any more: unlock that one before.
 */
static void ttm_lru_scope_unlocks_before_it_drops(struct kunit *test)
{
	struct lru_world *w = scope_full(test, "c");
	int ret;

	scope_add_shared(w, "a");
	lru_tail(w, 'c');
	lru_mock.at = scope_drop_a;
	lru_bo(w, 'x')->base.size = 2 * PAGE_SIZE;
	ret = scope_place(w);
	lru_bo(w, 'x')->base.size = PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, ret, 0);
	EXPECT_LETTERS(lru_mock.moved, "acx");
	KUNIT_EXPECT_FALSE(test, dma_resv_is_locked(&w->resv));
}

/* While the search has a, its owner drops it: a leaves room at the next step of the walk. */
static unsigned int scope_times_asked;

static void scope_drop_a_at_last(struct lru_world *w, char letter)
{
	if (++scope_times_asked == 2)
		scope_drop(w, 'a');
}

static void ttm_lru_scope_keeps_no_last_reference(struct kunit *test)
{
	struct lru_world *w = scope_full(test, "a");
	struct ttm_operation_ctx ctx = {};
	struct ww_acquire_ctx ticket;

	scope_times_asked = 0;
	lru_mock.worthless = "a";
	lru_mock.at = scope_drop_a_at_last;
	lru_ticket_init(&ticket);
	KUNIT_EXPECT_EQ(test, lru_place(w, 'x', &ctx, &ticket), 0);
	ww_acquire_fini(&ticket);
	EXPECT_LETTERS(lru_mock.asked, "aa");
	EXPECT_SOUND(w, "x");
}

static struct kunit_case ttm_lru_scope_cases[] = {
	KUNIT_CASE(ttm_lru_scope_victims_do_not_evict_themselves),
	KUNIT_CASE(ttm_lru_scope_victims_do_not_evict_outer_ones),
	KUNIT_CASE(ttm_lru_scope_lent_victims_do_not_evict_themselves),
	KUNIT_CASE(ttm_lru_scope_changes_places_with_a_lent_victim),
	KUNIT_CASE(ttm_lru_scope_searches_do_not_nest_on_and_on),
	KUNIT_CASE(ttm_lru_scope_leaves_all_to_the_outermost),
	KUNIT_CASE(ttm_lru_scope_takes_all_that_it_keeps),
	KUNIT_CASE(ttm_lru_scope_victims_go_on),
	KUNIT_CASE(ttm_lru_scope_remembers_all),
	KUNIT_CASE(ttm_lru_scope_unlocks_before_it_drops),
	KUNIT_CASE(ttm_lru_scope_keeps_no_last_reference),
	{}
};

static struct kunit_suite ttm_lru_scope_suite = {
	.name = "ttm_lru_scope",
	.init = lru_case_init,
	.exit = lru_case_exit,
	.test_cases = ttm_lru_scope_cases,
};

kunit_test_suites(&ttm_lru_scope_suite);

MODULE_DESCRIPTION("KUnit tests for what a search for room may evict although it is locked");
MODULE_LICENSE("Dual MIT/GPL");
