// SPDX-License-Identifier: GPL-2.0 OR MIT
//! A job must be published while its reservations are held.

use kernel::{
    dma_fence::Timeline,
    drm::ttm::{test_device, FenceUsage, JobBuilder, Object},
    prelude::*, //
};

fn case(obj: &Object<test_device::BufferData>, timeline: &Timeline) -> Result {
    let mut reserved = obj.reserve();
    let mut job = JobBuilder::new(timeline, 1)?;
    job.add(&mut reserved, FenceUsage::Write)?;
    #[cfg(not(control))]
    drop(reserved); //~ error[E0505]: cannot move out of `reserved` because it is borrowed
    job.publish()?.run(|_| Ok(()))
}
