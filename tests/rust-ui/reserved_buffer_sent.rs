// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A buffer that a walk has handed out can't be sent to another thread.

use kernel::drm::ttm::{test_device, ReservedBuffer};

fn send<T: Send>(_: T) {}

fn case(bo: ReservedBuffer<'_, test_device::Driver>) {
    #[cfg(not(control))]
    send(bo);
    //~^ error[E0277]: `*mut dma_resv` cannot be sent between threads safely
    //~^^ error[E0277]: `*mut ()` cannot be sent between threads safely
    //~^^^ error[E0277]: `UnsafeCell<*mut ttm_buffer_object>` cannot be shared between threads safely
    #[cfg(control)]
    send(bo.id());
}
