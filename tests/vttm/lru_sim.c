// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A simulation of a plain LRU, which counts the bytes moved. */
#include <stdlib.h>
#include <string.h>

#include "lru_sim.h"
#include "vttm.h"

/*
 * A buffer. @next is the one on its domain's list that was used later. @right is the one
 * that lies behind it in memory.
 */
struct buffer {
	struct buffer *prev, *next, *left, *right;
	__u64 start, size;
	__u32 domains, domain;
	bool in_use;
};

/* A domain of limited size. @list is the head of both rings, and starts at the domain's end. */
struct memory {
	__u64 free;
	bool pieces, aligned;
	struct buffer list;
};

struct lru_sim {
	struct memory vram, gtt;
	__u64 moved;
	__u32 count, most;
	struct buffer buffers[];
};

static void init_memory(struct memory *memory, __u64 size, bool pieces, bool aligned)
{
	struct buffer *list = &memory->list;

	*memory = (struct memory){ .free = size, .pieces = pieces, .aligned = aligned };
	list->start = size;
	list->next = list;
	list->prev = list;
	list->left = list;
	list->right = list;
}

struct lru_sim *lru_sim_new(__u64 vram, __u64 gtt, __u32 most_buffers, bool pieces)
{
	struct lru_sim *sim;

	sim = calloc(1, sizeof(*sim) + most_buffers * sizeof(sim->buffers[0]));
	if (!sim)
		die("no memory");
	sim->most = most_buffers;
	init_memory(&sim->vram, vram, pieces, true);
	init_memory(&sim->gtt, gtt, pieces, false);
	return sim;
}

void lru_sim_destroy(struct lru_sim *sim)
{
	free(sim);
}

__u32 lru_sim_add(struct lru_sim *sim, __u64 size, __u32 domains)
{
	struct buffer *buffer = &sim->buffers[sim->count];

	if (sim->count == sim->most)
		die("more than %u buffers", sim->most);
	*buffer = (struct buffer){
		.size = size,
		.domains = domains,
		.domain = VTTM_DOMAIN_SYSTEM,
	};
	return sim->count++;
}

static struct memory *memory_of(struct lru_sim *sim, __u32 domain)
{
	switch (domain) {
	case VTTM_DOMAIN_VRAM:
		return &sim->vram;
	case VTTM_DOMAIN_GTT:
		return &sim->gtt;
	default:
		return NULL;
	}
}

/* Find the smallest gap that is large enough. Return the buffer behind it. */
static struct buffer *find_gap(struct memory *memory, __u64 size, __u64 *start)
{
	struct buffer *list = &memory->list, *right = list, *best = NULL;
	__u64 smallest = 0, align = memory->aligned ? size & -size : 1;

	do {
		struct buffer *left = right->left;
		__u64 begin = left == list ? 0 : left->start + left->size;
		__u64 aligned = (begin + align - 1) / align * align;

		if (aligned + size <= right->start &&
		    (!best || right->start - begin < smallest)) {
			best = right;
			smallest = right->start - begin;
			*start = aligned;
		}
		right = left;
	} while (right != list);
	return best;
}

static bool has_room(struct memory *memory, __u64 size)
{
	__u64 start;

	if (memory->pieces)
		return find_gap(memory, size, &start);
	return memory->free >= size;
}

/* Take room for @buffer. Its place matters only if buffers need contiguous room. */
static void occupy(struct memory *memory, struct buffer *buffer)
{
	struct buffer *right;

	memory->free -= buffer->size;
	if (!memory->pieces)
		return;
	right = find_gap(memory, buffer->size, &buffer->start);
	buffer->right = right;
	buffer->left = right->left;
	buffer->left->right = buffer;
	right->left = buffer;
}

static void vacate(struct memory *memory, struct buffer *buffer)
{
	memory->free += buffer->size;
	if (!memory->pieces)
		return;
	buffer->left->right = buffer->right;
	buffer->right->left = buffer->left;
}

/* Take it off the list of its domain. */
static void leave(struct lru_sim *sim, struct buffer *buffer)
{
	struct memory *memory = memory_of(sim, buffer->domain);

	if (!memory)
		return;
	buffer->prev->next = buffer->next;
	buffer->next->prev = buffer->prev;
}

/* Put it at the end of the list, as the buffer that was used last. */
static void enter(struct lru_sim *sim, struct buffer *buffer, __u32 domain)
{
	struct memory *memory = memory_of(sim, domain);

	buffer->domain = domain;
	if (!memory)
		return;
	buffer->next = &memory->list;
	buffer->prev = memory->list.prev;
	buffer->prev->next = buffer;
	buffer->next->prev = buffer;
}

static void take_out(struct lru_sim *sim, struct buffer *buffer)
{
	leave(sim, buffer);
	if (memory_of(sim, buffer->domain))
		vacate(memory_of(sim, buffer->domain), buffer);
}

static void move(struct lru_sim *sim, struct buffer *buffer, __u32 domain)
{
	take_out(sim, buffer);
	enter(sim, buffer, domain);
	if (memory_of(sim, domain))
		occupy(memory_of(sim, domain), buffer);
	sim->moved += buffer->size;
}

/* Move from VRAM to GTT if there is room, without evicting others there. */
static void evict(struct lru_sim *sim, struct buffer *buffer)
{
	if (buffer->domain == VTTM_DOMAIN_VRAM && has_room(&sim->gtt, buffer->size))
		move(sim, buffer, VTTM_DOMAIN_GTT);
	else
		move(sim, buffer, VTTM_DOMAIN_SYSTEM);
}

static bool make_room(struct lru_sim *sim, __u32 domain, __u64 size)
{
	struct memory *memory = memory_of(sim, domain);
	struct buffer *buffer = memory->list.next;

	while (buffer != &memory->list && !has_room(memory, size)) {
		struct buffer *next = buffer->next;

		if (!buffer->in_use)
			evict(sim, buffer);
		buffer = next;
	}
	return has_room(memory, size);
}

static bool move_with_room(struct lru_sim *sim, struct buffer *buffer, __u32 domain)
{
	if (!(buffer->domains & domain) || !make_room(sim, domain, buffer->size))
		return false;
	move(sim, buffer, domain);
	return true;
}

static bool place(struct lru_sim *sim, struct buffer *buffer)
{
	__u32 first = buffer->domains & VTTM_DOMAIN_VRAM ? VTTM_DOMAIN_VRAM : VTTM_DOMAIN_GTT;

	if (buffer->domain == first)
		return true;
	if (has_room(memory_of(sim, first), buffer->size)) {
		move(sim, buffer, first);
		return true;
	}
	/* Its current place is good enough. */
	if (buffer->domains & GPU_DOMAINS & buffer->domain)
		return true;
	return move_with_room(sim, buffer, first) ||
	       move_with_room(sim, buffer, VTTM_DOMAIN_GTT);
}

/* Place the largest ones first: they need the largest gaps. */
static bool place_by_size(struct lru_sim *sim, __u32 first, __u32 count)
{
	struct buffer *end = &sim->buffers[first + count];
	__u64 size = 0, next = 0;
	bool fits = true;

	for (struct buffer *buffer = end - count; buffer < end; buffer++)
		size = buffer->size > size ? buffer->size : size;
	for (; size; size = next, next = 0) {
		for (struct buffer *buffer = end - count; buffer < end; buffer++) {
			if (buffer->size == size)
				fits &= place(sim, buffer);
			else if (buffer->size < size && buffer->size > next)
				next = buffer->size;
		}
	}
	return fits;
}

bool lru_sim_use(struct lru_sim *sim, __u32 first, __u32 count)
{
	bool fits = true;

	for (__u32 i = first; i < first + count; i++)
		sim->buffers[i].in_use = true;
	for (__u32 i = first; i < first + count; i++)
		fits &= place(sim, &sim->buffers[i]);
	if (!fits) {
		/* They are in each other's way: move all out, and place them anew. */
		for (__u32 i = first; i < first + count; i++) {
			if (sim->buffers[i].domain != VTTM_DOMAIN_SYSTEM)
				move(sim, &sim->buffers[i], VTTM_DOMAIN_SYSTEM);
		}
		fits = place_by_size(sim, first, count);
	}
	for (__u32 i = first; i < first + count; i++) {
		struct buffer *buffer = &sim->buffers[i];

		buffer->in_use = false;
		leave(sim, buffer);
		enter(sim, buffer, buffer->domain);
	}
	return fits;
}

void lru_sim_drop(struct lru_sim *sim, __u32 first, __u32 count)
{
	for (__u32 i = first; i < first + count; i++) {
		take_out(sim, &sim->buffers[i]);
		sim->buffers[i].domain = VTTM_DOMAIN_SYSTEM;
	}
}

__u64 lru_sim_moved(const struct lru_sim *sim)
{
	return sim->moved;
}

/* --- Self-test --- */

/* Uses of buffers, and the bytes that each moves, counted by hand. */
struct step {
	__u32 first, count;
	__u64 moves;
	bool dropped, too_large;
};

struct story {
	const char *name;
	__u64 vram, gtt;
	__u32 domains;
	bool pieces;
	__u64 sizes[4];
	struct step steps[8];
};

static const struct story stories[] = {
	{ "only one of three fits", 64, 64, VTTM_DOMAIN_VRAM, false, { 40, 40, 40 },
	  { { 0, 1, 40 }, { 1, 1, 80 }, { 1, 1, 0 }, { 2, 1, 80 }, { 0, 1, 80 } } },
	{ "the one that was used last stays", 64, 64, VTTM_DOMAIN_VRAM, false, { 30, 30, 30 },
	  { { 0, 1, 30 }, { 1, 1, 30 }, { 0, 1, 0 }, { 2, 1, 60 }, { 0, 1, 0 },
	    { 1, 1, 60 } } },
	{ "a submit does not evict its own", 64, 64, VTTM_DOMAIN_VRAM, false, { 20, 20, 20, 40 },
	  { { 0, 3, 60 }, { 0, 2, 0 }, { 2, 2, 80 }, { 2, 2, 0 },
	    { 0, 4, 160, .too_large = true } } },
	{ "GTT is as good, once it is there", 64, 64, GPU_DOMAINS, false, { 40, 40, 40 },
	  { { 0, 1, 40 }, { 1, 1, 80 }, { 0, 1, 0 }, { 1, 1, 0 }, { 2, 1, 80 },
	    { 1, 1, 80 } } },
	{ "back to VRAM when there is room", 64, 64, GPU_DOMAINS, false, { 40, 40 },
	  { { 0, 1, 40 }, { 1, 1, 80 }, { 1, 1, 0, .dropped = true }, { 0, 1, 40 } } },
	{ "only GTT", 64, 64, VTTM_DOMAIN_GTT, false, { 40, 40 },
	  { { 0, 1, 40 }, { 1, 1, 80 }, { 1, 1, 0 }, { 0, 1, 80 } } },
	{ "a hole is not two halves", 64, 64, VTTM_DOMAIN_VRAM, true, { 16, 16, 16, 32 },
	  { { 0, 3, 48 }, { 1, 1, 0, .dropped = true }, { 3, 1, 48 }, { 0, 1, 16 } } },
	{ "but they are enough by size", 64, 64, VTTM_DOMAIN_VRAM, false, { 16, 16, 16, 32 },
	  { { 0, 3, 48 }, { 1, 1, 0, .dropped = true }, { 3, 1, 32 }, { 0, 1, 0 } } },
	{ "the smallest hole is taken", 64, 64, VTTM_DOMAIN_VRAM, true, { 16, 16, 8, 32 },
	  { { 0, 3, 40 }, { 0, 1, 0, .dropped = true }, { 0, 1, 16 }, { 3, 1, 56 },
	    { 1, 1, 16 } } },
	{ "no VRAM is large enough", 16, 64, GPU_DOMAINS, false, { 40, 40 },
	  { { 0, 1, 40 }, { 1, 1, 80 } } },
};

static bool is_so(const struct story *story)
{
	struct lru_sim *sim = lru_sim_new(story->vram, story->gtt, 4, story->pieces);
	__u64 moved = 0;
	bool right = true;

	for (size_t i = 0; i < ARRAY_SIZE(story->sizes); i++)
		lru_sim_add(sim, story->sizes[i], story->domains);
	for (size_t i = 0; i < ARRAY_SIZE(story->steps); i++) {
		const struct step *step = &story->steps[i];

		if (step->dropped)
			lru_sim_drop(sim, step->first, step->count);
		else if (lru_sim_use(sim, step->first, step->count) == step->too_large)
			right = false;
		moved += step->moves;
		right &= lru_sim_moved(sim) == moved;
	}
	lru_sim_destroy(sim);
	return right;
}

const char *lru_sim_self_test(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(stories); i++) {
		if (!is_so(&stories[i]))
			return stories[i].name;
	}
	return NULL;
}
