// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A walk lends its lock only until the next step.

use core::pin::pin;
use kernel::drm::ttm::{test_device, Manager, MemType};

fn case(vram: &Manager<test_device::Driver>) {
    let mut cursor = pin!(vram.cursor());
    let mut walk = cursor.as_mut().lock();

    let mut lru = walk.lru();
    #[cfg(not(control))]
    walk.next(); //~ error[E0499]: cannot borrow `walk` as mutable more than once at a time
    lru.visit(MemType::VRAM, |_| ());
}
