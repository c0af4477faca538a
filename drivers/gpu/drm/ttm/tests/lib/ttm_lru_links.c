// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Written list nodes, and bulks with many members, see ttm_lru_links.h. */

#include <linux/poison.h>
#include <linux/slab.h>

#include "ttm_lru_links.h"

/* The most nodes in a world, also in one that is too big to be drawn. */
#define LRU_MAX_LINKS	10100

static void lru_remember_list(struct lru_world *w, struct list_head *head)
{
	struct list_head *node = head;

	do {
		if (w->nr_links == LRU_MAX_LINKS)
			return;
		w->links[w->nr_links++] = (struct lru_link) { node, *node };
		node = node->next;
	} while (node != head);
}

void lru_remember_locked(struct lru_world *w)
{
	w->nr_links = 0;
	for (int i = 0; i < TTM_MAX_BO_PRIORITY; i++)
		lru_remember_list(w, &lru_man(w)->lru[i]);
	lru_remember_list(w, &w->bdev->unevictable);
	for (int i = 0; i < LRU_BULKS; i++)
		lru_remember_list(w, &w->bulk[i].cursor_list);
	/* Hitches on a list were remembered with it. */
	for (int i = 0; i < LRU_WALKS; i++)
		if (list_empty(&w->walk[i].hitch.link))
			lru_remember_list(w, &w->walk[i].hitch.link);
}

void lru_links_init(struct lru_world *w)
{
	w->links = kunit_kmalloc_array(w->test, LRU_MAX_LINKS,
				       sizeof(*w->links), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(w->test, w->links);
}

void lru_remember(struct lru_world *w)
{
	guard(spinlock)(&w->bdev->lru_lock);
	lru_remember_locked(w);
}

/* Return how many of the remembered nodes were written to. */
unsigned int lru_changed(struct lru_world *w)
{
	unsigned int changed = 0;

	for (int i = 0; i < w->nr_links; i++)
		if (w->links[i].node->next != w->links[i].was.next ||
		    w->links[i].node->prev != w->links[i].was.prev)
			changed++;
	return changed;
}

/* Add as many members to a bulk as a big VM has buffers. */
void lru_make_flock(struct lru_world *w, unsigned int n)
{
	struct ttm_place place = { .mem_type = w->mem_type };
	struct ttm_buffer_object *bo;
	int ret = 0;

	lru_links_init(w);
	w->flock = kunit_kcalloc(w->test, n, sizeof(*w->flock), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(w->test, w->flock);
	bo = ttm_bo_kunit_init(w->test, &w->devs, PAGE_SIZE, &w->resv);
	w->flock_bo = bo;

	dma_resv_lock(&w->resv, NULL);
	ttm_bo_set_bulk_move(bo, &w->bulk[STAR]);
	for (; w->nr_flock < n && !ret; w->nr_flock++)
		ret = ttm_resource_alloc(bo, &place, &w->flock[w->nr_flock],
					 NULL);
	dma_resv_unlock(&w->resv);
	KUNIT_ASSERT_EQ(w->test, ret, 0);
}

/* Make links inside the flock fault until they are healed. */
void lru_poison_inside(struct lru_world *w)
{
	guard(spinlock)(&w->bdev->lru_lock);
	for (int i = 2; i < w->nr_flock - 2; i++)
		w->flock[i]->lru.link = (struct list_head) {
			LIST_POISON1, LIST_POISON2
		};
#ifdef CONFIG_DRM_TTM_LRU_DEBUG
	/* The debug checks of whole lists follow links inside the flock. */
	lru_man(w)->lru_check_at = ULONG_MAX;
#endif
}

void lru_heal_inside(struct lru_world *w)
{
	guard(spinlock)(&w->bdev->lru_lock);
	for (int i = 2; i < w->nr_flock - 2; i++) {
		w->flock[i]->lru.link.prev = &w->flock[i - 1]->lru.link;
		w->flock[i]->lru.link.next = &w->flock[i + 1]->lru.link;
	}
}
