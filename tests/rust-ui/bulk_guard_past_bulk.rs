// SPDX-License-Identifier: GPL-2.0 OR MIT
//! The guard of a bulk's reservation can't outlive the bulk.

use kernel::drm::ttm::{test_device, BulkMove};

fn case(bulk: BulkMove<test_device::Driver>) -> bool {
    let reserved = bulk.reserve();
    #[cfg(not(control))]
    drop(bulk); //~ error[E0505]: cannot move out of `bulk` because it is borrowed
    reserved.is_idle()
}
