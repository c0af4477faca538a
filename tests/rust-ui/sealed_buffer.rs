// SPDX-License-Identifier: GPL-2.0 OR MIT
//! What is a buffer is not up to drivers.

use kernel::drm::ttm::{fixture, AsBuffer, Buffer};

struct Mine<'a>(&'a Buffer<fixture::Driver>);

#[cfg(not(control))]
unsafe impl AsBuffer for Mine<'_> {
    //~^ error[E0277]: the trait bound `Mine<'_>: Reserve` is not satisfied
    type Driver = fixture::Driver;

    fn as_buffer(&self) -> &Buffer<fixture::Driver> {
        self.0
    }
}
