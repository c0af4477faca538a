/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Warnings are counted, and the first one is remembered. In the kernel most are
 * given once; here every one counts.
 */
#ifndef _STUB_WARN_H_
#define _STUB_WARN_H_

struct stub_warnings {
	unsigned int count;
	const char *first;
	const char *file;
	unsigned int line;
};

extern struct stub_warnings stub_warnings;

void stub_warn(const char *file, unsigned int line, const char *what);

#define __stub_warn_on(cond, what)					\
({									\
	bool __bad = (cond);						\
	if (unlikely(__bad))						\
		stub_warn(__FILE__, __LINE__, what);			\
	__bad;								\
})

#define WARN_ON(cond)		__stub_warn_on(cond, #cond)
#define WARN_ON_ONCE(cond)	__stub_warn_on(cond, #cond)
#define WARN(cond, fmt, ...)	__stub_warn_on(cond, fmt)
#define BUG_ON(cond)		((void)__stub_warn_on(cond, #cond))

/* The lists are printed by the harness, which knows the nodes by name. */
static inline void pr_err(const char *format, ...)
{
}

/* CONFIG_LIST_HARDENED: a list found corrupted is a warning like any other. */
struct list_head;

bool __list_add_valid_or_report(struct list_head *node,
				struct list_head *prev, struct list_head *next);
bool __list_del_entry_valid_or_report(struct list_head *entry);

#endif
