// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Points and events in words. */

#include "outcome.h"

static const char * const bos[] = { "a", "b", "c", "d", "e", "x" };
static const char * const pools[] = { "SYSTEM", "TT", "VRAM" };

static const char * const points[AT_POINTS] = {
	[AT_START] = "the call",
	[AT_RESCHED] = "others are let run",
	[AT_SLEEP] = "sleeps",
	[AT_LOCK] = "goes to lock ",
	[AT_WAIT] = "waits for ",
	[AT_IDLE] = "waits for the GPU",
	[AT_VALUABLE] = "asks if it is worth it: ",
	[AT_FLAGS] = "asks where to with ",
	[AT_MOVE] = "moves ",
	[AT_ALLOC] = "looks for room in ",
	[AT_FREE] = "frees room in ",
};

void words_point(FILE *out, u32 label)
{
	enum point point = LABEL_POINT(label);
	const char *what = bos[LABEL_WHAT(label)];

	if (point == AT_ALLOC || point == AT_FREE)
		what = pools[LABEL_WHAT(label)];
	else if (points[point][strlen(points[point]) - 1] != ' ')
		what = "";
	fprintf(out, "%s%-*s", points[point], 27 - (int)strlen(points[point]), what);
	if (LABEL_TIMES(label) > 1)
		fprintf(out, "#%-3u", LABEL_TIMES(label));
	else
		fputs("    ", out);
}

static const char * const acts[ACTS] = {
	[ACT_RESERVE] = "is reserved",
	[ACT_LET_GO] = "is unlocked",
	[ACT_GIVE_BACK] = "is given back",
	[ACT_USE] = "is used",
	[ACT_FREE] = "is freed",
	[ACT_DROP] = "begins to be released",
	[ACT_GONE] = "is released",
	[ACT_CREATE] = "is created in ",
	[ACT_MOVE] = "is moved to ",
	[ACT_AWAY_AND_BACK] = "is moved away and back",
	[ACT_REPLACE] = "is replaced by ",
	[ACT_PIN] = "is pinned",
	[ACT_UNPIN] = "is unpinned",
	[ACT_WORTH] = "becomes worthless, or worth it",
	[ACT_IDLE] = "is no longer used by the GPU",
	[ACT_SIGNAL] = "a signal comes",
};

void words_event(FILE *out, const struct event *event)
{
	static const char * const as[] = { "", "", " by a younger ticket",
					   " by an older ticket", "" };
	const char *what = "";

	if (event->act == ACT_RESERVE)
		what = as[event->b];
	else if (event->act == ACT_CREATE || event->act == ACT_MOVE)
		what = pools[event->b];
	else if (event->act == ACT_REPLACE)
		what = bos[event->b];
	if (event->act != ACT_SIGNAL)
		fprintf(out, "%s ", bos[event->a]);
	fprintf(out, "%s%-*s", acts[event->act], 32 - (int)strlen(acts[event->act]), what);
}

const char *words_error(int ret)
{
	switch (ret) {
	case 0:
		return "success";
	case -ENOSPC:
		return "-ENOSPC";
	case -ENOMEM:
		return "-ENOMEM";
	case -EDEADLK:
		return "-EDEADLK";
	case -EBUSY:
		return "-EBUSY";
	case -EINTR:
		return "-EINTR";
	case -ERESTARTSYS:
		return "-ERESTARTSYS";
	}
	return "another error";
}
