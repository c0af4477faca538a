// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A guard can't be returned from the transaction that has lent it.

use kernel::{
    drm::ttm::{self, test_device, Object, OperationCtx},
    prelude::*, //
};

fn case(obj: &Object<test_device::BufferData>) -> Result {
    let kept = ttm::transaction(&OperationCtx::new(), |tx| {
        let reserved = tx.reserve(obj)?;
        #[cfg(not(control))]
        return Ok(reserved); //~ error: lifetime may not live long enough
        #[cfg(control)]
        Ok(reserved.mem_type())
    })?;
    let _ = kept;
    Ok(())
}
