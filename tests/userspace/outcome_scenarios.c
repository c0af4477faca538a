// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Small worlds in which a caller needs room. */

#include "outcome.h"

#define BIT(n)		(1U << (n))
#define VRAM_ONLY	.list = { { IN_VRAM } }, .places = 1
#define TT_ONLY		.list = { { IN_TT } }, .places = 1
#define ANYWHERE_TT	.list = { { IN_TT }, { IN_SYSTEM, .fallback = true } }, .places = 2
#define X(pages)	[CALLERS] = { .size = (pages), .pool = NOWHERE }

const struct scenario scenarios[] = {
	{
		.name = "one of two is worthless, no ticket",
		.capacity = { 0, 2, 2 }, VRAM_ONLY,
		.bo = { { 1, IN_VRAM, .worthless = true }, { 1, IN_VRAM },
			{ 1, NOWHERE }, X(1) },
	}, {
		.name = "one of two is worthless, a ticket",
		.capacity = { 0, 2, 2 }, VRAM_ONLY, .ticket = true,
		.bo = { { 1, IN_VRAM, .worthless = true }, { 1, IN_VRAM },
			{ 1, NOWHERE }, X(1) },
	}, {
		.name = "one is reserved without a ticket",
		.capacity = { 0, 2, 1 }, VRAM_ONLY, .ticket = true,
		.bo = { { 1, IN_VRAM, PLAIN }, { 1, NOWHERE }, X(1) },
	}, {
		.name = "one is reserved by a younger ticket",
		.capacity = { 0, 2, 1 }, VRAM_ONLY, .ticket = true,
		.bo = { { 1, IN_VRAM, YOUNGER }, { 1, NOWHERE }, X(1) },
	}, {
		.name = "one is reserved, no ticket",
		.capacity = { 0, 2, 1 }, VRAM_ONLY,
		.bo = { { 1, IN_VRAM, PLAIN }, { 1, NOWHERE }, X(1) },
	}, {
		.name = "one is reserved by an older ticket, contended is asked for",
		.capacity = { 0, 2, 2 }, VRAM_ONLY, .ticket = true, .contended = true,
		.bo = { { 1, IN_VRAM, OLDER }, { 1, IN_VRAM }, { 1, NOWHERE }, X(2) },
	}, {
		.name = "all in TT is worthless, a fallback, holders",
		.capacity = { 0, 2, 2 }, ANYWHERE_TT, .ticket = true,
		.bo = { { 1, IN_TT, YOUNGER, .worthless = true },
			{ 1, IN_TT, OLDER, .worthless = true }, X(1) },
	}, {
		.name = "all in TT is reserved by older tickets, a fallback",
		.capacity = { 0, 2, 2 }, ANYWHERE_TT, .ticket = true,
		.bo = { { 1, IN_TT, OLDER }, { 1, IN_TT, OLDER }, X(1) },
	}, {
		.name = "the target is full, and an older ticket has it",
		.capacity = { 0, 1, 2 }, VRAM_ONLY, .ticket = true, .target = TO_TT,
		.bo = { { 1, IN_VRAM }, { 1, IN_VRAM, YOUNGER }, { 1, IN_TT, OLDER },
			X(1) },
	}, {
		.name = "the target is full, a ticket, two places",
		.capacity = { 0, 1, 2 }, VRAM_ONLY, .ticket = true,
		.target = TO_TT_OR_SYSTEM,
		.bo = { { 1, IN_VRAM }, { 1, IN_VRAM }, { 1, IN_TT }, X(2) },
	}, {
		.name = "a VM of two, its reservation busy, no ticket",
		.capacity = { 0, 2, 3 }, VRAM_ONLY,
		.bo = { { 1, IN_VRAM, PLAIN, .member = true },
			{ 1, IN_VRAM, .member = true }, { 1, IN_VRAM, .worthless = true },
			X(1) },
	}, {
		.name = "a VM of two behind a worthless one, no ticket",
		.capacity = { 0, 2, 3 }, VRAM_ONLY,
		.bo = { { 1, IN_VRAM, .worthless = true }, { 1, IN_VRAM, .member = true },
			{ 1, IN_VRAM, .member = true }, X(1) },
	}, {
		.name = "a VM of two behind a worthless one, a ticket",
		.capacity = { 0, 2, 3 }, VRAM_ONLY, .ticket = true,
		.bo = { { 1, IN_VRAM, .worthless = true }, { 1, IN_VRAM, .member = true },
			{ 1, IN_VRAM, .member = true }, X(2) },
	}, {
		.name = "three of one page for one of three, a ticket",
		.capacity = { 0, 2, 3 }, VRAM_ONLY, .ticket = true,
		.bo = { { 1, IN_VRAM }, { 1, IN_VRAM }, { 1, IN_VRAM },
			{ 1, NOWHERE }, X(3) },
	}, {
		.name = "three of one page for one of three, no ticket",
		.capacity = { 0, 2, 3 }, VRAM_ONLY,
		.bo = { { 1, IN_VRAM }, { 1, IN_VRAM }, { 1, IN_VRAM },
			{ 1, NOWHERE }, X(3) },
	},
};

const unsigned int nr_scenarios = sizeof(scenarios) / sizeof(*scenarios);
