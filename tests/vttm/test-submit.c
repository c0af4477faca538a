// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The GPU's work. */
#include <errno.h>

#include "test.h"
#include "test-cases.h"

void submit_bad_bos(void)
{
	struct bo bo = make_bo(PAGE, ALL_DOMAINS, 0);
	struct bo in_system = make_bo(PAGE, VTTM_DOMAIN_SYSTEM, 0);
	struct drm_vttm_submit_bo good = use(&bo, 0), bad[2];
	struct state before;

	check_eq(vttm_prefetch(gpu, bo.handle, 0), 0);
	check_eq(vttm_finish(gpu, bo.handle), 0);
	before = state();
	check_eq(submit(0, NULL, 1, NULL, 0), -EFAULT);
	check_eq(submit(0, (void *)BAD_POINTER, 1, NULL, 0), -EFAULT);
	check_eq(submit(0, &good, VTTM_SUBMIT_MAX_BOS + 1, NULL, 0), -EINVAL);
	check_eq(submit(0, &good, ~0U, NULL, 0), -EINVAL);
	bad[0] = good;
	bad[1] = good;
	check_eq(submit(0, bad, 2, NULL, 0), -EINVAL);
	bad[0].handle = BAD_HANDLE;
	check_eq(submit(0, bad, 1, NULL, 0), -ENOENT);
	check_eq(submit(BAD_HANDLE, &good, 1, NULL, 0), -ENOENT);
	bad[0] = good;
	bad[0].pad = 1;
	check_eq(submit(0, bad, 1, NULL, 0), -EINVAL);
	bad[0] = good;
	bad[0].flags = VTTM_BO_WRITE << 1;
	check_eq(submit(0, bad, 1, NULL, 0), -EINVAL);
	bad[0] = good;
	bad[0].domains = VTTM_DOMAIN_SYSTEM;
	check_eq(submit(0, bad, 1, NULL, 0), -EINVAL);
	bad[0] = use(&in_system, 0);
	check_eq(submit(0, bad, 1, NULL, 0), -EINVAL);
	check_unchanged(before);
	check_eq(submit(0, &good, 1, NULL, 0), 0);
}

void submit_foreign(void)
{
	__u32 vm = make_vm(), another = make_vm();
	struct bo ours = make_bo(PAGE, ALL_DOMAINS, vm);
	struct bo theirs = make_bo(PAGE, ALL_DOMAINS, another);
	struct bo shared = make_bo(PAGE, ALL_DOMAINS, 0);
	struct drm_vttm_submit_bo both[] = { use(&ours, 0), use(&theirs, 0) };
	struct drm_vttm_submit_bo fine[] = { use(&ours, 0), use(&shared, 0) };

	check_eq(submit(vm, both, 2, NULL, 0), -EINVAL);
	check_eq(submit(0, both, 1, NULL, 0), -EINVAL);
	check_eq(submit(vm, fine, 2, NULL, 0), 0);
}

void submit_bad_ops(void)
{
	struct bo bo = make_bo(2 * PAGE, ALL_DOMAINS, 0);
	struct bo source = make_bo(2 * PAGE, ALL_DOMAINS, 0);
	struct drm_vttm_submit_bo bos[] = { use(&bo, VTTM_BO_WRITE), use(&source, 0) };
	const struct drm_vttm_op good_fill = fill_op(0, 0, PAGE, 1);
	const struct drm_vttm_op good_copy = copy_op(0, 1, PAGE);
	struct drm_vttm_op bad[22];
	int n = 0;
	struct state before;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		bad[i] = i < 11 ? good_fill : good_copy;
	bad[n++].op = VTTM_OP_COPY + 1;
	bad[n++].flags = 1;
	bad[n++].to = 2;
	bad[n++].to = 1;		/* not declared for writing */
	bad[n++].to_offset = 4;
	bad[n++].size = PAGE + 4;
	bad[n++].size = 2 * PAGE + 8;
	bad[n++].size = ~0ULL - 7;
	bad[n++].to_offset = ~0ULL - 7;
	bad[n++].from = 1;
	bad[n++].from_offset = 8;
	bad[n++].from = 2;
	bad[n++].flags = 1U << 31;
	bad[n++].from = ~0U;
	bad[n++].from_offset = 4;
	bad[n++].from_offset = PAGE + 8;
	bad[n++].from_offset = ~0ULL - 7;
	bad[n++].value = 1;
	bad[n++].step = 1;
	bad[n].from = 0;		/* onto itself */
	bad[n++].from_offset = 8;
	bad[n++].from = 0;
	bad[n++].size = 2 * PAGE + 8;

	fill(&bo, 1);
	fill(&source, 2);
	check_eq(vttm_prefetch(gpu, bo.handle, VTTM_DOMAIN_VRAM), 0);
	check_eq(vttm_prefetch(gpu, source.handle, VTTM_DOMAIN_VRAM), 0);
	check_eq(vttm_finish(gpu, bo.handle), 0);
	before = state();
	for (int i = 0; i < n; i++) {
		/* Behind a correct operation, which must not run, either. */
		struct drm_vttm_op ops[] = { fill_op(0, 0, PAGE, 99), bad[i] };

		if (submit(0, bos, 2, ops, 2) != -EINVAL)
			ktap_fail(__FILE__, __LINE__, "operation %d is taken", i);
	}
	check_eq(submit(0, bos, 2, NULL, 1), -EFAULT);
	check_eq(submit(0, bos, 2, (void *)BAD_POINTER, 1), -EFAULT);
	check_eq(submit(0, bos, 2, &good_fill, VTTM_SUBMIT_MAX_OPS + 1), -EINVAL);
	check_eq(submit(0, bos, 2, &good_fill, ~0U), -EINVAL);
	check_eq(submit(0, NULL, 0, &good_fill, 1), -EINVAL);
	check_unchanged(before);
	check(holds(&bo, 1));
	check(holds(&source, 2));
}

void submit_fill(void)
{
	struct bo bo = make_bo(16 * PAGE, ALL_DOMAINS, 0);
	struct drm_vttm_submit_bo used = use(&bo, VTTM_BO_WRITE);
	struct drm_vttm_op op = fill_op(0, 0, bo.size, 0x77);

	check_eq(submit(0, &used, 1, &op, 1), 0);
	check_eq(vttm_finish(gpu, bo.handle), 0);
	check(holds(&bo, 0x77));

	/* A part of a page, and not a word more. */
	op = fill_op(0, PAGE - 8, 16, 5);
	check_eq(submit(0, &used, 1, &op, 1), 0);
	check_eq(vttm_finish(gpu, bo.handle), 0);
	check_eq(bo.map[PAGE / 8 - 2], 0x77 + (PAGE / 8 - 2) * 0x10001);
	check_eq(bo.map[PAGE / 8 - 1], 5);
	check_eq(bo.map[PAGE / 8], 5 + 0x10001);
	check_eq(bo.map[PAGE / 8 + 1], 0x77 + (PAGE / 8 + 1) * 0x10001);

	/* An empty operation may be accepted or refused. */
	op = fill_op(0, 0, 0, 5);
	check_in(submit(0, &used, 1, &op, 1), 0, -EINVAL);
}

/* Operations run one after the other, wherever their buffers are. */
void submit_in_order(void)
{
	enum { STEPS = 50 };
	struct bo bos[3];
	struct drm_vttm_submit_bo used[3];
	struct drm_vttm_op ops[STEPS * 2];

	for (int i = 0; i < 3; i++) {
		bos[i] = make_bo(4 * PAGE, ALL_DOMAINS, 0);
		used[i] = use(&bos[i], VTTM_BO_WRITE);
	}
	used[1].domains = VTTM_DOMAIN_GTT;
	for (int i = 0; i < STEPS; i++) {
		ops[2 * i] = fill_op(i % 3, 0, 4 * PAGE, i);
		ops[2 * i + 1] = copy_op((i + 1) % 3, i % 3, 4 * PAGE);
	}
	check_eq(submit(0, used, 3, ops, 2 * STEPS), 0);
	check_eq(info(bos[1].handle).domain, VTTM_DOMAIN_GTT);
	for (int i = 0; i < 3; i++)
		check_eq(vttm_finish(gpu, bos[i].handle), 0);
	check(holds(&bos[(STEPS - 1) % 3], STEPS - 1));
	check(holds(&bos[STEPS % 3], STEPS - 1));
}

/* Submits that use the same buffers wait for each other. */
void submit_implicit_order(void)
{
	enum { STEPS = 100 };
	struct bo a = make_bo(8 * PAGE, ALL_DOMAINS, 0);
	struct bo b = make_bo(8 * PAGE, ALL_DOMAINS, 0);
	struct drm_vttm_submit_bo one = use(&a, VTTM_BO_WRITE);
	struct drm_vttm_submit_bo both[] = { use(&a, 0), use(&b, VTTM_BO_WRITE) };
	struct drm_vttm_op copy = copy_op(1, 0, 8 * PAGE);

	for (int i = 0; i < STEPS; i++) {
		struct drm_vttm_op op = fill_op(0, 0, 8 * PAGE, i);

		check_eq(submit(0, &one, 1, &op, 1), 0);
		check_eq(submit(0, both, 2, &copy, 1), 0);
		if (i % 10 == 0) {
			check_eq(vttm_finish(gpu, b.handle), 0);
			check(holds(&b, i));
		}
	}
	check_eq(vttm_finish(gpu, b.handle), 0);
	check(holds(&b, STEPS - 1));
}

/* A submit with the largest number of buffers, all of which fit. */
void submit_many(void)
{
	static struct drm_vttm_submit_bo used[VTTM_SUBMIT_MAX_BOS];
	static struct drm_vttm_op ops[VTTM_SUBMIT_MAX_OPS];
	__u32 vm = make_vm();

	for (__u32 i = 0; i < VTTM_SUBMIT_MAX_BOS; i++) {
		used[i].handle = make(PAGE, ALL_DOMAINS, i % 2 ? vm : 0);
		used[i].flags = VTTM_BO_WRITE;
	}
	for (__u32 i = 0; i < VTTM_SUBMIT_MAX_OPS; i++)
		ops[i] = fill_op(i % VTTM_SUBMIT_MAX_BOS, 0, 64, i);
	check_eq(submit(vm, used, VTTM_SUBMIT_MAX_BOS, ops, VTTM_SUBMIT_MAX_OPS), 0);
	check_eq(vttm_finish(gpu, used[0].handle), 0);
}

/*
 * A submit that needs more than VRAM and GTT together is refused, and no content is
 * lost.
 */
void submit_too_much(void)
{
	enum { COUNT = 40 };
	__u64 size = (vttm_get(gpu, VTTM_PARAM_VRAM_SIZE) +
		      vttm_get(gpu, VTTM_PARAM_GTT_SIZE)) / 32;
	struct drm_vttm_submit_bo used[COUNT];
	struct bo bos[COUNT];

	for (int i = 0; i < COUNT; i++) {
		bos[i] = make_bo(size, ALL_DOMAINS, 0);
		fill(&bos[i], i);
		used[i] = use(&bos[i], 0);
	}
	check_eq(submit(0, used, COUNT, NULL, 0), -ENOSPC);
	for (int i = 0; i < COUNT; i++)
		check(holds(&bos[i], i));
	check_eq(submit(0, used, COUNT / 4, NULL, 0), 0);
}

/*
 * A thousand small buffers all over VRAM, and one buffer that needs most of it in one
 * piece: they fit together only if the small ones move.
 */
static void submit_scattered(__u32 vm)
{
	enum { SMALL = 1000 };
	static struct drm_vttm_submit_bo used[SMALL + 1];
	__u64 vram = vttm_get(gpu, VTTM_PARAM_VRAM_SIZE);
	__u64 gap = vram / SMALL / PAGE * PAGE - PAGE;
	__u64 first = vram, last = 0;
	__u32 gaps[SMALL];

	for (int i = 0; i < SMALL; i++) {
		used[i].handle = make(PAGE, VTTM_DOMAIN_VRAM, vm);
		used[i].flags = 0;
		check_eq(vttm_prefetch(gpu, used[i].handle, 0), 0);
		gaps[i] = make(gap, VTTM_DOMAIN_VRAM, vm);
		check_eq(vttm_prefetch(gpu, gaps[i], 0), 0);
	}
	for (int i = 0; i < SMALL; i++) {
		__u64 start = info(used[i].handle).start;

		first = start < first ? start : first;
		last = start > last ? start : last;
		check_eq(drm_close_handle(gpu, gaps[i]), 0);
	}
	check(last - first > vram / 8 * 7);

	used[SMALL].handle = make(vram / 8 * 5, VTTM_DOMAIN_VRAM, vm);
	check_eq(submit(vm, used, SMALL + 1, NULL, 0), 0);
	for (int i = 0; i <= SMALL; i++)
		check_eq(info(used[i].handle).domain, VTTM_DOMAIN_VRAM);
}

void submit_scattered_loose(void)
{
	submit_scattered(0);
}

void submit_scattered_vm(void)
{
	submit_scattered(make_vm());
}
