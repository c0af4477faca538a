// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A caller that needs room, and others that use the same memory. */

#include "rivals.h"
#include "ttm_bo_internal.h"

struct rivals rivals;

/* What ttm_buffer_object_transfer() makes: a buffer and a bit. */
static struct {
	struct ttm_buffer_object base;
	struct ttm_buffer_object *bo;
} ghosts[BOS];

static unsigned int nr_ghosts;

void *stub_alloc(size_t size)
{
	if (WARN_ON(size != sizeof(*ghosts) || nr_ghosts == BOS))
		return NULL;
	return &ghosts[nr_ghosts++];
}

void *stub_realloc(void *ptr, size_t size)
{
	return scenario()->poor ? NULL : realloc(ptr, size);
}

/*
 * Managers: room is counted in pages, and it doesn't matter which.
 */

static struct node *free_node(void)
{
	for (unsigned int i = 0; i < NODES; i++)
		if (!rivals.node[i].used)
			return &rivals.node[i];
	return NULL;
}

static int rivals_alloc(struct ttm_resource_manager *man,
			struct ttm_buffer_object *bo,
			const struct ttm_place *place, struct ttm_resource **res)
{
	unsigned int pool = place->mem_type;
	struct node *node;

	rivals_point(AT_ALLOC, pool);
	node = free_node();
	if (WARN_ON(!node))
		return -ENOMEM;
	if (pool != IN_SYSTEM && rivals.used[pool] + rival(rival_nr(bo))->size >
				 scenario()->capacity[pool])
		return -ENOSPC;
	rivals.used[pool] += rival(rival_nr(bo))->size;
	if (!rivals.others && pool == IN_VRAM)
		rivals.freed -= rival(rival_nr(bo))->size;
	memset(node, 0, sizeof(*node));
	node->used = true;
	node->owner = rival_nr(bo);
	ttm_resource_init(bo, place, &node->res);
	*res = &node->res;
	return 0;
}

static void rivals_free(struct ttm_resource_manager *man,
			struct ttm_resource *res)
{
	struct node *node = container_of(res, struct node, res);

	rivals_point(AT_FREE, res->mem_type);
	if (!rivals.others && rival(node->owner)->bo.resource == res &&
	    rival(node->owner)->bo.base.resv->busy)
		rivals_broken(RULE_BROKEN, "memory is freed that the GPU still uses");
	if (!rivals.others && res->mem_type == IN_VRAM)
		rivals.freed += rival(node->owner)->size;
	rivals.used[res->mem_type] -= rival(node->owner)->size;
	ttm_resource_fini(man, res);
	node->used = false;
}

static const struct ttm_resource_manager_func rivals_man_func = {
	.alloc = rivals_alloc,
	.free = rivals_free,
};

/*
 * The driver
 */

static bool rivals_valuable(struct ttm_buffer_object *bo,
			    const struct ttm_place *place)
{
	unsigned int i = rival_nr(bo);

	dma_resv_assert_held(bo->base.resv);
	rivals_point(AT_VALUABLE, i);
	return !rival(i)->worthless;
}

static const struct ttm_place place_system = { .mem_type = IN_SYSTEM };
static const struct ttm_place place_vram = { .mem_type = IN_VRAM };
static const struct ttm_place places_tt[] = {
	{ .mem_type = IN_TT }, { .mem_type = IN_SYSTEM },
};
static const struct ttm_place places_fallback[] = {
	{ .mem_type = IN_TT },
	{ .mem_type = IN_SYSTEM, .flags = TTM_PL_FLAG_FALLBACK },
};

static void rivals_evict_flags(struct ttm_buffer_object *bo,
			       struct ttm_placement *placement)
{
	rivals_point(AT_FLAGS, rival_nr(bo));
	*placement = (struct ttm_placement) { 1, &place_system };
	if (scenario()->target == TO_NOWHERE)
		placement->num_placement = 0;
	else if (bo->resource->mem_type != IN_VRAM)
		;
	else if (scenario()->target == TO_ITSELF)
		*placement = (struct ttm_placement) { 1, &place_vram };
	else if (scenario()->target == TO_TT)
		*placement = (struct ttm_placement) { 1, places_tt };
	else if (scenario()->target == TO_TT_OR_SYSTEM)
		*placement = (struct ttm_placement) { 2, places_tt };
	else if (scenario()->target == TO_TT_SYSTEM_FALLBACK)
		*placement = (struct ttm_placement) { 2, places_fallback };
}

void rivals_settle(struct ttm_buffer_object *bo, struct ttm_resource *to)
{
	struct rival *r = rival(rival_nr(bo));

	ttm_bo_move_null(bo, to);
	bo->ttm = &r->tt;
	if (to->mem_type == IN_VRAM)
		r->tt.page_flags = 0;
	else
		r->tt.page_flags = TTM_TT_FLAG_PRIV_POPULATED;
}

/* This driver copies when the GPU is idle, and with pages to copy to. */
static int prepare_move(struct ttm_buffer_object *bo, struct ttm_operation_ctx *ctx,
			const struct ttm_resource *to)
{
	int ret = ttm_bo_wait_ctx(bo, ctx);

	if (ret || to->mem_type == IN_VRAM || !bo->resource)
		return ret;
	return ttm_bo_populate(bo, ctx);
}

static bool needs_hop(const struct ttm_buffer_object *bo,
		      const struct ttm_resource *to)
{
	return scenario()->hops && bo->resource &&
	       bo->resource->mem_type == IN_VRAM && to->mem_type == IN_SYSTEM;
}

static int rivals_move(struct ttm_buffer_object *bo, bool evict,
		       struct ttm_operation_ctx *ctx, struct ttm_resource *to,
		       struct ttm_place *hop)
{
	int ret;

	rivals_point(AT_MOVE, rival_nr(bo));
	if (bo->pin_count)
		rivals_broken(RULE_BROKEN, "a pinned buffer is moved");
	if (evict && needs_hop(bo, to)) {
		*hop = (struct ttm_place) {
			.mem_type = IN_TT, .flags = TTM_PL_FLAG_TEMPORARY,
		};
		return -EMULTIHOP;
	}
	ret = prepare_move(bo, ctx, to);
	if (ret) {
		rivals.stuck |= rival_nr(bo) == CALLERS;
		return ret;
	}
	rivals.outcome->moves++;
	rivals_settle(bo, to);
	return 0;
}

static struct ttm_device_funcs rivals_funcs = {
	.eviction_valuable = rivals_valuable,
	.evict_flags = rivals_evict_flags,
	.move = rivals_move,
};

/*
 * What TTM needs of its other files
 */

int ttm_tt_create(struct ttm_buffer_object *bo, bool zero_alloc)
{
	bo->ttm = &rival(rival_nr(bo))->tt;
	return 0;
}

/*
 * Each attempt reclaims, and may wake the OOM killer; so where memory was short for a
 * victim, only victims that take less of it are to be tried.
 */
int ttm_tt_populate(struct ttm_device *bdev, struct ttm_tt *ttm,
		    struct ttm_operation_ctx *ctx)
{
	const struct rival *r = container_of(ttm, struct rival, tt);
	bool is_victim = r != rival(CALLERS);

	if (ttm_tt_is_populated(ttm))
		return 0;
	if (is_victim && rivals.short_of && r->size >= rivals.short_of)
		rivals_broken(RULE_BROKEN,
			      "memory is tried again where less was not to be had");
#ifndef PRISTINE
	if (is_victim && rivals.short_of && !ctx->gfp_retry_mayfail)
		rivals_broken(RULE_BROKEN, "the OOM killer is called for victims");
#endif
	if (scenario()->memory && r->size > scenario()->memory) {
		rivals.stuck |= !is_victim;
		if (is_victim)
			rivals.short_of = r->size;
		return -ENOMEM;
	}
	ttm->page_flags |= TTM_TT_FLAG_PRIV_POPULATED;
	return 0;
}

void ttm_tt_unpopulate(struct ttm_device *bdev, struct ttm_tt *ttm)
{
	ttm->page_flags &= ~TTM_TT_FLAG_PRIV_POPULATED;
}

void ttm_tt_destroy(struct ttm_device *bdev, struct ttm_tt *ttm)
{
}

void ttm_bo_unmap_virtual(struct ttm_buffer_object *bo)
{
}

bool stub_queue(struct work_struct *work)
{
	struct ttm_buffer_object *bo =
		container_of(work, struct ttm_buffer_object, delayed_delete);

	rival(rival_nr(bo))->queued = true;
	return true;
}

/*
 * The world
 */

static void rivals_destroy(struct ttm_buffer_object *bo)
{
	struct rival *r = rival(rival_nr(bo));

	WARN_ON(bo->resource);
	r->live = false;
}

void rivals_make(struct rival *r)
{
	unsigned int i = r - rivals.rival;

	memset(r, 0, sizeof(*r));
	r->size = scenario()->bo[i].size;
	r->worthless = scenario()->bo[i].worthless;
	r->live = true;
	r->bo.bdev = &rivals.bdev;
	r->bo.destroy = rivals_destroy;
	r->bo.base.size = r->size * PAGE_SIZE;
	r->bo.base.resv = &r->bo.base._resv;
	kref_init(&r->bo.kref);
}

static void place_bo(struct rival *r, const struct bo_setup *setup)
{
	struct ttm_place place = { .mem_type = setup->pool };
	struct ttm_resource *res;

	if (setup->member) {
		r->bo.base.resv = &rivals.vm;
		r->bo.bulk_move = &rivals.bulk;
	}
	if (setup->pool != NOWHERE) {
		WARN_ON(ttm_resource_alloc(&r->bo, &place, &res, rivals_cgroup()));
		rivals_settle(&r->bo, res);
	}
	if (setup->busy)
		r->bo.base.resv->busy = true;
	if (setup->pinned) {
		rival_hold(r->bo.base.resv, PLAIN);
		ttm_bo_pin(&r->bo);
		dma_resv_unlock(r->bo.base.resv);
	}
}

static void set_up_bo(unsigned int i)
{
	const struct bo_setup *setup = &scenario()->bo[i];
	struct rival *r = rival(i);

	if (!setup->size || (setup->pool == NOWHERE && i != CALLERS)) {
		r->size = setup->size;
		r->bo.base.resv = &r->bo.base._resv;
		return;
	}
	rivals_make(r);
	place_bo(r, setup);
}

static void set_up_holds(void)
{
	if (scenario()->call == VALIDATE)
		rival_hold(rival(CALLERS)->bo.base.resv, CALLER);
	if (scenario()->lends && !rivals.vm.lock.held)
		rival_hold(&rivals.vm, CALLER);
	for (unsigned int i = 0; i < BOS; i++) {
		struct dma_resv *resv = rival(i)->bo.base.resv;

		if (scenario()->bo[i].held && !resv->lock.held)
			rival_hold(resv, scenario()->bo[i].held);
	}
	for (unsigned int i = 0; i < BOS; i++)
		rival(i)->own = rival(i)->bo.base.resv->lock.callers;
}

static void set_up_managers(void)
{
	INIT_LIST_HEAD(&rivals.bdev.unevictable);
	rivals.bdev.funcs = &rivals_funcs;
	rivals.bdev.alloc_flags = TTM_ALLOCATION_PROPAGATE_ENOSPC;
	/* What lies behind a list's head is no resource's type, as in a kernel. */
	rivals.bdev.dev_mapping = (void *)&rivals;
	for (unsigned int i = 0; i < POOLS; i++) {
		ttm_resource_manager_init(&rivals.man[i], &rivals.bdev, 0);
		rivals.man[i].func = &rivals_man_func;
		rivals.man[i].use_tt = i != IN_VRAM;
		ttm_set_driver_manager(&rivals.bdev, i, &rivals.man[i]);
		ttm_resource_manager_set_used(&rivals.man[i], true);
	}
	ttm_lru_bulk_move_init(&rivals.bulk);
}

static void set_up(void)
{
	rivals.others = true;
	rivals.ticket[OLDER].stamp = 0;
	rivals.ticket[CALLER].stamp = 1;
	rivals.ticket[YOUNGER].stamp = 2;
	set_up_managers();
	for (unsigned int i = 0; i < BOS; i++)
		set_up_bo(i);
	set_up_holds();
	rivals.others = false;
	nr_ghosts = 0;
}

/* The transaction has lost already, at another of its buffers. */
static void set_up_told(void)
{
	if (!scenario()->told || IS_PRISTINE)
		return;
	rivals.told_of = &rival(0)->bo;
	ttm_bo_get(rivals.told_of);
	rivals.outcome->told = true;
}

/*
 * The call
 */

static unsigned int make_list(struct ttm_place *list)
{
	const struct scenario *s = scenario();

	for (unsigned int i = 0; i < s->places; i++)
		list[i] = (struct ttm_place) {
			.mem_type = s->list[i].pool,
			.flags = (s->list[i].desired ? TTM_PL_FLAG_DESIRED : 0) |
				 (s->list[i].fallback ? TTM_PL_FLAG_FALLBACK : 0),
		};
	return s->places;
}

static int validate(struct ttm_operation_ctx *ctx)
{
	struct ttm_buffer_object *contended = rivals.told_of;
	struct ttm_place list[PLACES];
	struct ttm_placement placement = {
		.num_placement = make_list(list), .placement = list,
	};
	int ret;

#ifndef PRISTINE
	if (scenario()->contended)
		ctx->contended = &contended;
#endif
	ret = ttm_bo_validate(&rival(CALLERS)->bo, &placement, ctx);
	if (contended && !rivals.outcome->told)
		rivals_broken(RULE_BROKEN, "it tells of a contended buffer for nothing");
	if (ret == -EDEADLK && !contended)
		rivals_broken(RULE_BROKEN, "it does not tell what to wait for");
	if (contended)
		ttm_bo_fini(contended);
	return ret;
}

/* Less than was asked for is a refusal. */
static int drain(struct ttm_operation_ctx *ctx)
{
	s64 target = scenario()->bo[CALLERS].size * PAGE_SIZE;
	s64 freed = ttm_bo_evict_cgroup(&rivals.bdev, &rivals.man[IN_VRAM], NULL,
					target, ctx);

	if (freed > rivals.freed * (s64)PAGE_SIZE)
		rivals_broken(RULE_BROKEN, "it counts bytes that did not leave");
	return freed < 0 ? freed : freed < target ? -ENOSPC : 0;
}

/* All GPU timeouts together: one, and some patience. */
#define MOST_TIME	(20 * HZ)

static int empty(void)
{
	int ret = ttm_resource_manager_evict_all(&rivals.bdev, &rivals.man[IN_VRAM]);

	if (rivals.now > MOST_TIME)
		rivals_broken(RULE_BROKEN, "it waits more than once for a GPU that hangs");
	return ret;
}

static int make_call(struct ttm_operation_ctx *ctx)
{
	rivals_point(AT_START, 0);
	switch (scenario()->call) {
	case DRAIN:
		return drain(ctx);
	case EMPTY:
		return empty();
	default:
		return validate(ctx);
	}
}

/* What the caller lent comes back as it was. */
static int call(void)
{
	struct ttm_operation_ctx ctx = {
		.interruptible = !scenario()->deaf,
		.no_wait_gpu = scenario()->no_wait,
		.allow_res_evict = scenario()->lends,
		.resv = scenario()->lends ? &rivals.vm : NULL,
	};
	struct ttm_operation_ctx before = ctx;
	int ret = make_call(&ctx);

#ifndef PRISTINE
	ctx.contended = NULL;
#endif
	ctx.bytes_moved = 0;
	if (memcmp(&ctx, &before, sizeof(ctx)))
		rivals_broken(RULE_BROKEN, "the caller's context is changed");
	return ret;
}

/* An own buffer may have been released, and made anew. */
static void check_locks(void)
{
	for (unsigned int i = 0; i < BOS; i++)
		if (rival(i)->live && rival(i)->bo.base.resv->lock.callers &&
		    !rival(i)->own)
			rivals_broken(RULE_BROKEN, "a lock is not given back");
}

static void check_references(void)
{
	for (unsigned int i = 0; i < BOS; i++) {
		const struct rival *r = rival(i);

		if (r->live && kref_read(&r->bo.kref) != !r->dying)
			rivals_broken(RULE_BROKEN, "references are not balanced");
	}
}

/* Each buffer has one resource, and each resource a buffer. */
static void check_resources(void)
{
	for (unsigned int i = 0; i < NODES; i++) {
		const struct node *node = &rivals.node[i];

		if (node->used && rival(node->owner)->bo.resource != &node->res)
			rivals_broken(RULE_BROKEN, "room is lost");
	}
}

static void check_result(void)
{
	const struct ttm_resource *res = rival(CALLERS)->bo.resource;
	const struct scenario *s = scenario();

	if (rivals.bdev.lru_lock.held)
		rivals_broken(RULE_BROKEN, "the lru_lock is not given back");
	if (rivals.outcome->ret || s->call != VALIDATE)
		return;
	for (unsigned int i = 0; res && i < s->places; i++)
		if (s->list[i].pool == res->mem_type) {
			rivals.outcome->pool = res->mem_type;
			return;
		}
	rivals_broken(RULE_BROKEN, "it succeeds, and the buffer is elsewhere");
}

static void check_warnings(void)
{
	if (stub_warnings.count)
		rivals_broken(RULE_BROKEN, stub_warnings.first);
	stub_warnings.count = 0;
}

static void run(struct schedule *schedule, struct dice *dice,
		struct outcome *outcome, FILE *story)
{
	memset(&rivals, 0, offsetof(struct rivals, moment));
	memset(outcome, 0, offsetof(struct outcome, trace));
	rivals.schedule = schedule;
	rivals.dice = dice;
	rivals.outcome = outcome;
	rivals.story = story;
	stub_warnings.count = 0;

	set_up();
	set_up_told();
	rivals_moment();
	if (setjmp(rivals.abandoned))
		return;
	outcome->ret = call();
	rivals_moment();
	check_result();
	check_locks();
	check_references();
	check_resources();
	check_warnings();
	rivals_judge();
}

const struct side SIDE = {
#ifdef PRISTINE
	.name = "Linux 7.3's own",
#else
	.name = "ours",
#endif
	.run = run,
};

/*
 * Pictures
 */

static void draw_resource(FILE *out, const struct ttm_resource *res)
{
	static const char * const by[] = {
		[NOBODY] = "", [PLAIN] = "=", [YOUNGER] = "<", [OLDER] = ">",
		[CALLER] = "@",
	};
	const struct node *node = container_of(res, struct node, res);
	const struct rival *r = rival(node->owner);

	fprintf(out, " %c%s%s", node->owner == CALLERS ? 'x' : 'a' + node->owner,
		by[rival_holder(r->bo.base.resv)], r->dying ? "?" : "");
}

static void draw_list(FILE *out, const struct list_head *list)
{
	unsigned int n = 0;
	struct ttm_lru_item *item;

	list_for_each_entry(item, list, link) {
		if (++n > 2 * NODES)
			break;
		if (ttm_lru_item_is_res(item))
			draw_resource(out, ttm_lru_item_to_res(item));
		else
			fputs(" H", out);
	}
}

void rivals_picture(FILE *out)
{
	static const char * const names[] = { "SYSTEM", "TT", "VRAM" };

	for (unsigned int i = POOLS; i--;) {
		fprintf(out, "  %s:", names[i]);
		draw_list(out, &rivals.man[i].lru[0]);
	}
	if (!list_empty(&rivals.bdev.unevictable)) {
		fputs("  /", out);
		draw_list(out, &rivals.bdev.unevictable);
	}
	putc('\n', out);
}
