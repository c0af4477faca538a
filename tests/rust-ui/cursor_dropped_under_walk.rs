// SPDX-License-Identifier: GPL-2.0 OR MIT
//! Dropping a cursor takes the lock, so it can't be dropped while its walk holds the lock.

use kernel::{
    drm::ttm::{test_device, Manager},
    prelude::*, //
};

fn case(vram: &Manager<test_device::Driver>) -> Result {
    let mut cursor = KBox::pin(vram.cursor(), GFP_KERNEL)?;
    let mut walk = cursor.as_mut().lock();

    #[cfg(not(control))]
    drop(cursor); //~ error[E0505]: cannot move out of `cursor` because it is borrowed
    walk.next();
    Ok(())
}
