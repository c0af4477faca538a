// SPDX-License-Identifier: GPL-2.0 OR MIT
//! The data of a fence may be read by any thread, so it must be `Sync`.

use kernel::{
    dma_fence::DriverFenceAllocation,
    prelude::*, //
};

fn case(data: *const u32) -> Result {
    #[cfg(not(control))]
    DriverFenceAllocation::new(data)?;
    //~^ error[E0277]: the trait bound `*const u32: FenceData` is not satisfied
    //~^^ error[E0277]: `*const u32` cannot be sent between threads safely
    //~^^^ error[E0277]: `*const u32` cannot be shared between threads safely
    #[cfg(control)]
    DriverFenceAllocation::new(data.addr())?;
    Ok(())
}
