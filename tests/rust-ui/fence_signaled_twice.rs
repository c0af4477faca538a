// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A fence is signaled once.

use kernel::dma_fence::PendingFence;

fn case(pending: PendingFence) {
    #[cfg(not(control))]
    pending.signal();
    pending.signal(); //~ error[E0382]: use of moved value: `pending`
}
