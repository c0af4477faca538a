// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Small worlds in which a caller needs room. */

#include "outcome.h"

#define VRAM_ONLY	.list = { { IN_VRAM } }, .places = 1
#define TT_OR_FALLBACK	.list = { { IN_TT }, { IN_SYSTEM, .fallback = true } }, .places = 2
#define X(pages)	[CALLERS] = { .size = (pages), .pool = NOWHERE }

const struct scenario scenarios[] = {
	{
		.name = "one of two is worthless, no ticket", .depth = 2,
		.capacity = { 0, 2, 2 }, VRAM_ONLY,
		.bo = { { 1, IN_VRAM, .worthless = true }, { 1, IN_VRAM },
			{ 1, NOWHERE }, X(1) },
	}, {
		.name = "one of two is worthless, a ticket", .depth = 3,
		.capacity = { 0, 2, 2 }, VRAM_ONLY, .ticket = true,
		.bo = { { 1, IN_VRAM, .worthless = true }, { 1, IN_VRAM },
			{ 1, NOWHERE }, X(1) },
	}, {
		.name = "one is reserved without a ticket", .depth = 3,
		.capacity = { 0, 2, 1 }, VRAM_ONLY, .ticket = true,
		.bo = { { 1, IN_VRAM, PLAIN }, { 1, NOWHERE }, X(1) },
	}, {
		.name = "one is reserved by a younger ticket", .depth = 3,
		.capacity = { 0, 2, 1 }, VRAM_ONLY, .ticket = true, .contended = true,
		.bo = { { 1, IN_VRAM, YOUNGER }, { 1, NOWHERE }, X(1) },
	}, {
		.name = "one is reserved, no ticket", .depth = 2,
		.capacity = { 0, 2, 1 }, VRAM_ONLY, .deaf = true,
		.bo = { { 1, IN_VRAM, PLAIN }, { 1, NOWHERE }, X(1) },
	}, {
		.name = "one is reserved by a younger ticket, and signals don't matter",
		.depth = 2, .capacity = { 0, 2, 1 }, VRAM_ONLY, .ticket = true, .deaf = true,
		.bo = { { 1, IN_VRAM, YOUNGER }, { 1, NOWHERE }, X(1) },
	}, {
		.name = "one is reserved by an older ticket, which is asked for",
		.depth = 2,
		.capacity = { 0, 2, 2 }, VRAM_ONLY, .ticket = true, .contended = true,
		.bo = { { 1, IN_VRAM, OLDER }, { 1, IN_VRAM }, { 1, NOWHERE }, X(2) },
	}, {
		.name = "the ticket has been told before", .depth = 2,
		.capacity = { 0, 2, 2 }, VRAM_ONLY, .ticket = true,
		.contended = true, .told = true,
		.bo = { { 1, IN_SYSTEM, OLDER }, { 1, IN_VRAM, YOUNGER }, { 1, IN_VRAM },
			X(1) },
	}, {
		.name = "all in TT is worthless and reserved, a fallback", .depth = 3,
		.capacity = { 0, 2, 2 }, TT_OR_FALLBACK, .ticket = true,
		.bo = { { 1, IN_TT, YOUNGER, .worthless = true },
			{ 1, IN_TT, OLDER, .worthless = true }, X(1) },
	}, {
		.name = "all in TT is reserved by older tickets, a fallback", .depth = 3,
		.capacity = { 0, 2, 2 }, TT_OR_FALLBACK, .ticket = true,
		.bo = { { 1, IN_TT, OLDER }, { 1, IN_TT, OLDER }, X(1) },
	}, {
		.name = "VRAM is desired, TT is the fallback", .depth = 2,
		.capacity = { 0, 2, 1 }, .ticket = true,
		.list = { { IN_VRAM, .desired = true }, { IN_TT, .fallback = true } },
		.places = 2,
		.bo = { { 1, IN_VRAM }, { 1, IN_TT, OLDER }, { 1, IN_TT }, X(1) },
	}, {
		.name = "victims' target is full, and an older ticket has it", .depth = 2,
		.capacity = { 0, 1, 2 }, VRAM_ONLY, .ticket = true, .target = TO_TT,
		.bo = { { 1, IN_VRAM }, { 1, IN_VRAM, YOUNGER }, { 1, IN_TT, OLDER },
			X(1) },
	}, {
		.name = "an older ticket is in the way of the first victim only", .depth = 2,
		.capacity = { 0, 2, 3 }, VRAM_ONLY, .ticket = true, .target = TO_TT,
		.bo = { { 2, IN_VRAM }, { 1, IN_VRAM, PLAIN }, { 1, IN_TT, OLDER }, X(1) },
	}, {
		.name = "victims have two places, the first is full", .depth = 2,
		.capacity = { 0, 1, 2 }, VRAM_ONLY, .ticket = true,
		.target = TO_TT_OR_SYSTEM,
		.bo = { { 1, IN_VRAM }, { 1, IN_VRAM }, { 1, IN_TT }, X(2) },
	}, {
		.name = "victims have a fallback, no ticket", .depth = 2,
		.capacity = { 0, 1, 2 }, VRAM_ONLY, .target = TO_TT_SYSTEM_FALLBACK,
		.bo = { { 1, IN_VRAM }, { 1, IN_VRAM, YOUNGER }, { 1, IN_TT, OLDER },
			X(1) },
	}, {
		.name = "a VM whose reservation is busy, no ticket", .depth = 2,
		.capacity = { 0, 2, 3 }, VRAM_ONLY,
		.bo = { { 1, IN_VRAM, PLAIN, .member = true },
			{ 1, IN_VRAM, .member = true }, { 1, IN_VRAM, .worthless = true },
			X(1) },
	}, {
		.name = "a VM behind a worthless one, no ticket", .depth = 2,
		.capacity = { 0, 2, 3 }, VRAM_ONLY,
		.bo = { { 1, IN_VRAM, .worthless = true }, { 1, IN_VRAM, .member = true },
			{ 1, IN_VRAM, .member = true }, X(1) },
	}, {
		.name = "a VM behind a worthless one, a ticket", .depth = 2,
		.capacity = { 0, 2, 3 }, VRAM_ONLY, .ticket = true,
		.bo = { { 1, IN_VRAM, .worthless = true }, { 1, IN_VRAM, .member = true },
			{ 1, IN_VRAM, .member = true }, X(2) },
	}, {
		.name = "the caller's own VM, lent", .depth = 2,
		.capacity = { 0, 2, 2 }, VRAM_ONLY, .ticket = true, .lends = true,
		.bo = { { 1, IN_VRAM, .member = true }, { 1, IN_VRAM, YOUNGER },
			[CALLERS] = { 2, IN_SYSTEM, .member = true } },
	}, {
		.name = "the caller's own buffer, not lent", .depth = 2,
		.capacity = { 0, 2, 2 }, VRAM_ONLY, .ticket = true, .contended = true,
		.bo = { { 1, IN_VRAM, CALLER }, { 1, IN_VRAM, OLDER }, X(1) },
	}, {
		.name = "three buffers, all are needed, a ticket", .depth = 2,
		.capacity = { 0, 2, 3 }, VRAM_ONLY, .ticket = true,
		.bo = { { 1, IN_VRAM }, { 1, IN_VRAM }, { 1, IN_VRAM },
			{ 1, NOWHERE }, X(3) },
	}, {
		.name = "three buffers, all are needed, no ticket", .depth = 2,
		.capacity = { 0, 2, 3 }, VRAM_ONLY,
		.bo = { { 1, IN_VRAM }, { 1, IN_VRAM }, { 1, IN_VRAM },
			{ 1, NOWHERE }, X(3) },
	}, {
		.name = "victims stay in VRAM, a ticket", .depth = 2,
		.capacity = { 0, 2, 4 }, VRAM_ONLY, .ticket = true, .target = TO_ITSELF,
		.bo = { { 1, IN_VRAM }, { 1, IN_VRAM, PLAIN }, X(3) },
	}, {
		.name = "victims stay in VRAM, no ticket", .depth = 2,
		.capacity = { 0, 2, 4 }, VRAM_ONLY, .target = TO_ITSELF,
		.bo = { { 1, IN_VRAM }, { 1, IN_VRAM, PLAIN }, X(3) },
	}, {
		.name = "the GPU works on them", .depth = 2,
		.capacity = { 0, 2, 2 }, VRAM_ONLY, .ticket = true, .target = TO_NOWHERE,
		.bo = { { 1, IN_VRAM, .busy = true }, { 1, IN_VRAM, .busy = true }, X(2) },
	}, {
		.name = "victims hop over a full TT", .depth = 2,
		.capacity = { 0, 1, 1 }, VRAM_ONLY, .ticket = true, .hops = true,
		.bo = { { 1, IN_VRAM }, { 1, IN_TT, YOUNGER }, X(1) },
	}, {
		.name = "nothing is waited for", .depth = 2,
		.capacity = { 0, 2, 2 }, VRAM_ONLY, .ticket = true, .no_wait = true,
		.bo = { { 1, IN_VRAM, YOUNGER }, { 1, IN_VRAM }, { 1, NOWHERE }, X(1) },
	}, {
		.name = "no memory for the large ones", .depth = 2,
		.capacity = { 0, 4, 5 }, VRAM_ONLY, .ticket = true, .memory = 1,
		.bo = { { 2, IN_VRAM }, { 2, IN_VRAM }, { 1, IN_VRAM }, X(1) },
	}, {
		.name = "no memory to remember reservations", .depth = 2, .poor = true,
		.capacity = { 0, 2, 2 }, VRAM_ONLY, .ticket = true,
		.bo = { { 1, IN_VRAM, YOUNGER }, { 1, IN_VRAM, YOUNGER }, X(2) },
	}, {
		.name = "a drain, one is reserved", .depth = 2, .call = DRAIN,
		.capacity = { 0, 2, 2 },
		.bo = { { 1, IN_VRAM, .worthless = true }, { 1, IN_VRAM, PLAIN }, X(1) },
	}, {
		.name = "a drain of what stays in VRAM", .depth = 2, .call = DRAIN,
		.capacity = { 0, 2, 3 }, .target = TO_ITSELF,
		.bo = { { 1, IN_VRAM }, { 1, IN_VRAM }, X(1) },
	}, {
		.name = "VRAM is emptied", .depth = 2, .call = EMPTY,
		.capacity = { 0, 2, 3 },
		.bo = { { 1, IN_VRAM, PLAIN }, { 1, IN_VRAM, .pinned = true },
			{ 1, NOWHERE }, X(1) },
	}, {
		.name = "VRAM is emptied, the GPU hangs", .depth = 1, .call = EMPTY,
		.capacity = { 0, 2, 4 }, .hung = true, .target = TO_NOWHERE,
		.bo = { { 1, IN_VRAM, .busy = true }, { 1, IN_VRAM, .busy = true },
			{ 1, IN_VRAM }, { 1, IN_VRAM, .busy = true }, X(1) },
	},
};

const unsigned int nr_scenarios = sizeof(scenarios) / sizeof(*scenarios);
