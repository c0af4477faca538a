/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The steps of a walk, as letters. */
#ifndef _TTM_LRU_STEPS_H_
#define _TTM_LRU_STEPS_H_

#include "ttm_lru_fixture.h"

const char *lru_steps(struct lru_world *w, enum lru_walk walk,
		      const char *steps);

#define EXPECT_STEPS(w, walk, steps, expected) \
	KUNIT_EXPECT_STREQ(test, lru_steps(w, walk, steps), expected)

#endif
