// SPDX-License-Identifier: GPL-2.0 OR MIT
//! To move a bulk takes its members' reservation: that there is a member is not enough.

use kernel::{
    drm::ttm::{fixture, BulkMove, Lru, Object},
    prelude::*, //
};

fn case(
    bulk: &BulkMove<fixture::Driver>,
    member: &Object<fixture::BufferData>,
    lru: &mut Lru<'_, fixture::Driver>,
) -> Result {
    #[cfg(not(control))]
    bulk.move_to_tail(member, lru)?; //~ error[E0308]: mismatched types: expected `&Reserved<'_, _>`, found `&Object
    #[cfg(control)]
    bulk.move_to_tail(&member.reserve(), lru)?;
    Ok(())
}
