// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Every state that a small world can reach, breadth first: from each state
 * every operation that is possible, until nothing new is found.
 */

#include <time.h>

#include "crash_guard.h"
#include "ops.h"
#include "private.h"
#include "states.h"
#include "counterexample.h"
#include "worlds.h"

struct exploration {
	struct states states;
	struct op_table ops;
	size_t at;		/* the state that is being left */
	unsigned long transitions;
	unsigned int violations;
	unsigned int depth;
	size_t depth_ends;	/* states of this depth or less */
	struct timespec start;
	/* What was shown already, in a core that breaks more than one. */
	const char *shown[32];
	unsigned int nr_shown;
};

static struct exploration x;
static struct world before;
static size_t max_states = 2000000000;
static double progress = 10, next_progress;

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec - x.start.tv_sec +
	       (now.tv_nsec - x.start.tv_nsec) / 1e9;
}

/* Do an operation on the world as it is, and judge what came of it. */
static void step(const struct op *op, struct view *view)
{
	lru_verdict.broken = 0;
	if (!crash_guard_op_do(op))
		return;
	if (view_read(view))
		view_check(view);
}

/* The same without cursors, where the model cannot tell. */
static void step_unseen(const struct op *op, const struct view *with)
{
	struct lru_verdict found = lru_verdict;
	struct world here = world;
	struct op_returned last = op_returned;
	struct view without;

	if (!IS_PRISTINE || op->kind == OP_WALK)
		return;
	world = before;
	for (unsigned int w = 0; w < shape.walks; w++) {
		spin_lock(&world.bdev.lru_lock);
		ttm_resource_cursor_fini(&world.cursor[w]);
		spin_unlock(&world.bdev.lru_lock);
	}
	step(op, &without);
	if (lru_verdict.broken & BIT(NO_CRASH))
		without = *with;
	lru_verdict = found;
	world = here;
	op_returned = last;
	view_check_unseen(with, &without);
}

/* The state that is left when a violation has been shown. */
static void go_on(const struct view *view)
{
	if (IS_PRISTINE)
		view_resync(view);
}

/*
 * Telling
 */

static const char * const promises[PROMISES] = {
	[P1_COMPLETE] = "P1 (complete)",
	[P2_NO_REPEATS] = "P2 (no repeats)",
	[P3_UNSEEN] = "P3 (unseen)",
	[P4_RANGES] = "P4 (ranges)",
	[P5_IN_PLACE] = "P5 (in its place)",
	[P6_FUSED] = "P6 (fused)",
	[P7_BOUNDED] = "P7 (bounded)",
	[NO_WARNING] = "no warning",
	[NO_CRASH] = "no crash, no hang",
};

struct telling {
	FILE *kunit;
	unsigned int nr;
};

static void tell(struct telling *telling, const struct op *op, bool crashed)
{
	char *words;
	size_t size;
	FILE *out = open_memstream(&words, &size);

	counterexample_words(out, op);
	fclose(out);
	printf("  %2u  %-44s", ++telling->nr, words);
	free(words);
	if (!crashed)
		counterexample_picture(stdout);
	putchar('\n');
	counterexample_kunit(telling->kunit, op);
}

static bool leads_to(const struct op *op, const struct packed *to)
{
	struct view view;
	struct packed packed;

	step(op, &view);
	if (lru_verdict.broken && !IS_PRISTINE)
		return false;
	if (lru_verdict.broken & BIT(NO_CRASH))
		return false;
	go_on(&view);
	packed = pack(&view);
	return packed_equal(&packed, to);
}

/*
 * Names change from state to state, as they are canonical in each; in a story
 * they must not. So it is told in a world of its own: always by an operation
 * that leads to what is, but for names, the next state.
 */
static void retell(struct telling *telling, const struct packed *to)
{
	struct world here = world;

	for (unsigned int i = 0; i < x.ops.n; i++) {
		world = here;
		if (!op_possible(&x.ops.op[i]) || !leads_to(&x.ops.op[i], to))
			continue;
		tell(telling, &x.ops.op[i], false);
		return;
	}
	printf("  (lost the thread)\n");
}

static void tell_debts(const struct world *then, const struct op *op)
{
	u32 owed;

	if (op->kind != OP_WALK)
		return;
	owed = then->model.walk[op->a].owed;
	if (!(lru_verdict.broken & BIT(P1_COMPLETE)) || !owed)
		return;
	printf("      still owed to %c:", 'H' + op->a);
	for (; owed; owed &= owed - 1)
		printf(" %c", 'a' + __builtin_ctz(owed));
	putchar('\n');
}

/* The operation that breaks it, from the world as the story has it. */
static void tell_end(struct telling *telling, enum lru_promise promise,
		     const char *why)
{
	struct world here = world;
	struct view view;

	for (unsigned int i = 0; i < x.ops.n; i++) {
		world = here;
		if (!op_possible(&x.ops.op[i]))
			continue;
		step(&x.ops.op[i], &view);
		if (!(lru_verdict.broken & BIT(promise)) ||
		    strcmp(lru_verdict.why[promise], why))
			continue;
		tell(telling, &x.ops.op[i], lru_verdict.broken & BIT(NO_CRASH));
		tell_debts(&here, &x.ops.op[i]);
		return;
	}
	printf("  (lost the thread)\n");
}

static void tell_kunit(enum lru_promise promise, const char *lines)
{
	puts("\nstatic void ttm_lru_explored(struct kunit *test)\n{");
	puts("\tstruct lru_world *w = lru_world(test, \"\");\n");
	printf("%s\t/* %s */\n}\n\n", lines, promises[promise]);
}

static void tell_story(u32 number, enum lru_promise promise, const char *why)
{
	u32 path[256], n = 0;
	struct telling telling = {};
	char *lines;
	size_t size;

	telling.kunit = open_memstream(&lines, &size);
	for (; number && n < ARRAY_SIZE(path); number = x.states.state[number].parent)
		path[n++] = number;

	printf("\n%s is broken: %s\n\n", promises[promise], why);
	unpack(x.states.state[0].packed);
	while (n--)
		retell(&telling, &x.states.state[path[n]].packed);
	tell_end(&telling, promise, why);
	fclose(telling.kunit);
	tell_kunit(promise, lines);
	free(lines);
}

static bool was_shown(const char *why)
{
	for (unsigned int i = 0; i < x.nr_shown; i++)
		if (!strcmp(x.shown[i], why))
			return true;
	if (x.nr_shown < ARRAY_SIZE(x.shown))
		x.shown[x.nr_shown++] = why;
	return false;
}

/* The shortest story of each kind of violation: that is the first found. */
static void show_violations(void)
{
	struct lru_verdict found = lru_verdict;
	struct world here = world;
	struct op_returned last = op_returned;

	x.violations++;
	for (unsigned int p = 0; p < PROMISES; p++)
		if (found.broken & BIT(p) && !was_shown(found.why[p]))
			tell_story(x.at, p, found.why[p]);
	lru_verdict = found;
	world = here;
	op_returned = last;
	fflush(stdout);
}

static void show_progress(void)
{
	double now = seconds();

	if (now < next_progress)
		return;
	next_progress = now + progress;
	printf("  ... %zu states, %zu to go, depth %u, %.2f M transitions/s\n",
	       x.states.n, x.states.n - x.at, x.depth,
	       x.transitions / now / 1e6);
	fflush(stdout);
}

/*
 * Exploring
 */

#define MAX_SUCCESSORS	1024

static void add_all(const struct packed *packed, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		states_add(&x.states, &packed[i], x.at);
}

/* False if this core is not worth looking at further. */
static bool leave_state(void)
{
	static struct packed next[MAX_SUCCESSORS];
	unsigned int n = 0;
	struct view view;
	bool clean = false;

	unpack(x.states.state[x.at].packed);
	before = world;
	for (unsigned int i = 0; i < x.ops.n; i++) {
		if (clean)
			world = before;
		clean = op_possible(&x.ops.op[i]);
		if (!clean)
			continue;
		step(&x.ops.op[i], &view);
		if (!(lru_verdict.broken & BIT(NO_CRASH)))
			step_unseen(&x.ops.op[i], &view);
		x.transitions++;
		if (unlikely(lru_verdict.broken)) {
			show_violations();
			if (!IS_PRISTINE)
				return false;
			if (lru_verdict.broken & BIT(NO_CRASH))
				continue;
			go_on(&view);
		}
		next[n] = pack(&view);
		states_prefetch(&x.states, &next[n++]);
	}
	add_all(next, n);
	return true;
}

static void explore(const struct explored_world *w)
{
	struct view view;
	struct packed first;

	memset(&x, 0, sizeof(x));
	shape = w->shape;
	rules = w->rules;
	max_pins = w->pins ?: 1;
	clock_gettime(CLOCK_MONOTONIC, &x.start);
	next_progress = progress;

	pack_init();
	op_table_init(&x.ops);
	states_init(&x.states, max_states);
	view_read(&view);
	first = pack(&view);
	states_add(&x.states, &first, 0);

	for (x.depth_ends = 1; x.at < x.states.n; x.at++) {
		if (x.at == x.depth_ends) {
			x.depth++;
			x.depth_ends = x.states.n;
		}
		if (!(x.at & 1023))
			show_progress();
		if (!leave_state())
			break;
		if (IS_PRISTINE && w->enough && x.states.n > w->enough)
			break;
	}
	printf("%-22s %12zu states %14lu transitions %4u deep %5u violations %8.1f s%s\n",
	       w->name, x.states.n, x.transitions, x.depth, x.violations,
	       seconds(), x.at < x.states.n ? " (not closed)" : "");
	fflush(stdout);
	states_free(&x.states);
}

static bool is_wanted(const struct explored_world *w, int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], w->name) || !strcmp(argv[i], w->set) ||
		    !strcmp(argv[i], "all"))
			return true;
	return argc == 1 && !strcmp(w->set, "quick");
}

int main(int argc, char **argv)
{
	unsigned int explored = 0, broken = 0;

	if (getenv("PROGRESS"))
		progress = atof(getenv("PROGRESS"));
	crash_guard_init();
	for (const struct explored_world *w = explored_worlds; w->name; w++) {
		if (!is_wanted(w, argc, argv))
			continue;
		explore(w);
		explored++;
		broken += !!x.violations;
	}
	if (!explored)
		fprintf(stderr, "explore: no such world\n");
	return !explored || (broken && !IS_PRISTINE);
}
