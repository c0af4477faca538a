// SPDcannot assign to data in dereference of `DriverFence<u32>`-License-Identifier: GPL-2.0 OR MIT
//! The data of a fence is shared, so it can't be changed.

use kernel::{
    dma_fence::DriverFence,
    prelude::*, //
};

fn case(mut work: DriverFence<u32>) {
    #[cfg(not(control))]
    {
        *work = 7; //~ error[E0594]: cannot assign to data in dereference of `DriverFence<u32>`
    }
    #[cfg(control)]
    let _ = *work == 7;
    work.signal(Ok(()));
}
