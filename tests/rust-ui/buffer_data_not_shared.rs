// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A buffer is used by many threads, and so is the driver's part of it.

use core::cell::Cell;
use kernel::prelude::*;

#[macro_use]
#[path = "common/driver.rs"]
mod driver;

pub struct Buffer {
    #[cfg(not(control))]
    field: Cell<u32>,
}

driver!(Mine, Buffer, ());
//~^ error[E0277]: `Cell<u32>` cannot be shared between threads safely
