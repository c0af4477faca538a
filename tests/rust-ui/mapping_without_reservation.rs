// SPDX-License-Identifier: GPL-2.0 OR MIT
//! Mapping a buffer needs its reservation.

use kernel::{
    drm::ttm::{test_device, Object},
    prelude::*, //
};

fn case(obj: &Object<test_device::BufferData>) -> Result {
    #[cfg(not(control))]
    let map = obj.vmap::<0>()?; //~ error[E0599]: no method named `vmap` found
    #[cfg(control)]
    let map = obj.reserve().vmap::<0>()?;
    drop(map);
    Ok(())
}
