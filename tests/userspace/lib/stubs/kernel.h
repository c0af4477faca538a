/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * What TTM's list code needs of the kernel, in user space. Every kernel header
 * that is not TTM's own nor <linux/list.h> resolves to this file.
 */
#ifndef _STUB_KERNEL_H_
#define _STUB_KERNEL_H_

#include "types.h"
#include "warn.h"
#include "lock.h"
#ifdef JUDGED
#include "contended.h"
#else
#include "resv.h"
#endif
#include "iomem.h"
#include "drm.h"

#endif
