// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A walk can't step in `with_buffer`, where its lock is dropped.

use kernel::drm::ttm::{test_device, Walk};

fn case(walk: &mut Walk<'_, '_, test_device::Driver>) {
    walk.with_buffer(|_bo| {
        //~^ error[E0501]: cannot borrow `*walk` as mutable because previous closure requires unique access
        //~^^ error[E0500]: closure requires unique access to `*walk` but it is already borrowed
        #[cfg(not(control))]
        walk.next();
    });
    walk.next();
}
