// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Operations that may crash, or never come back. */

#include <signal.h>
#include <sys/time.h>

#include "access_counter.h"
#include "crash_guard.h"

/* In ticks of processor time; an operation takes less than a millionth. */
#define TICK_US		20000
#define TOO_MANY_TICKS	5

static sigjmp_buf caught;
static volatile sig_atomic_t in_op, ticks;

static void on_crash(int nr)
{
	if (!in_op) {
		signal(nr, SIG_DFL);
		raise(nr);
	}
	siglongjmp(caught, nr);
}

static void on_tick(int nr)
{
	if (in_op && ++ticks > TOO_MANY_TICKS)
		siglongjmp(caught, nr);
}

/* Where accesses are counted it shows much sooner. */
static void on_too_many(void)
{
	if (in_op)
		siglongjmp(caught, SIGVTALRM);
}

void crash_guard_init(void)
{
	const int crashes[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP };
	struct itimerval tick = { { 0, TICK_US }, { 0, TICK_US } };
	struct sigaction action = {
		.sa_handler = on_crash, .sa_flags = SA_NODEFER,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(crashes); i++)
		sigaction(crashes[i], &action, NULL);
	action.sa_handler = on_tick;
	action.sa_flags |= SA_RESTART;
	sigaction(SIGVTALRM, &action, NULL);
	setitimer(ITIMER_VIRTUAL, &tick, NULL);
	access_too_many = on_too_many;
}

bool crash_guard_op_do(const struct op *op)
{
	int nr;

	ticks = 0;
	access_count = 0;
	nr = sigsetjmp(caught, 0);
	if (nr) {
		in_op = false;
		stub_stop.left = 0;
		stub_warnings.count = 0;
		lru_judge(NO_CRASH, nr == SIGVTALRM ? "it never comes back" :
						  "it crashes");
		return false;
	}
	in_op = true;
	op_do(op);
	in_op = false;
	return true;
}
