// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A guard can't be used after it was dropped.

use kernel::drm::ttm::{test_device, Object};

fn case(obj: &Object<test_device::BufferData>) {
    let mut reserved = obj.reserve();

    #[cfg(not(control))]
    drop(reserved);
    reserved.move_to_lru_tail(); //~ error[E0382]: borrow of moved value: `reserved`
}
