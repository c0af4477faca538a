// SPDX-License-Identifier: GPL-2.0 OR MIT
//! The lock of a queue can't reserve buffers while a job is published, as the job would not wait
//! for their new users.

use kernel::{
    drm::ttm::{test_device, Job, JobBuilder, Object, Transaction},
    prelude::*, //
};

fn case<'env>(
    tx: &Transaction<'env>,
    obj: &'env Object<test_device::BufferData>,
    job: JobBuilder<'_>,
) -> Result<Job> {
    #[cfg(not(control))]
    let lock = || tx.reserve(obj).is_ok();
    #[cfg(control)]
    let lock = || obj.buffer().size();
    Ok(job.publish_with(lock)?.0) //~ error[E0277]: cannot be shared between threads safely
}
