// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Any world in which P4 and P5 hold, and the check that a world is one.
 *
 * Slots are interchangeable, so without loss of generality nodes of one list
 * stand there in the order of their slots, before the operation.
 */

#include "world.h"

struct picture pre, post;
struct ttm_device bdev;
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

#if NODES == 2
#define TABLE(x)	{ &x##0, &x##1 }
#elif NODES == 3
#define TABLE(x)	{ &x##0, &x##1, &x##2 }
#else
#define TABLE(x)	{ &x##0, &x##1, &x##2, &x##3 }
#endif

struct ttm_resource *const res[NODES] = TABLE(res);
struct ttm_resource_cursor *const cur[NODES] = TABLE(cur);
struct ttm_buffer_object *const buf[NODES] = TABLE(buf);
static struct ttm_tt *const tts[NODES] = TABLE(tt);
struct ttm_resource_manager *const man[TYPES] = { &man0, &man1 };
spinlock_t *const lru_lock = &bdev.lru_lock;
struct ttm_lru_bulk_move *const bulks[BULKS] = { &bulk0, &bulk1 };
struct dma_resv *const resvs[BULKS] = { &resv0, &resv1 };

void *stub_res_of(void *lru)
{
	for_upto(n, NODES)
		if (lru == &res[n]->lru)
			return res[n];
	check(false, "a resource");
	return NULL;
}

void *stub_cursor_of(void *hitch)
{
	for_upto(n, NODES)
		if (hitch == &cur[n]->hitch)
			return cur[n];
	check(false, "a hitch");
	return NULL;
}

/* Of a list's head, list_for_each_entry() imagines the entry. */
void *stub_registered(void *bulk_link)
{
	for_upto(n, NODES)
		if (bulk_link == &cur[n]->bulk_link)
			return cur[n];
	return (char *)bulk_link -
	       offsetof(struct ttm_resource_cursor, bulk_link);
}

void *stub_bounded_of(void *walk)
{
	check(false, "a bounded walk");
	return NULL;
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

/* What operations must leave alone, as it was. */
static struct ttm_resource old_res[NODES];
static struct ttm_buffer_object old_buf[NODES];
static struct ttm_resource_manager old_man[TYPES];

static struct list_head *head_of(unsigned int list)
{
	if (list == UNEVICTABLE)
		return &bdev.unevictable;
	return (list / PRIOS ? lru1 : lru0) + list % PRIOS;
}

static struct list_head *link_of(const struct picture *p, unsigned int n)
{
	return p->node[n].is_res ? &res[n]->lru.link : &cur[n]->hitch.link;
}

unsigned int range_first(const struct picture *p, unsigned int bulk,
			 unsigned int list)
{
	unsigned int first = NONE;

	for_upto(n, NODES)
		if (is_member(p, n, bulk, list) &&
		    (first == NONE || is_before(p, n, first)))
			first = n;
	return first;
}

unsigned int range_last(const struct picture *p, unsigned int bulk,
			unsigned int list)
{
	unsigned int last = NONE;

	for_upto(n, NODES)
		if (is_member(p, n, bulk, list) &&
		    (last == NONE || is_before(p, last, n)))
			last = n;
	return last;
}

/* The bulk of the range that @n lies strictly inside of, or NONE. */
static unsigned int inside_of(const struct picture *p, unsigned int n)
{
	for_upto(bulk, BULKS) {
		bool after = false, before = false;

		for_upto(i, NODES) {
			if (!is_member(p, i, bulk, p->node[n].list))
				continue;
			after |= is_before(p, i, n);
			before |= is_before(p, n, i);
		}
		if (after && before)
			return bulk;
	}
	return NONE;
}

/* Between members of a range there are no other resources. */
bool is_bulk_p4(const struct picture *p)
{
	for_upto(n, NODES) {
		unsigned int bulk;

		if (!p->node[n].is_res || p->node[n].list == NOWHERE)
			continue;
		bulk = inside_of(p, n);
		if (bulk != NONE && !is_member(p, n, bulk, p->node[n].list))
			return false;
	}
	return true;
}

/* Exactly the hitches strictly inside a range are registered with its bulk. */
bool is_registration_p4(const struct picture *p)
{
	for_upto(n, NODES) {
		const struct node *node = &p->node[n];

		if (node->is_res)
			continue;
		if (node->bulk != inside_of(p, n))
			return false;
		if (node->bulk != NONE && node->bulk_type != node->type)
			return false;
	}
	return true;
}

/* A resource is where its place says. */
static bool is_res_placed(const struct picture *p, const struct node *node)
{
	if (node->type >= TYPES || node->prio >= PRIOS)
		return false;

	switch (node->place) {
	case TTM_LRU_OFF:
		return node->list == NOWHERE;
	case TTM_LRU_UNEVICTABLE:
		return node->list == UNEVICTABLE;
	case TTM_LRU_RANGE:
		if (p->bo[node->bo].bulk == NONE)
			return false;
		break;
	case TTM_LRU_LOOSE:
		break;
	default:
		return false;
	}
	return node->list == node->type * PRIOS + node->prio;
}

bool is_placed_p5(const struct picture *p)
{
	for_upto(n, NODES) {
		const struct node *node = &p->node[n];

		if (node->is_res && !is_res_placed(p, node))
			return false;
		if (!node->is_res && node->list != NOWHERE &&
		    (node->prio >= PRIOS ||
		     node->list != node->type * PRIOS + node->prio))
			return false;
	}
	return true;
}

/* A walk that isn't paused stands at a resource on its list, or at the head. */
static bool is_at(const struct picture *p, unsigned int n)
{
	const struct node *node = &p->node[n];

	if (node->at == AT_HEAD)
		return !node->prio && node->list == NOWHERE;

	return node->at < NODES && p->node[node->at].is_res &&
	       p->node[node->at].list == node->type * PRIOS + node->prio &&
	       (node->list == NOWHERE || is_before(p, n, node->at));
}

bool is_walk(const struct picture *p)
{
	for_upto(n, NODES) {
		const struct node *node = &p->node[n];

		if (node->is_res)
			continue;
		if (node->type >= TYPES || node->prio > PRIOS)
			return false;
		/* In no walk: on no list, at nothing. */
		if (node->prio == PRIOS &&
		    (node->list != NOWHERE || node->at != NONE))
			return false;
		/* Paused: on the list. */
		if (node->prio < PRIOS && node->at == NONE &&
		    node->list == NOWHERE)
			return false;
		if (node->at != NONE && !is_at(p, n))
			return false;
	}
	return true;
}

void world_choose(void)
{
	struct picture any;

	pre = any;
	for_upto(n, NODES) {
		given(pre.node[n].pos == 2 * n + 2);
		given(pre.node[n].list <= NOWHERE);
		given(pre.node[n].bo < NODES);
		given(pre.bo[n].bulk < BULKS || pre.bo[n].bulk == NONE);
		given(pre.bo[n].resource < NODES || pre.bo[n].resource == NONE);
		given(pre.bo[n].prio < PRIOS);
		given(pre.bo[n].resv < BULKS);
	}
	given(is_bulk_p4(&pre));
	given(is_registration_p4(&pre));
	given(is_placed_p5(&pre));
	given(is_walk(&pre));
}

static struct list_head *chosen_next(unsigned int n)
{
	unsigned int list = pre.node[n].list;

	if (list == NOWHERE)
		return link_of(&pre, n);
	for_upto(i, NODES)
		if (i > n && pre.node[i].list == list)
			return link_of(&pre, i);
	return head_of(list);
}

static struct list_head *chosen_prev(unsigned int n)
{
	unsigned int list = pre.node[n].list;

	if (list == NOWHERE)
		return link_of(&pre, n);
	for (unsigned int i = n; i-- > 0;)
		if (pre.node[i].list == list)
			return link_of(&pre, i);
	return head_of(list);
}

static void make_heads(void)
{
	for_upto(list, NOWHERE) {
		struct list_head *head = head_of(list);

		head->next = head;
		head->prev = head;
		for_upto(n, NODES) {
			if (pre.node[n].list != list)
				continue;
			if (head->next == head)
				head->next = link_of(&pre, n);
			head->prev = link_of(&pre, n);
		}
	}
}

static void make_res(unsigned int n)
{
	const struct node *node = &pre.node[n];
	struct ttm_resource any, *r = res[n];

	*r = any;
	ttm_lru_item_init(&r->lru, TTM_LRU_RESOURCE);
#ifdef TTM_LRU_STAMP_BITS
	r->lru.stamp = any.lru.stamp;
	given(r->lru.stamp < TTM_LRU_STAMP_MAX);
#endif
	r->bo = NULL;
	if (!node->is_res)
		return;

	r->mem_type = node->type;
	r->bo = buf[node->bo];
	r->lru.place = node->place;
	r->lru.priority = PRIOS == 1 ? 0 : node->prio;
	r->lru.link.next = chosen_next(n);
	r->lru.link.prev = chosen_prev(n);
}

static void make_cursor(unsigned int n)
{
	const struct node *node = &pre.node[n];
	struct ttm_resource_cursor *c = cur[n];

	ttm_resource_cursor_init(c, man[0]);
	if (node->is_res)
		return;

	c->man = man[node->type];
	c->hitch.priority = node->prio;
	c->hitch.mem_type = node->bulk_type;
	c->hitch.link.next = chosen_next(n);
	c->hitch.link.prev = chosen_prev(n);
	if (node->at == AT_HEAD)
		c->at = c->man->lru;
	else if (node->at != NONE)
		c->at = &res[node->at]->lru.link;
	if (node->bulk != NONE)
		c->bulk = bulks[node->bulk];
}

static void make_buffer(unsigned int n)
{
	const struct wish *wish = &pre.bo[n];
	struct ttm_buffer_object any, *bo = buf[n];

	*bo = any;
	bo->base.resv = resvs[wish->resv];
	bo->bdev = &bdev;
	bo->resource = wish->resource == NONE ? NULL : res[wish->resource];
	bo->ttm = wish->has_tt ? tts[n] : NULL;
	tts[n]->swapped = wish->swapped;
	bo->bulk_move = wish->bulk == NONE ? NULL : bulks[wish->bulk];
	bo->priority = PRIOS == 1 ? 0 : wish->prio;
	bo->pin_count = wish->pinned;
}

static void link_before(struct list_head *node, struct list_head *next)
{
	node->prev = next->prev;
	node->next = next;
	next->prev->next = node;
	next->prev = node;
}

static void make_bulk(unsigned int b)
{
	struct ttm_lru_bulk_move *bulk = bulks[b];
	u8 order[NODES];

	for_upto(list, UNEVICTABLE) {
		unsigned int first = range_first(&pre, b, list);
		unsigned int last = range_last(&pre, b, list);
		struct ttm_lru_bulk_move_pos *pos =
			&bulk->pos[list / PRIOS][list % PRIOS];

		pos->first = first == NONE ? NULL : res[first];
		pos->last = last == NONE ? NULL : res[last];
	}

	/* Cursors registered in any order. */
	INIT_LIST_HEAD(&bulk->cursor_list);
	for_upto(i, NODES) {
		given(order[i] < NODES);
		for_upto(j, i)
			given(order[j] != order[i]);
		for_upto(n, NODES)
			if (n == order[i] && !pre.node[n].is_res &&
			    pre.node[n].bulk == b)
				link_before(&cur[n]->bulk_link,
					    &bulk->cursor_list);
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
		old_man[t] = *man[t];
	}
	for_upto(n, NODES) {
		make_buffer(n);
		make_res(n);
		make_cursor(n);
		old_res[n] = *res[n];
		old_buf[n] = *buf[n];
	}
	make_heads();
	for_upto(b, BULKS)
		make_bulk(b);
}

/* Slot of a node, or NODES and up for the head of a list, or NONE. */
static unsigned int id_of(const struct list_head *link)
{
	for_upto(n, NODES)
		if (link == link_of(&pre, n))
			return n;
	for_upto(list, NOWHERE)
		if (link == head_of(list))
			return NODES + list;
	return NONE;
}

/* Every link leads back, and every list to where it began. */
static void read_lists(void)
{
	u8 next[NODES + NOWHERE], prev[NODES + NOWHERE];

	for_upto(i, NODES + NOWHERE) {
		const struct list_head *link =
			i < NODES ? link_of(&pre, i) : head_of(i - NODES);

		next[i] = id_of(link->next);
		prev[i] = id_of(link->prev);
	}
	for_upto(i, NODES + NOWHERE) {
		check(next[i] != NONE, "next is a node");
		check(prev[i] != NONE, "prev is a node");
		given(next[i] != NONE && prev[i] != NONE);
		check(prev[next[i]] == i, "prev of next");
		check(next[prev[i]] == i, "next of prev");
	}

	for_upto(n, NODES)
		post.node[n].list = NOWHERE;
	for_upto(list, NOWHERE) {
		unsigned int i = next[NODES + list];

		for_upto(pos, NODES) {
			if (i >= NODES)
				break;
			post.node[i].list = list;
			post.node[i].pos = pos;
			i = next[i];
		}
		check(i == NODES + list, "a list ends");
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

	check(ttm_lru_item_is_res(&r->lru), "a resource is one");
	if (!node->is_res) {
		check(r->lru.link.next == &r->lru.link &&
		      r->lru.place == TTM_LRU_OFF,
		      "resources outside are left alone");
		return;
	}
	node->place = r->lru.place;
	node->type = r->mem_type;
	node->prio = r->lru.priority;
	node->bo = NONE;
	for_upto(i, NODES)
		if (r->bo == buf[i])
			node->bo = i;
	check(node->bo < NODES, "a buffer");
}

static void read_cursor(unsigned int n)
{
	struct node *node = &post.node[n];
	const struct ttm_resource_cursor *c = cur[n];

	check(c->hitch.type == TTM_LRU_HITCH, "a hitch is one");
	if (node->is_res) {
		check(c->hitch.link.next == &c->hitch.link && !c->bulk &&
		      !c->at, "cursors outside are left alone");
		return;
	}
	check(c->man == man[node->type], "a cursor's manager");
	node->prio = c->hitch.priority;
	node->bulk_type = c->hitch.mem_type;
	node->bulk = bulk_id(c->bulk);
	check((c->bulk_link.next == &c->bulk_link) == !c->bulk,
	      "linked to what it is registered with");
	node->at = NONE;
	if (!c->at)
		return;
	if (c->at == c->man->lru)
		node->at = AT_HEAD;
	for_upto(i, NODES)
		if (pre.node[i].is_res && c->at == &res[i]->lru.link)
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
}

static void read_buffer(unsigned int n)
{
	const struct ttm_buffer_object *bo = buf[n], *old = &old_buf[n];

	post.bo[n].bulk = bulk_id(bo->bulk_move);
	check(bo->base.size == old->base.size, "a buffer's size");
	check(bo->base.resv == old->base.resv, "a buffer's resv");
	check(bo->bdev == old->bdev, "a buffer's device");
	check(bo->resource == old->resource, "a buffer's resource");
	check(bo->ttm == old->ttm, "a buffer's ttm");
	check(bo->priority == old->priority, "a buffer's priority");
	check(bo->pin_count == old->pin_count, "a buffer's pins");
	check(tts[n]->swapped == pre.bo[n].swapped, "a buffer's pages");
}

static void read_bulk(unsigned int b)
{
	const struct ttm_lru_bulk_move *bulk = bulks[b];
	const struct list_head *link = &bulk->cursor_list;
	unsigned int registered = 0;

	for_upto(list, UNEVICTABLE) {
		unsigned int first = range_first(&post, b, list);
		unsigned int last = range_last(&post, b, list);
		const struct ttm_lru_bulk_move_pos *pos =
			&bulk->pos[list / PRIOS][list % PRIOS];

		check(pos->first == (first == NONE ? NULL : res[first]),
		      "P4: first is the first member");
		check(pos->last == (last == NONE ? NULL : res[last]),
		      "P4: last is the last member");
	}

	for_upto(n, NODES)
		if (!post.node[n].is_res && post.node[n].bulk == b)
			registered++;
	for_upto(i, NODES) {
		if (i == registered)
			break;
		check(link->next->prev == link, "cursor_list: prev of next");
		link = link->next;
		check(link != &bulk->cursor_list, "cursor_list: all are there");
	}
	check(link->next == &bulk->cursor_list, "cursor_list: no more");
	check(bulk->cursor_list.prev == link, "cursor_list: its end");
}

void world_read(void)
{
	post = pre;
	read_lists();
	for_upto(n, NODES) {
		read_res(n);
		read_cursor(n);
	}
	for_upto(n, NODES)
		read_buffer(n);
	for_upto(b, BULKS)
		read_bulk(b);
	for_upto(t, TYPES)
		read_manager(t);
	check(is_bulk_p4(&post), "P4: ranges are contiguous");
	check(is_registration_p4(&post), "P4: registered if inside");
	check(is_placed_p5(&post), "P5: in its place");
	check(is_walk(&post), "cursors are parked, or at a resource");
}
