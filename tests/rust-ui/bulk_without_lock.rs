// SPDX-License-Identifier: GPL-2.0 OR MIT
//! Moving a bulk needs the LRU lock, which a walk doesn't lend in the middle of a step.

use core::pin::pin;
use kernel::{
    drm::ttm::{test_device, BulkMove, Manager},
    prelude::*, //
};

fn case(vram: &Manager<test_device::Driver>, bulk: &BulkMove<test_device::Driver>) -> Result {
    let reserved = bulk.reserve();
    let mut cursor = pin!(vram.cursor());
    let mut walk = cursor.as_mut().lock();

    walk.next();
    #[cfg(not(control))]
    bulk.move_to_tail(&reserved, &mut walk)?; //~ error[E0308]: mismatched types: expected `&mut Lru
    #[cfg(control)]
    bulk.move_to_tail(&reserved, &mut walk.lru())?;
    Ok(())
}
