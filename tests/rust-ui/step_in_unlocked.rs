// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A walk can't step while its lock is dropped.

use core::pin::pin;
use kernel::drm::ttm::{test_device, Manager};

fn case(vram: &Manager<test_device::Driver>) {
    let mut cursor = pin!(vram.cursor());
    let mut walk = cursor.as_mut().lock();

    walk.unlocked(|| {
        //~^ error[E0499]: cannot borrow `walk` as mutable more than once at a time
        #[cfg(not(control))]
        walk.next();
    });
}
