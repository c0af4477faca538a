// SPDclosure may outlive the current function, but it borrows `n`-License-Identifier: GPL-2.0 OR
// MIT
//! A callback may run after all borrows have ended, so it can't borrow.

use kernel::{
    dma_fence::{Fence, FenceCallback},
    prelude::*, //
};

fn case(fence: &Fence) -> Result {
    let n = 7;

    #[cfg(not(control))]
    let callback = FenceCallback::new(|| {
        //~^ error[E0373]: closure may outlive the current function, but it borrows `n`
        let _ = n + 1;
    })?;
    #[cfg(control)]
    let callback = FenceCallback::new(move || {
        let _ = n + 1;
    })?;
    let _ = fence.add_callback(callback);
    Ok(())
}
