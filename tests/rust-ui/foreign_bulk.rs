// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A buffer can't join a bulk of another driver.

use kernel::{
    drm::ttm::{test_device, BulkMove, Object},
    prelude::*, //
};

#[macro_use]
#[path = "common/driver.rs"]
mod driver;

pub struct OtherBuffer;

driver!(Other, OtherBuffer, ());

fn case(
    obj: &Object<test_device::BufferData>,
    bulk: &BulkMove<test_device::Driver>,
    foreign: &BulkMove<Other>,
) -> Result {
    #[cfg(not(control))]
    obj.reserve().set_bulk(foreign)?; //~ error[E0308]: mismatched types: expected `&BulkMove<Driver>`, found `&BulkMove<Other>`
    #[cfg(control)]
    obj.reserve().set_bulk(bulk)?;
    Ok(())
}
