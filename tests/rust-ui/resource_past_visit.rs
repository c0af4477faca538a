// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A resource can't be used after the visit.

use kernel::drm::ttm::{test_device, Lru, MemType, Node};

fn case(lru: &mut Lru<'_, test_device::Driver>) {
    let mut kept = None;
    lru.visit(MemType::VRAM, |node| {
        if let Node::Resource(res) = node {
            #[cfg(not(control))]
            kept.replace(res); //~ error[E0521]: borrowed data escapes outside of closure
            #[cfg(control)]
            kept.replace(res.size());
        }
    });
}
