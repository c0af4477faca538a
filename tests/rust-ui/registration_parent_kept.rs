// SPDX-License-Identifier: GPL-2.0 OR MIT
//! The parent that such data is made of may be borrowed for the data alone.

use core::cell::Cell;
use kernel::{
    device::{Bound, Device},
    drm::{self, ttm},
    prelude::*, //
};

#[macro_use]
#[path = "common/driver.rs"]
mod driver;

pub struct Buffer;

pub struct Hardware<'bound>(&'bound Device<Bound>);

driver!(Mine: Hardware, Buffer, ());

fn case<'a>(
    parent: &Device<Bound>,
    dev: drm::UnregisteredDevice<Mine>,
    kept: &Cell<Option<&'a Device<Bound>>>,
) -> Result {
    ttm::register(parent, dev, |parent| {
        let parent = parent.as_ref();

        #[cfg(not(control))]
        kept.set(Some(parent)); //~ error[E0521]: borrowed data escapes outside of closure: `parent` escapes the closure body here
        #[cfg(control)]
        kept.set(None);
        KBox::pin_init(Hardware(parent), GFP_KERNEL)
    })?;
    Ok(())
}
