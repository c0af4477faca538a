// SPDX-License-Identifier: GPL-2.0 OR MIT
//! The module of the test device can't be named by its path either.

use kernel::ModuleMetadata;

#[allow(unused_macros)]
#[macro_use]
#[path = "common/driver.rs"]
mod driver;

fn owned_by<M: ModuleMetadata>() {}

fn case() {
    #[cfg(not(control))]
    owned_by::<kernel::drm::ttm::test_device::owner::Module>(); //~ error[E0603]: module `owner` is private
    #[cfg(control)]
    owned_by::<driver::Module>();
}
