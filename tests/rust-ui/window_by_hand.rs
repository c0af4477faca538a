// SPDX-License-Identifier: GPL-2.0 OR MIT
//! Only unsafe code can claim that a window belongs to the device.

use kernel::{
    drm::ttm::{Backing, Caching, Window},
    io::Resource,
    prelude::*, //
};

fn case(bar: &Resource) -> Result<Backing> {
    #[cfg(not(control))]
    let window = Window::new(bar, Caching::WriteCombined)?;
    //~^ error[E0133]: call to unsafe function `Window::new` is unsafe
    #[cfg(control)]
    // SAFETY: This function is never called.
    let window = unsafe { Window::new(bar, Caching::WriteCombined) }?;
    Ok(Backing::Io(window))
}
