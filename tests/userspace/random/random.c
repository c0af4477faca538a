// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * random [SECONDS [SEED]]: histories made up blindly; for compilers without
 * libFuzzer, and where the answer is wanted at once. Given files: their bytes.
 */

#include <time.h>

#include "crash_guard.h"
#include "op_sequence.h"

#define HISTORY		3001

static u64 state;

static u64 next(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void fill(u8 *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		data[i] = next() >> 32;
}

static int run_file(const char *name)
{
	static u8 data[1 << 20];
	FILE *file = fopen(name, "rb");
	size_t size;

	if (!file) {
		perror(name);
		return 1;
	}
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	return !op_sequence_run(data, size);
}

int main(int argc, char **argv)
{
	double limit = argc > 1 ? atof(argv[1]) : 10;
	unsigned long histories = 0;
	clock_t end;
	u8 data[HISTORY];

	crash_guard_init();
	if (argc > 1 && !limit) {
		for (int i = 1; i < argc; i++)
			if (run_file(argv[i]))
				return 1;
		printf("random: %d histories from files, no violation\n",
		       argc - 1);
		return 0;
	}

	state = 0x9e3779b97f4a7c15 + (argc > 2 ? atol(argv[2]) : 1);
	end = clock() + limit * CLOCKS_PER_SEC;
	do {
		fill(data, sizeof(data));
		if (!op_sequence_run(data, sizeof(data)))
			return 1;
		histories++;
	} while (clock() < end);
	printf("random: %lu histories of up to %u operations, no violation\n",
	       histories, (HISTORY - 1) / 3);
	return 0;
}
