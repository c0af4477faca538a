// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A guard that a walk lends can't be left in the place of one that another walk lends.

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
