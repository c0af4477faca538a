// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A guard can't outlive the reference that `with_buffer` takes.

use core::pin::pin;
use kernel::drm::ttm::{test_device, Manager};

fn case(vram: &Manager<test_device::Driver>) {
    let mut cursor = pin!(vram.cursor());
    let mut walk = cursor.as_mut().lock();

    walk.next();
    let mut kept = None;
    walk.with_buffer(|bo| {
        let reserved = bo.try_reserve();
        #[cfg(not(control))]
        kept.replace(reserved); //~ error[E0521]: borrowed data escapes outside of closure
        #[cfg(control)]
        kept.replace(reserved.is_some());
    });
}
