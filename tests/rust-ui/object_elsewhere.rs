// SPDX-License-Identifier: GPL-2.0 OR MIT
//! All GEM objects of a driver must be TTM objects, as TTM casts each of them to one.

use kernel::{
    drm::{
        gem,
        ttm::{self, test_device}, //
    },
    prelude::*, //
};

#[macro_use]
#[path = "common/driver.rs"]
mod driver;

pub struct Buffer;

#[cfg(not(control))]
type Object = gem::Object<Buffer>;
#[cfg(control)]
type Object = ttm::Object<Buffer>;

drm_driver!(Mine, ttm::Device<Mine>, Object);
buffer_data!(Mine, Buffer);

impl ttm::DriverObject for Buffer {} //~ error[E0271]: type mismatch resolving `<Mine as Driver>::Object == Object<Buffer>`

#[vtable]
impl ttm::Driver for Mine {
    //~^ error[E0271]: type mismatch resolving `<Mine as Driver>::Object == Object<Buffer>`
    type OwnerModule = crate::driver::Module;
    type BufferData = Buffer; //~ error[E0271]: type mismatch resolving `<Mine as Driver>::Object == Object<Buffer>`
    type DeviceData = ();
}
