// SPDX-License-Identifier: GPL-2.0 OR MIT

//! DMA fences: what others wait for until a device is done.
//!
//! A driver makes a fence in a [context](FenceCtx), of memory that it has
//! [allocated before](DriverFenceAllocation). It keeps the [`DriverFence`], and signals it once; all
//! others have a [`Fence`], with which they wait, or have a [callback](FenceCb) called. A [`Timeline`]
//! lies over that, and keeps fences in order.
//!
//! No fence keeps its driver's module. A fence that outlives it has all that it needs in its own memory,
//! and functions in the kernel image. What a driver adds to a fence, [`FenceCb`] and [`Wake`], keeps
//! the module until it was called.
//!
//! C header: [`include/linux/dma-fence.h`](srctree/include/linux/dma-fence.h)

mod callback;
mod context;
mod fence;
mod owner;
#[cfg(CONFIG_KUNIT = "y")]
mod tests;
mod timeline;
mod waker;

pub use self::{
    callback::{
        FenceCallback,
        FenceCb,
        FenceCbRegistration, //
    },
    context::{
        DriverFence,
        DriverFenceAllocation,
        FenceCtx,
        FenceData, //
    },
    fence::Fence,
    timeline::{
        PendingFence,
        PreparedFence,
        Timeline, //
    },
    waker::{
        Wake,
        Waker, //
    },
};
pub(crate) use self::{
    fence::jiffies,
    owner::{
        get_owner_of,
        is_owner,
        Kept, //
    },
};
