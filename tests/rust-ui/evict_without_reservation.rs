// SPDX-License-Identifier: GPL-2.0 OR MIT
//! Moving a buffer needs its reservation.

use kernel::{
    drm::ttm::{test_device, Buffer, OperationCtx},
    prelude::*, //
};

fn case(bo: &Buffer<test_device::Driver>) -> Result {
    #[cfg(not(control))]
    bo.evict(&mut OperationCtx::new())?; //~ error[E0599]: no method named `evict` found for reference `&
    #[cfg(control)]
    bo.reserve().evict(&mut OperationCtx::new())?;
    Ok(())
}
