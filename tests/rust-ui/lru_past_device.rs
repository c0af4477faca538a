// SPDX-License-Identifier: GPL-2.0 OR MIT
//! The guard of the LRU lock can't outlive the device.

use kernel::{
    drm::{
        self,
        ttm::{test_device, MemType},
    },
    sync::aref::ARef, //
};

fn case(dev: ARef<drm::Device<test_device::Driver>>) {
    let mut lru = dev.lru();
    #[cfg(not(control))]
    drop(dev); //~ error[E0505]: cannot move out of `dev` because it is borrowed
    lru.visit(MemType::VRAM, |_| ());
}
