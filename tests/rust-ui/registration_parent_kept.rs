// SPDX-License-Identifier: GPL-2.0 OR MIT
//! Only the registration data may keep the borrow of the parent.

use core::cell::Cell;
include!("common/borrower.rs");

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
