// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A buffer on a list may be a zombie or a ghost, so placing it needs an object.

use kernel::{
    drm::ttm::{test_device, Buffer, OperationCtx, Placement},
    prelude::*, //
};

fn case(bo: &Buffer<test_device::Driver>) -> Result {
    let mut ctx = OperationCtx::new();

    #[cfg(not(control))]
    bo.reserve().validate(Placement::VRAM, &mut ctx)?; //~ error[E0599]: no method named `validate` found for struct `Reserved
    #[cfg(control)]
    (bo.object().ok_or(ENOENT)?.reserve()).validate(Placement::VRAM, &mut ctx)?;
    Ok(())
}
