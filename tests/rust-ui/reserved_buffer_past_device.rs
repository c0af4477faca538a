// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A buffer that a walk has handed out can't outlive the device.

use core::pin::pin;
use kernel::{
    drm::ttm::{test_device, MemType, OperationCtx},
    prelude::*, //
};

fn case(dev: test_device::Device) -> Result {
    let vram = dev.manager(MemType::VRAM).ok_or(ENODEV)?;
    let bo = pin!(vram.walk(&OperationCtx::new()))
        .next()
        .ok_or(ENOENT)??;

    #[cfg(not(control))]
    drop(dev); //~ error[E0505]: cannot move out of `dev` because it is borrowed
    bo.is_pinned();
    Ok(())
}
