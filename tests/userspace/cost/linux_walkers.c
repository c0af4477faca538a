// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Linux's own walkers, as they stand in its ttm_bo_util.c. */

#include <drm/ttm/ttm_bo.h>

#include "ttm_bo_internal.h"

#include "walkers-extracted.h"
