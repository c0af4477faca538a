// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What a plain LRU would move. */
#include <stdlib.h>
#include <string.h>

#include "lru_sim.h"
#include "vttm.h"

/* A buffer. On its domain's list, the next one was used later. */
struct buffer {
	struct buffer *prev, *next;
	__u64 size;
	__u32 domains, domain;
	bool in_use;
};

/* A domain of limited size; @list is the head of a ring. */
struct memory {
	__u64 left;
	struct buffer list;
};

struct lru_sim {
	struct memory vram, gtt;
	__u64 moved;
	__u32 count, most;
	struct buffer buffers[];
};

static void init_memory(struct memory *memory, __u64 size)
{
	memory->left = size;
	memory->list.next = &memory->list;
	memory->list.prev = &memory->list;
}

struct lru_sim *lru_sim_new(__u64 vram, __u64 gtt, __u32 most_buffers)
{
	struct lru_sim *sim;

	sim = calloc(1, sizeof(*sim) + most_buffers * sizeof(sim->buffers[0]));
	if (!sim)
		die("no memory");
	sim->most = most_buffers;
	init_memory(&sim->vram, vram);
	init_memory(&sim->gtt, gtt);
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

/* Take it out of where it is. */
static void leave(struct lru_sim *sim, struct buffer *buffer)
{
	struct memory *memory = memory_of(sim, buffer->domain);

	if (!memory)
		return;
	buffer->prev->next = buffer->next;
	buffer->next->prev = buffer->prev;
	memory->left += buffer->size;
}

/* Put it where it was used last. */
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
	memory->left -= buffer->size;
}

static void move(struct lru_sim *sim, struct buffer *buffer, __u32 domain)
{
	leave(sim, buffer);
	enter(sim, buffer, domain);
	sim->moved += buffer->size;
}

/* From VRAM to GTT if there is room, but for no other buffer's place there. */
static void evict(struct lru_sim *sim, struct buffer *buffer)
{
	if (buffer->domain == VTTM_DOMAIN_VRAM && sim->gtt.left >= buffer->size)
		move(sim, buffer, VTTM_DOMAIN_GTT);
	else
		move(sim, buffer, VTTM_DOMAIN_SYSTEM);
}

static bool make_room(struct lru_sim *sim, __u32 domain, __u64 size)
{
	struct memory *memory = memory_of(sim, domain);
	struct buffer *buffer = memory->list.next;

	while (memory->left < size && buffer != &memory->list) {
		struct buffer *next = buffer->next;

		if (!buffer->in_use)
			evict(sim, buffer);
		buffer = next;
	}
	return memory->left >= size;
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
	if (memory_of(sim, first)->left >= buffer->size) {
		move(sim, buffer, first);
		return true;
	}
	/* Where it is will do. */
	if (buffer->domains & GPU_DOMAINS & buffer->domain)
		return true;
	return move_with_room(sim, buffer, first) ||
	       move_with_room(sim, buffer, VTTM_DOMAIN_GTT);
}

bool lru_sim_use(struct lru_sim *sim, __u32 first, __u32 count)
{
	bool fits = true;

	for (__u32 i = first; i < first + count; i++)
		sim->buffers[i].in_use = true;
	for (__u32 i = first; i < first + count; i++)
		fits &= place(sim, &sim->buffers[i]);
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
		leave(sim, &sim->buffers[i]);
		sim->buffers[i].domain = VTTM_DOMAIN_SYSTEM;
	}
}

__u64 lru_sim_moved(const struct lru_sim *sim)
{
	return sim->moved;
}

/* --- Itself --- */

/* Uses of single buffers, and what each moves, counted by hand. */
struct step {
	__u32 first, count;
	__u64 moves;
	bool dropped, too_large;
};

struct story {
	const char *name;
	__u64 vram, gtt;
	__u32 domains;
	__u64 sizes[4];
	struct step steps[8];
};

static const struct story stories[] = {
	{ "only one of three fits", 64, 64, VTTM_DOMAIN_VRAM, { 40, 40, 40 },
	  { { 0, 1, 40 }, { 1, 1, 80 }, { 1, 1, 0 }, { 2, 1, 80 }, { 0, 1, 80 } } },
	{ "the one that was used last stays", 64, 64, VTTM_DOMAIN_VRAM, { 30, 30, 30 },
	  { { 0, 1, 30 }, { 1, 1, 30 }, { 0, 1, 0 }, { 2, 1, 60 }, { 0, 1, 0 },
	    { 1, 1, 60 } } },
	{ "a submit does not evict its own", 64, 64, VTTM_DOMAIN_VRAM, { 20, 20, 20, 40 },
	  { { 0, 3, 60 }, { 0, 2, 0 }, { 2, 2, 80 }, { 2, 2, 0 },
	    { 0, 4, 0, .too_large = true } } },
	{ "GTT is as good, once it is there", 64, 64, GPU_DOMAINS, { 40, 40, 40 },
	  { { 0, 1, 40 }, { 1, 1, 80 }, { 0, 1, 0 }, { 1, 1, 0 }, { 2, 1, 80 },
	    { 1, 1, 80 } } },
	{ "back to VRAM when there is room", 64, 64, GPU_DOMAINS, { 40, 40 },
	  { { 0, 1, 40 }, { 1, 1, 80 }, { 1, 1, 0, .dropped = true }, { 0, 1, 40 } } },
	{ "only GTT", 64, 64, VTTM_DOMAIN_GTT, { 40, 40 },
	  { { 0, 1, 40 }, { 1, 1, 80 }, { 1, 1, 0 }, { 0, 1, 80 } } },
	{ "no VRAM is large enough", 16, 64, GPU_DOMAINS, { 40, 40 },
	  { { 0, 1, 40 }, { 1, 1, 80 } } },
};

static bool is_so(const struct story *story)
{
	struct lru_sim *sim = lru_sim_new(story->vram, story->gtt, 4);
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
