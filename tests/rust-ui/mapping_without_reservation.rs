// SPDX-License-Identifier: GPL-2.0 OR MIT
//! Mapping needs the reservation.

use kernel::{
    drm::ttm::{fixture, Object},
    prelude::*, //
};

fn case(obj: &Object<fixture::BufferData>) -> Result {
    #[cfg(not(control))]
    let map = obj.vmap::<0>()?; //~ error[E0599]: no method named `vmap` found
    #[cfg(control)]
    let map = obj.reserve().vmap::<0>()?;
    drop(map);
    Ok(())
}
