// SPDX-License-Identifier: GPL-2.0 OR MIT
//! Nor can it be made as a member of a bulk of another driver.

use kernel::{
    drm::ttm::{fixture, BulkMove, ObjectConfig},
    prelude::*, //
};

#[macro_use]
#[path = "common/driver.rs"]
mod driver;

pub struct OtherBuffer;

driver!(Other, OtherBuffer, ());

fn case(bulk: &BulkMove<fixture::Driver>, foreign: &BulkMove<Other>) {
    let _ = ObjectConfig::<'_, fixture::BufferData> {
        #[cfg(not(control))]
        bulk: Some(foreign), //~ error[E0308]: mismatched types: expected `&BulkMove<Driver>`, found `&BulkMove<Other>`
        #[cfg(control)]
        bulk: Some(bulk),
        ..ObjectConfig::default()
    };
}
