// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A walk over reserved buffers can't be replaced once it is pinned.

use core::pin::pin;
use kernel::drm::ttm::{test_device, Manager, OperationCtx};

fn case(vram: &Manager<test_device::Driver>) {
    let mut walk = pin!(vram.walk(&OperationCtx::new()).waiting());

    walk.as_mut().next();
    #[cfg(not(control))]
    walk.unbounded(); //~ error[E0507]: cannot move out of dereference of `Pin
}
