// SPDuse of moved value: `allocation`-License-Identifier: GPL-2.0 OR MIT
//! An allocation is the memory of one fence only.

use kernel::dma_fence::{
    DriverFenceAllocation,
    FenceCtx, //
};

fn case(ring: &FenceCtx, allocation: DriverFenceAllocation) {
    ring.new_fence(allocation).signal(Ok(()));
    #[cfg(not(control))]
    ring.new_fence(allocation).signal(Ok(())); //~ error[E0382]: use of moved value: `allocation`
}
