// SPDX-License-Identifier: GPL-2.0 OR MIT
//! The memory of a job can't be used after its fence is signaled.

use core::cell::Cell;
use kernel::{
    drm::ttm::{Job, JobMemory},
    prelude::*, //
};

fn case<'a>(job: Job, kept: &Cell<Option<&'a JobMemory<'a>>>) -> Result {
    job.run(|memory| {
        #[cfg(not(control))]
        kept.set(Some(memory));
        //~^ error[E0521]: borrowed data escapes outside of closure
        #[cfg(control)]
        kept.set(None);
        memory.write(0, 0, b"x")
    })
}
