/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Test cases that report in KTAP. Each runs in a process of its own, so its files are
 * closed at its end, and after a crash the next case still runs.
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

/* Fail and end the case unless @is_so is true. */
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

/* @left must be one of two errnos. */
#define check_in(left, a, b)						\
	do {								\
		long long left_ = (long long)(left);			\
									\
		if (left_ != (a) && left_ != (b))			\
			ktap_fail(__FILE__, __LINE__, "%s is %lld, not %s or %s", \
				  #left, left_, #a, #b);		\
	} while (0)

/*
 * Run the cases whose names begin with one of @names, or all. Call @before in the
 * process of each case. Call @after in the main process after each case: it returns
 * what is wrong, or NULL. Return how many cases failed.
 */
int ktap_run(const struct ktap_case *cases, int count, char **names,
	     void (*before)(void), const char *(*after)(void));

#endif
