// SPDX-License-Identifier: GPL-2.0 OR MIT
//! Unpinning at once needs the reservation.

use kernel::drm::ttm::{test_device, Object, Pinned};

fn case(obj: &mut Object<test_device::BufferData>, pinned: Pinned<test_device::BufferData>) {
    #[cfg(not(control))]
    let _ = pinned.unpin(obj); //~ error[E0308]: mismatched types: expected `&mut Reserved<'_, _>`, found `&mut Object
    #[cfg(control)]
    let _ = pinned.unpin(&mut obj.reserve());
}
