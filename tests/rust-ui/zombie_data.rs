// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A ghost has no driver's part.

use kernel::{
    drm::ttm::{fixture, Buffer},
    prelude::*, //
};

fn case(bo: &Buffer<fixture::Driver>) -> Result {
    #[cfg(not(control))]
    let _data: &fixture::BufferData = bo.data(); //~ error[E0308]: mismatched types
    #[cfg(control)]
    let _data: &fixture::BufferData = bo.data().ok_or(ENOENT)?;
    Ok(())
}
