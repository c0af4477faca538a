// SPDX-License-Identifier: GPL-2.0 OR MIT
//! The guard of a buffer that a walk has handed out can't be separated from its reference.

use core::mem::swap;
use kernel::drm::ttm::{test_device, Buffer, Reserved, ReservedBuffer};

fn case<'dev>(
    mut a: ReservedBuffer<'dev, test_device::Driver>,
    mut b: ReservedBuffer<'dev, test_device::Driver>,
    mut reserved: Reserved<'dev, Buffer<test_device::Driver>>,
) {
    #[cfg(not(control))]
    swap(&mut *a, &mut reserved); //~ error[E0596]: cannot borrow data in dereference of `ReservedBuffer
    #[cfg(control)]
    swap(&mut a, &mut b);
}
