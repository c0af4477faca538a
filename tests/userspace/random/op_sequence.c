// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A row of bytes as a history of operations in a large world. With JUDGE=warnings
 * in the environment only what the core itself says counts.
 */

#include "crash_guard.h"
#include "op_sequence.h"
#include "ops.h"
#include "counterexample.h"
#include "list_snapshot.h"

/* Three bytes for an operation: its kind, its subject, and its object. */
#define OP_BYTES	3

/* Walks get a share of their own, as they are what is tested. */
static struct op decode(const u8 *data)
{
	struct op op = { .kind = data[0] % (OP_KINDS + 7), .a = data[1] };
	unsigned int with = data[2], bulk;

	switch (op.kind) {
	case OP_ALLOC:
		op.a %= shape.res;
		op.b = data[0] >> 7 && shape.types > 1;
		bulk = with % (shape.bulks + 2);
		op.c = ALLOC_FLAGS(bulk < shape.bulks ? bulk : 7,
				   with >> 5 == 7, (with >> 3) % shape.prios);
		break;
	case OP_SET_BULK:
		op.a %= shape.res;
		bulk = with % (shape.bulks + 2);
		op.b = bulk < shape.bulks ? bulk : NONE;
		break;
	case OP_PRIO:
		op.a %= shape.res;
		op.b = with % shape.prios;
		break;
	case OP_BULK_TAIL:
	case OP_BULK_FINI:
		op.a %= shape.bulks;
		break;
	case OP_UNEVICTABLE:
		op.a %= 2;
		op.b = with % (shape.res + 1);
		if (op.b == shape.res)
			op.b = NONE;
		break;
	default:
		if (op.kind < OP_WALK) {
			op.a %= shape.res;
			break;
		}
		op.kind = OP_WALK;
		op.a %= shape.walks;
		/* Half of all: one step, as most walkers do it. */
		op.b = with & 1 ? 1 : (with >> 1) % nr_hold_words();
	}
	return op;
}

static bool warnings_only(void)
{
	static int only = -1;

	if (only < 0) {
		const char *judge = getenv("JUDGE");

		only = judge && !strcmp(judge, "warnings");
	}
	return only;
}

static bool do_op(const struct op *op)
{
	struct view view;

	lru_verdict.broken = 0;
	if (!crash_guard_op_do(op))
		return false;
	if (warnings_only())
		return !(lru_verdict.broken & BIT(NO_WARNING));
	if (view_read(&view)) {
		view_check(&view);
		view_check_readers(&view);
	}
	return !lru_verdict.broken;
}

static void begin(u8 how)
{
	shape = (struct shape) { MAX_RES, MAX_BULKS, MAX_WALKS, 1, 1 };
	if (how & 1)
		shape.prios = MAX_PRIOS;
	if (how & 2)
		shape.types = MAX_TYPES;
	/* In a crowd not much happens in one place. */
	if (how & 4)
		shape.res = MAX_RES / 4;
	rules = how & 8 ? RULES_ALL_FLAGS : 0;
	max_pins = 2;
	world_init();
	for (unsigned int r = 3; how & 16 && r < shape.res; r += 4)
		slot(r)->bo.ttm = NULL;
	stub_warnings.count = 0;
}

static void tell(const struct op *op)
{
	counterexample_words(stderr, op);
	fputs("\n\t\t", stderr);
	counterexample_picture(stderr);
	fputc('\n', stderr);
}

static bool run(const u8 *data, size_t size, bool telling)
{
	begin(*data++);
	for (size--; size >= OP_BYTES; size -= OP_BYTES, data += OP_BYTES) {
		struct op op = decode(data);
		bool good;

		if (!op_possible(&op))
			continue;
		good = do_op(&op);
		if (telling)
			tell(&op);
		if (!good)
			return false;
	}
	return true;
}

bool op_sequence_run(const u8 *data, size_t size)
{
	if (!size || run(data, size, false))
		return true;

	run(data, size, true);
	for (unsigned int p = 0; p < PROMISES; p++)
		if (lru_verdict.broken & BIT(p))
			fprintf(stderr, "promise %u is broken: %s\n", p + 1,
				lru_verdict.why[p]);
	return false;
}
