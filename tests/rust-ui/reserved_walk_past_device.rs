// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A walk over reserved buffers can't outlive its device.

use core::pin::pin;
use kernel::{
    drm::ttm::{test_device, MemType, OperationCtx},
    prelude::*, //
};

fn case(dev: test_device::Device) -> Result {
    let vram = dev.manager(MemType::VRAM).ok_or(ENODEV)?;
    let mut walk = pin!(vram.walk(&OperationCtx::new()));

    walk.as_mut().next();
    #[cfg(not(control))]
    drop(dev); //~ error[E0505]: cannot move out of `dev` because it is borrowed
    walk.as_mut().next();
    Ok(())
}
