// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A resource can't be used after the walk was dropped.

use core::pin::pin;
use kernel::drm::ttm::{test_device, Manager};

fn case(vram: &Manager<test_device::Driver>) {
    let mut cursor = pin!(vram.cursor());
    let mut walk = cursor.as_mut().lock();

    let first = walk.next();
    #[cfg(not(control))]
    drop(walk); //~ error[E0505]: cannot move out of `walk` because it is borrowed
    let _ = first.map(|res| res.size());
}
