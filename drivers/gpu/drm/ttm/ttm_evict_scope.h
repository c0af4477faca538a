/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What evictions for an allocation know of it.
 */
#ifndef _TTM_EVICT_SCOPE_H_
#define _TTM_EVICT_SCOPE_H_

#include <linux/types.h>

struct dma_resv;
struct ttm_buffer_object;
struct ttm_resource_manager;

/* The most buffers that a search remembers as not valuable. */
#define TTM_EVICT_SCOPE_WORTHLESS	16
/* The most reservations that it keeps without a ticket: lockdep counts each of them. */
#define TTM_EVICT_SCOPE_FEW		8

/**
 * struct ttm_evict_scope - an allocation, or another search, that evicts
 * @outer: What it is nested in, as a search of a place for a victim; or %NULL.
 * @bo: The buffer that looks for a place, or %NULL.
 * @man: The manager that it evicts from just now.
 * @few: Buffers, referenced and reserved, that it keeps until it has ended, or pauses;
 * one for each reservation. Without a ticket they were tried.
 * @more: All of them, if they are more than fit there, or %NULL.
 * @num: How many.
 * @max: For how many there is room in @more.
 * @worthless: Buffers that were asked and are not valuable. Only compared: they may
 * be gone.
 * @num_worthless: How many of them.
 * @told: The transaction must back off: nothing may be locked with its ticket.
 * @soft: Just now it waits for no reservation. Searches nested in it don't either.
 * @left_out: A nested search that found no place did not see everything.
 * @passing: What it did not see, others will soon be done with.
 *
 * On the stack; &ttm_operation_ctx.scope points to the innermost one.
 */
struct ttm_evict_scope {
	struct ttm_evict_scope *outer;
	const struct ttm_buffer_object *bo;
	const struct ttm_resource_manager *man;
	struct ttm_buffer_object *few[TTM_EVICT_SCOPE_FEW];
	struct ttm_buffer_object **more;
	unsigned int num;
	unsigned int max;
	const struct ttm_buffer_object *worthless[TTM_EVICT_SCOPE_WORTHLESS];
	unsigned int num_worthless;
	bool told;
	bool soft;
	bool left_out;
	bool passing;
};

bool ttm_evict_scope_owns(const struct ttm_evict_scope *scope,
			  const struct dma_resv *resv);
bool ttm_evict_scope_keeps(const struct ttm_evict_scope *scope,
			   const struct ttm_buffer_object *bo);
bool ttm_evict_scope_keep(struct ttm_evict_scope *scope,
			  struct ttm_buffer_object *bo);
void ttm_evict_scope_note_worthless(struct ttm_evict_scope *scope,
				    const struct ttm_buffer_object *bo);
bool ttm_evict_scope_is_worthless(const struct ttm_evict_scope *scope,
				  const struct ttm_buffer_object *bo);
void ttm_evict_scope_put(struct ttm_buffer_object *bo);
void ttm_evict_scope_end(struct ttm_evict_scope *scope);

#endif
