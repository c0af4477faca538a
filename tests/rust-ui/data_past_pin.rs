// SPDX-License-Identifier: GPL-2.0 OR MIT
//! The driver's part of a pinned buffer can't outlive the pin, which may be the last reference.

use kernel::{
    drm::ttm::{test_device, Object},
    prelude::*, //
};

fn case(obj: &Object<test_device::BufferData>) -> Result<u32> {
    let pinned = obj.reserve().pin()?;
    let data = pinned.data();
    #[cfg(not(control))]
    drop(pinned); //~ error[E0505]: cannot move out of `pinned` because it is borrowed
    Ok(data.swap_outs())
}
