// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Which busy buffers a walk skips, and which it tries. Each case has five members of one
 * bulk, the hitch of another walk behind the first member, and behind all members a loose
 * buffer, which is free.
 */

#include "many_buffers.h"
#include "busy_bulk_cases.h"

#define MEMBERS	5

static struct ww_acquire_ctx ticket;
static struct ttm_operation_ctx ctx;
static struct ttm_lru_walk_arg arg;

static void members_are_busy(void)
{
	crowd.resv[0].held = true;
}

/* As happens to a buffer that is moved or released. */
static void gets_own_resv(unsigned int i)
{
	crowd.bo[i].base.resv = &crowd.bo[i].base._resv;
}

static void all_free(void)
{
}

static void all_busy(void)
{
	members_are_busy();
}

static void first_has_own(void)
{
	members_are_busy();
	gets_own_resv(0);
}

static void last_has_own(void)
{
	members_are_busy();
	gets_own_resv(MEMBERS - 1);
}

static void middle_has_own(void)
{
	members_are_busy();
	gets_own_resv(2);
}

static void only_middle_is_busy(void)
{
	gets_own_resv(2);
	crowd.bo[2].base.resv->held = true;
}

static void ends_have_other(void)
{
	members_are_busy();
	gets_own_resv(0);
	crowd.bo[MEMBERS - 1].base.resv = crowd.bo[0].base.resv;
}

static void walk_has_them(void)
{
	dma_resv_lock(&crowd.resv[0], &ticket);
	arg.ticket = &ticket;
	arg.keep_ticket = true;
	arg.trylock_only = false;
}

static void walk_has_them_and_tries(void)
{
	walk_has_them();
	arg.trylock_only = true;
}

static void busy_for_a_while(void)
{
	members_are_busy();
	crowd.resv[0].lets_go = true;
	arg.trylock_only = false;
	arg.sleeping_lock = true;
}

static void caller_lends_them(void)
{
	members_are_busy();
	ctx.resv = &crowd.resv[0];
	ctx.allow_res_evict = true;
}

static void two_are_dying(void)
{
	crowd.bo[1].kref.refs = 0;
	crowd.bo[3].kref.refs = 0;
}

static void all_dying_and_busy(void)
{
	members_are_busy();
	for (unsigned int i = 0; i < MEMBERS; i++)
		crowd.bo[i].kref.refs = 0;
}

static const struct situation {
	const char *what;
	void (*set_up)(void);
	const char *returns;	/* members by number, and the loose one, L */
	unsigned long trylocks, skipped, dying;
	bool moves;		/* each returned buffer, to the tail */
} situations[] = {
	{ "a busy range is skipped at once", all_busy, "L", 2, 1 },
	{ "a first member with a lock of its own is tried", first_has_own, "0L",
	  6, 4 },
	{ "a last member with a lock of its own is tried", last_has_own, "4L",
	  6, 4 },
	{ "an inner member with a lock of its own is skipped",
	  middle_has_own, "L", 2, 1 },
	{ "a member that is busy alone is skipped alone", only_middle_is_busy,
	  "0134L", 6, 1 },
	{ "two ends alike are not enough", ends_have_other, "04L", 6, 3 },
	{ "a buffer that the walk holds is not counted", walk_has_them, "L",
	  2, 0 },
	{ "nor if the walk only tries locks", walk_has_them_and_tries,
	  "L", 2, 0 },
	{ "a buffer that is waited for is returned", busy_for_a_while, "01234L", 6, 0 },
	{ "a buffer that the caller lends is returned", caller_lends_them, "01234L",
	  6, 0 },
	{ "a buffer that is being released is not tried", two_are_dying, "024L",
	  4, 0, 2 },
	{ "a buffer that is being released hides no other", all_dying_and_busy, "L",
	  1, 0, 5 },
	{ "a buffer that is moved is returned once", all_free, "01234L", 6, .moves = true },
};

/* What the last walk left out. */
static struct ttm_lru_left_out left_out;

/* What the walk returns: up to one more than there are. */
static void walk(char returned[MEMBERS + 3], bool moves)
{
	struct ttm_bo_lru_cursor cursor;
	struct ttm_buffer_object *bo;
	unsigned int n = 0;

	ttm_bo_lru_for_each_reserved_guarded(&cursor, &crowd.man, &arg, bo) {
		unsigned int i = bo - crowd.bo;

		WARN_ON(!bo->base.resv->held);
		returned[n++] = i < MEMBERS ? '0' + i : 'L';
		if (n == MEMBERS + 2)
			break;
		scoped_guard(spinlock, &crowd.bdev.lru_lock)
			if (moves)
				ttm_resource_move_to_lru_tail(bo->resource);
	}
	returned[n] = '\0';
	left_out = cursor.left_out;
}

/* Is each reservation, and each reference, as it was, unless waited for? */
static bool all_given_back(const struct crowd *before)
{
	for (unsigned int i = 0; i < crowd.n; i++) {
		const struct ttm_buffer_object *bo = &crowd.bo[i];
		const struct ttm_buffer_object *old = &before->bo[i];

		if (bo->base._resv.held != old->base._resv.held ||
		    bo->kref.refs != old->kref.refs)
			return false;
	}
	return crowd.resv[0].held ==
	       (before->resv[0].held && !before->resv[0].lets_go);
}

static bool is_right(const struct situation *s)
{
	struct ttm_resource_cursor other;
	static struct crowd before;
	char returned[MEMBERS + 3];
	bool good;

	crowd_init();
	for (unsigned int i = 0; i < MEMBERS; i++)
		crowd_add_member(0);
	crowd_add_loose(false);
	ctx = (struct ttm_operation_ctx) {};
	arg = (struct ttm_lru_walk_arg) { .ctx = &ctx, .trylock_only = true };
	s->set_up();
	ttm_resource_cursor_init(&other, &crowd.man);
	scoped_guard(spinlock, &crowd.bdev.lru_lock)
		ttm_resource_manager_first(&other);
	crowd_count();
	before = crowd;

	walk(returned, s->moves);
	good = !strcmp(returned, s->returns) &&
	       crowd.figures.trylocks == s->trylocks &&
	       left_out.busy == s->skipped && left_out.zombies == s->dying &&
	       all_given_back(&before);
	if (!good)
		printf("not so: %s: %s returned, %lu tried, %lu busy, %lu dying\n",
		       s->what, returned, crowd.figures.trylocks, left_out.busy,
		       left_out.zombies);
	return good;
}

bool busy_bulk_cases_are_right(void)
{
	bool good = true;

	for (unsigned int i = 0; i < ARRAY_SIZE(situations); i++)
		good &= is_right(&situations[i]);
	if (good)
		printf("%zu cases of skipped buffers are right\n",
		       ARRAY_SIZE(situations));
	return good;
}
