// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A cursor can't be used before it is pinned.

use core::pin::pin;
use kernel::drm::ttm::{test_device, Manager};

fn case(vram: &Manager<test_device::Driver>) {
    #[cfg(not(control))]
    vram.cursor().lock(); //~ error[E0599]: no method named `lock` found
    #[cfg(control)]
    pin!(vram.cursor()).lock();
}
