// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A fence slot is part of a reservation that this thread holds, so it can't be sent.

use kernel::{
    dma_fence::DriverFence,
    drm::ttm::FenceSlot, //
};

fn send<T: Send>(_: T) {}

fn case(slot: FenceSlot<'_>, work: DriverFence) {
    #[cfg(not(control))]
    send(slot); //~ error[E0277]: cannot be sent between threads safely
    #[cfg(control)]
    send(work);
}
