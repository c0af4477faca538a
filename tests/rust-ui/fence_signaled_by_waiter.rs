// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A thread that only waits for a fence can't signal it.

use kernel::dma_fence::DriverFence;

fn case(pending: DriverFence) {
    #[cfg(not(control))]
    pending.fence().signal(Ok(())); //~ error[E0599]: no method named `signal` found for struct `ARef<kernel::dma_fence::Fence>`
    #[cfg(control)]
    pending.signal(Ok(()));
}
