// SPDX-License-Identifier: GPL-2.0 OR MIT
//! The fences that a job waits for can't be used after the job.

use kernel::{
    drm::ttm::Job,
    prelude::*, //
};

fn case(job: Job) -> Result {
    let fence = job.waits_for().ok_or(ENOENT)?;
    #[cfg(not(control))]
    job.run(|_| Ok(()))?; //~ error[E0505]: cannot move out of `job` because it is borrowed
    fence.wait()
}
