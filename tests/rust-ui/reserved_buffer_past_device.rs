// SPDX-License-Identifier: GPL-2.0 OR MIT
//! What such a walk hands out may stay when the walk goes, but goes before the device.

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
