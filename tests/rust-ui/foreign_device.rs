// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A buffer can't be made on another driver's device.

use kernel::{
    drm::{
        self,
        ttm::{test_device, Object, ObjectConfig, OperationCtx}, //
    },
    prelude::*, //
};

#[macro_use]
#[path = "common/driver.rs"]
mod driver;

pub struct OtherBuffer;

driver!(Other, OtherBuffer, ());

fn case(dev: &drm::Device<test_device::Driver>, foreign: &drm::Device<Other>) -> Result {
    Object::<test_device::BufferData>::new(
        #[cfg(not(control))]
        foreign, //~ error[E0308]: mismatched types: expected `&Device<Driver>`, found `&Device<Other>`
        #[cfg(control)]
        dev,
        0x1000,
        &ObjectConfig::default(),
        &mut OperationCtx::new(),
        test_device::Kind::Kept,
    )?;
    Ok(())
}
