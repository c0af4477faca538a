// SPDX-License-Identifier: GPL-2.0 OR MIT
//! The driver's part of a buffer that a walk hands out can't outlive the `ReservedBuffer`.

use core::pin::pin;
use kernel::{
    drm::ttm::{test_device, Manager, OperationCtx},
    prelude::*, //
};

fn case(vram: &Manager<test_device::Driver>) -> Result {
    let mut walk = pin!(vram.walk(&OperationCtx::new()));
    let bo = walk.as_mut().next().ok_or(ENOENT)??;
    let data = bo.data();
    #[cfg(not(control))]
    drop(bo); //~ error[E0505]: cannot move out of `bo` because it is borrowed
    data.map_or(Ok(()), |_| Ok(()))
}
