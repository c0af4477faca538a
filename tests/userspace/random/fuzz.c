// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Histories that libFuzzer makes up. */

#include "op_sequence.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	if (!op_sequence_run(data, size))
		abort();
	return 0;
}
