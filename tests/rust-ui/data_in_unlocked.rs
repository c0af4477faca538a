// SPDX-License-Identifier: GPL-2.0 OR MIT
//! The driver's part of a buffer on the list can be used only while the lock is held.

use kernel::drm::ttm::{test_device, Walk};

fn case(walk: &mut Walk<'_, '_, test_device::Driver>) -> bool {
    #[cfg(not(control))]
    let data = walk.data();
    walk.unlocked(|| ()); //~ error[E0502]: cannot borrow `*walk` as mutable because it is also borrowed as immutable
    #[cfg(control)]
    let data = walk.data();
    data.is_some()
}
