// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A device is used by many threads, and so is the driver's part of it.

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
