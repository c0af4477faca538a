// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A guard that a transaction has lent twice can't be used while a job is published.

use kernel::{
    drm::ttm::{test_device, Job, JobBuilder, Object, OperationCtx, Placement, Reserved},
    prelude::*, //
};

fn case(
    again: &mut Reserved<'_, Object<test_device::BufferData>>,
    job: JobBuilder<'_>,
) -> Result<Job> {
    let mut ctx = OperationCtx::new();
    #[cfg(not(control))]
    let (job, moved) = job.publish_with(|| again.validate(Placement::VRAM, &mut ctx))?;
    //~^ error[E0277]: cannot be sent between threads safely
    //~^^ error[E0277]: `UnsafeCell<*mut ttm_buffer_object>` cannot be shared between threads safely
    #[cfg(control)]
    let (job, moved) = (job.publish()?, again.validate(Placement::VRAM, &mut ctx));
    moved?;
    Ok(job)
}
