/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/* The largest world for which a program is built. */
#ifndef _LIMITS_H_
#define _LIMITS_H_

#ifndef MAX_RES
#define MAX_RES		4
#define MAX_BULKS	2
#define MAX_WALKS	3
#define MAX_PRIOS	2
#define MAX_TYPES	2
#endif

#define NONE		0xff

/* What a program's current world has of each. */
struct shape {
	unsigned int res;
	unsigned int bulks;
	unsigned int walks;
	unsigned int prios;
	unsigned int types;
};

#endif
