// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A buffer can't join a bulk of another driver.

use kernel::{
    drm::ttm::{fixture, BulkMove, Object},
    prelude::*, //
};

#[macro_use]
#[path = "common/driver.rs"]
mod driver;

pub struct OtherBuffer;

driver!(Other, OtherBuffer, ());

fn case(
    obj: &Object<fixture::BufferData>,
    bulk: &BulkMove<'_, fixture::Driver>,
    foreign: &BulkMove<'_, Other>,
) -> Result {
    #[cfg(not(control))]
    obj.reserve().set_bulk(foreign)?; //~ error[E0308]: mismatched types: expected `&BulkMove<'_, Driver>`, found `&BulkMove<'_, Other>`
    #[cfg(control)]
    obj.reserve().set_bulk(bulk)?;
    Ok(())
}
