// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Points and events in words. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "outcome.h"

static const char * const pools[] = { "SYSTEM", "TT", "VRAM" };

static char letter(unsigned int bo)
{
	return bo == CALLERS ? 'x' : 'a' + bo;
}

void words_point(FILE *out, uint32_t label)
{
	unsigned int what = LABEL_WHAT(label);
	char text[80];

	switch (LABEL_POINT(label)) {
	case AT_START:
		strcpy(text, "the call");
		break;
	case AT_RESCHED:
		strcpy(text, "others are let run");
		break;
	case AT_SLEEP:
		strcpy(text, "sleeps");
		break;
	case AT_LOCK:
		sprintf(text, "goes to lock %c", letter(what));
		break;
	case AT_WAIT:
		sprintf(text, "waits for %c", letter(what));
		break;
	case AT_IDLE:
		strcpy(text, "waits for the GPU");
		break;
	case AT_VALUABLE:
		sprintf(text, "is %c worth it?", letter(what));
		break;
	case AT_FLAGS:
		sprintf(text, "where to with %c?", letter(what));
		break;
	case AT_MOVE:
		sprintf(text, "moves %c", letter(what));
		break;
	case AT_ALLOC:
		sprintf(text, "looks for room in %s", pools[what]);
		break;
	case AT_FREE:
		sprintf(text, "frees room in %s", pools[what]);
		break;
	default:
		strcpy(text, "?");
	}
	fprintf(out, "%-24s", text);
	if (LABEL_TIMES(label) > 1)
		fprintf(out, " #%-2u", LABEL_TIMES(label));
	else
		fputs("    ", out);
	if (LABEL_DROPS(label))
		fprintf(out, " +%u", LABEL_DROPS(label));
}

void words_event(FILE *out, const struct event *event)
{
	static const char * const as[] = { "", "", " by a younger ticket",
					   " by an older ticket", "" };
	static const char * const plain[ACTS] = {
		[ACT_LET_GO] = "is unlocked",
		[ACT_GIVE_BACK] = "is given back",
		[ACT_USE] = "is used",
		[ACT_FREE] = "is freed",
		[ACT_DROP] = "begins to be released",
		[ACT_GONE] = "is released",
		[ACT_AWAY_AND_BACK] = "is moved away and back",
		[ACT_PIN] = "is pinned",
		[ACT_UNPIN] = "is unpinned",
		[ACT_WORTH] = "becomes worthless, or worth evicting",
		[ACT_IDLE] = "is no longer used by the GPU",
	};
	char text[80];

	if (event->act == ACT_SIGNAL) {
		fprintf(out, "%-38s", "a signal comes");
		return;
	}
	if (event->act == ACT_RESERVE)
		sprintf(text, "is reserved%s", as[event->b]);
	else if (event->act == ACT_CREATE)
		sprintf(text, "is created in %s", pools[event->b]);
	else if (event->act == ACT_MOVE)
		sprintf(text, "is moved to %s", pools[event->b]);
	else if (event->act == ACT_REPLACE)
		sprintf(text, "is replaced by %c", letter(event->b));
	else
		strcpy(text, plain[event->act]);
	fprintf(out, "%c %-36s", letter(event->a), text);
}

const char *words_error(int ret)
{
	static char text[16];

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
	case -512:
		return "-ERESTARTSYS";
	}
	sprintf(text, "%d", ret);
	return text;
}
