// SPDX-License-Identifier: GPL-2.0 OR MIT
//! The driver's part of a buffer can't outlive the reference that `with_buffer` takes.

use kernel::drm::ttm::{test_device, Walk};

fn case(walk: &mut Walk<'_, '_, test_device::Driver>) {
    #[cfg(not(control))]
    walk.with_buffer(|bo| bo.data()); //~ error: lifetime may not live long enough: returning this value requires that `'1` must outlive `'2`
    #[cfg(control)]
    walk.with_buffer(|bo| bo.data().is_some());
}
