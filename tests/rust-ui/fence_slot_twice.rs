// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A slot has room for one fence.

use kernel::{
    dma_fence::Fence,
    drm::ttm::{test_device, FenceUsage, Object},
    prelude::*, //
};

fn case(obj: &Object<test_device::BufferData>, fence: &Fence) -> Result {
    let mut reserved = obj.reserve();
    let slot = reserved.fence_slot()?;
    #[cfg(not(control))]
    slot.add(fence, FenceUsage::Read);
    slot.add(fence, FenceUsage::Write); //~ error[E0382]: use of moved value: `slot`
    Ok(())
}
