// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The steps of a walk, see ttm_lru_steps.h. */

#include <linux/seq_buf.h>

#include "ttm_lru_links.h"
#include "ttm_lru_steps.h"

/*
 * Take these steps in one hold of the lock, and return what they returned, with the
 * counts of written nodes.
 */
const char *lru_steps(struct lru_world *w, enum lru_walk walk,
		      const char *steps)
{
	struct ttm_resource_cursor *cursor = &w->walk[walk];
	struct seq_buf s;

	seq_buf_init(&s, w->steps, sizeof(w->steps));
	guard(spinlock)(&w->bdev->lru_lock);
	for (; *steps; steps++) {
		struct ttm_resource *res;

		switch (*steps) {
		case 'r':
			ttm_resource_cursor_restart(cursor);
			continue;
		case 'p':
			ttm_resource_cursor_pause(cursor);
			continue;
		case 's':
			ttm_resource_cursor_skip_bulk(cursor);
			continue;
		case 'f':
			ttm_resource_cursor_fini(cursor);
			continue;
		case '[':
			lru_remember_locked(w);
			continue;
		case ']':
			seq_buf_printf(&s, "%u", lru_changed(w));
			continue;
		case 'a':
			res = ttm_resource_cursor_advance(cursor);
			break;
		case 'n':
			res = ttm_resource_manager_next(cursor);
			break;
		case 'F':
			res = ttm_resource_manager_first(cursor);
			break;
		default:
			continue;
		}
		seq_buf_puts(&s, res ? lru_name(w, res) : ".");
	}
	return seq_buf_str(&s);
}
