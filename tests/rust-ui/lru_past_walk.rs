// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A lent lock can't outlive the walk.

use core::pin::pin;
use kernel::drm::ttm::{test_device, Manager, MemType};

fn case(vram: &Manager<test_device::Driver>) {
    let mut cursor = pin!(vram.cursor());
    let mut walk = cursor.as_mut().lock();

    let mut lru = walk.lru();
    #[cfg(not(control))]
    drop(walk); //~ error[E0505]: cannot move out of `walk` because it is borrowed
    lru.visit(MemType::VRAM, |_| ());
}
