// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A ghost has no driver's part.

use kernel::{
    drm::ttm::{test_device, Buffer},
    prelude::*, //
};

fn case(bo: &Buffer<test_device::Driver>) -> Result {
    #[cfg(not(control))]
    let _data: &test_device::BufferData = bo.data(); //~ error[E0308]: mismatched types
    #[cfg(control)]
    let _data: &test_device::BufferData = bo.data().ok_or(ENOENT)?;
    Ok(())
}
