// SPDX-License-Identifier: GPL-2.0 OR MIT
//! The list can't be changed while it is being visited.

use kernel::drm::ttm::{test_device, BulkMove, Lru, MemType, Reserved, Resv};

fn case(
    lru: &mut Lru<'_, test_device::Driver>,
    bulk: &BulkMove<test_device::Driver>,
    reserved: &Reserved<'_, Resv>,
) {
    lru.visit(MemType::VRAM, |_| {
        //~^ error[E0501]: cannot borrow `*lru` as mutable because previous closure requires unique access
        //~^^ error[E0500]: closure requires unique access to `*lru` but it is already borrowed
        #[cfg(not(control))]
        let _ = bulk.move_to_tail(reserved, lru);
    });
    let _ = bulk.move_to_tail(reserved, lru);
}
