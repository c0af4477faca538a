// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A cursor can't be moved after it was first used.

use core::pin::pin;
use kernel::drm::ttm::{test_device, Manager};

fn case(vram: &Manager<test_device::Driver>) {
    let mut cursor = pin!(vram.cursor());

    cursor.as_mut().lock().next();
    #[cfg(not(control))]
    let moved = *cursor; //~ error[E0507]: cannot move out of dereference of `Pin
    #[cfg(control)]
    let moved = cursor;
    let _ = moved;
}
