// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A reserved object can't be dropped before the transaction gives the reservation back.

use kernel::{
    drm::ttm::{self, test_device, Object, OperationCtx},
    prelude::*,
    sync::aref::ARef, //
};

fn case(
    mut obj: ARef<Object<test_device::BufferData>>,
    other: &ARef<Object<test_device::BufferData>>,
) -> Result {
    ttm::transaction(&OperationCtx::new(), |tx| {
        #[cfg(not(control))]
        let _ = tx.reserve(&obj)?; //~ error[E0521]: borrowed data escapes outside of closure
        #[cfg(control)]
        let _ = tx.reserve(other)?;
        obj = other.clone(); //~ error[E0506]: cannot assign to `obj` because it is borrowed
        Ok(())
    })
}
