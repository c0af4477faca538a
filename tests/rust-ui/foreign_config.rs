// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A buffer can't be made as a member of a bulk of another driver.

use kernel::{
    drm::ttm::{test_device, BulkMove, ObjectConfig},
    prelude::*, //
};

#[macro_use]
#[path = "common/driver.rs"]
mod driver;

pub struct OtherBuffer;

driver!(Other, OtherBuffer, ());

fn case(bulk: &BulkMove<test_device::Driver>, foreign: &BulkMove<Other>) {
    let _ = ObjectConfig::<'_, test_device::BufferData> {
        #[cfg(not(control))]
        bulk: Some(foreign), //~ error[E0308]: mismatched types: expected `&BulkMove<Driver>`, found `&BulkMove<Other>`
        #[cfg(control)]
        bulk: Some(bulk),
        ..ObjectConfig::default()
    };
}
