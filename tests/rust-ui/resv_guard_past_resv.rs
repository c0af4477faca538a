// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A reservation is given back before it goes.

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
