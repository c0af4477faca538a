// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A job runs once.

use kernel::{
    drm::ttm::Job,
    prelude::*, //
};

fn case(job: Job) -> Result {
    #[cfg(not(control))]
    job.run(|_| Ok(()))?;
    job.run(|_| Ok(())) //~ error[E0382]: use of moved value: `job`
}
