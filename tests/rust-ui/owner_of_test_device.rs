// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A driver can't name the module of the test device, which keeps nothing, as its owner.

use kernel::ModuleMetadata;

#[allow(unused_macros)]
#[macro_use]
#[path = "common/driver.rs"]
mod driver;

fn owned_by<M: ModuleMetadata>() {}

fn case() {
    #[cfg(not(control))]
    owned_by::<kernel::drm::ttm::test_device::Module>(); //~ error[E0412]: cannot find type `Module` in module `kernel::drm::ttm::test_device`
    #[cfg(control)]
    owned_by::<driver::Module>();
}
