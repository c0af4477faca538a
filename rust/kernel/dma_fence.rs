// SPDX-License-Identifier: GPL-2.0 OR MIT

//! DMA fences: a fence is signaled when a device has finished some work.
//!
//! A driver makes a fence in a [context](FenceCtx), from memory that it has [allocated
//! before](DriverFenceAllocation). It keeps the [`DriverFence`], and signals it once. All other
//! code has a [`Fence`], to wait for it, or to add a [callback](FenceCb). A [`Timeline`] is a layer
//! on top of a context that signals its fences in order. A single fence that needs no order is made
//! with [`DriverFence::new`].
//!
//! No fence keeps its driver's module. A fence may outlive the module, as all of its data is in its
//! own memory, and its functions are in the kernel image. A [`FenceCb`] or [`Wake`] that a driver
//! adds to a fence keeps the module until it was called.
//!
//! C header: [`include/linux/dma-fence.h`](srctree/include/linux/dma-fence.h)

mod callback;
mod context;
mod fence;
mod hook;
mod owner;
#[cfg(CONFIG_KUNIT = "y")]
mod tests;
mod timeline;
mod waker;

#[cfg(any(CONFIG_DRM_VTTM, CONFIG_KUNIT))]
pub(crate) use self::owner::get_owner_of;
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
#[cfg(CONFIG_RUST_DRM_TTM)]
pub(crate) use self::{
    fence::jiffies,
    owner::{
        is_owner,
        Kept, //
    },
};
