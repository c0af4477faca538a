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
    bindings,
    dma_fence::{
        Fence,
        Timeline, //
    },
    error::to_result,
    prelude::*,
    sync::aref::ARef, //
};
use core::ptr::{
    self,
    NonNull, //
};

/// Adds the fences of `resv` with `usage` that aren't signaled to `all`.
///
/// # Errors
///
/// [`ENOMEM`]
///
/// # Safety
///
/// `resv` must be a valid reservation.
unsafe fn add_fences_of(
    resv: *mut bindings::dma_resv,
    usage: bindings::dma_resv_usage,
    all: &mut KVec<ARef<Fence>>,
) -> Result {
    let mut count = 0;
    let mut fences = ptr::null_mut();

    // SAFETY: `resv` is a valid reservation, by the function's requirements; `count` and `fences`
    // are valid for writes during the call.
    to_result(unsafe { bindings::dma_resv_get_fences(resv, usage, &mut count, &mut fences) })?;
    // CAST: There are never that many.
    let count = count as usize;
    let room = all.reserve(count, GFP_KERNEL);

    for n in 0..count {
        // CAST: `Fence` is transparent.
        // SAFETY: `fences` is an array of `count` fences. None is null, and each comes with a
        // reference that is given away here.
        let fence: ARef<Fence> =
            unsafe { ARef::from_raw(NonNull::new_unchecked((*fences.add(n)).cast())) };
        // Without room, they are put.
        let _ = all.push_within_capacity(fence);
    }
    // SAFETY: The array is ours.
    unsafe { bindings::kfree(fences.cast()) };
    Ok(room?)
}

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
