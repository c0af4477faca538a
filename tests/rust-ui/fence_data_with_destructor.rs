// SPDX-License-Identifier: GPL-2.0 OR MIT
//! The data of a fence has no destructor, as the module may be gone when it would run.

use kernel::{
    dma_fence::DriverFenceAllocation,
    prelude::*,
    sync::Arc, //
};

fn case(data: Arc<u32>) -> Result {
    #[cfg(not(control))]
    DriverFenceAllocation::new(data)?;
    //~^ error[E0277]: the trait bound `Arc<u32>: FenceData` is not satisfied
    //~^^ error[E0277]: the trait bound `Arc<u32>: core::marker::Copy` is not satisfied
    #[cfg(control)]
    DriverFenceAllocation::new(*data)?;
    Ok(())
}
