// SPDX-License-Identifier: GPL-2.0 OR MIT
//! No driver can claim that some memory belongs to a device: a window comes from the device.

use kernel::{
    device::{Bound, Device},
    drm::ttm::{Backing, Caching, Window},
    io::Resource,
    prelude::*, //
};

fn case(lender: &Device<Bound>, bar: &Resource, other: Window) -> Result<Backing> {
    // SAFETY: This function is never called.
    #[cfg(not(control))]
    let other = unsafe { Window::new(lender, bar, c"bar", Caching::WriteCombined) }?;
    //~^ error[E0624]: associated function `new` is private
    let _ = (lender, bar, Caching::WriteCombined);
    Ok(Backing::Io(other))
}
