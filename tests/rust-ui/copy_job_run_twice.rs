// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A copy job runs once.

use kernel::drm::ttm::CopyJob;

fn case(job: CopyJob) {
    #[cfg(not(control))]
    job.run();
    job.run(); //~ error[E0382]: use of moved value: `job`
}
