// SPDX-License-Identifier: GPL-2.0 OR MIT
//! Pinning a buffer needs its reservation.

use kernel::drm::ttm::{test_device, Object};

fn case(obj: &Object<test_device::BufferData>) {
    #[cfg(not(control))]
    let _pinned = obj.pin(); //~ error[E0599]: no method named `pin` found for reference `&
    #[cfg(control)]
    let _pinned = obj.reserve().pin();
}
