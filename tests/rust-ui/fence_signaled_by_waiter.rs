// SPDX-License-Identifier: GPL-2.0 OR MIT
//! Who waits for a fence can't signal it.

use kernel::dma_fence::PendingFence;

fn case(pending: PendingFence) {
    #[cfg(not(control))]
    pending.fence().signal(); //~ error[E0599]: no method named `signal` found for struct `ARef<kernel::dma_fence::Fence>`
    #[cfg(control)]
    pending.signal();
}
