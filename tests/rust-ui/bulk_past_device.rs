// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A bulk goes before its device.

use kernel::{
    drm::ttm::{fixture, BulkMove, Resv},
    prelude::*, //
};

fn case(dev: fixture::Device) -> Result {
    let bulk = BulkMove::new(&dev, Resv::new()?)?;

    #[cfg(not(control))]
    drop(dev); //~ error[E0505]: cannot move out of `dev` because it is borrowed
    bulk.id();
    Ok(())
}
