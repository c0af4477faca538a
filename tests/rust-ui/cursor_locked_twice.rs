// SPDX-License-Identifier: GPL-2.0 OR MIT
//! The lock can't be taken twice through one cursor.

use core::pin::pin;
use kernel::drm::ttm::{test_device, Manager};

fn case(vram: &Manager<test_device::Driver>) {
    let mut cursor = pin!(vram.cursor());
    let mut walk = cursor.as_mut().lock();

    #[cfg(not(control))]
    cursor.as_mut().lock().next(); //~ error[E0499]: cannot borrow `cursor` as mutable more than once at a time
    walk.next();
}
