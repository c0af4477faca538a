// SPDX-License-Identifier: GPL-2.0 OR MIT
//! TTM reads the places of `evict_flags` after the driver has returned, so they must be `'static`.

use kernel::{
    drm::ttm::{MemType, Place},
    prelude::*,
};

#[macro_use]
#[path = "common/driver.rs"]
mod driver;

pub struct Buffer {
    place: [Place; 1],
}

driver!(
    Mine,
    Buffer,
    (),
    fn evict_flags(bo: &Buffer, _from: MemType) -> &'static [Place] {
        let _ = &bo.place;
        #[cfg(not(control))]
        return &bo.place; //~ error: lifetime may not live long enough: returning this value requires that `'1` must outlive `'static`
        #[cfg(control)]
        return &[Place::SYSTEM];
    }
);
