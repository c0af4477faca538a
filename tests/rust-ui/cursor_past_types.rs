// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A cursor reads the list of memory types during the walk, so the list must outlive it.

use core::pin::pin;
use kernel::{
    drm::ttm::{test_device, Device, MemType},
    prelude::*, //
};

fn case(dev: &Device<test_device::Driver>) -> Result {
    let mut types = KVec::from_elem(MemType::VRAM, 2, GFP_KERNEL)?;
    let mut cursor = pin!(dev.cursor(&types)?);
    #[cfg(not(control))]
    drop(types); //~ error[E0505]: cannot move out of `types` because it is borrowed
    cursor.as_mut().lock().next();
    Ok(())
}
