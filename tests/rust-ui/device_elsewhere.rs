// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A TTM device can only be the data of a DRM device, which it finds from its own address.

use kernel::{
    drm::ttm::{self, test_device},
    prelude::*, //
};

#[macro_use]
#[path = "common/driver.rs"]
mod driver;

pub struct Buffer;

#[cfg(not(control))]
type Data = Option<ttm::Device<Mine>>;
#[cfg(control)]
type Data = ttm::Device<Mine>;

drm_driver!(Mine, Data, ttm::Object<Buffer>);
buffer_data!(Mine, Buffer);

impl ttm::DriverObject for Buffer {} //~ error[E0271]: type mismatch resolving `<Mine as Driver>::Data == Device<Mine>`

#[vtable]
impl ttm::Driver for Mine {
    //~^ error[E0271]: type mismatch resolving `<Mine as Driver>::Data == Device<Mine>`
    type OwnerModule = crate::driver::Module;
    type BufferData = Buffer; //~ error[E0271]: type mismatch resolving `<Mine as Driver>::Data == Device<Mine>`
    type DeviceData = ();
}
