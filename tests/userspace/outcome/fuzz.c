// SPDX-License-Identifier: GPL-2.0 OR MIT
/* For libFuzzer: a world and what others do in it, from bytes. */

#include "driver.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	if (!history(data, size))
		abort();
	return 0;
}
