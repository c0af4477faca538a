// SPDX-License-Identifier: GPL-2.0 OR MIT
//! Moving a bulk needs the reservation of its members: a reference to a member isn't enough.

use kernel::{
    drm::ttm::{test_device, BulkMove, Lru, Object},
    prelude::*, //
};

fn case(
    bulk: &BulkMove<test_device::Driver>,
    member: &Object<test_device::BufferData>,
    lru: &mut Lru<'_, test_device::Driver>,
) -> Result {
    #[cfg(not(control))]
    bulk.move_to_tail(member, lru)?; //~ error[E0308]: mismatched types: expected `&Reserved<'_, _>`, found `&Object
    #[cfg(control)]
    bulk.move_to_tail(&member.reserve(), lru)?;
    Ok(())
}
