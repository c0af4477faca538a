// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A guard can't outlive the references to its buffer.

use kernel::{
    drm::ttm::{test_device, Object},
    sync::aref::ARef, //
};

fn case(obj: ARef<Object<test_device::BufferData>>) {
    let mut reserved = obj.reserve();

    #[cfg(not(control))]
    drop(obj); //~ error[E0505]: cannot move out of `obj` because it is borrowed
    reserved.move_to_lru_tail();
}
