// SPDX-License-Identifier: GPL-2.0 OR MIT
//! Many threads use a buffer, so the driver's part must be `Sync`.

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
