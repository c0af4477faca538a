// SPDX-License-Identifier: GPL-2.0 OR MIT
//! The device of a registration can't outlive the registration.

use kernel::drm::ttm::{test_device, FauxRegistration, MemType};

fn case(registration: FauxRegistration<test_device::Driver>) {
    let dev = registration.device();
    #[cfg(not(control))]
    drop(registration); //~ error[E0505]: cannot move out of `registration` because it is borrowed
    dev.manager(MemType::VRAM);
}
