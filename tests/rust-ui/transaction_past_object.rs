// SPDX-License-Identifier: GPL-2.0 OR MIT
//! An object must outlive the transaction that reserves it.

use kernel::{
    drm::ttm::{self, test_device, Object, OperationCtx},
    prelude::*,
    sync::aref::ARef, //
};

fn case(obj: ARef<Object<test_device::BufferData>>) -> Result {
    ttm::transaction(&OperationCtx::new(), |tx| {
        #[cfg(not(control))]
        let obj = obj.clone();
        tx.reserve(&obj)?.move_to_lru_tail(); //~ error[E0597]: `obj` does not live long enough
        Ok(())
    })
}
