// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A guard that a walk in a transaction lends can't outlive the next step.

use core::ops::ControlFlow;
use kernel::drm::ttm::{test_device, Manager, OperationCtx, Stop, Transaction};

fn case(tx: &Transaction<'_>, man: &Manager<test_device::Driver>) -> Result<(), Stop> {
    let mut kept = None;
    tx.walk(man, &OperationCtx::new(), |bo| {
        #[cfg(not(control))]
        kept.replace(bo); //~ error[E0521]: borrowed data escapes outside of closure: `bo` escapes
        #[cfg(control)]
        kept.replace(bo.id());
        ControlFlow::Continue(())
    })
}
