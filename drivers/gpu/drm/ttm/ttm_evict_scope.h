/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The state of a search for a place, for the evictions that it makes.
 */
#ifndef _TTM_EVICT_SCOPE_H_
#define _TTM_EVICT_SCOPE_H_

#include <linux/types.h>

struct dma_resv;
struct ttm_buffer_object;
struct ttm_resource_manager;

/* The most buffers that a search remembers as not valuable. */
#define TTM_EVICT_SCOPE_WORTHLESS	16
/*
 * The most reservations that a search keeps without a ticket: lockdep has an entry for
 * each of them.
 */
#define TTM_EVICT_SCOPE_FEW		8

/**
 * struct ttm_evict_scope - an allocation, or another search, that evicts
 * @outer: The search that evicts @bo, if this one is for the place of a victim; or
 * %NULL.
 * @bo: The buffer that needs a place, or %NULL.
 * @man: The manager whose buffers the current walk evicts.
 * @few: Buffers, referenced and reserved, that the search keeps until it ends, or gives
 * back before a pause; one for each reservation.
 * @more: All kept buffers if @few is too small, or %NULL.
 * @num: The number of kept buffers.
 * @max: The capacity of @more.
 * @worthless: Buffers that the driver said are not valuable. Only compared: they may
 * be gone.
 * @num_worthless: The number of buffers in @worthless.
 * @told: The transaction must back off: nothing may be locked with its ticket.
 * @soft: Searches nested in the current walk wait for no reservation.
 * @left_out: A nested search that found no place left out buffers.
 * @passing: Some of these buffers were just being moved or released.
 *
 * On the stack, and initialized by ttm_evict_scope_init(); &ttm_operation_ctx.scope
 * points to the innermost one.
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

/**
 * ttm_evict_scope_init() - begin a search that keeps no reservation
 * @scope: The search. @few and @worthless stay as they are: nothing reads entries that
 * were not counted, and each allocation would pay for clearing them.
 */
static inline void ttm_evict_scope_init(struct ttm_evict_scope *scope)
{
	scope->outer = NULL;
	scope->bo = NULL;
	scope->man = NULL;
	scope->more = NULL;
	scope->num = 0;
	scope->max = 0;
	scope->num_worthless = 0;
	scope->told = false;
	scope->soft = false;
	scope->left_out = false;
	scope->passing = false;
}

bool ttm_evict_scope_is_victim(const struct ttm_evict_scope *scope,
			       const struct ttm_buffer_object *bo);
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
