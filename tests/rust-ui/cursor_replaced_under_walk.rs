// SPDX-License-Identifier: GPL-2.0 OR MIT
//! The cursor of a walk can't be replaced during the walk.

use core::pin::pin;
use kernel::drm::ttm::{test_device, Manager};

fn case(vram: &Manager<test_device::Driver>) {
    let mut cursor = pin!(vram.cursor());
    let mut walk = cursor.as_mut().lock();

    #[cfg(not(control))]
    cursor.set(vram.cursor()); //~ error[E0499]: cannot borrow `cursor` as mutable more than once at a time
    walk.next();
}
