// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A pin is undone once.

use kernel::{
    drm::ttm::{test_device, Object},
    prelude::*, //
};

fn case(obj: &Object<test_device::BufferData>) -> Result {
    let mut reserved = obj.reserve();
    let pinned = reserved.pin()?;

    #[cfg(not(control))]
    let _ = pinned.unpin(&mut reserved);
    let _ = pinned.unpin(&mut reserved); //~ error[E0382]: use of moved value: `pinned`
    Ok(())
}
