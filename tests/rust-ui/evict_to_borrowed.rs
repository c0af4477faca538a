// SPDX-License-Identifier: GPL-2.0 OR MIT
//! TTM keeps the places that a driver returns, so they must be `'static`.

use kernel::{
    drm::ttm::{MemType, Place},
    prelude::*, //
};

#[macro_use]
#[path = "common/driver.rs"]
mod driver;

pub struct Buffer;

#[cfg(not(control))]
type Places<'a> = &'a [Place];
#[cfg(control)]
type Places<'a> = &'static [Place];

driver!(
    Mine,
    Buffer,
    (),
    fn evict_flags(_bo: &Buffer, _from: MemType) -> Places<'_> {
        //~^ error: `impl` item signature doesn't match `trait` item signature
        &[Place::SYSTEM]
    }
);
