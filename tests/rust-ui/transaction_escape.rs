// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A guard can't outlive the transaction that has lent it.

use kernel::{
    drm::ttm::{self, test_device, Object, OperationCtx},
    prelude::*, //
};

fn case(obj: &Object<test_device::BufferData>) -> Result {
    #[allow(unused_assignments)]
    let mut kept = None;
    ttm::transaction(&OperationCtx::new(), |tx| {
        let reserved = tx.reserve(obj)?;
        #[cfg(not(control))]
        kept.replace(reserved);
        //~^ error[E0521]: borrowed data escapes outside of closure
        #[cfg(control)]
        kept.replace(reserved.mem_type());
        Ok(())
    })
}
