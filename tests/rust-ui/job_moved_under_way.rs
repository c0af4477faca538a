// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A buffer of a job can't be moved before the job is published.

use kernel::{
    dma_fence::Timeline,
    drm::ttm::{test_device, FenceUsage, JobBuilder, Object, OperationCtx},
    prelude::*, //
};

fn case(obj: &Object<test_device::BufferData>, timeline: &Timeline) -> Result {
    let mut reserved = obj.reserve();
    let mut job = JobBuilder::new(timeline, 1)?;
    job.add(&mut reserved, FenceUsage::Write)?;
    #[cfg(not(control))]
    reserved.evict(&mut OperationCtx::new())?;
    //~^ error[E0499]: cannot borrow `reserved` as mutable more than once at a time
    job.publish()?.run(|_| Ok(()))
}
