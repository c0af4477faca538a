// SPDX-License-Identifier: GPL-2.0 OR MIT
//! The parent is known to be bound only while the device is made.

use core::cell::Cell;
use kernel::{
    device::Bound,
    drm::ttm::{self, test_device, FauxRegistration},
    faux,
    prelude::*, //
};

fn case<'a>(kept: &Cell<Option<&'a faux::Device<Bound>>>) -> Result {
    FauxRegistration::<test_device::Driver>::new(c"kept", |parent| {
        #[cfg(not(control))]
        kept.set(Some(parent)); //~ error[E0521]: borrowed data escapes outside of closure: `parent` escapes the closure body here
        #[cfg(control)]
        kept.set(None);
        Err(ENODEV)
    })?;
    Ok(())
}
