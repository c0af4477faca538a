// SPDX-License-Identifier: GPL-2.0 OR MIT
//! That a reservation is contended can't be taken for an error that one may pass on as one likes.

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
