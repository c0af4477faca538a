// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A value with a destructor can't be returned to where the LRU lock is held.

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
    let _found = walk.unlocked(|| obj.clone()); //~ error[E0277]: the trait bound `ARef<
    #[cfg(control)]
    let _found = walk.unlocked(|| obj.buffer().id());
}
