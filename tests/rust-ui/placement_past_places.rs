// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A placement can't outlive its places.

use kernel::{
    drm::ttm::{test_device, Object, OperationCtx, Place, Placement},
    prelude::*, //
};

fn case(obj: &Object<test_device::BufferData>) -> Result {
    let places = KVec::from_elem(Place::VRAM, 2, GFP_KERNEL)?;
    let placement = Placement::new(&places)?;

    #[cfg(not(control))]
    drop(places); //~ error[E0505]: cannot move out of `places` because it is borrowed
    obj.reserve().validate(placement, &mut OperationCtx::new())
}
