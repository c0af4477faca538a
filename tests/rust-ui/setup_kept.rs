// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A device gets its memory types only while it is made.

use kernel::{
    drm::ttm::{test_device, Backing, MemType},
    prelude::*, //
};

fn case() -> Result {
    let mut kept = None;
    test_device::Device::with(|setup| {
        #[cfg(not(control))]
        kept.replace(setup);
        //~^ error[E0521]: borrowed data escapes outside of closure: `setup` escapes
        #[cfg(control)]
        kept.replace(setup.range_manager(MemType::VRAM, 0x1000, Backing::Pages)?);
        Ok(())
    })?;
    Ok(())
}
