// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A place for a fence is in a reservation that this thread has.

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
