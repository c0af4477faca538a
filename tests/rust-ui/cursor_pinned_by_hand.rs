// SPDX-License-Identifier: GPL-2.0 OR MIT
//! Safe code can't claim that a cursor is pinned.

use core::pin::{pin, Pin};
use kernel::drm::ttm::{test_device, Manager};

fn case(vram: &Manager<test_device::Driver>) {
    #[allow(unused_mut)]
    let mut cursor = vram.cursor();

    #[cfg(not(control))]
    let pinned = Pin::new(&mut cursor); //~ error[E0277]: `PhantomPinned` cannot be unpinned
    #[cfg(control)]
    let pinned = pin!(cursor);
    pinned.lock();
}
