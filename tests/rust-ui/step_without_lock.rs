// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A cursor can't step: only a walk, which holds the lock, can.

use core::pin::pin;
use kernel::drm::ttm::{test_device, Manager};

fn case(vram: &Manager<test_device::Driver>) {
    let mut cursor = pin!(vram.cursor());

    #[cfg(not(control))]
    cursor.as_mut().next(); //~ error[E0599]: no method named `next` found for struct `Pin<
    #[cfg(control)]
    cursor.as_mut().lock().next();
}
