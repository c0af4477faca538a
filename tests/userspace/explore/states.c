// SPDX-License-Identifier: GPL-2.0 OR MIT
/* All states found so far: 16 bytes each, and 6 to 11 more to find them. */

#include <sys/mman.h>

#include "states.h"

/* Memory is taken as it is touched. */
static void *reserve(size_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (mem == MAP_FAILED) {
		perror("explore: no memory");
		exit(1);
	}
	return mem;
}

void states_init(struct states *states, size_t room)
{
	states->n = 0;
	states->room = room;
	states->slots = 1 << 16;
	states->state = reserve(room * sizeof(*states->state));
	states->index = reserve(states->slots * sizeof(*states->index));
}

void states_free(struct states *states)
{
	munmap(states->state, states->room * sizeof(*states->state));
	munmap(states->index, states->slots * sizeof(*states->index));
}

static u64 hash_of(const struct packed *packed)
{
	u64 hash = packed->low * 0x9e3779b97f4a7c15;

	hash ^= hash >> 32;
	hash = (hash ^ packed->high) * 0xd6e8feb86659fd93;
	return hash ^ hash >> 32;
}

void states_prefetch(const struct states *states, const struct packed *packed)
{
	__builtin_prefetch(&states->index[hash_of(packed) &
					  (states->slots - 1)]);
}

static u32 *find(const struct states *states, const struct packed *packed)
{
	size_t mask = states->slots - 1, i = hash_of(packed) & mask;

	for (;; i = (i + 1) & mask) {
		u32 number = states->index[i];

		if (!number ||
		    packed_equal(&states->state[number - 1].packed, packed))
			return &states->index[i];
	}
}

static void grow(struct states *states)
{
	munmap(states->index, states->slots * sizeof(*states->index));
	states->slots *= 2;
	states->index = reserve(states->slots * sizeof(*states->index));
	for (size_t i = 0; i < states->n; i++)
		*find(states, &states->state[i].packed) = i + 1;
}

bool states_add(struct states *states, const struct packed *packed, u32 parent)
{
	u32 *number = find(states, packed);

	if (*number)
		return false;
	if (states->n == states->room) {
		fprintf(stderr, "explore: more than %zu states\n", states->room);
		exit(1);
	}
	states->state[states->n++] = (struct state) { *packed, parent };
	*number = states->n;
	if (states->n > states->slots / 3 * 2)
		grow(states);
	return true;
}
