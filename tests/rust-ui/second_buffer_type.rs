// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A driver has one type of buffers, so that each buffer on a list is of that type.

use kernel::{drm::ttm, prelude::*};

#[macro_use]
#[path = "common/driver.rs"]
mod driver;

pub struct Buffer;
pub struct Second;

driver!(Mine, Buffer, ());
buffer_data!(Mine, Second);

#[cfg(not(control))]
impl ttm::DriverObject for Second {} //~ error[E0271]: type mismatch resolving `<Mine as Driver>::BufferData == Second`
