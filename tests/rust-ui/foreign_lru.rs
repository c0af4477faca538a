// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A bulk can't be moved under the lock of another driver's device.

use kernel::{
    drm::ttm::{test_device, BulkMove, Device},
    prelude::*, //
};

#[macro_use]
#[path = "common/driver.rs"]
mod driver;

pub struct OtherBuffer;

driver!(Other, OtherBuffer, ());

fn case(
    bulk: &BulkMove<test_device::Driver>,
    dev: &Device<test_device::Driver>,
    foreign: &Device<Other>,
) -> Result {
    let reserved = bulk.reserve();

    #[cfg(not(control))]
    bulk.move_to_tail(&reserved, &mut foreign.lru())?; //~ error[E0308]: mismatched types: expected `&mut Lru<'_, Driver>`, found `&mut Lru<'_, Other>`
    #[cfg(control)]
    bulk.move_to_tail(&reserved, &mut dev.lru())?;
    Ok(())
}
