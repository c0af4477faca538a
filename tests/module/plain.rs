// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Files and buffers of a driver that keeps nothing with either.

use super::Driver;
use kernel::{
    drm::{
        self,
        gem,
        ttm, //
    },
    prelude::*, //
};

pub(super) struct File;

pub(super) struct Buffer;

impl gem::DriverObject for Buffer {
    type Driver = Driver;
    type Args = ();

    fn new(_dev: &drm::Device<Driver>, _size: usize, _args: ()) -> impl PinInit<Self, Error> {
        Ok(Buffer)
    }
}

impl ttm::DriverObject for Buffer {}

impl drm::file::DriverFile for File {
    type Driver = Driver;

    fn open(_dev: &drm::Device<Driver>) -> Result<Pin<KBox<Self>>> {
        Ok(KBox::new(Self, GFP_KERNEL)?.into())
    }
}
