// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * bench-first: an eviction searches a list of N buffers, of which the first K can't be
 * evicted. Count how many buffers it looks at until it finds one, and how many buffers
 * another walk meets that begins when half of the K were tried. This is counted with a
 * walk of the core that the program is built with, and in two other ways over the same
 * list: TTM's way before there were hitches, and that of drm_gem_lru_scan().
 */

#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_placement.h>
#include <drm/ttm/ttm_resource.h>

#define N	20000

static struct ttm_device bdev;
static struct ttm_resource_manager man;
static struct ttm_buffer_object bo[N];
static struct ttm_resource res[N];
static bool tried[N];

/* Never called: nobody is transferred or released here. */
void *stub_alloc(size_t size)
{
	return NULL;
}

void ttm_bo_put(struct ttm_buffer_object *bo)
{
}

static void set_up(void)
{
	const struct ttm_place place = {};

	memset(&bdev, 0, sizeof(bdev));
	INIT_LIST_HEAD(&bdev.unevictable);
	ttm_set_driver_manager(&bdev, 0, &man);
	ttm_resource_manager_init(&man, &bdev, 0);
	for (unsigned int i = 0; i < N; i++) {
		bo[i] = (struct ttm_buffer_object) { .bdev = &bdev };
		bo[i].base.resv = &bo[i].base._resv;
		ttm_resource_init(&bo[i], &place, &res[i]);
		tried[i] = false;
	}
}

static unsigned int index_of(const struct ttm_lru_item *item)
{
	return container_of(item, struct ttm_resource, lru) - res;
}

struct outcome {
	unsigned long looks;
	unsigned long met;	/* by the other walk */
};

static unsigned long other_walk(void)
{
	struct ttm_resource_cursor cursor;
	unsigned long n = 0;

	ttm_resource_cursor_init(&cursor, &man);
	spin_lock(&bdev.lru_lock);
	for (struct ttm_resource *r = ttm_resource_manager_first(&cursor); r;
	     r = ttm_resource_manager_next(&cursor))
		n++;
	ttm_resource_cursor_fini(&cursor);
	spin_unlock(&bdev.lru_lock);
	return n;
}

/* The lock is not held: the buffer is tried, and others do what they do. */
static bool attempt(unsigned int i, unsigned int k, struct outcome *o)
{
	if (i == k / 2)
		o->met = other_walk();
	tried[i] = true;
	return i >= k;
}

/* From the head each time, past those that were tried. */
static struct outcome restart(unsigned int k)
{
	struct outcome o = {};
	struct ttm_lru_item *item;

	for (;;) {
		list_for_each_entry(item, &man.lru[0], link) {
			o.looks++;
			if (!tried[index_of(item)])
				break;
		}
		if (attempt(index_of(item), k, &o))
			return o;
	}
}

/* Each that is tried goes to a list of the walker's, and all back in the end. */
static struct outcome pull_off(unsigned int k)
{
	LIST_HEAD(still_in_lru);
	struct outcome o = {};

	for (;;) {
		struct ttm_lru_item *item =
			list_first_entry(&man.lru[0], struct ttm_lru_item, link);

		o.looks++;
		list_move_tail(&item->link, &still_in_lru);
		if (attempt(index_of(item), k, &o))
			break;
	}
	list_splice_tail(&still_in_lru, &man.lru[0]);
	return o;
}

static struct outcome hitch(unsigned int k)
{
	struct ttm_resource_cursor cursor;
	struct outcome o = {};
	struct ttm_resource *r;
	bool done = false;

	ttm_resource_cursor_init(&cursor, &man);
	spin_lock(&bdev.lru_lock);
	r = ttm_resource_manager_first(&cursor);
	while (!done) {
		o.looks++;
		spin_unlock(&bdev.lru_lock);
		done = attempt(r - res, k, &o);
		spin_lock(&bdev.lru_lock);
		if (!done)
			r = ttm_resource_manager_next(&cursor);
	}
	ttm_resource_cursor_fini(&cursor);
	spin_unlock(&bdev.lru_lock);
	return o;
}

static void row(const char *way, struct outcome (*find)(unsigned int k),
		unsigned int k)
{
	struct outcome o;

	set_up();
	o = find(k);
	printf("first\t%s\t%u\t%u\t%lu\t%lu\n", way, N, k, o.looks, o.met);
}

int main(void)
{
	for (unsigned int k = 10; k <= 10000; k *= 10) {
		row("restart", restart, k);
		row("pull off", pull_off, k);
		row("hitch", hitch, k);
	}
	return !!stub_warnings.count;
}
