/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* A violation told step by step: pictures of the lists, and operations. */
#ifndef _COUNTEREXAMPLE_H_
#define _COUNTEREXAMPLE_H_

#include <stdio.h>

#include "ops.h"

/*
 * Print a picture of the lists, as in the KUnit suites:
 *
 *	a* H b* c | d / e
 *
 * A bar separates the lists of two priorities, the lowest one first. The unevictable list
 * follows the slash. An asterisk marks a member of a bulk, and H to K are hitches. The
 * lists of a second memory type come first, with a backslash behind them.
 */
void counterexample_picture(FILE *out);

/* Print an operation in words. */
void counterexample_words(FILE *out, const struct op *op);

/* Print the last operation and its result as lines of a KUnit case. */
void counterexample_kunit(FILE *out, const struct op *op);

#endif
