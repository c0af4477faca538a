// SPDX-License-Identifier: GPL-2.0 OR MIT
//! TTM keeps the places that a driver gives it: they must stay for good.

use kernel::{
    drm::ttm::{MemType, Place},
    prelude::*, //
};

#[macro_use]
#[path = "common/driver.rs"]
mod driver;

pub struct Buffer {
    places: [Place; 1],
}

driver!(
    Mine,
    Buffer,
    (),
    fn evict_flags(bo: &Buffer, _from: MemType) -> &'static [Place] {
        #[cfg(not(control))]
        return &bo.places; //~ error: lifetime may not live long enough
        #[cfg(control)]
        return const { &[Place::SYSTEM] };
    }
);
