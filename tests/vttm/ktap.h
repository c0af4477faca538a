/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Test cases that report in KTAP. Each runs in a process of its own: what it opened
 * goes with it, and if it crashes the next one is run nevertheless.
 */
#ifndef KTAP_H
#define KTAP_H

#include <stdbool.h>

struct ktap_case {
	const char *name;
	void (*run)(void);
};

void ktap_fail(const char *file, int line, const char *format, ...)
	__attribute__((noreturn, format(printf, 3, 4)));
void ktap_skip(const char *why) __attribute__((noreturn));

/* The case fails, and ends, unless it is so. */
#define check(is_so)							\
	do {								\
		if (!(is_so))						\
			ktap_fail(__FILE__, __LINE__, "not so: %s", #is_so); \
	} while (0)

#define check_eq(left, right)						\
	do {								\
		long long left_ = (long long)(left);			\
		long long right_ = (long long)(right);			\
									\
		if (left_ != right_)					\
			ktap_fail(__FILE__, __LINE__, "%s is %lld, not %s = %lld", \
				  #left, left_, #right, right_);	\
	} while (0)

/* Either of two errnos. */
#define check_in(left, a, b)						\
	do {								\
		long long left_ = (long long)(left);			\
									\
		if (left_ != (a) && left_ != (b))			\
			ktap_fail(__FILE__, __LINE__, "%s is %lld, not %s or %s", \
				  #left, left_, #a, #b);		\
	} while (0)

/*
 * Run those whose names begin with one of @names, or all; before each one @before in
 * its process, and afterwards @after in the first one, which says what is wrong, or
 * NULL. How many failed.
 */
int ktap_run(const struct ktap_case *cases, int count, char **names,
	     void (*before)(void), const char *(*after)(void));

#endif
