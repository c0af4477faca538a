// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A device is registered once.

use kernel::{
    device::{Bound, Device},
    drm::{
        self,
        ttm::{self, test_device},
    },
    prelude::*, //
};

fn case(parent: &Device<Bound>, dev: drm::UnregisteredDevice<test_device::Driver>) -> Result {
    let _ = ttm::register(parent, dev, |_| KBox::pin_init((), GFP_KERNEL))?;
    #[cfg(not(control))]
    let _ = ttm::register(parent, dev, |_| KBox::pin_init((), GFP_KERNEL))?; //~ error[E0382]: use of moved value: `dev`
    Ok(())
}
