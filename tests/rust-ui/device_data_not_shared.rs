// SPDX-License-Identifier: GPL-2.0 OR MIT
//! Many threads use a device, so the driver's part must be `Sync`.

use kernel::prelude::*;

#[macro_use]
#[path = "common/driver.rs"]
mod driver;

pub struct Buffer;

#[cfg(not(control))]
type Data = core::cell::Cell<u32>;
#[cfg(control)]
type Data = kernel::sync::atomic::Atomic<u32>;

driver!(Mine, Buffer, Data); //~ error[E0277]: `Cell<u32>` cannot be shared between threads safely
