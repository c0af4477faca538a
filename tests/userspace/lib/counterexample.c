// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Worlds as pictures, operations in words, both as KUnit cases. */

#include "private.h"
#include "counterexample.h"
#include "list_snapshot.h"

static char res_letter(unsigned int r)
{
	return r == NONE ? '.' : r == AGAIN ? '-' : 'a' + r;
}

static char walk_letter(unsigned int w)
{
	return 'H' + w;
}

static char bulk_mark(unsigned int bulk)
{
	return "*+%#"[bulk & 3];
}

static const char *bulk_word(unsigned int bulk)
{
	static const char * const words[] = { "STAR", "PLUS", "PERCENT", "HASH" };

	return words[bulk & 3];
}

/*
 * Pictures
 */

static void draw_token(FILE *out, unsigned int token)
{
	if (token & VIEW_HITCH) {
		fprintf(out, " %c", walk_letter(token & ~VIEW_HITCH));
		return;
	}
	fprintf(out, " %c", res_letter(token));
	if (world.model.res[token].place == RANGE)
		fputc(bulk_mark(world.model.res[token].bulk), out);
}

/* Trailing empty lists aren't drawn. */
static void draw_list(FILE *out, const struct view *view, unsigned int i,
		      unsigned int list, unsigned int *bars)
{
	if (view->token[i] & VIEW_END)
		return;
	if (list == view_lists() - 1) {
		fputs(" /", out);
	} else {
		for (; *bars < list; ++*bars)
			fputs((*bars + 1) % view_prios() ? " |" : " \\", out);
	}
	for (; !(view->token[i] & VIEW_END); i++)
		draw_token(out, view->token[i]);
}

void counterexample_picture(FILE *out)
{
	unsigned int list = 0, bars = 0;
	struct view view;

	if (!view_read(&view)) {
		fputs(" (corrupted)", out);
		return;
	}
	for (unsigned int i = 0; i < view.n; list++) {
		draw_list(out, &view, i, list, &bars);
		while (!(view.token[i++] & VIEW_END))
			;
	}
}

/*
 * Words
 */

static void words_alloc(FILE *out, const struct op *op)
{
	fprintf(out, "%c is allocated", res_letter(op->a));
	if (op->b)
		fprintf(out, " in memory type %u", op->b);
	if (rules & RULES_ALL_FLAGS)
		return;
	if (ALLOC_PRIO(op->c))
		fprintf(out, ", priority %u", ALLOC_PRIO(op->c));
	if (ALLOC_BULK(op->c) != NONE)
		fprintf(out, ", in bulk %c", bulk_mark(ALLOC_BULK(op->c)));
	if (ALLOC_UNEVICTABLE(op->c))
		fputs(", pinned", out);
}

static void words_walk(FILE *out, const struct op *op)
{
	const char *word = hold_words[op->b];
	unsigned int n = 0;

	fprintf(out, "%c:", walk_letter(op->a));
	for (; *word; word++) {
		static const char * const steps[] = {
			['F'] = "first", ['n'] = "next", ['r'] = "restart",
			['b'] = "init bounded", ['a'] = "advance",
			['w'] = "advance within 1", ['s'] = "skip",
			['p'] = "pause", ['f'] = "fini",
		};

		fprintf(out, " %s", steps[(u8)*word]);
		if (strchr("Fnaw", *word) && n < op_returned.n)
			fprintf(out, " -> %c", res_letter(op_returned.slot[n++]));
	}
}

void counterexample_words(FILE *out, const struct op *op)
{
	char r = res_letter(op->a);

	switch (op->kind) {
	case OP_ALLOC:
		words_alloc(out, op);
		break;
	case OP_FREE:
		fprintf(out, "%c is freed", r);
		break;
	case OP_ASSIGN:
		fprintf(out, "%c becomes its buffer's resource", r);
		break;
	case OP_TAIL:
		fprintf(out, "%c goes to the tail", r);
		break;
	case OP_SET_BULK:
		if (op->b == NONE)
			fprintf(out, "%c leaves its bulk", r);
		else
			fprintf(out, "%c joins bulk %c", r, bulk_mark(op->b));
		break;
	case OP_PIN:
		fprintf(out, "%c is pinned", r);
		break;
	case OP_UNPIN:
		fprintf(out, "%c is unpinned", r);
		break;
	case OP_FLAG:
		fprintf(out, "%c is swapped %s (the list isn't told yet)", r,
			slot_unevictable(slot(op->a)) ? "out" : "in");
		break;
	case OP_SHRINK:
		fprintf(out, "%c is swapped out", r);
		break;
	case OP_POPULATE:
		fprintf(out, "%c is swapped in", r);
		break;
	case OP_ADD:
		fprintf(out, "%c: add_bulk_move", r);
		break;
	case OP_DEL:
		fprintf(out, "%c: del_bulk_move", r);
		break;
	case OP_TRANSFER:
		fprintf(out, "%c goes to a ghost (the list isn't told yet)", r);
		break;
	case OP_PRIO:
		fprintf(out, "%c's buffer gets priority %u", r, op->b);
		break;
	case OP_BULK_TAIL:
		fprintf(out, "bulk %c goes to the tail", bulk_mark(op->a));
		break;
	case OP_BULK_FINI:
		fprintf(out, "bulk %c ends and begins anew", bulk_mark(op->a));
		break;
	case OP_UNEVICTABLE:
		fprintf(out, "a walk over the unevictable: %s",
			op->a ? "one step" : "all");
		if (op->b != NONE)
			fprintf(out, "; %c goes to the tail in between",
				res_letter(op->b));
		break;
	default:
		words_walk(out, op);
	}
}

/*
 * KUnit: in the words of the suites in drivers/gpu/drm/ttm/tests/
 */

static void kunit_alloc(FILE *out, const struct op *op)
{
	char r = res_letter(op->a);

	fprintf(out, "\tlru_make(w, '%c', %u, ", r, ALLOC_PRIO(op->c));
	if (ALLOC_BULK(op->c) == NONE)
		fputs("NULL, ", out);
	else
		fprintf(out, "&w->bulk[%s], ", bulk_word(ALLOC_BULK(op->c)));
	fprintf(out, "%s);\n", ALLOC_UNEVICTABLE(op->c) ? "true" : "false");
}

static void kunit_call(FILE *out, const char *call, char r)
{
	fprintf(out, "\t%s(w, '%c');\n", call, r);
}

static void kunit_walk(FILE *out, const struct op *op)
{
	const char *word = hold_words[op->b];
	char w = walk_letter(op->a), name[2] = "";

	if (op_returned.n && op_returned.slot[0] < MAX_RES)
		name[0] = res_letter(op_returned.slot[0]);
	if (!strcmp(word, "F"))
		fprintf(out, "\tEXPECT_FIRST(w, %c, \"%s\");\n", w, name);
	else if (!strcmp(word, "n"))
		fprintf(out, "\tEXPECT_NEXT(w, %c, \"%s\");\n", w, name);
	else if (!strcmp(word, "f"))
		fprintf(out, "\tlru_fini(w, %c);\n", w);
	else
		fprintf(out, "\t/* in one hold, %c: %s */\n", w, word);
}

static const char * const kunit_calls[OP_KINDS] = {
	[OP_FREE] = "lru_free",
	[OP_TAIL] = "lru_tail",
	[OP_PIN] = "lru_pin",
	[OP_UNPIN] = "lru_unpin",
	[OP_POPULATE] = "lru_populate",
};

void counterexample_kunit(FILE *out, const struct op *op)
{
	char r = res_letter(op->a);

	if (kunit_calls[op->kind]) {
		kunit_call(out, kunit_calls[op->kind], r);
		return;
	}
	switch (op->kind) {
	case OP_ALLOC:
		kunit_alloc(out, op);
		break;
	case OP_SET_BULK:
		if (op->b == NONE)
			kunit_call(out, "lru_leave", r);
		else
			fprintf(out, "\tlru_join(w, '%c', %s);\n", r,
				bulk_word(op->b));
		break;
	case OP_PRIO:
		fprintf(out, "\tlru_set_priority(w, '%c', %u);\n", r, op->b);
		break;
	case OP_BULK_TAIL:
		fprintf(out, "\tlru_bulk_tail(w, %s);\n", bulk_word(op->a));
		break;
	case OP_WALK:
		kunit_walk(out, op);
		break;
	default:
		/* What has no name there, or happens inside of TTM. */
		fputs("\t/* ", out);
		counterexample_words(out, op);
		fputs(" */\n", out);
	}
}
