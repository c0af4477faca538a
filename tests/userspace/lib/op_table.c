// SPDX-License-Identifier: GPL-2.0 OR MIT
/* All operations of a world of the current shape. */

#include "ops.h"

/* The short holds come first, the pristine core has only some of these. */
const char *hold_words[] = {
	"F", "n", "f",
	"aap", "sp", "asp", "asap", "rp", "raap", "af", "brp", "brap",
	"wp", "wsp",
	/* long */
	"rsp", "rasp", "rasap", "aaap", "aasp", "aasap", "aaaap", "asaap",
	"sap", "saap", "sasp", "asasp", "raaap", "raasap", "apap", "arap",
	"asrap", "pap", "ssp", "assp", "rf", "sf", "aaf", "rrp", "aaaaap",
	"braap", "braaap", "brasap", "abrap", "brrap",
	"wwp", "wap", "awp", "swp", "rwp", "brwp", "wf", "wwwp", "wasp", "wwsp",
	"wswp", "wsap", "aswp", "wpwp", "wpap", "wpsp", "wbrwp", "wrwp",
	NULL
};

#define HOLDS_CALLERS	3
#define HOLDS_SHORT	14

static void put(struct op_table *table, unsigned int kind, unsigned int a,
		unsigned int b, unsigned int c)
{
	if (WARN_ON(table->n == ARRAY_SIZE(table->op)))
		return;
	table->op[table->n++] = (struct op) { kind, a, b, c };
}

static void put_allocs(struct op_table *table, unsigned int r)
{
	for (unsigned int type = 0; type < shape.types; type++) {
		if (rules & RULES_ALL_FLAGS) {
			put(table, OP_ALLOC, r, type, 0);
			continue;
		}
		for (unsigned int bulk = 0; bulk <= shape.bulks; bulk++) {
			unsigned int b = bulk ? bulk - 1 : 7;

			for (unsigned int p = 0; p < shape.prios; p++) {
				put(table, OP_ALLOC, r, type,
				    ALLOC_FLAGS(b, 0, p));
				put(table, OP_ALLOC, r, type,
				    ALLOC_FLAGS(b, 1, p));
			}
		}
	}
}

static void put_slot(struct op_table *table, unsigned int r)
{
	static const u8 plain[] = {
		OP_TAIL, OP_FREE, OP_PIN, OP_UNPIN, OP_FLAG, OP_SHRINK,
		OP_POPULATE, OP_TRANSFER,
	};

	put_allocs(table, r);
	put(table, OP_SET_BULK, r, NONE, 0);
	for (unsigned int b = 0; b < shape.bulks; b++)
		put(table, OP_SET_BULK, r, b, 0);
	for (unsigned int i = 0; i < ARRAY_SIZE(plain); i++)
		put(table, plain[i], r, 0, 0);
	for (unsigned int p = 0; shape.prios > 1 && p < shape.prios; p++)
		put(table, OP_PRIO, r, p, 0);
	if (rules & RULES_ALL_FLAGS)
		put(table, OP_ASSIGN, r, 0, 0);
	if (rules & RULES_CALLERS)
		return;
	put(table, OP_ADD, r, 0, 0);
	put(table, OP_DEL, r, 0, 0);
}

unsigned int nr_hold_words(void)
{
	return ARRAY_SIZE(hold_words) - 1;
}

static unsigned int nr_holds(void)
{
	if (rules & RULES_CALLERS)
		return HOLDS_CALLERS;
	return rules & RULES_LONG_HOLDS ? nr_hold_words() : HOLDS_SHORT;
}

void op_table_init(struct op_table *table)
{
	table->n = 0;
	for (unsigned int w = 0; w < shape.walks; w++)
		for (unsigned int i = 0; i < nr_holds(); i++)
			put(table, OP_WALK, w, i, 0);
	for (unsigned int r = 0; r < shape.res; r++)
		put_slot(table, r);
	for (unsigned int b = 0; b < shape.bulks; b++) {
		put(table, OP_BULK_TAIL, b, 0, 0);
		put(table, OP_BULK_FINI, b, 0, 0);
	}
	for (unsigned int steps = 0; !(rules & RULES_CALLERS) && steps < 2;
	     steps++)
		put(table, OP_UNEVICTABLE, steps, NONE, 0);
	for (unsigned int r = 0; !(rules & RULES_CALLERS) && r < shape.res; r++)
		put(table, OP_UNEVICTABLE, 0, r, 0);
}
