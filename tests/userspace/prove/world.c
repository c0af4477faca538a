// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The real structures of a world: how they are made from a picture, and read back.
 *
 * WORLD says which slots are resources (R) and which are cursors (H). Slots are
 * interchangeable. So without loss of generality nodes stand in the order of their slots
 * before the operation: by list, and by position. LISTS, if defined, says on which list
 * each node is.
 *
 * Each resource has a buffer of its own. Sharing a buffer makes no difference to
 * operations that only read it. ttm_lru_bulk_move_fini() writes to it, and in its proof
 * two resources may share a buffer.
 */

#include "world.h"

struct picture pre, post;
struct ttm_device bdev;
struct ttm_buffer_object spare;
bool warned;

static struct ttm_resource res0, res1, res2, res3;
static struct ttm_resource_cursor cur0, cur1, cur2, cur3;
static struct ttm_buffer_object buf0, buf1, buf2, buf3;
static struct ttm_resource_manager man0, man1;
static struct list_head lru0[PRIOS], lru1[PRIOS];
static struct ttm_lru_bulk_move bulk0, bulk1;
static struct ttm_lru_bulk_move_pos pos00[PRIOS], pos01[PRIOS];
static struct ttm_lru_bulk_move_pos pos10[PRIOS], pos11[PRIOS];
static struct dma_resv resv0, resv1;
static struct ttm_tt tt0, tt1, tt2, tt3;

#define FOUR(x)		{ &x##0, &x##1, &x##2, &x##3 }

struct ttm_resource *const res[MAX_NODES] = FOUR(res);
struct ttm_resource_cursor *const cur[MAX_NODES] = FOUR(cur);
struct ttm_buffer_object *const buf[MAX_NODES] = FOUR(buf);
struct ttm_buffer_object *owner[MAX_NODES] = FOUR(buf);
static struct ttm_tt *const tts[MAX_NODES] = FOUR(tt);
struct ttm_resource_manager *const man[TYPES] = { &man0, &man1 };
spinlock_t *const lru_lock = &bdev.lru_lock;
struct ttm_lru_bulk_move *const bulks[BULKS] = { &bulk0, &bulk1 };
struct dma_resv *const resvs[BULKS] = { &resv0, &resv1 };

static struct list_head *const heads[] = {
	&lru0[0], &lru0[1], &lru1[0], &lru1[1], &bdev.unevictable
};

static const char kinds[] = WORLD;

void *stub_res_of(void *lru)
{
	for_upto(n, NODES)
		if (kinds[n] == 'R' && lru == &res[n]->lru)
			return res[n];
	check(false, "a resource");
	return NULL;
}

void *stub_cursor_of(void *hitch)
{
	for_upto(n, NODES)
		if (kinds[n] == 'H' && hitch == &cur[n]->hitch)
			return cur[n];
	check(false, "a hitch");
	return NULL;
}

/* All cursors walk the memory type that has nodes. */
void *stub_man_of(struct list_head *lru)
{
	check(lru == man[TYPE]->lru, "a manager's lists");
	return man[TYPE];
}

/* An imaginary cursor around the head of a bulk's cursor_list. */
static struct ttm_resource_cursor end0, end1;
static struct ttm_resource_cursor *const ends[BULKS] = { &end0, &end1 };

void *stub_registered(void *bulk_link)
{
	for_upto(n, NODES)
		if (kinds[n] == 'H' && bulk_link == &cur[n]->bulk_link)
			return cur[n];
	for_upto(b, BULKS)
		if (bulk_link == &bulks[b]->cursor_list)
			return ends[b];
	check(false, "a registered cursor");
	return NULL;
}

struct list_head *stub_bulk_link_of(struct ttm_resource_cursor *cursor)
{
	for_upto(b, BULKS)
		if (cursor == ends[b])
			return &bulks[b]->cursor_list;
	return &cursor->bulk_link;
}

struct ttm_resource_manager *ttm_manager_type(struct ttm_device *dev,
					      int mem_type)
{
	for_upto(t, TYPES)
		if (t == mem_type)
			return man[t];
	check(false, "a memory type");
	return NULL;
}

/* Copies of what operations must not change. */
static struct ttm_buffer_object old_buf[NODES];
static struct ttm_resource_manager old_man[TYPES];

static struct list_head *link_of(unsigned int n)
{
	return kinds[n] == 'R' ? &res[n]->lru.link : &cur[n]->hitch.link;
}

static void choose_node(unsigned int n)
{
	struct node *node = &pre.node[n], any;

	*node = any;
	node->is_res = kinds[n] == 'R';
	node->pos = 2 * n + 2;
#ifdef LISTS
	node->list = LISTS[n] - '0';
	if (node->list < UNEVICTABLE)
		node->prio = node->list % PRIOS;
#endif
	given(node->list >= FIRST_LIST && node->list <= NOWHERE);
	given(!n || pre.node[n - 1].list <= node->list);
	given(node->bulk < BULKS || node->bulk == NONE);
	if (!node->is_res)
		return;
	given(node->new_prio < PRIOS);
	given(node->resv < BULKS);
}

void world_choose(void)
{
	struct picture any;

	pre = any;
	for_upto(n, NODES)
		choose_node(n);
	/* Only the order of stamps counts. */
	given(pre.clock < 16);
	derive(&pre);
	given(is_bulk_p4(&pre));
	given(is_registration_p4(&pre));
	given(is_placed_p5(&pre));
	given(is_walk(&pre));
	given(is_stamped_p7(&pre));
}

static bool same_list(unsigned int a, unsigned int b)
{
	return a < NODES && b < NODES && pre.node[a].list == pre.node[b].list;
}

static void make_link(unsigned int n)
{
	struct list_head *link = link_of(n), *end = link;

	for (unsigned int list = FIRST_LIST; list < NOWHERE; list++)
		if (pre.node[n].list == list)
			end = heads[list];
	link->next = end;
	link->prev = end;
	if (pre.node[n].list == NOWHERE)
		return;
	if (same_list(n, n + 1))
		link->next = link_of(n + 1);
	if (same_list(n, n - 1))
		link->prev = link_of(n - 1);
}

static void make_head(unsigned int list)
{
	struct list_head *head = heads[list];

	INIT_LIST_HEAD(head);
	if (list < FIRST_LIST)
		return;
	for_upto(n, NODES) {
		if (pre.node[n].list != list)
			continue;
		if (!same_list(n, n - 1))
			head->next = link_of(n);
		head->prev = link_of(n);
	}
}

/* The state word of a node in a picture. */
static u64 state_of(const struct node *node)
{
	u64 state = node->stamp * TTM_LRU_TICK;

	if (!node->is_res)
		return state | TTM_LRU_HITCH |
		       (node->bounded ? TTM_LRU_BOUNDED : 0) |
		       FIELD_PREP(TTM_LRU_HITCH_PRIORITY, node->prio);

	return state | ttm_lru_res_state(node->place, node->prio) |
	       (node->at_tail ? TTM_LRU_AT_TAIL : 0);
}

static void make_res(unsigned int n)
{
	const struct node *node = &pre.node[n];
	struct ttm_resource any, *r = res[n];

	*r = any;
	r->mem_type = TYPE;
	r->bo = buf[n];
	r->lru.state = state_of(node);
}

/* The range on @list of @bulk. */
static struct ttm_lru_bulk_move_pos *range_of(unsigned int bulk,
					      unsigned int list)
{
	return &bulks[bulk]->pos[list / PRIOS][list % PRIOS];
}

static void make_cursor(unsigned int n)
{
	const struct node *node = &pre.node[n];
	struct ttm_resource_cursor any, *c = cur[n];

	*c = any;
	c->list = man[TYPE]->lru + node->prio;
	c->hitch.state = state_of(node);
	INIT_LIST_HEAD(&c->bulk_link);
	c->at = node->at == AT_HEAD ? man[TYPE]->lru : &c->hitch.link;
	for_upto(i, NODES)
		if (kinds[i] == 'R' && node->at == i)
			c->at = link_of(i);
	c->range = NULL;
	for_upto(b, BULKS)
		for_upto(prio, PRIOS)
			if (node->bulk == b && node->prio == prio)
				c->range = range_of(b, FIRST_LIST + prio);
}

static void make_buffer(unsigned int n)
{
	const struct node *wish = &pre.node[n];
	struct ttm_buffer_object any, *bo = buf[n];

	*bo = any;
	bo->base.resv = resvs[wish->resv];
	bo->bdev = &bdev;
	bo->resource = wish->is_current ? res[n] : NULL;
	bo->ttm = wish->has_tt ? tts[n] : NULL;
	tts[n]->swapped = wish->swapped;
	bo->bulk_move = wish->bulk == NONE ? NULL : bulks[wish->bulk];
	bo->priority = wish->new_prio;
	bo->pin_count = wish->pinned;
	old_buf[n] = *bo;
}

static void make_bulk(unsigned int b)
{
	struct ttm_lru_bulk_move *bulk = bulks[b];

	for_upto(list, UNEVICTABLE) {
		struct ttm_lru_bulk_move_pos *pos = range_of(b, list);

		pos->first = NULL;
		pos->last = NULL;
		if (list < FIRST_LIST)
			continue;
		for_upto(n, NODES) {
			const struct node *node = &pre.node[n];

			if (node->is_first && is_member(node, b, list))
				pos->first = res[n];
			if (node->is_last && is_member(node, b, list))
				pos->last = res[n];
		}
	}

	ends[b]->bulk_link.next = &bulk->cursor_list;
	INIT_LIST_HEAD(&bulk->cursor_list);
	for_upto(n, NODES) {
		if (kinds[n] != 'H' || pre.node[n].bulk != b)
			continue;
		if (pre.node[n].registered_last)
			list_add_tail(&cur[n]->bulk_link, &bulk->cursor_list);
		else
			list_add(&cur[n]->bulk_link, &bulk->cursor_list);
	}
}

void world_make(void)
{
	bulk0.pos[0] = pos00;
	bulk0.pos[1] = pos01;
	bulk1.pos[0] = pos10;
	bulk1.pos[1] = pos11;
	for_upto(t, TYPES) {
		struct ttm_resource_manager any;

		*man[t] = any;
		man[t]->bdev = &bdev;
		bdev.man_drv[t] = man[t];
		man[t]->lru = t ? lru1 : lru0;
		man[t]->lru_clock = pre.clock * TTM_LRU_TICK;
		old_man[t] = *man[t];
	}
	for_upto(n, NODES) {
		if (kinds[n] == 'R') {
			make_buffer(n);
			make_res(n);
		} else {
			make_cursor(n);
		}
		make_link(n);
	}
	for_upto(list, NOWHERE)
		make_head(list);
	for_upto(b, BULKS)
		make_bulk(b);
}

/* The nodes of a world: its slots, then the lists' heads. */
static struct list_head *node_of(unsigned int i)
{
	return i < NODES ? link_of(i) : heads[i - NODES];
}

static unsigned int read_next(unsigned int i)
{
	const struct list_head *node = node_of(i);
	unsigned int next = NONE;

	for_upto(j, NODES + NOWHERE) {
		if (node->next != node_of(j))
			continue;
		next = j;
		check(node_of(j)->prev == node, "prev of next");
	}
	check(next != NONE, "next is a node");
	return next;
}

/* Check that every list leads back to its head, and number its nodes. */
static void read_lists(void)
{
	u8 next[NODES + NOWHERE];

	for_upto(i, NODES + NOWHERE)
		next[i] = read_next(i);
	for_upto(n, NODES)
		post.node[n].list = NOWHERE;
	for_upto(list, NOWHERE) {
		unsigned int at = next[NODES + list];

		for_upto(pos, NODES) {
			unsigned int then = at;

			for_upto(n, NODES) {
				if (at != n)
					continue;
				post.node[n].list = list;
				post.node[n].pos = pos;
				then = next[n];
			}
			at = then;
		}
		check(at == NODES + list, "a list ends");
	}
	for_upto(n, NODES)
		check(post.node[n].list != NOWHERE || next[n] == n,
		      "a node on no list");
}

static unsigned int bulk_id(const struct ttm_lru_bulk_move *bulk)
{
	for_upto(b, BULKS)
		if (bulk == bulks[b])
			return b;
	check(!bulk, "a bulk");
	return NONE;
}

static void read_res(unsigned int n)
{
	struct node *node = &post.node[n];
	const struct ttm_resource *r = res[n];

	check(r->bo == owner[n], "a resource's buffer");
	check(r->mem_type == TYPE, "a resource's memory type");
	node->place = ttm_lru_item_place(&r->lru);
	node->prio = ttm_lru_item_priority(&r->lru);
	node->stamp = ttm_lru_item_stamp(&r->lru) / TTM_LRU_TICK;
	node->at_tail = r->lru.state & TTM_LRU_AT_TAIL;
	check(r->lru.state == state_of(node), "a resource, and no more");
	node->bulk = bulk_id(owner[n]->bulk_move);
}

/* The number of the bulk that has this range on @list, or NONE. */
static unsigned int range_id(const struct ttm_lru_bulk_move_pos *range,
			     unsigned int list)
{
	unsigned int bulk = NONE;

	for_upto(b, BULKS)
		for (unsigned int l = FIRST_LIST; l < UNEVICTABLE; l++)
			if (list == l && range == range_of(b, l))
				bulk = b;
	check(!range == (bulk == NONE), "a range on the hitch's list");
	return bulk;
}

static void read_cursor(unsigned int n)
{
	struct node *node = &post.node[n];
	const struct ttm_resource_cursor *c = cur[n];

	node->prio = ttm_resource_cursor_priority(c);
	node->stamp = ttm_lru_item_stamp(&c->hitch) / TTM_LRU_TICK;
	check(c->hitch.state == state_of(node), "a hitch, and bounded as it was");
	check(c->list == man[TYPE]->lru + node->prio, "a cursor's list");
	node->bulk = range_id(c->range, node->list);
	check((c->bulk_link.next == &c->bulk_link) == !c->range,
	      "linked to what it is registered with");
	node->at = NONE;
	if (c->at == &c->hitch.link)
		return;
	if (c->at == man[TYPE]->lru)
		node->at = AT_HEAD;
	for_upto(i, NODES)
		if (kinds[i] == 'R' && c->at == link_of(i))
			node->at = i;
	check(node->at != NONE, "at a resource");
}

static void read_manager(unsigned int t)
{
	const struct ttm_resource_manager *m = man[t], *old = &old_man[t];

	check(bdev.man_drv[t] == m, "a device's managers");
	check(m->bdev == &bdev && m->lru == old->lru, "a manager's device");
	check(m->size == old->size && m->use_type == old->use_type &&
	      m->use_tt == old->use_tt && m->func == old->func &&
	      m->cg == old->cg, "a manager's members");
	if (t == TYPE)
		post.clock = m->lru_clock / TTM_LRU_TICK;
	else
		check(m->lru_clock >= old->lru_clock, "a manager's clock");
}

static void read_buffer(unsigned int n)
{
	const struct ttm_buffer_object *bo = buf[n], *old = &old_buf[n];

	check(bo->base.size == old->base.size, "a buffer's size");
	check(bo->base.resv == old->base.resv, "a buffer's resv");
	check(bo->bdev == old->bdev, "a buffer's device");
	check(bo->resource == old->resource, "a buffer's resource");
	check(bo->ttm == old->ttm, "a buffer's ttm");
	check(bo->priority == old->priority, "a buffer's priority");
	check(bo->pin_count == old->pin_count, "a buffer's pins");
	check(tts[n]->swapped == pre.node[n].swapped, "a buffer's pages");
}

static void read_range(unsigned int b, unsigned int list)
{
	const struct ttm_lru_bulk_move_pos *pos = range_of(b, list);
	const struct ttm_resource *first = NULL, *last = NULL;

	for_upto(n, NODES) {
		const struct node *node = &post.node[n];

		if (node->is_first && is_member(node, b, list))
			first = res[n];
		if (node->is_last && is_member(node, b, list))
			last = res[n];
	}
	check(pos->first == first, "P4: first is the first member");
	check(pos->last == last, "P4: last is the last member");
}

static void read_cursor_list(unsigned int b)
{
	const struct list_head *head = &bulks[b]->cursor_list, *link = head;
	unsigned int registered = 0;

	for_upto(n, NODES)
		if (kinds[n] == 'H' && post.node[n].bulk == b)
			registered++;
	for_upto(i, NODES) {
		if (i == registered)
			break;
		check(link->next->prev == link, "cursor_list: prev of next");
		link = link->next;
		check(link != head, "cursor_list: all are there");
	}
	check(link->next == head, "cursor_list: no more");
	check(head->prev == link, "cursor_list: its end");
}

void world_read(void)
{
	post = pre;
	read_lists();
	for_upto(n, NODES) {
		if (kinds[n] == 'R') {
			read_res(n);
			read_buffer(n);
		} else {
			read_cursor(n);
		}
	}
	for_upto(t, TYPES)
		read_manager(t);
	derive(&post);
	for_upto(b, BULKS) {
		for_upto(list, UNEVICTABLE)
			read_range(b, list);
		read_cursor_list(b);
	}
	check(is_bulk_p4(&post), "P4: ranges are contiguous");
	check(is_registration_p4(&post), "P4: registered if inside");
	check(is_placed_p5(&post), "P5: in its place");
	check(is_walk(&post), "cursors are parked, or at a resource");
	check(is_stamped_p7(&post), "P7: what is behind moved later");
}
