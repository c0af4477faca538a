// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Pictures of lists, and operations as letters, see ttm_lru_notation.h. */

#include <linux/seq_buf.h>

#include "ttm_lru_fixture.h"

/*
 * Fields that differ between Linux's core and ours
 */

#ifdef CONFIG_DRM_TTM_LRU_PRISTINE
static struct list_head *lru_walk_list(struct ttm_resource_cursor *cursor)
{
	return &cursor->man->lru[cursor->priority];
}

static struct ttm_lru_bulk_move_pos *
lru_walk_range(struct ttm_resource_cursor *cursor)
{
	if (!cursor->bulk)
		return NULL;
	return &cursor->bulk->pos[cursor->mem_type][cursor->priority];
}

/* Set the bulk that a cursor is registered with, or none if @bulk is -1. */
void lru_set_registered(struct lru_world *w, enum lru_walk walk, int bulk)
{
	w->walk[walk].bulk = bulk < 0 ? NULL : &w->bulk[bulk];
}

static unsigned int lru_priority(struct ttm_resource *res)
{
	return res->bo->priority;
}

static bool lru_latched(struct ttm_resource *res, struct list_head *head,
			bool in_range)
{
	struct ttm_device *bdev = res->bo->bdev;
	struct ttm_resource_manager *man;

	man = ttm_manager_type(bdev, res->mem_type);
	return head == &bdev->unevictable ? !in_range :
	       head == &man->lru[res->bo->priority];
}
#else
static struct list_head *lru_walk_list(struct ttm_resource_cursor *cursor)
{
	return cursor->list;
}

static struct ttm_lru_bulk_move_pos *
lru_walk_range(struct ttm_resource_cursor *cursor)
{
	return cursor->range;
}

/* Set the bulk that a cursor is registered with, or none if @bulk is -1. */
void lru_set_registered(struct lru_world *w, enum lru_walk walk, int bulk)
{
	w->walk[walk].range = bulk < 0 ? NULL :
			      &w->bulk[bulk].pos[w->mem_type][0];
}

static unsigned int lru_priority(struct ttm_resource *res)
{
	return ttm_lru_item_priority(&res->lru);
}

static bool lru_latched(struct ttm_resource *res, struct list_head *head,
			bool in_range)
{
	struct ttm_device *bdev = res->bo->bdev;
	struct ttm_resource_manager *man;

	man = ttm_manager_type(bdev, res->mem_type);
	if (head == &bdev->unevictable)
		return ttm_lru_item_place(&res->lru) == TTM_LRU_UNEVICTABLE &&
		       !in_range;

	return head == &man->lru[ttm_lru_item_priority(&res->lru)] &&
	       ttm_lru_item_place(&res->lru) ==
		       (in_range ? TTM_LRU_RANGE : TTM_LRU_LOOSE);
}
#endif

/*
 * Pictures
 */

const char *lru_name(struct lru_world *w, struct ttm_resource *res)
{
	const char *mark = "";
	char letter = '~';

	for (int i = 0; i < LRU_BUFFERS; i++) {
		if (!w->bo[i] || res->bo != w->bo[i])
			continue;
		letter = 'a' + i;
		if (res == w->next[i])
			mark = "'";
	}
	snprintf(w->name, sizeof(w->name), "%c%s", letter, mark);
	return w->name;
}

/* Put a token, after the bars of the lists passed since the last one. */
static void lru_draw_token(struct seq_buf *s, const char *bar,
			   unsigned int *bars, const char *token, char mark)
{
	for (; *bars; --*bars) {
		if (seq_buf_used(s))
			seq_buf_putc(s, ' ');
		seq_buf_puts(s, bar);
	}
	if (seq_buf_used(s))
		seq_buf_putc(s, ' ');
	seq_buf_puts(s, token);
	if (mark)
		seq_buf_putc(s, mark);
}

/* The range that begins at @res, and its bulk, if there is one. */
static struct ttm_lru_bulk_move_pos *
lru_range_at(struct lru_world *w, struct ttm_resource *res, int *bulk)
{
	for (int b = 0; b < LRU_BULKS; b++)
		for (int m = 0; m < TTM_NUM_MEM_TYPES; m++)
			for (int p = 0; p < TTM_MAX_BO_PRIORITY; p++)
				if (w->bulk[b].pos[m][p].first == res) {
					*bulk = b;
					return &w->bulk[b].pos[m][p];
				}
	return NULL;
}

/* The bulk that has @range, or -1. */
int lru_bulk_of(struct lru_world *w, const struct ttm_lru_bulk_move_pos *range)
{
	for (int b = 0; range && b < LRU_BULKS; b++)
		if ((char *)range >= (char *)&w->bulk[b] &&
		    (char *)range < (char *)&w->bulk[b + 1])
			return b;
	return -1;
}

static void lru_check_hitch(struct lru_world *w, struct list_head *head,
			    struct ttm_lru_item *item, int bulk)
{
	struct ttm_resource_cursor *cursor =
		container_of(item, struct ttm_resource_cursor, hitch);

	if (head != lru_walk_list(cursor))
		w->broken = "a hitch on a list that isn't its own";
	if (lru_bulk_of(w, lru_walk_range(cursor)) != bulk)
		w->broken = bulk < 0 ? "a registered hitch in no range" :
			    "a hitch in a range but not registered";
	if (list_empty(&cursor->bulk_link) != !lru_walk_range(cursor))
		w->broken = "a hitch half registered";
}

static void lru_draw_list(struct lru_world *w, struct seq_buf *s,
			  struct list_head *head, const char *bar,
			  unsigned int *bars)
{
	struct ttm_lru_bulk_move_pos *range = NULL, *starts;
	unsigned int nodes = 0, hitches = 0;
	struct ttm_lru_item *item;
	int bulk = -1, starting;

	list_for_each_entry(item, head, link) {
		struct ttm_resource *res;

		if (++nodes > LRU_MAX_NODES) {
			w->broken = "a list without an end";
			break;
		}
		if (!ttm_lru_item_is_res(item)) {
			for (int i = 0; i < LRU_WALKS; i++)
				if (w->draw_hitches &&
				    item == &w->walk[i].hitch)
					hitches |= BIT(i);
			lru_check_hitch(w, head, item, bulk);
			continue;
		}
		for (int i = 0; i < LRU_WALKS; i++)
			if (hitches & BIT(i))
				lru_draw_token(s, bar, bars,
					       (char [2]) { 'H' + i }, 0);
		hitches = 0;

		res = ttm_lru_item_to_res(item);
		starts = lru_range_at(w, res, &starting);
		if (starts) {
			if (range)
				w->broken = "a range inside a range";
			if (starts != &w->bulk[starting].pos[res->mem_type]
						     [lru_priority(res)])
				w->broken = "a range of another list";
			range = starts;
			bulk = starting;
		}
		if (!lru_latched(res, head, range))
			w->broken = "a resource not where it is latched";
		if (range && res->bo->bulk_move != &w->bulk[bulk])
			w->broken = "a stranger in a range";
		lru_draw_token(s, bar, bars, lru_name(w, res),
			       range ? LRU_MARKS[bulk] : 0);
		if (range && range->last == res) {
			range = NULL;
			bulk = -1;
		}
	}
	for (int i = 0; i < LRU_WALKS; i++)
		if (hitches & BIT(i))
			lru_draw_token(s, bar, bars, (char [2]) { 'H' + i }, 0);
	if (range)
		w->broken = "a range without its last member";
}

static const char *__lru_draw(struct lru_world *w, bool strict, bool hitches)
{
	struct ttm_resource_manager *man = lru_man(w);
	unsigned int bars = 0;
	struct seq_buf s;

	seq_buf_init(&s, w->picture, sizeof(w->picture));
	w->draw_hitches = hitches;
	w->broken = NULL;

	guard(spinlock)(&w->bdev->lru_lock);
	for (int i = 0; i < TTM_MAX_BO_PRIORITY; i++) {
		lru_draw_list(w, &s, &man->lru[i], "|", &bars);
		bars++;
	}
	bars = 1;
	lru_draw_list(w, &s, &w->bdev->unevictable, "/", &bars);
	if (strict && w->broken)
		seq_buf_printf(&s, " (%s)", w->broken);

	return seq_buf_str(&s);
}

const char *lru_draw(struct lru_world *w, bool strict)
{
	return __lru_draw(w, strict, true);
}

/* Draw without hitches: what anyone but walkers sees. */
const char *lru_draw_seen(struct lru_world *w)
{
	return __lru_draw(w, false, false);
}

void lru_log(struct lru_log *log, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(log->op[log->ops++ % LRU_LOG], sizeof(log->op[0]), format,
		  args);
	va_end(args);
}

const char *lru_log_text(struct lru_log *log)
{
	unsigned long i = log->ops < LRU_LOG ? 0 : log->ops - LRU_LOG;
	struct seq_buf s;

	seq_buf_init(&s, log->text, sizeof(log->text));
	for (; i < log->ops; i++)
		seq_buf_printf(&s, " %s", log->op[i % LRU_LOG]);
	return seq_buf_str(&s);
}

/* The mark of the bulk that a walk is registered with. */
const char *lru_registered(struct lru_world *w, enum lru_walk walk)
{
	struct ttm_resource_cursor *cursor = &w->walk[walk];

	if (list_empty(&cursor->bulk_link) != !lru_walk_range(cursor))
		return "half";
	if (!lru_walk_range(cursor))
		return "";
	snprintf(w->name, sizeof(w->name), "%c",
		 LRU_MARKS[lru_bulk_of(w, lru_walk_range(cursor))]);
	return w->name;
}

/*
 * Operations
 */

/* Do one operation, and return what follows it in @op. */
const char *lru_op(struct lru_world *w, const char *op)
{
	switch (op[0]) {
	case 't':
		lru_tail(w, op[1]);
		return op + 2;
	case 'j':
		lru_join(w, op[1], op[2] == '*' ? STAR : PLUS);
		return op + 3;
	case 'l':
		lru_leave(w, op[1]);
		return op + 2;
	case 'k':
		lru_pin(w, op[1]);
		return op + 2;
	case 'u':
		lru_unpin(w, op[1]);
		return op + 2;
	case 'd':
		lru_free(w, op[1]);
		return op + 2;
	case 'c':
		lru_alloc(w, op[1]);
		return op + 2;
	case 'o':
		lru_set_priority(w, op[1], op[2] - '0');
		return op + 3;
	case 'B':
		lru_bulk_tail(w, op[1] == '*' ? STAR : PLUS);
		return op + 2;
	default:
		KUNIT_FAIL_AND_ABORT(w->test, "no operation: %s", op);
		return "";
	}
}
