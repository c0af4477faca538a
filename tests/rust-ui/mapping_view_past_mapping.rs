// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A view of a mapping can't outlive the mapping.

use kernel::{
    drm::ttm::{test_device, Object},
    io::{Io, IoBase},
    prelude::*, //
};

fn case(obj: &Object<test_device::BufferData>) -> Result<u32> {
    let map = obj.reserve().vmap::<0x1000>()?;
    let view = (&map).as_view();
    #[cfg(not(control))]
    drop(map); //~ error[E0505]: cannot move out of `map` because it is borrowed
    Ok(view.read32(0))
}
