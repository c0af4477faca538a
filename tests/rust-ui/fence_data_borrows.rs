// SPDborrowed data escapes outside of function-License-Identifier: GPL-2.0 OR MIT
//! The data of a fence may be read as long as there is a reference to the fence, so it can't
//! borrow.

use kernel::{
    dma_fence::DriverFenceAllocation,
    prelude::*, //
};

fn case(data: &u32) -> Result {
    #[cfg(not(control))]
    DriverFenceAllocation::new(data)?; //~ error[E0521]: borrowed data escapes outside of function
    #[cfg(control)]
    DriverFenceAllocation::new(*data)?;
    Ok(())
}
