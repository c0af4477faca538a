// SPDX-License-Identifier: GPL-2.0 OR MIT
//! What a walk lends isn't there any more when it goes on: it can't be left in place of what
//! another one lends.

use core::{mem::swap, ops::ControlFlow::Continue};
use kernel::drm::ttm::{test_device, Manager, OperationCtx, Stop, Transaction};

fn case(
    outer: &Transaction<'_>,
    inner: &Transaction<'_>,
    man: &Manager<test_device::Driver>,
) -> Result<(), Stop> {
    outer.walk(man, &OperationCtx::new(), |a| {
        let _ = inner.walk(man, &OperationCtx::new(), |b| {
            #[cfg(not(control))]
            swap(a, b);
            //~^ error[E0521]: borrowed data escapes outside of closure: `b` escapes the closure body here
            //~^^ error[E0521]: borrowed data escapes outside of closure: `a` escapes the closure body here
            Continue(())
        });
        Continue(())
    })
}
