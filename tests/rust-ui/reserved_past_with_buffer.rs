// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A buffer's reservation is given back while there is a reference to the buffer.

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
