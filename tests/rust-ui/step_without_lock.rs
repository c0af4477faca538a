// SPDX-License-Identifier: GPL-2.0 OR MIT
//! Only a walk, which has the lock, can step.

use core::pin::pin;
use kernel::drm::ttm::{test_device, Manager};

fn case(vram: &Manager<test_device::Driver>) {
    let mut cursor = pin!(vram.cursor());

    #[cfg(not(control))]
    cursor.as_mut().next(); //~ error[E0599]: no method named `next` found for struct `Pin<
    #[cfg(control)]
    cursor.as_mut().lock().next();
}
