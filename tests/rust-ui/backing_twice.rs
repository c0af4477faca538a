// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A backing, which may be a window, can be given to one memory type only.

use kernel::{
    drm::ttm::{Backing, MemType, Setup},
    prelude::*, //
};

fn case(setup: &mut Setup<'_>, backing: Backing) -> Result {
    #[cfg(not(control))]
    setup.range_manager(MemType::PRIV, 0x1000, backing)?;
    setup.range_manager(MemType::VRAM, 0x1000, backing) //~ error[E0382]: use of moved value: `backing`
}
