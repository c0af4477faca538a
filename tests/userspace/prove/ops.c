// SPDX-License-Identifier: GPL-2.0 OR MIT
#include "world.h"

#define EACH(i, max)	(unsigned int i = 0; i < (max); i++)
#define AT_TAIL		100

static struct picture want;

static unsigned int any_res(void)
{
	unsigned int t;

	given(t < NODES && pre.node[t].is_res);
#ifdef TARGET
	t = TARGET; given(pre.node[t].is_res);
#endif
	return t;
}

static bool is_unevictable(unsigned int bo, unsigned int t)
{
	const struct wish *wish = &want.bo[bo];

	return wish->pinned ||
	       (wish->has_tt && wish->swapped && wish->resource == t);
}

static void want_join(unsigned int t, unsigned int bulk)
{
	struct node *node = &want.node[t];
	unsigned int last = range_last(&want, bulk, node->list);

	if (last != NONE)
		node->pos = want.node[last].pos + 1;
	node->place = TTM_LRU_RANGE;
}

static void want_settled(unsigned int t, unsigned int bo, unsigned int bulk)
{
	struct node *node = &want.node[t];
	unsigned int old = want.bo[node->bo].bulk;
	unsigned int prio = want.bo[bo].prio;
	bool unevictable = is_unevictable(bo, t);
	unsigned int list = unevictable ? UNEVICTABLE :
					  node->type * PRIOS + prio;

	if (node->list != list) {
		node->list = list;
		node->pos = AT_TAIL;
		node->prio = prio;
		node->place = unevictable ? TTM_LRU_UNEVICTABLE :
					    TTM_LRU_LOOSE;
	} else if (node->place == TTM_LRU_RANGE && bulk == NONE) {
		unsigned int last = range_last(&want, old, list);

		if (t != range_first(&want, old, list) && t != last)
			node->pos = want.node[last].pos + 1;
		node->place = TTM_LRU_LOOSE;
	}
	if (bulk != NONE && node->place == TTM_LRU_LOOSE)
		want_join(t, bulk);
}

static void check_order(void)
{
	for EACH(a, NODES) {
		if (!want.node[a].is_res)
			continue;
		check(post.node[a].list == want.node[a].list, "P3: list");
		check(post.node[a].place == want.node[a].place, "P3: place");
		check(post.node[a].prio == want.node[a].prio, "P3: prio");
		for EACH(b, NODES)
			if (want.node[b].is_res)
				check(is_before(&post, a, b) ==
				      is_before(&want, a, b), "P3: order");
	}
}

void prove_tail(void)
{
	unsigned int t;

	world_choose();
	t = any_res();
	for EACH(n, NODES)
		given(pre.node[n].is_res || pre.node[n].at == NONE);
	world_make();
	want = pre;
	want_settled(t, pre.node[t].bo, pre.bo[pre.node[t].bo].bulk);
	if (want.node[t].place == TTM_LRU_RANGE) {
		unsigned int bulk = want.bo[want.node[t].bo].bulk;

		if (range_last(&want, bulk, want.node[t].list) != t)
			want_join(t, bulk);
	} else {
		want.node[t].pos = AT_TAIL;
	}
	bdev.lru_lock.held = true;
	resvs[0]->held = true;
	resvs[1]->held = true;
	ttm_resource_move_to_lru_tail(res[t]);
	world_read();
	check_order();
}

void prove_nothing(void)
{
	world_choose();
	world_make();
	world_read();
}

void prove_op(void)
{
	world_choose();
	for EACH(n, NODES)
		given(pre.node[n].is_res || pre.node[n].at == NONE);
	given(pre.node[TARGET].is_res);
	world_make();
	bdev.lru_lock.held = true;
	resvs[0]->held = true;
	resvs[1]->held = true;
	ttm_resource_move_to_lru_tail(res[TARGET]);
}
