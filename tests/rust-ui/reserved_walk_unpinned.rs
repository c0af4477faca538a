// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A walk over reserved buffers can't be used before it is pinned.

use core::pin::pin;
use kernel::drm::ttm::{test_device, Manager, OperationCtx};

fn case(vram: &Manager<test_device::Driver>) {
    #[cfg(not(control))]
    let walk = vram.walk(&OperationCtx::new());
    #[cfg(control)]
    let walk = pin!(vram.walk(&OperationCtx::new()));
    for bo in walk {} //~ error[E0277]: `ReservedWalk<'_
}
