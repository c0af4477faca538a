/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The world in which list operations are proved: one device, with at most NODES nodes on
 * all lists together, and plain pictures of it. A picture has no pointers: it says which
 * list a node is on, and its position there.
 */
#ifndef _PROVE_WORLD_H_
#define _PROVE_WORLD_H_

#include "stub.h"
#include "ttm_lru_internal.h"

/* Don't check the harness itself: only the code under test is proved. */
#pragma CPROVER check push
#pragma CPROVER check disable "pointer"
#pragma CPROVER check disable "pointer-primitive"
#pragma CPROVER check disable "bounds"
#pragma CPROVER check disable "signed-overflow"
#pragma CPROVER check disable "undefined-shift"

#define TYPES		TTM_NUM_MEM_TYPES
#define PRIOS		TTM_MAX_BO_PRIORITY
#define BULKS		2
#define MAX_NODES	4

/* All nodes are of one type, the last; the lists of the others are empty. */
#define TYPE		(TYPES - 1)
#define FIRST_LIST	(TYPE * PRIOS)

#define for_upto(i, max)	for (unsigned int i = 0; i < (max); i++)

/* Lists: type * PRIOS + priority, the unevictable one, none. */
#define UNEVICTABLE	(TYPES * PRIOS)
#define NOWHERE		(UNEVICTABLE + 1)

/* No bulk, no node; a cursor that was restarted and not yet advanced. */
#define NONE		0xff
#define AT_HEAD		0xfe

/*
 * @pos: On one list, nodes with lower positions come first.
 * @bulk: Of a resource, its buffer's bulk; of a hitch, the bulk with whose range on this
 * list it is registered.
 * @stamp: In ticks, as @moved.
 * @at: In a walk that isn't paused: the resource at which it stands.
 * @is_first, @is_last: Whether it is the first or last member of its range.
 * @moved: Its last move, alone or with its range.
 */
struct node {
	bool is_res;
	u8 list;
	u8 pos;
	u8 prio;
	u8 bulk;
	u8 stamp;

	/* Of resources; and the state of their buffers, which lists may not know yet. */
	u8 place;
	bool at_tail;
	bool pinned;
	bool swapped;
	bool has_tt;
	bool is_current;
	u8 new_prio;
	u8 resv;

	/* Of cursors. */
	bool bounded;
	bool registered_last;

	/* Derived from the other fields: see derive(). */
	bool is_first;
	bool is_last;
	u8 moved;
	u8 at;
};

struct picture {
	struct node node[NODES];
	u8 clock;
};

extern struct picture pre, post;

extern struct ttm_device bdev;
extern struct ttm_resource *const res[MAX_NODES];
extern struct ttm_resource_cursor *const cur[MAX_NODES];
extern struct ttm_buffer_object *const buf[MAX_NODES];
extern struct ttm_buffer_object spare;
extern struct ttm_resource_manager *const man[TYPES];
extern struct ttm_lru_bulk_move *const bulks[BULKS];
extern struct dma_resv *const resvs[BULKS];

/* The buffers that resources are of: @buf, unless an operation changes that. */
extern struct ttm_buffer_object *owner[MAX_NODES];

/*
 * world_choose() chooses any @pre in which the invariant holds. world_make() builds it
 * from real structures. After an operation, world_read() checks these structures, draws
 * @post from them, and checks that the invariant holds there, too.
 */
void world_choose(void);
void world_make(void);
void world_read(void);

/* Fill in what follows from the rest of a picture. */
void derive(struct picture *p);

/* Between members of a range there are no other resources. */
bool is_bulk_p4(const struct picture *p);

/* Exactly the hitches strictly inside a range are registered with its bulk. */
bool is_registration_p4(const struct picture *p);

/* Each node is on the list that its place and its priority say. */
bool is_placed_p5(const struct picture *p);

/* Each walk is parked, or stands at a resource of its list or at its head. */
bool is_walk(const struct picture *p);

/*
 * No stamp is of the future. Of a range's members only the first may be known to have
 * gone to the tail; it stands for all. What is behind a node moved later (P7).
 */
bool is_stamped_p7(const struct picture *p);

/* Is @n on a list on which walks can meet it? */
static inline bool is_evictable(const struct node *node)
{
	return node->place == TTM_LRU_LOOSE || node->place == TTM_LRU_RANGE;
}

/* Is it a member of @bulk's range on @list? */
static inline bool is_member(const struct node *node, unsigned int bulk,
			     unsigned int list)
{
	return node->is_res && node->place == TTM_LRU_RANGE &&
	       node->list == list && node->bulk == bulk;
}

/* Is @a before @b, on the same list? */
static inline bool is_before(const struct picture *p, unsigned int a,
			     unsigned int b)
{
	return p->node[a].list == p->node[b].list &&
	       p->node[a].list != NOWHERE && p->node[a].pos < p->node[b].pos;
}

#endif
