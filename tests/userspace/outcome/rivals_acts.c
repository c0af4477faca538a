// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What others do while the caller makes room. None of them waits. */

#include "rivals.h"

/* Others have references to it. */
static bool is_known(const struct rival *r)
{
	return r->live && !r->put;
}

/* Does another have its reservation, or get it at once? @taken: it is free. */
static bool lock_for_other(struct rival *r, bool *taken)
{
	if (!is_known(r))
		return false;
	*taken = !r->bo.base.resv->lock.held;
	if (*taken)
		rival_hold(r->bo.base.resv, PLAIN);
	return !r->bo.base.resv->lock.callers;
}

static void unlock_for_other(struct dma_resv *resv, bool taken)
{
	if (taken)
		dma_resv_unlock(resv);
}

static void to_tail(struct rival *r)
{
	if (!r->bo.bulk_move) {
		ttm_bo_move_to_lru_tail_unlocked(&r->bo);
		return;
	}
	scoped_guard(spinlock, &rivals.bdev.lru_lock)
		ttm_lru_bulk_move_tail(r->bo.bulk_move);
}

static bool act_reserve(struct rival *r, enum holder as)
{
	struct ww_mutex *lock = &r->bo.base.resv->lock;

	if (!is_known(r))
		return false;
	/* An older one queues up, and a younger one that waits has to die. */
	if (lock->held) {
		if (lock != rivals.waited_for || as != OLDER || rivals.killed)
			return false;
		dma_resv_unlock(r->bo.base.resv);
		rivals.killed = true;
	}
	rival_hold(r->bo.base.resv, as);
	return true;
}

static bool act_give_back(struct rival *r, bool tail)
{
	struct ww_mutex *lock = &r->bo.base.resv->lock;

	if (!is_known(r) || !lock->held || lock->callers)
		return false;
	if (tail)
		to_tail(r);
	dma_resv_unlock(r->bo.base.resv);
	return true;
}

static bool act_use(struct rival *r)
{
	bool taken;

	if (!lock_for_other(r, &taken))
		return false;
	to_tail(r);
	unlock_for_other(r->bo.base.resv, taken);
	return true;
}

/* All but the reference. The reservation is free after, unless it is the VM's. */
static bool let_die(struct rival *r)
{
	struct dma_resv *resv = r->bo.base.resv;
	bool taken;

	if (r->bo.pin_count || !lock_for_other(r, &taken))
		return false;
	ttm_bo_set_bulk_move(&r->bo, NULL);
	unlock_for_other(resv, taken || resv != &rivals.vm);
	return true;
}

static bool act_free(struct rival *r)
{
	if (!let_die(r))
		return false;
	r->put = true;
	ttm_bo_fini(&r->bo);
	return true;
}

static bool act_drop(struct rival *r)
{
	if (kref_read(&r->bo.kref) != 1 || !let_die(r))
		return false;
	r->bo.kref.refs = 0;
	r->put = true;
	r->dying = true;
	return true;
}

static bool act_gone(struct rival *r)
{
	if (!r->live || !r->dying)
		return false;
	r->dying = false;
	rival_release(&r->bo);
	return true;
}

void rivals_end_releases(void)
{
	rivals.others = true;
	for (unsigned int i = 0; i < BOS; i++)
		if (act_gone(rival(i)))
			rivals_moment();
	rivals.others = false;
}

static bool act_create(struct rival *r, unsigned int pool)
{
	struct ttm_place place = { .mem_type = pool };
	struct ttm_resource *res;

	if (r->live)
		return false;
	rivals_make(r);
	r->fresh = true;
	if (ttm_resource_alloc(&r->bo, &place, &res, rivals_cgroup())) {
		r->live = false;
		return false;
	}
	rivals_settle(&r->bo, res);
	return true;
}

static bool move(struct rival *r, unsigned int pool)
{
	struct ttm_place place = { .mem_type = pool };
	struct ttm_resource *res;

	if (!r->bo.resource || r->bo.pin_count ||
	    ttm_resource_alloc(&r->bo, &place, &res, rivals_cgroup()))
		return false;
	rivals_settle(&r->bo, res);
	return true;
}

static bool act_move(struct rival *r, unsigned int pool)
{
	bool taken, moved;

	if (r->live && r->bo.resource && r->bo.resource->mem_type == pool)
		return false;
	if (!lock_for_other(r, &taken))
		return false;
	moved = move(r, pool);
	unlock_for_other(r->bo.base.resv, taken);
	return moved;
}

static bool act_away_and_back(struct rival *r)
{
	unsigned int pool;

	if (!r->live || !r->bo.resource)
		return false;
	pool = r->bo.resource->mem_type;
	return act_move(r, IN_SYSTEM) && act_move(r, pool);
}

static bool act_replace(struct rival *r, struct rival *by)
{
	unsigned int pool;

	if (!r->live || by->live || !r->bo.resource)
		return false;
	pool = r->bo.resource->mem_type;
	return act_free(r) && !r->live && act_create(by, pool);
}

static bool act_pin(struct rival *r, bool pin)
{
	bool taken;

	if (!r->live || !r->bo.resource || pin == !!r->bo.pin_count ||
	    !lock_for_other(r, &taken))
		return false;
	if (pin)
		ttm_bo_pin(&r->bo);
	else
		ttm_bo_unpin(&r->bo);
	unlock_for_other(r->bo.base.resv, taken);
	return true;
}

static bool act_worth(struct rival *r)
{
	if (!r->live)
		return false;
	r->worthless = !r->worthless;
	return true;
}

/* A zombie's work is done as soon as the GPU is. */
static bool act_idle(struct rival *r)
{
	if (!r->live || !r->bo.base.resv->busy || scenario()->hung)
		return false;
	r->bo.base.resv->busy = false;
	if (r->queued && !r->bo.base.resv->lock.held) {
		r->queued = false;
		rival_delayed_delete(&r->bo);
	}
	return true;
}

static bool act_signal(void)
{
	bool first = !rivals.signalled;

	rivals.signalled = true;
	return first;
}

bool rivals_act(const struct event *event)
{
	struct rival *r = rival(event->a);

	switch (event->act) {
	case ACT_RESERVE:
		return act_reserve(r, event->b);
	case ACT_LET_GO:
		return act_give_back(r, false);
	case ACT_GIVE_BACK:
		return act_give_back(r, true);
	case ACT_USE:
		return act_use(r);
	case ACT_FREE:
		return act_free(r);
	case ACT_DROP:
		return act_drop(r);
	case ACT_GONE:
		return act_gone(r);
	case ACT_CREATE:
		return act_create(r, event->b);
	case ACT_MOVE:
		return act_move(r, event->b);
	case ACT_AWAY_AND_BACK:
		return act_away_and_back(r);
	case ACT_REPLACE:
		return act_replace(r, rival(event->b));
	case ACT_PIN:
		return act_pin(r, true);
	case ACT_UNPIN:
		return act_pin(r, false);
	case ACT_WORTH:
		return act_worth(r);
	case ACT_IDLE:
		return act_idle(r);
	case ACT_SIGNAL:
		return act_signal();
	}
	return false;
}

/* Something happens at one point of eight. */
bool rivals_roll(struct event *event)
{
	struct dice *dice = rivals.dice;

	if (dice->end - dice->at < 2 || *dice->at++ & 7)
		return false;
	*event = choice(*dice->at / CALLERS % CHOICES, *dice->at % CALLERS);
	dice->at++;
	return makes_sense(scenario(), event);
}
