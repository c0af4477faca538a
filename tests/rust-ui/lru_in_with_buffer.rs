// SPDX-License-Identifier: GPL-2.0 OR MIT
//! The walk's lock can't be borrowed in `with_buffer`, where it is dropped.

use kernel::drm::ttm::{test_device, MemType, Walk};

fn case(walk: &mut Walk<'_, '_, test_device::Driver>) {
    walk.with_buffer(|_bo| {
        //~^ error[E0501]: cannot borrow `*walk` as mutable because previous closure requires unique access
        //~^^ error[E0500]: closure requires unique access to `*walk` but it is already borrowed
        #[cfg(not(control))]
        walk.lru().visit(MemType::VRAM, |_| ());
    });
    walk.lru().visit(MemType::VRAM, |_| ());
}
