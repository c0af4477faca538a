// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A resource can't be sent to another thread.

use core::pin::pin;
use kernel::drm::ttm::{test_device, Manager};

fn send<T: Send>(_: T) {}

fn case(vram: &Manager<test_device::Driver>) {
    let mut cursor = pin!(vram.cursor());
    let mut walk = cursor.as_mut().lock();

    if let Some(res) = walk.next() {
        #[cfg(not(control))]
        send(res); //~ error[E0277]: `UnsafeCell
        #[cfg(control)]
        send(res.size());
    }
}
