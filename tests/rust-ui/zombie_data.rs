// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A ghost has no driver's part: to see that takes an object.

use core::ops::Deref;
use kernel::{
    drm::ttm::{fixture, Buffer},
    prelude::*, //
};

fn case(bo: &Buffer<fixture::Driver>) -> Result {
    #[cfg(not(control))]
    let _data: &fixture::BufferData = bo.data().ok_or(ENOENT)?; //~ error[E0624]: method `data` is private
    #[cfg(control)]
    let _data: &fixture::BufferData = bo.object().ok_or(ENOENT)?.deref();
    Ok(())
}
