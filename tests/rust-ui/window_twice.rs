// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A window can be given to one memory type only.

use kernel::{
    drm::ttm::{Backing, MemType, Setup, Window},
    prelude::*, //
};

fn case(setup: &mut Setup<'_>, window: Window) -> Result {
    let backing = Backing::Io(window);

    #[cfg(not(control))]
    setup.range_manager(MemType::PRIV, 0x1000, Backing::Io(window))?; //~ error[E0382]: use of moved value: `window`
    setup.range_manager(MemType::VRAM, 0x1000, backing)
}
