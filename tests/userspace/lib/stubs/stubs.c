// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What the stubs remember. */

#include <drm/ttm/ttm_bo.h>

struct stub_warnings stub_warnings;
struct stub_stop stub_stop;
struct ttm_global ttm_glob;

void stub_warn(const char *file, unsigned int line, const char *what)
{
	if (stub_warnings.count++)
		return;
	stub_warnings.first = what;
	stub_warnings.file = file;
	stub_warnings.line = line;
}

bool __list_add_valid_or_report(struct list_head *node,
				struct list_head *prev, struct list_head *next)
{
	return !WARN(1, "list_add corruption");
}

bool __list_del_entry_valid_or_report(struct list_head *entry)
{
	return !WARN(1, "list_del corruption");
}

/* Nobody here is in memory reclaim. */
bool ttm_in_reclaim(void)
{
	return false;
}

void ttm_bo_put_in_reclaim(struct ttm_buffer_object *bo)
{
	WARN(1, "a put in reclaim");
}
