// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Clearing of a buffer's new place, so that it doesn't show what other buffers left there (L3).
//!
//! C header: [`include/drm/ttm/ttm_bo.h`](srctree/include/drm/ttm/ttm_bo.h)

use super::{
    fence_slot::{
        add_fences_of,
        patience,
        wait_for, //
    },
    moves::space,
    order,
    pieces::Pieces,
    raw_device::RawDevice,
    resource::uses_pages,
    Space, //
};
use crate::{
    bindings,
    dma_fence::Fence,
    prelude::*,
    sync::aref::ARef, //
};
use core::marker::PhantomData;

/// How a place is cleared: the answer of [`Driver::clear_place`].
///
/// [`Driver::clear_place`]: super::Driver::clear_place
pub enum ClearBy {
    /// The CPU clears the place before the buffer gets it. It waits for moves out of the place
    /// first. The buffer doesn't get the place, with [`ENXIO`], if the CPU [can't
    /// reach](Clear::cpu_reaches) it.
    Cpu,

    /// The device clears all of the place, and is done when the fence is signaled. Nothing waits
    /// for that now, but all that uses the buffer later does.
    ///
    /// The device must begin only when all of [`Clear::dependencies`] are signaled, and the fence
    /// must not be signaled before them; see [`MoveBy::Pipelined`](super::MoveBy::Pipelined).
    Fence(ARef<Fence>),
}

/// A place that a buffer is about to get, and in which other buffers may have left data.
///
/// # Invariants
///
/// `bo` is a valid buffer on the device of a `RawDevice`, its reservation held; `new` is a valid
/// resource that was completely allocated for it.
pub struct Clear<'a> {
    bo: *mut bindings::ttm_buffer_object,
    new: *mut bindings::ttm_resource,
    _borrowed: PhantomData<&'a ()>,
}

/// Asks the driver how to clear a place.
pub(super) type ByDriver<'a> = dyn FnMut(&mut Clear<'_>) -> Result<ClearBy> + 'a;

impl Clear<'_> {
    /// The place.
    pub fn place(&self) -> Space {
        // SAFETY: By the type invariants it is completely allocated.
        unsafe { space(self.new) }
    }

    /// The size of the place in bytes, a multiple of the page size.
    pub fn size(&self) -> usize {
        // SAFETY: By the type invariants it is completely allocated, so its size doesn't change.
        unsafe { (*self.new).size }
    }

    /// The parts of the place, for the device.
    pub fn pieces(&self) -> Result<Pieces<'_>> {
        // SAFETY: By the type invariants, as long as `self`.
        unsafe { Pieces::new(self.bo, self.new) }
    }

    /// The fences that a device must wait for before it may touch the place: those of moves out of
    /// it, and of all users of the buffer. Signaled ones are left out.
    ///
    /// # Errors
    ///
    /// [`ENOMEM`]
    pub fn dependencies(&self) -> Result<KVec<ARef<Fence>>> {
        let usage = bindings::dma_resv_usage_DMA_RESV_USAGE_BOOKKEEP;
        let mut all = KVec::new();

        // SAFETY: By the type invariants, the reservation is valid. TTM has added the fences of
        // moves out of the place.
        unsafe { add_fences_of((*self.bo).base.resv, usage, &mut all) }?;
        Ok(all)
    }

    /// Whether the CPU reaches all of the place, so that it can clear it.
    pub fn cpu_reaches(&self) -> bool {
        // SAFETY: By the type invariants the buffer is on the device of a `RawDevice`, where `new`
        // is allocated.
        unsafe { RawDevice::from_bdev((*self.bo).bdev).is_in_reach(self.new) }
    }
}

/// Gives a buffer its first place, and clears the data that other buffers left there (L3).
///
/// # Errors
///
/// As [`clear_place`].
///
/// # Safety
///
/// `bo` must be a buffer without a resource, or in one without content, on the device of a
/// [`RawDevice`], its reservation held, with room for a fence; `new` must be completely allocated
/// for it, and `ctx` be valid.
pub(super) unsafe fn place_first(
    bo: *mut bindings::ttm_buffer_object,
    ctx: *mut bindings::ttm_operation_ctx,
    new: *mut bindings::ttm_resource,
    by_driver: &mut ByDriver<'_>,
) -> Result {
    // SAFETY: All three are valid, the buffer is reserved, and `new` is given away, by the
    // function's requirements.
    unsafe {
        clear_place(bo, ctx, new, by_driver)?;
        bindings::ttm_bo_move_null(bo, new);
    }
    Ok(())
}

/// Clears a place that isn't made of pages, where other buffers may have left data (L3), as the
/// driver says.
///
/// Pages are cleared when a buffer gets them, so this does nothing for places made of pages.
///
/// # Errors
///
/// Errors of the driver. If the CPU is to clear the place, and a move out of it isn't done yet:
/// [`EBUSY`] or [`ERESTARTSYS`], depending on `ctx`; [`ENODEV`] if the place is in a window of a
/// device that is unplugged; [`ENXIO`] if the CPU doesn't reach it; [`ENOMEM`].
///
/// # Safety
///
/// `bo` must be a buffer on the device of a [`RawDevice`], its reservation held, with room for a
/// fence; `new` must be completely allocated for it, and not be its place yet; `ctx` must be valid.
pub(super) unsafe fn clear_place(
    bo: *mut bindings::ttm_buffer_object,
    ctx: *mut bindings::ttm_operation_ctx,
    new: *mut bindings::ttm_resource,
    by_driver: &mut ByDriver<'_>,
) -> Result {
    // SAFETY: `new` is a valid resource of the buffer, by the function's requirements.
    if unsafe { uses_pages(new) } {
        return Ok(());
    }
    // INVARIANT: By the function's requirements.
    let mut clear = Clear {
        bo,
        new,
        _borrowed: PhantomData,
    };
    match by_driver(&mut clear)? {
        ClearBy::Fence(fence) => {
            // SAFETY: The buffer is reserved, with room for a fence, which is used only here, by the
            // function's requirements.
            return unsafe { add_clear_fence(&clear, &fence) };
        }
        ClearBy::Cpu if !clear.cpu_reaches() => return Err(ENXIO),
        ClearBy::Cpu => (),
    }
    // SAFETY: The buffer is on the device of a `RawDevice`, and `new` is allocated there, by the
    // function's requirements.
    let Some(reach) = unsafe { RawDevice::from_bdev((*bo).bdev).reach(new) }? else {
        return Ok(());
    };

    // A pipelined eviction may still have to copy data out of the place. TTM has added its fence to
    // the reservation.
    // SAFETY: `bo` is valid, so its reservation is, which stays the same as it is held; `ctx` is
    // valid. All by the function's requirements.
    unsafe { wait_for_moves((*bo).base.resv, ctx) }?;
    // SAFETY: It is a place that isn't used yet, by the function's requirements. If a manager has
    // allocated it twice, it may be written to concurrently.
    unsafe { reach.clear() }
}

/// Lets all that uses the buffer wait for the device that clears its place.
///
/// # Errors
///
/// That of the fence, if the device has failed already: the place still has data of others (L3).
///
/// # Safety
///
/// The reservation must have room for a fence.
unsafe fn add_clear_fence(clear: &Clear<'_>, fence: &Fence) -> Result {
    if fence.is_container() {
        // A reservation can't have such a fence.
        return fence.wait();
    }
    if let Some(Err(e)) = fence.status() {
        return Err(e);
    }
    order::watch(fence, || clear.dependencies());

    let usage = bindings::dma_resv_usage_DMA_RESV_USAGE_KERNEL;
    // SAFETY: By the type invariants of `Clear` the reservation is held; it has room, by the
    // function's requirements. It takes a reference to the fence.
    unsafe { bindings::dma_resv_add_fence((*clear.bo).base.resv, fence.as_raw(), usage) };
    Ok(())
}

/// Waits for moves, as `ctx` says; no longer than TTM waits for a buffer: others may need the
/// reservation, and whoever unplugs the device may wait for them.
///
/// # Errors
///
/// [`EBUSY`], [`ERESTARTSYS`].
///
/// # Safety
///
/// `resv` must be a valid reservation, and `ctx` be valid.
pub(super) unsafe fn wait_for_moves(
    resv: *mut bindings::dma_resv,
    ctx: *mut bindings::ttm_operation_ctx,
) -> Result {
    let usage = bindings::dma_resv_usage_DMA_RESV_USAGE_KERNEL;

    // SAFETY: `resv` is valid, and so is `ctx`, by the function's requirements.
    unsafe {
        if (*ctx).no_wait_gpu {
            let done = bindings::dma_resv_test_signaled(resv, usage);
            return if done { Ok(()) } else { Err(EBUSY) };
        }
        if wait_for(resv, usage, (*ctx).interruptible, patience())? {
            Ok(())
        } else {
            Err(EBUSY)
        }
    }
}
