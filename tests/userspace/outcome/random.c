// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Scenarios and long schedules from bytes. */

#include "driver.h"

#define BYTES		400

static unsigned int roll(struct dice *dice, unsigned int sides)
{
	return dice->at < dice->end ? *dice->at++ % sides : 0;
}

/* Once in @n times. */
static bool rarely(struct dice *dice, unsigned int n)
{
	return roll(dice, n) == n - 1;
}

static void make_bo(struct bo_setup *bo, struct dice *dice, u8 room[POOLS])
{
	bo->size = 1 + roll(dice, 2);
	bo->pool = roll(dice, POOLS);
	if (bo->pool != IN_SYSTEM && room[bo->pool] < bo->size)
		bo->pool = NOWHERE;
	else if (bo->pool != IN_SYSTEM)
		room[bo->pool] -= bo->size;
	bo->held = rarely(dice, 3) ? 1 + roll(dice, CALLER) : NOBODY;
	bo->member = rarely(dice, 4);
	bo->pinned = rarely(dice, 8) && bo->pool != NOWHERE;
	bo->worthless = rarely(dice, 5);
	bo->busy = rarely(dice, 8);
}

static void make_list(struct scenario *s, struct dice *dice)
{
	s->places = 1 + roll(dice, PLACES);
	for (unsigned int i = 0; i < s->places; i++) {
		s->list[i].pool = i || !rarely(dice, 8) ? 2 - (roll(dice, 4) + 2) / 3 :
							  IN_SYSTEM;
		s->list[i].desired = rarely(dice, 6);
		s->list[i].fallback = !s->list[i].desired && rarely(dice, 4);
	}
}

static void make_scenario(struct scenario *s, struct dice *dice)
{
	u8 room[POOLS];

	*s = (struct scenario) { .name = "a random world" };
	s->capacity[IN_TT] = roll(dice, 4);
	s->capacity[IN_VRAM] = 1 + roll(dice, 5);
	memcpy(room, s->capacity, sizeof(room));
	for (unsigned int i = 0; i < CALLERS; i++)
		make_bo(&s->bo[i], dice, room);
	s->bo[CALLERS].size = 1 + roll(dice, 3);
	s->bo[CALLERS].pool = rarely(dice, 3) ? IN_SYSTEM : NOWHERE;
	s->bo[CALLERS].member = rarely(dice, 6);
	make_list(s, dice);
	s->target = roll(dice, TO_NOWHERE + 1);
	s->ticket = roll(dice, 2);
	s->contended = roll(dice, 2);
	s->told = s->ticket && s->contended && s->bo[0].pool != NOWHERE &&
		  rarely(dice, 8);
	s->lends = rarely(dice, 4);
	s->no_wait = rarely(dice, 12);
	s->hops = s->target == TO_SYSTEM && rarely(dice, 6) && s->capacity[IN_TT];
	s->memory = rarely(dice, 8);
	s->poor = rarely(dice, 12);
}

bool history(const u8 *bytes, size_t n)
{
	struct dice dice = { bytes, bytes + n };
	static struct both both;
	struct scenario scenario;
	struct schedule schedule = { .scenario = &scenario };

	make_scenario(&scenario, &dice);
	run_dice(&schedule, &dice, roll(&dice, 4) ? OURS : LINUX);
	run_both(&schedule, &both);
	return judge(&schedule, &both);
}

static u64 state;

static u64 next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

void random_histories(unsigned long n, unsigned long seed)
{
	u8 bytes[BYTES];

	state = 0x9e3779b97f4a7c15 + seed;
	while (n--) {
		for (unsigned int i = 0; i < BYTES; i++)
			bytes[i] = next() >> 32;
		history(bytes, BYTES);
	}
}
