/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* What is checked after an operation. */
#ifndef _PROVE_CHECKS_H_
#define _PROVE_CHECKS_H_

#include "world.h"

/*
 * What @post should be, resources only. @want_met: hitches where the resource goes
 * stand behind it, so that their walks meet it. @want_passed: a walk that is behind the
 * resource's range stays behind the resource.
 */
extern struct picture want;
extern bool want_met, want_passed;

/* Where a node is, seen from a walk. */
enum side {
	OUT_OF_SIGHT,
	BEHIND,
	AHEAD
};

enum side side_of(const struct picture *p, unsigned int walk, unsigned int r);

/* Does the walk ignore @r, as it moved since the walk began? */
bool is_ignored(const struct picture *p, unsigned int walk, unsigned int r);

/* All walks but @mine stay where they are, and see no resource pass. */
void check_walks(unsigned int mine);

/* All hitches but @mine keep their order. */
void check_hitches(unsigned int mine);

/* The resources are where they are wanted. */
void check_order(void);

/* If @t went to a tail, the walks that may meet it do. */
void check_met(unsigned int t);

/* If @t went to its range's tail, the walks behind the range stay behind it. */
void check_passed_by(unsigned int t);

/* Either the operation took the lock, or its caller had it. */
void check_unlocked(void);
void check_locked(void);

#endif
