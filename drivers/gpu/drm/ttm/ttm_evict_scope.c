// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Reservations that a search for a place keeps until it has ended.
 */

#include <linux/dma-resv.h>
#include <linux/gfp.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <drm/ttm/ttm_bo.h>

#include "ttm_bo_internal.h"
#include "ttm_evict_scope.h"
#include "ttm_reclaim.h"

static struct ttm_buffer_object *
ttm_evict_scope_at(const struct ttm_evict_scope *scope, unsigned int n)
{
	return scope->more ? scope->more[n] : scope->few[n];
}

/* Look at the latest first: buffers of one VM are often neighbours on the list. */
static bool ttm_evict_scope_has(const struct ttm_evict_scope *scope,
				const struct dma_resv *resv)
{
	for (unsigned int i = scope->num; i; i--)
		if (ttm_evict_scope_at(scope, i - 1)->base.resv == resv)
			return true;
	return false;
}

/* Is @scope a search for the place of a victim that shares @resv? */
static bool ttm_evict_scope_locked(const struct ttm_evict_scope *scope,
				   const struct dma_resv *resv)
{
	return scope->outer && scope->bo->base.resv == resv;
}

/**
 * ttm_evict_scope_is_victim() - tell whether a buffer is just being evicted
 * @scope: The innermost search, or %NULL.
 * @bo: The buffer.
 *
 * Return: true if @scope or an outer search is for the place of @bo, a victim.
 */
bool ttm_evict_scope_is_victim(const struct ttm_evict_scope *scope,
			       const struct ttm_buffer_object *bo)
{
	for (; scope && scope->outer; scope = scope->outer)
		if (scope->bo == bo)
			return true;
	return false;
}

/**
 * ttm_evict_scope_owns() - tell whether a reservation is that of a buffer to be placed
 * @scope: The innermost search, or %NULL.
 * @resv: The reservation.
 *
 * Return: true if @resv is that of the buffer of @scope or of an outer search. It is
 * then held until that search ends.
 */
bool ttm_evict_scope_owns(const struct ttm_evict_scope *scope,
			  const struct dma_resv *resv)
{
	for (; scope; scope = scope->outer)
		if (scope->bo && scope->bo->base.resv == resv)
			return true;
	return false;
}

/**
 * ttm_evict_scope_keeps() - tell whether a buffer may be evicted though it is locked
 * @scope: The search that meets the buffer, in &ttm_evict_scope.man.
 * @bo: The buffer.
 *
 * A reservation that an outer search keeps counts as well: the first victim may have
 * been moved from VRAM to GTT, where there was room for one, and must be moved on to
 * system memory when the second victim needs that room. The reservation of a victim
 * counts for other buffers that share it. But a buffer that one of the searches is for
 * must stay where it is. Buffers of a manager that an outer search walks are left to the
 * outer search: otherwise searches would nest as deep as there are buffers.
 *
 * Return: true if the reservation was taken for this allocation, and @bo may be evicted.
 */
bool ttm_evict_scope_keeps(const struct ttm_evict_scope *scope,
			   const struct ttm_buffer_object *bo)
{
	const struct dma_resv *resv = bo->base.resv;
	const struct ttm_evict_scope *s;

	for (s = scope; s; s = s->outer)
		if (s->bo == bo)
			return false;
	if (ttm_evict_scope_has(scope, resv))
		return true;

	for (s = scope->outer; s; s = s->outer)
		if (s->man == scope->man)
			return false;
	for (s = scope; s; s = s->outer)
		if (ttm_evict_scope_locked(s, resv) ||
		    ttm_evict_scope_has(s, resv))
			return true;
	return false;
}

/* Grow the array of kept buffers. */
static bool ttm_evict_scope_grow(struct ttm_evict_scope *scope)
{
	unsigned int max = 2 * scope->num;
	void *more = kvrealloc(scope->more, max * sizeof(*scope->more),
			       GFP_KERNEL | __GFP_NOWARN | __GFP_RETRY_MAYFAIL);

	if (!more)
		return false;
	if (!scope->more)
		memcpy(more, scope->few, sizeof(scope->few));
	scope->more = more;
	scope->max = max;
	return true;
}

/**
 * ttm_evict_scope_keep() - keep a reservation
 * @scope: The allocation.
 * @bo: A buffer, reserved. @scope takes over its reference and its reservation.
 *
 * Context: May sleep.
 *
 * Return: false if there is no memory to record @bo; the caller then keeps both.
 */
bool ttm_evict_scope_keep(struct ttm_evict_scope *scope,
			  struct ttm_buffer_object *bo)
{
	if (!scope->more && scope->num < TTM_EVICT_SCOPE_FEW) {
		scope->few[scope->num++] = bo;
		return true;
	}
	if (scope->num >= scope->max && !ttm_evict_scope_grow(scope))
		return false;
	scope->more[scope->num++] = bo;
	return true;
}

/**
 * ttm_evict_scope_note_worthless() - remember that a buffer is not valuable
 * @scope: The search for which the driver was asked.
 * @bo: The buffer. The first TTM_EVICT_SCOPE_WORTHLESS buffers are remembered.
 */
void ttm_evict_scope_note_worthless(struct ttm_evict_scope *scope,
				    const struct ttm_buffer_object *bo)
{
	if (scope->num_worthless < TTM_EVICT_SCOPE_WORTHLESS)
		scope->worthless[scope->num_worthless++] = bo;
}

/**
 * ttm_evict_scope_is_worthless() - tell whether a buffer was not valuable
 * @scope: The search.
 * @bo: The buffer.
 *
 * Return: true if @bo is remembered as not valuable, and so not worth a wait.
 */
bool ttm_evict_scope_is_worthless(const struct ttm_evict_scope *scope,
				  const struct ttm_buffer_object *bo)
{
	for (unsigned int i = 0; i < scope->num_worthless; i++)
		if (scope->worthless[i] == bo)
			return true;
	return false;
}

/**
 * ttm_evict_scope_put() - drop a reference while reservations are held
 * @bo: The buffer, not reserved.
 *
 * To free an imported buffer, a driver takes its reservation, which belongs to the
 * exporter. So leave the last reference to such a buffer to the device's workqueue.
 *
 * Context: May sleep. Other reservations may be held.
 */
void ttm_evict_scope_put(struct ttm_buffer_object *bo)
{
	if (bo->type == ttm_bo_type_sg)
		ttm_bo_put_in_reclaim(bo);
	else
		ttm_bo_put(bo);
}

/**
 * ttm_evict_scope_end() - give back all reservations
 * @scope: The allocation. It keeps no reservation afterwards.
 *
 * Context: May sleep.
 */
void ttm_evict_scope_end(struct ttm_evict_scope *scope)
{
	while (scope->num) {
		struct ttm_buffer_object *bo =
			ttm_evict_scope_at(scope, --scope->num);

		dma_resv_unlock(bo->base.resv);
		ttm_evict_scope_put(bo);
	}
	if (scope->more) {
		kvfree(scope->more);
		scope->more = NULL;
		scope->max = 0;
	}
}
