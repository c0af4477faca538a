// SPDX-License-Identifier: GPL-2.0 OR MIT

// A driver whose data borrows the device that it is bound to. It is included, as the macro must be
// in the crate's root.

use kernel::{
    device::{Bound, Device},
    drm::{self, ttm},
    prelude::*, //
};

#[macro_use]
#[path = "driver.rs"]
mod driver;

pub struct Buffer;

pub struct Hardware<'bound>(&'bound Device<Bound>);

driver!(Mine: Hardware, Buffer, ());
