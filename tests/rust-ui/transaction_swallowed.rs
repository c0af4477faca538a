// SPDX-License-Identifier: GPL-2.0 OR MIT
//! Contention isn't an `Error` that a driver could handle and go on.

use kernel::{
    drm::ttm::{self, test_device, Object, OperationCtx},
    prelude::*, //
};

fn case(obj: &Object<test_device::BufferData>) -> Result {
    ttm::transaction(&OperationCtx::new(), |tx| {
        #[cfg(not(control))]
        let reserved: Result<_, Error> = tx.reserve(obj); //~ error[E0308]: mismatched types
        #[cfg(control)]
        let reserved = tx.reserve(obj);
        reserved?.move_to_lru_tail();
        Ok(())
    })
}
