// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A buffer's reservation is given back while there is a reference to the buffer.

use core::pin::pin;
use kernel::drm::ttm::{fixture, Manager};

fn case(vram: &Manager<fixture::Driver>) {
    let mut cursor = pin!(vram.cursor());
    let mut walk = cursor.as_mut().lock();

    walk.next();
    walk.with_buffer(|bo| {
        let reserved = bo.try_reserve();
        #[cfg(not(control))]
        return reserved; //~ error: lifetime may not live long enough
        #[cfg(control)]
        return reserved.is_some();
    });
}
