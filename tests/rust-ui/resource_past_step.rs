// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A resource can't be used after the next step.

use core::pin::pin;
use kernel::{
    drm::ttm::{test_device, Manager},
    prelude::*, //
};

fn case(vram: &Manager<test_device::Driver>) {
    let mut cursor = pin!(vram.cursor());
    let mut walk = cursor.as_mut().lock();

    let first = walk.next();
    #[cfg(not(control))]
    walk.next(); //~ error[E0499]: cannot borrow `walk` as mutable more than once at a time
    let _ = first.map(|res| res.size());
}
