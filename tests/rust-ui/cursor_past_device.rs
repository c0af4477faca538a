// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A cursor can't outlive its device.

use core::pin::pin;
use kernel::{
    drm::ttm::{test_device, MemType},
    prelude::*, //
};

fn case(dev: test_device::Device) -> Result {
    let mut cursor = pin!(dev.manager(MemType::VRAM).ok_or(ENODEV)?.cursor());

    cursor.as_mut().lock().next();
    #[cfg(not(control))]
    drop(dev); //~ error[E0505]: cannot move out of `dev` because it is borrowed
    cursor.as_mut().lock().next();
    Ok(())
}
