// SPDX-License-Identifier: GPL-2.0 OR MIT

// A driver that has the device which it is bound to. Included, as the macro is for the crate's
// root.

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
