// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What others can do. */

#include "outcome.h"

static const struct {
	u8 act, b;
} choices[CHOICES] = {
	{ ACT_USE }, { ACT_RESERVE, PLAIN }, { ACT_RESERVE, YOUNGER },
	{ ACT_RESERVE, OLDER }, { ACT_GIVE_BACK }, { ACT_LET_GO }, { ACT_FREE },
	{ ACT_DROP }, { ACT_GONE }, { ACT_CREATE, IN_VRAM }, { ACT_CREATE, IN_TT },
	{ ACT_MOVE, IN_SYSTEM }, { ACT_MOVE, IN_TT }, { ACT_MOVE, IN_VRAM },
	{ ACT_AWAY_AND_BACK }, { ACT_PIN }, { ACT_UNPIN }, { ACT_WORTH },
	{ ACT_IDLE }, { ACT_SIGNAL },
	{ ACT_REPLACE, 1 }, { ACT_REPLACE, 2 }, { ACT_REPLACE, 3 }, { ACT_REPLACE, 4 },
};

struct event choice(unsigned int number, unsigned int a)
{
	return (struct event) {
		.act = choices[number].act, .a = a, .b = choices[number].b,
	};
}

static bool is_absent(const struct bo_setup *bo)
{
	return bo->size && bo->pool == NOWHERE;
}

bool makes_sense(const struct scenario *s, const struct event *e)
{
	const struct bo_setup *bo = &s->bo[e->a];

	switch (e->act) {
	case ACT_SIGNAL:
		return !e->a;
	case ACT_REPLACE:
		return bo->size && e->a != e->b && is_absent(&s->bo[e->b]);
	case ACT_CREATE:
		return is_absent(bo);
	case ACT_MOVE:
		return bo->size && (e->b == IN_SYSTEM || s->capacity[e->b]);
	case ACT_IDLE:
		return bo->busy;
	}
	return bo->size;
}
