/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The pieces of a step, as letters. */
#ifndef _TTM_LRU_PIECES_H_
#define _TTM_LRU_PIECES_H_

#include "ttm_lru_fixture.h"

const char *lru_pieces(struct lru_world *w, enum lru_walk walk,
		       const char *pieces);

#define EXPECT_PIECES(w, walk, pieces, expected) \
	KUNIT_EXPECT_STREQ(test, lru_pieces(w, walk, pieces), expected)

#endif
