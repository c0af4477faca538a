// SPDX-License-Identifier: GPL-2.0 OR MIT
//! The list of memory types can't be changed while a walk uses it.

use core::pin::pin;
use kernel::{
    drm::ttm::{test_device, MemType},
    prelude::*, //
};

fn case(dev: &test_device::Device) -> Result {
    let mut types = [MemType::VRAM, MemType::SYSTEM];
    let cursor = pin!(dev.cursor(&types)?);
    #[cfg(not(control))]
    types.swap(0, 1); //~ error[E0502]: cannot borrow `types` as mutable because it is also borrowed
    cursor.lock().next();
    Ok(())
}
