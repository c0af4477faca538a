/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * A mock driver, whose moves fail as told, other threads that hold
 * reservations, and notes of what happened, for the worlds of
 * ttm_lru_fixture.h.
 */
#ifndef _TTM_LRU_MOCK_DRIVER_H_
#define _TTM_LRU_MOCK_DRIVER_H_

#include <linux/completion.h>
#include <linux/ww_mutex.h>

#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_tt.h>

#include "ttm_lru_fixture.h"

/* Letters of buffers, in the order of events. */
struct lru_letters {
	char text[4 * LRU_BUFFERS];
	unsigned int n;
};

#define EXPECT_LETTERS(letters, expected) \
	KUNIT_EXPECT_STREQ(test, (letters).text, expected)

/* What the driver does, and what it was asked for. */
struct lru_mock {
	/* Buffers that fail to move, and the error. */
	const char *fail;
	int error;
	/* The number of failures, or 0 for no limit. */
	unsigned int failures;
	/* Buffers that are not valuable. */
	const char *worthless;
	/* Called when the driver is asked whether a buffer is valuable. */
	void (*at)(struct lru_world *w, char letter);
	/* Buffers whose content is dropped at eviction. */
	const char *drop;
	/* Evicted buffers stay in TT. */
	bool stay;
	/* The memory type that they move to. */
	u32 evict_to;
	/* The size of TT in bytes. */
	u64 space;
	/* Called once when TT has no room, while the attempt's resource is on the list. */
	void (*when_full)(struct lru_world *w);
	/* The error of allocations in TT for which there is room. */
	int place_error;

	struct lru_letters asked;
	struct lru_letters moved;
	/* Of these, the moves that may invoke the OOM killer. */
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

/* A thread that holds a reservation. */
struct lru_holder {
	struct lru_world *w;
	struct dma_resv *resv;
	/* Lock it in a transaction. */
	bool ticket;
	/* Unlock it as soon as another thread waits for it. */
	bool when_waited;
	/* What to do before that, with the buffer of @letter. */
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

/* Buffers without a place, and their placement. */
void lru_make_homeless(struct lru_world *w, char letter);
struct lru_world *lru_full(struct kunit *test, const char *picture);
int lru_place(struct lru_world *w, char letter, struct ttm_operation_ctx *ctx,
	      struct ww_acquire_ctx *ticket);
int lru_place_at(struct lru_world *w, char letter,
		 struct ttm_placement *placement, struct ttm_operation_ctx *ctx,
		 struct ww_acquire_ctx *ticket);

/* Another thread is dropping the last reference to a buffer. */
void lru_drop_last(struct lru_world *w, char letter);
void lru_undrop_last(struct lru_world *w, char letter);

/* Another thread drops the last reference, and needs the lru_lock to finish. */
struct lru_dying {
	struct lru_world *w;
	char letter;
};

struct task_struct *lru_let_die(struct lru_dying *dying, struct lru_world *w,
				char letter);

void lru_move_to_system(struct lru_world *w, char letter);

#endif
