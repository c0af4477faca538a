// SPDX-License-Identifier: GPL-2.0 OR MIT
//! Two cursors can't be swapped after they were first used.

use core::{mem::swap, pin::pin};
use kernel::drm::ttm::{test_device, Manager};

fn case(vram: &Manager<test_device::Driver>) {
    let mut a = pin!(vram.cursor());
    let mut b = pin!(vram.cursor());

    a.as_mut().lock().next();
    #[cfg(not(control))]
    swap(&mut *a, &mut *b);
    //~^ error[E0596]: cannot borrow data in dereference of `Pin
    #[cfg(control)]
    swap(&mut a, &mut b);
}
