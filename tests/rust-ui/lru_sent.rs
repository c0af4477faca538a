// SPDX-License-Identifier: GPL-2.0 OR MIT
//! The LRU lock can't be sent to another thread.

use kernel::drm::ttm::{test_device, Device};

fn send<T: Send>(_: T) {}

fn case(dev: &Device<test_device::Driver>) {
    #[cfg(not(control))]
    send(dev.lru()); //~ error[E0277]: `*mut ()` cannot be sent between threads safely
    #[cfg(control)]
    send(dev);
}
