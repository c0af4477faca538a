/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The world that list operations are proved in: one device, all of whose lists
 * together hold at most NODES nodes, and plain pictures of it. A picture knows
 * nothing of pointers: only which list a node is on, and its place there.
 */
#ifndef _PROVE_WORLD_H_
#define _PROVE_WORLD_H_

#include "stub.h"

/* What is proved is the code under test; the harness only must not lie. */
#pragma CPROVER check push
#pragma CPROVER check disable "pointer"
#pragma CPROVER check disable "pointer-primitive"
#pragma CPROVER check disable "bounds"
#pragma CPROVER check disable "signed-overflow"
#pragma CPROVER check disable "undefined-shift"

#define TYPES		TTM_NUM_MEM_TYPES
#define PRIOS		TTM_MAX_BO_PRIORITY
#define BULKS		2

#define for_upto(i, max)	for (unsigned int i = 0; i < (max); i++)

/* Lists: type * PRIOS + priority, the unevictable one, none. */
#define UNEVICTABLE	(TYPES * PRIOS)
#define NOWHERE		(UNEVICTABLE + 1)

/* No bulk, no node; a cursor that was restarted and not yet advanced. */
#define NONE		0xff
#define AT_HEAD		0xfe

/*
 * @at: Of cursors in a walk that isn't paused: the resource it stands at.
 * @pos: On one list, a node with a lower one comes first.
 * @bulk: Of hitches: what they are registered with.
 * @type: Of resources; and of cursors, whose man is that of this type.
 */
struct node {
	bool is_res;
	u8 list;
	u8 pos;
	u8 place;
	u8 type;
	u8 prio;
	u8 bo;
	u8 bulk;
	u8 bulk_type;
	u8 at;
};

/* What a buffer wishes, which the list need not know of yet. */
struct wish {
	bool pinned;
	bool swapped;
	bool has_tt;
	u8 resource;
	u8 bulk;
	u8 prio;
	u8 resv;
};

struct picture {
	struct node node[NODES];
	struct wish bo[NODES];
};

extern struct picture pre, post;

extern struct ttm_device bdev;
extern struct ttm_resource *const res[NODES];
extern struct ttm_resource_cursor *const cur[NODES];
extern struct ttm_buffer_object *const buf[NODES];
extern struct ttm_resource_manager *const man[TYPES];
extern struct ttm_lru_bulk_move *const bulks[BULKS];
extern struct dma_resv *const resvs[BULKS];

/*
 * Choose any @pre in which P4 and P5 hold. Then world_make() makes that of real
 * structures, and after an operation world_read() checks these and draws @post.
 */
void world_choose(void);
void world_make(void);
void world_read(void);

/* P4 and P5 of a picture, and what is true of cursors. */
bool is_bulk_p4(const struct picture *p);
bool is_registration_p4(const struct picture *p);
bool is_placed_p5(const struct picture *p);
bool is_walk(const struct picture *p);

/* Is @n a member of @bulk's range on @list? */
static inline bool is_member(const struct picture *p, unsigned int n,
			     unsigned int bulk, unsigned int list)
{
	const struct node *node = &p->node[n];

	return node->is_res && node->place == TTM_LRU_RANGE &&
	       node->list == list && p->bo[node->bo].bulk == bulk;
}

/* Is @a before @b, on the same list? */
static inline bool is_before(const struct picture *p, unsigned int a,
			     unsigned int b)
{
	return p->node[a].list == p->node[b].list &&
	       p->node[a].list != NOWHERE && p->node[a].pos < p->node[b].pos;
}

/* The first or last member of a range; NONE if that is empty. */
unsigned int range_first(const struct picture *p, unsigned int bulk,
			 unsigned int list);
unsigned int range_last(const struct picture *p, unsigned int bulk,
			unsigned int list);

#endif
