// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Walks that note the buffers they meet, see ttm_lru_meeting.h. */

#include "ttm_lru_meeting.h"

static s64 lru_meet(struct ttm_lru_walk *walk, struct ttm_buffer_object *bo)
{
	struct lru_meeting *m = container_of(walk, struct lru_meeting, walk);
	char letter = lru_letter(m->w, bo);

	lru_note(&m->met, letter);
	if (m->at)
		m->at(m->w, letter);
	if (m->fail && strchr(m->fail, letter))
		return m->error;
	return 1;
}

static const struct ttm_lru_walk_ops lru_meeting_ops = {
	.process_bo = lru_meet,
};

void lru_meeting_init(struct lru_meeting *m, struct lru_world *w)
{
	*m = (struct lru_meeting) {
		.walk = {
			.ops = &lru_meeting_ops,
			.arg = { .ctx = &m->ctx, .trylock_only = true },
		},
		.w = w,
	};
}

s64 lru_go(struct lru_meeting *m)
{
	return ttm_lru_walk_for_evict(&m->walk, m->w->bdev, lru_man(m->w),
				      S64_MAX);
}

void lru_make_busy(struct dma_resv *resv)
{
	WARN_ON(!dma_resv_trylock(resv));
}

/* Walk while the reservations of @letters are held. */
s64 lru_go_while_busy(struct lru_meeting *m, const char *letters)
{
	const char *c;
	s64 ret;

	for (c = letters; *c; c++)
		lru_make_busy(lru_bo(m->w, *c)->base.resv);
	ret = lru_go(m);
	for (c = letters; *c; c++)
		dma_resv_unlock(lru_bo(m->w, *c)->base.resv);
	return ret;
}

/* Walk and wait for buffers, of which @holder holds one. */
s64 lru_go_waiting(struct lru_meeting *m, struct lru_holder *holder,
		   char letter)
{
	s64 ret;

	m->walk.arg.trylock_only = false;
	m->walk.arg.sleeping_lock = true;
	lru_hold(holder, m->w, letter);
	ret = lru_go(m);
	lru_let_go(holder);
	return ret;
}

void lru_to_tail(struct lru_world *w, char letter)
{
	scoped_guard(spinlock, &w->bdev->lru_lock)
		ttm_bo_move_to_lru_tail(lru_bo(w, letter));
}

char lru_step(struct ttm_bo_lru_cursor *curs, struct lru_world *w,
	      bool first)
{
	struct ttm_buffer_object *bo = first ? ttm_bo_lru_cursor_first(curs) :
					       ttm_bo_lru_cursor_next(curs);

	if (IS_ERR(bo))
		return '!';
	return bo ? lru_letter(w, bo) : '.';
}
