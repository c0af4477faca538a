// SPDX-License-Identifier: GPL-2.0 OR MIT
//! Who has a device's lock has the device.

use kernel::{
    drm::{
        self,
        ttm::{fixture, MemType},
    },
    sync::aref::ARef, //
};

fn case(dev: ARef<drm::Device<fixture::Driver>>) {
    let mut lru = dev.lru();
    #[cfg(not(control))]
    drop(dev); //~ error[E0505]: cannot move out of `dev` because it is borrowed
    lru.visit(MemType::VRAM, |_| ());
}
