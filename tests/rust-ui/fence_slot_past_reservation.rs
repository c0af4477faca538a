// SPDX-License-Identifier: GPL-2.0 OR MIT
//! The room for a fence can't outlive the reservation.

use kernel::{
    dma_fence::Fence,
    drm::ttm::{test_device, FenceUsage, Object},
    prelude::*, //
};

fn case(obj: &Object<test_device::BufferData>, fence: &Fence) -> Result {
    let mut reserved = obj.reserve();
    let slot = reserved.fence_slot()?;
    #[cfg(not(control))]
    drop(reserved); //~ error[E0505]: cannot move out of `reserved` because it is borrowed
    slot.add(fence, FenceUsage::Write);
    Ok(())
}
