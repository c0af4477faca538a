/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* Worlds as pictures, operations in words, both as KUnit cases. */
#ifndef _STORY_H_
#define _STORY_H_

#include <stdio.h>

#include "ops.h"

/*
 * A picture as in the KUnit suite:
 *
 *	a* H b* c | d / e
 *
 * The lists from the lowest priority up with a bar between; the unevictable one
 * behind the slash. Marked are members of a bulk, H to K are hitches. A second
 * memory type's lists come in front, behind a backslash.
 */
void story_picture(FILE *out);

/* An operation in words. */
void story_words(FILE *out, const struct op *op);

/* The last operation and what it returned as lines of a KUnit case. */
void story_kunit(FILE *out, const struct op *op);

#endif
