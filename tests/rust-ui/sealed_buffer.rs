// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A driver can't implement `AsBuffer`.

use kernel::drm::ttm::{test_device, AsBuffer, Buffer};

struct Mine<'a>(&'a Buffer<test_device::Driver>);

#[cfg(not(control))]
unsafe impl AsBuffer for Mine<'_> {
    //~^ error[E0277]: the trait bound `Mine<'_>: HasResv` is not satisfied
    type Driver = test_device::Driver;

    fn as_buffer(&self) -> &Buffer<test_device::Driver> {
        self.0
    }
}
