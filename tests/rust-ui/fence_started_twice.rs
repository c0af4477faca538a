// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A prepared fence can be started once.

use kernel::dma_fence::PreparedFence;

fn case(prepared: PreparedFence) {
    prepared.start().signal(Ok(()));
    #[cfg(not(control))]
    prepared.start().signal(Ok(())); //~ error[E0382]: use of moved value: `prepared`
}
