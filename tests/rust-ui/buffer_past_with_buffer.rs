// SPDX-License-Identifier: GPL-2.0 OR MIT
//! The reference that `with_buffer` takes is dropped when it returns.

use core::pin::pin;
use kernel::drm::ttm::{test_device, Manager};

fn case(vram: &Manager<test_device::Driver>) {
    let mut cursor = pin!(vram.cursor());
    let mut walk = cursor.as_mut().lock();

    walk.next();
    let mut kept = None;
    walk.with_buffer(|bo| {
        #[cfg(not(control))]
        kept.replace(bo); //~ error[E0521]: borrowed data escapes outside of closure
        #[cfg(control)]
        kept.replace(bo.object());
    });
}
