// SPDX-License-Identifier: GPL-2.0 OR MIT
//! That a window is the device's, and for how long, is for the driver to promise.

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
    // SAFETY: Nobody calls this.
    let window = unsafe { Window::new(bar, Caching::WriteCombined) }?;
    Ok(Backing::Io(window))
}
