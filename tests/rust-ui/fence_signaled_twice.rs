// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A fence is signaled once.

use kernel::dma_fence::DriverFence;

fn case(pending: DriverFence) {
    #[cfg(not(control))]
    pending.signal(Ok(()));
    pending.signal(Ok(())); //~ error[E0382]: use of moved value: `pending`
}
