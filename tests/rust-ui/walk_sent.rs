// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A walk holds the LRU lock, so it can't be sent to another thread. A cursor without a walk can.

use core::pin::pin;
use kernel::drm::ttm::{test_device, Manager};

fn send<T: Send>(_: T) {}

fn case(vram: &Manager<test_device::Driver>) {
    let mut cursor = pin!(vram.cursor());
    let walk = cursor.as_mut().lock();

    #[cfg(not(control))]
    send(walk);
    //~^ error[E0277]: `*mut ttm_resource_cursor` cannot be sent between threads safely
    //~^^ error[E0277]: `*mut ttm_resource` cannot be sent between threads safely
    //~^^^ error[E0277]: `*mut ()` cannot be sent between threads safely
    #[cfg(control)]
    send((drop(walk), cursor));
}
