// SPDX-License-Identifier: GPL-2.0 OR MIT
//! Another thread can't use the guard of a reservation.

use kernel::drm::ttm::{test_device, BulkMove, Reserved, Resv};

fn share<T: Sync>(_: &T) {}

fn case(bulk: &BulkMove<test_device::Driver>, reserved: Reserved<'_, Resv>) {
    #[cfg(not(control))]
    share(&reserved);
    //~^ error[E0277]: `*mut dma_resv` cannot be shared between threads safely
    //~^^ error[E0277]: `*mut ()` cannot be shared between threads safely
    //~^^^ error[E0277]: `UnsafeCell<*mut ttm_buffer_object>` cannot be shared between threads safely
    #[cfg(control)]
    share(bulk);
}
