// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Was there room? Brute force, on what is where, whatever the lists say: room is
 * what would be left if all were evicted that can be.
 */

#include "rivals.h"

static bool stays(const struct rival *r)
{
	bool lent = scenario()->lends && r->bo.base.resv == &rivals.vm;

	return r == rival(CALLERS) || (r->own && !lent) || r->bo.pin_count ||
	       (r->bo.base.resv->busy && scenario()->hung);
}

static void note_bo(struct moment *m, unsigned int i)
{
	const struct rival *r = rival(i);
	enum holder holder = rival_holder(r->bo.base.resv);

	if (!r->live)
		return;
	if (r->worthless)
		rivals.doubtful |= BIT(i);
	if (stays(r))
		m->stay |= BIT(i);
	if (scenario()->no_wait && (r->dying || r->bo.base.resv->busy))
		m->held |= BIT(i);
	if (r->dying)
		m->dying |= BIT(i);
	if (r->dying || holder == NOBODY || holder == CALLER)
		return;
	m->held |= BIT(i);
	if (holder == OLDER)
		m->held_older |= BIT(i);
}

/* Record a moment: another thread may have changed which buffers can be evicted. */
void rivals_moment(void)
{
	struct moment *m = &rivals.moment[rivals.moments];

	if (rivals.moments == MOMENTS)
		return;
	rivals.moments++;
	*m = (struct moment) {};
	m->told = rivals.outcome->told;
	m->at = rivals.now;
	for (unsigned int i = 0; i < BOS; i++)
		note_bo(m, i);
	for (unsigned int i = 0; i < NODES; i++) {
		const struct node *node = &rivals.node[i];

		if (!node->used)
			continue;
		m->node[m->nodes].pool = node->res.mem_type;
		m->node[m->nodes].owner = node->owner;
		m->node[m->nodes++].size = rival(node->owner)->size;
	}
}

static u32 hash(u32 h, u32 value)
{
	h = (h ^ value) * 0x9e3779b1;
	h = (h ^ h >> 15) * 0x85ebca6b;
	return h ^ h >> 13;
}

/* Where the caller is, and what is where, added to a number. */
u32 rivals_state(u32 h)
{
	const struct moment *m = &rivals.moment[rivals.moments - 1];
	u32 nodes = 0;

	h = hash(h, rivals.label);
	h = hash(h, m->told << 24 | m->stay << 16 | m->held << 8 | m->held_older);
	for (unsigned int i = 0; i < m->nodes; i++)
		nodes += hash(0, m->node[i].pool << 8 | (m->node[i].owner + 1));
	return hash(h, nodes);
}

/* Pages that are left for others if all were evicted that is not @taken. */
static int left(const struct moment *m, unsigned int pool, unsigned int taken)
{
	int pages = scenario()->capacity[pool];

	for (unsigned int i = 0; i < m->nodes; i++)
		if (m->node[i].pool == pool && taken & BIT(m->node[i].owner))
			pages -= m->node[i].size;
	return pages;
}

/* Members of the VM, if @bo is one: the caller has them all when it evicts it. */
static unsigned int relatives(unsigned int bo)
{
	unsigned int bos = 0;

	for (unsigned int i = 0; rival_resv(rival(bo)) == &rivals.vm && i < BOS; i++)
		if (rival_resv(rival(i)) == &rivals.vm)
			bos |= BIT(i);
	return bos;
}

/* What the largest buffer may have that leaves VRAM, if it is @bo. */
static int target_room(const struct moment *m, unsigned int taken, unsigned int bo)
{
	bool by_tt = scenario()->target == TO_TT || scenario()->hops;
	int room = by_tt ? left(m, IN_TT, taken | relatives(bo)) : 0xff;

	if (scenario()->memory && scenario()->memory < room)
		room = scenario()->memory;
	return scenario()->target == TO_NOWHERE ? 0xff :
	       scenario()->target == TO_ITSELF ? 0 : room;
}

/* Those as well for which there is no room where they would be evicted to. */
static unsigned int homeless(const struct moment *m, unsigned int taken)
{
	unsigned int bos = 0;

	for (unsigned int i = 0; i < m->nodes; i++) {
		unsigned int bo = m->node[i].owner;

		if (m->node[i].pool == IN_VRAM &&
		    m->node[i].size > target_room(m, taken, bo))
			bos |= BIT(bo);
	}
	return bos;
}

/* Is there anything in VRAM that could be evicted? */
static bool has_victim(const struct moment *m, unsigned int taken)
{
	for (unsigned int i = 0; i < m->nodes; i++)
		if (m->node[i].pool == IN_VRAM && !(taken & BIT(m->node[i].owner)))
			return true;
	return false;
}

static bool has_room(const struct moment *m, unsigned int taken)
{
	const struct scenario *s = scenario();

	taken |= m->stay | rivals.doubtful;
	taken |= homeless(m, taken);
	if (s->call != VALIDATE)
		return has_victim(m, taken);
	for (unsigned int i = 0; i < s->places; i++) {
		if (s->list[i].desired)
			continue;
		if (s->list[i].pool == IN_SYSTEM ||
		    left(m, s->list[i].pool, taken) >= s->bo[CALLERS].size)
			return true;
	}
	return false;
}

/* Without a ticket: what was reserved all the time. */
static unsigned int held_throughout(void)
{
	unsigned int bos = 0;

	for (unsigned int i = 0; i < BOS; i++) {
		const struct ww_mutex *lock = &rival_resv(rival(i))->lock;

		if (lock->held && !lock->callers && !lock->since)
			bos |= BIT(i);
	}
	return bos;
}

/* What the caller could not have had at a moment, as others held it. */
static unsigned int out_of_reach(const struct moment *m)
{
	if (scenario()->no_wait)
		return m->held;
	if (scenario()->call != VALIDATE)
		return 0;
	if (!scenario()->ticket)
		return held_throughout();
	if (!rivals.outcome->told)
		return 0;
	return m->told ? m->held : m->held_older;
}

static bool always_had_room(void)
{
	/* Nobody knows what happened later. */
	if (rivals.moments == MOMENTS)
		return false;
	for (unsigned int i = 0; i < rivals.moments; i++) {
		const struct moment *m = &rivals.moment[i];

		if (!has_room(m, out_of_reach(m)))
			return false;
	}
	return true;
}

/* During the look that began at @at, did others at times hold what it takes? */
static bool was_hidden(unsigned long at)
{
	const struct moment *m = rivals.moment, *end = m + rivals.moments;

	for (; m < end && m->at <= at; m++) {
		bool over = m + 1 < end && m[1].at < at;

		if (!over && !has_room(m, m->held | m->dying))
			return true;
	}
	return false;
}

/*
 * A caller without a ticket can do no more than look, for as long as it may be
 * expected to, while others hold what it takes whenever it looks. Where a GPU hangs, a
 * manager isn't emptied anyhow.
 */
static bool looked_in_vain(void)
{
	if (scenario()->call == EMPTY && scenario()->hung)
		return rivals.now >= 16 * HZ;
	if (scenario()->ticket || scenario()->call != VALIDATE || rivals.now < HZ)
		return false;
	for (unsigned long at = rivals.now - HZ; at <= rivals.now; at++)
		if (!was_hidden(at))
			return false;
	return true;
}

static bool may_return(int ret)
{
	switch (ret) {
	case -ENOSPC:
		return true;
	case -EDEADLK:
		return rivals.outcome->told && scenario()->contended;
	case -ENOMEM:
		return rivals.stuck || rivals.short_of;
	case -EBUSY:
		return scenario()->no_wait || scenario()->hung ||
		       scenario()->target == TO_ITSELF;
	case -EINTR:
	case -ERESTARTSYS:
		return rivals.signalled && !scenario()->deaf;
	}
	return false;
}

void rivals_judge(void)
{
	struct outcome *o = rivals.outcome;
	const struct moment *last = &rivals.moment[rivals.moments - 1];

	o->room_at_end = !rivals.stuck && has_room(last, out_of_reach(last));
	if (!o->ret)
		return;
	if (!may_return(o->ret))
		rivals_broken(RULE_BROKEN, "there is no reason for such an error");
	else if (!rivals.signalled && !rivals.stuck && always_had_room() &&
		 !looked_in_vain())
		rivals_broken(FALSE_REFUSAL, o->told ? "given up, though there was room" :
						       "refused, though there was room");
}
