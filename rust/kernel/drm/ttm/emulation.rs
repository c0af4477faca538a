// SPDX-License-Identifier: GPL-2.0 OR MIT

//! The CPU in the place of a GPU, for the drivers of virtual GPUs.
//!
//! - A [`Job`] is work on buffers that a thread does in place of the GPU.
//! - A [`CopyJob`] moves a buffer in place of a copy engine.
//! - Memory types may have [`Backing::Emulated`](super::Backing::Emulated).
//!
//! The driver of a real GPU needs none of this, so it is built only with
//! `CONFIG_RUST_DRM_TTM_EMULATION`, which such a driver selects.

mod content;
mod copy_job;
mod job;

pub use self::{
    copy_job::CopyJob,
    job::{
        Job,
        JobBuilder,
        JobMemory, //
    }, //
};

use crate::{
    dma_fence::{
        Fence,
        Timeline, //
    },
    sync::aref::ARef, //
};

/// Whether one of `fences` is neither signaled nor on `timeline`.
fn is_any_beyond(timeline: &Timeline, fences: &[ARef<Fence>]) -> bool {
    fences
        .iter()
        .any(|fence| !timeline.has(fence) && !fence.is_signaled())
}

/// The first of `fences` that isn't signaled.
fn first_pending(fences: &[ARef<Fence>]) -> Option<&ARef<Fence>> {
    fences.iter().find(|fence| !fence.is_signaled())
}
