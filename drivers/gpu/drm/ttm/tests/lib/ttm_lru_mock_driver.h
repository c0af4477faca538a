/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Worlds of ttm_lru_fixture.h for those who work on buffers: a driver whose moves
 * fail as it is told, others who hold reservations, and what came of it.
 */
#ifndef _TTM_LRU_MOCK_DRIVER_H_
#define _TTM_LRU_MOCK_DRIVER_H_

#include <linux/completion.h>
#include <linux/ww_mutex.h>

#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_tt.h>

#include "ttm_lru_fixture.h"

/* Letters of buffers, in the order in which something happened to them. */
struct lru_letters {
	char text[4 * LRU_BUFFERS];
	unsigned int n;
};

#define EXPECT_LETTERS(letters, expected) \
	KUNIT_EXPECT_STREQ(test, (letters).text, expected)

/* What the driver of a world does, and what it was asked for. */
struct lru_mock {
	/* Buffers that fail to move, and how. */
	const char *fail;
	int error;
	/* Not any more after so many failures; 0 for no end to them. */
	unsigned int failures;
	/* Buffers that are not worth it. */
	const char *worthless;
	/* Called when it is asked whether a buffer is worth it. */
	void (*at)(struct lru_world *w, char letter);
	/* Buffers that go nowhere: their content is dropped. */
	const char *drop;
	/* Evicted buffers stay in TT. */
	bool stay;
	/* The memory type that they go to. */
	u32 evict_to;
	/* How many bytes TT has. */
	u64 space;
	/* What fails there though there is room. */
	int place_error;

	struct lru_letters asked;
	struct lru_letters moved;
	/* Of these, those whose pages may cost another process its life. */
	struct lru_letters killing;
	struct lru_letters swapped;
};

extern struct lru_mock lru_mock;

struct lru_world *lru_mock_world(struct kunit *test, u32 mem_type,
				 const char *picture);
char lru_letter(struct lru_world *w, struct ttm_buffer_object *bo);
void lru_note(struct lru_letters *letters, char letter);

/* Contents */
void lru_fill(struct lru_world *w, const char *letters);
const char *lru_verify(struct lru_world *w, const char *letters);

/* What a thread does with a reservation that the test doesn't hold. */
struct lru_holder {
	struct lru_world *w;
	struct dma_resv *resv;
	/* Take it in a transaction. */
	bool ticket;
	/* Let it go as soon as somebody waits for it. */
	bool when_waited;
	/* What it does before, to the buffer of that letter. */
	void (*before)(struct lru_world *w, char letter);
	char letter;

	struct task_struct *task;
	struct completion held;
};

void lru_ticket_init(struct ww_acquire_ctx *ticket);
void lru_hold(struct lru_holder *holder, struct lru_world *w, char letter);
void lru_let_go(struct lru_holder *holder);
int lru_until_stopped(void);

#if defined(CONFIG_FAILSLAB) && defined(CONFIG_FAULT_INJECTION_DEBUG_FS)
#define LRU_CAN_FAIL
bool lru_with_failure(unsigned int n, void (*op)(struct lru_world *w),
		      struct lru_world *w);
#endif

/* A buffer that is nowhere yet, and can be placed. */
void lru_make_homeless(struct lru_world *w, char letter);
struct lru_world *lru_full(struct kunit *test, const char *picture);
int lru_place(struct lru_world *w, char letter, struct ttm_operation_ctx *ctx,
	      struct ww_acquire_ctx *ticket);
int lru_place_at(struct lru_world *w, char letter,
		 struct ttm_placement *placement, struct ttm_operation_ctx *ctx,
		 struct ww_acquire_ctx *ticket);

/* The last reference to a buffer is being dropped by somebody else. */
void lru_drop_last(struct lru_world *w, char letter);
void lru_undrop_last(struct lru_world *w, char letter);

/* Somebody drops the last reference; he will be done, and needs the lock. */
struct lru_dying {
	struct lru_world *w;
	char letter;
};

struct task_struct *lru_let_die(struct lru_dying *dying, struct lru_world *w,
				char letter);

void lru_move_to_system(struct lru_world *w, char letter);

#endif
