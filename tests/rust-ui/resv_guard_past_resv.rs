// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A guard can't outlive the last reference to its reservation.

use kernel::{
    drm::ttm::Resv,
    prelude::*,
    sync::Arc, //
};

fn case(resv: Arc<Resv>) -> bool {
    let reserved = resv.reserve();
    #[cfg(not(control))]
    drop(resv); //~ error[E0505]: cannot move out of `resv` because it is borrowed
    reserved.is_idle()
}
