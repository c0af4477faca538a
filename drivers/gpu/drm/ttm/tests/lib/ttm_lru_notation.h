/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Pictures of lists such as "a* H b* c | d / e", and operations as letters.
 * Documentation/gpu/ttm-lru-notation.rst explains both.
 */
#ifndef _TTM_LRU_NOTATION_H_
#define _TTM_LRU_NOTATION_H_

#include <linux/kconfig.h>
#include <linux/types.h>

struct lru_world;
struct ttm_lru_bulk_move_pos;
struct ttm_resource;

/* The walks of a world, and its bulk moves. */
enum lru_walk { H, I, J, K, L, M, LRU_WALKS };
enum lru_bulk { STAR, PLUS, PERCENT, HASH, LRU_BULKS };

#define LRU_MARKS	"*+%#"

/*
 * Linux's own core breaks P4 all the time: only EXPECT_SOUND() asks for it
 * there.
 */
#define LRU_STRICT	!IS_ENABLED(CONFIG_DRM_TTM_LRU_PRISTINE)

/* Pictures */
const char *lru_name(struct lru_world *w, struct ttm_resource *res);
const char *lru_draw(struct lru_world *w, bool strict);
const char *lru_draw_seen(struct lru_world *w);

#define EXPECT_LRU(w, expected) \
	KUNIT_EXPECT_STREQ(test, lru_draw(w, LRU_STRICT), expected)

/* P4 and P5 must hold, on Linux's own core as well. */
#define EXPECT_SOUND(w, expected) \
	KUNIT_EXPECT_STREQ(test, lru_draw(w, true), expected)

/* Registrations with bulks */
const char *lru_registered(struct lru_world *w, enum lru_walk walk);
void lru_set_registered(struct lru_world *w, enum lru_walk walk, int bulk);
int lru_bulk_of(struct lru_world *w, const struct ttm_lru_bulk_move_pos *range);

#define EXPECT_REGISTERED(w, walk, mark) \
	KUNIT_EXPECT_STREQ(test, lru_registered(w, walk), mark)

#define EXPECT_UNREGISTERED(w, walk) EXPECT_REGISTERED(w, walk, "")

/* Operations */
const char *lru_op(struct lru_world *w, const char *op);

/* The last operations, to be printed after a fault. */
#define LRU_LOG		24

struct lru_log {
	char op[LRU_LOG][12];
	unsigned long ops;
	char text[LRU_LOG * 12];
};

__printf(2, 3) void lru_log(struct lru_log *log, const char *format, ...);
const char *lru_log_text(struct lru_log *log);

#endif
