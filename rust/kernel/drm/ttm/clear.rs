// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Clearing of a buffer's new place, so that it doesn't show what other buffers left there (L3).
//!
//! C header: [`include/drm/ttm/ttm_bo.h`](srctree/include/drm/ttm/ttm_bo.h)

use super::{
    bytes::zero,
    fence_slot::wait_for,
    raw_device::RawDevice, //
};
use crate::{
    bindings,
    error::from_err_ptr,
    ffi::c_long,
    page::PAGE_SHIFT,
    prelude::*, //
};

/// Gives a buffer its first place, and clears the data that other buffers left there (L3).
///
/// # Errors
///
/// If a move out of the place isn't done yet: [`EBUSY`] or [`ERESTARTSYS`], depending on `ctx`.
///
/// # Safety
///
/// `bo` must be a buffer without a resource, or in one without content, on the device of a
/// [`RawDevice`], its reservation held; `new` must be completely allocated for it, and `ctx` be
/// valid.
pub(super) unsafe fn place_first(
    bo: *mut bindings::ttm_buffer_object,
    ctx: *mut bindings::ttm_operation_ctx,
    new: *mut bindings::ttm_resource,
) -> Result {
    // SAFETY: All three are valid, the buffer is reserved, and `new` is given away, by the
    // function's requirements.
    unsafe {
        clear_place(bo, ctx, new)?;
        bindings::ttm_bo_move_null(bo, new);
    }
    Ok(())
}

/// Clears a place in emulated memory or in a window, where other buffers may have left data (L3).
///
/// Pages are cleared when a buffer gets them, so this does nothing for places made of pages.
///
/// # Errors
///
/// If a move out of the place isn't done yet: [`EBUSY`] or [`ERESTARTSYS`], depending on `ctx`;
/// [`ENODEV`] if the place is in a window of a device that is unplugged; [`ENOMEM`].
///
/// # Safety
///
/// `bo` must be a buffer on the device of a [`RawDevice`], its reservation held; `new` must be
/// completely allocated for it, and not be its place yet; `ctx` must be valid.
pub(super) unsafe fn clear_place(
    bo: *mut bindings::ttm_buffer_object,
    ctx: *mut bindings::ttm_operation_ctx,
    new: *mut bindings::ttm_resource,
) -> Result {
    // SAFETY: The buffer is on the device of a `RawDevice`, and `new` is allocated there, by the
    // function's requirements.
    let (memory, window) = unsafe {
        let raw = RawDevice::from_bdev((*bo).bdev);

        (raw.memory(new), raw.hold_window(new)?)
    };
    if memory.is_none() && window.is_none() {
        return Ok(());
    }

    // A pipelined eviction may still have to copy data out of the place. TTM has added its fence to
    // the reservation.
    // SAFETY: `bo` is valid, so its reservation is, which stays the same as it is held; `ctx` is
    // valid. All by the function's requirements.
    unsafe { wait_for_moves((*bo).base.resv, ctx) }?;
    match memory {
        // SAFETY: By the type invariants of `RawDevice`, the memory of `new` is within the emulated
        // memory, and is whole pages. It is only accessed through pointers, and belongs to `new`;
        // if a manager has allocated it twice, it may be written to concurrently.
        Some(memory) => unsafe { zero(memory, (*new).size) },
        // SAFETY: `new` is a place on `bdev` that isn't used yet, by the function's requirements.
        // It is in a window, which stays as long as `window`.
        None => unsafe { clear_window((*bo).bdev, new) }?,
    }
    Ok(())
}

/// # Safety
///
/// `res` must be a place in a window of `bdev`, which is there, and must not be used yet.
unsafe fn clear_window(
    bdev: *mut bindings::ttm_device,
    res: *mut bindings::ttm_resource,
) -> Result {
    let mut linear = bindings::ttm_kmap_iter_linear_io::default();

    // SAFETY: `res` is a place in a window of `bdev` that is there, by the function's requirements.
    // `linear` isn't moved until all is undone. With this flag, the move only clears, and doesn't
    // use the source.
    unsafe {
        let pages = u32::try_from((*res).size >> PAGE_SHIFT)?;
        let iter = from_err_ptr(bindings::ttm_kmap_iter_linear_io_init(
            &mut linear,
            bdev,
            res,
        ))?;

        bindings::ttm_move_memcpy(true, pages, iter, iter);
        bindings::ttm_kmap_iter_linear_io_fini(&mut linear, bdev, res);
    }
    Ok(())
}

/// Waits for moves, as `ctx` says.
///
/// # Safety
///
/// `resv` must be a valid reservation, and `ctx` be valid.
unsafe fn wait_for_moves(
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
        wait_for(resv, usage, (*ctx).interruptible, c_long::MAX)?;
    }
    Ok(())
}
