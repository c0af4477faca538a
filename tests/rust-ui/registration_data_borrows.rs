// SPDX-License-Identifier: GPL-2.0 OR MIT
//! Registration data may borrow from the parent only, and only for as long as it is bound.

use kernel::{
    device::{Bound, Device},
    drm::{self, ttm},
    prelude::*, //
};

#[macro_use]
#[path = "common/driver.rs"]
mod driver;

pub struct Buffer;

pub struct Hardware<'bound> {
    _parent: &'bound Device<Bound>,
    _number: &'bound u32,
}

driver!(Mine: Hardware, Buffer, ());

fn case(parent: &Device<Bound>, dev: drm::UnregisteredDevice<Mine>) -> Result {
    let local = 1;
    #[cfg(not(control))]
    let number = &local; //~ error[E0597]: `local` does not live long enough: borrowed value does not live long enough
    #[cfg(control)]
    let number = &1;

    ttm::register(parent, dev, |parent| {
        let hardware = Hardware {
            _parent: parent.as_ref(),
            _number: number,
        };
        KBox::pin_init(hardware, GFP_KERNEL)
    })?;
    Ok(())
}
