// SPDuse of moved value: `allocation`-License-Identifier: GPL-2.0 OR MIT
//! What was allocated is memory for one fence.

use kernel::dma_fence::{
    DriverFenceAllocation,
    FenceCtx, //
};

fn case(ring: &FenceCtx, allocation: DriverFenceAllocation) {
    ring.new_fence(allocation).signal(Ok(()));
    #[cfg(not(control))]
    ring.new_fence(allocation).signal(Ok(())); //~ error[E0382]: use of moved value: `allocation`
}
