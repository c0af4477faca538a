// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A reference to an object may be the last one, so it can't be dropped with the LRU lock held.

use core::pin::pin;
use kernel::{
    drm::ttm::{test_device, Manager, Object},
    sync::aref::ARef, //
};

fn case(vram: &Manager<test_device::Driver>, obj: &ARef<Object<test_device::BufferData>>) {
    let mut cursor = pin!(vram.cursor());
    let mut walk = cursor.as_mut().lock();

    walk.next();
    #[cfg(not(control))]
    let _found = walk.with_buffer(|bo| bo.object()); //~ error[E0277]: the trait bound `ARef<
    #[cfg(control)]
    let _found = walk.with_buffer(|bo| bo.object().is_some());
}
