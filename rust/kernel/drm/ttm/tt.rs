// SPDX-License-Identifier: GPL-2.0 OR MIT

//! System pages behind a buffer.
//!
//! C header: [`include/drm/ttm/ttm_tt.h`](srctree/include/drm/ttm/ttm_tt.h)

use super::{
    dma::DeviceDma,
    dma_buf::MappedPages,
    raw_device::RawDevice,
    Buffer,
    Caching,
    Driver,
    Object, //
};
use crate::{
    bindings,
    error::{
        from_result,
        to_result, //
    },
    prelude::*,
    types::Opaque, //
};
use core::{
    ffi::c_int,
    ptr, //
};

/// The pages of a buffer, and their state.
///
/// # Invariants
///
/// - `tt` is initialized, and `self` is the content of a [`KBox`], once [`create`] has returned it.
/// - `dma_buf` is null or valid. If there is a `mapped`, it is a mapping of `dma_buf`, and
///   `tt.pages` are its pages.
#[repr(C)]
#[pin_data]
struct Tt {
    #[pin]
    tt: Opaque<bindings::ttm_tt>,

    /// Whether the content is lost, as the pages were purged. Protected by the reservation.
    purged: bool,

    /// Whether the buffer is imported. Constant.
    is_imported: bool,

    /// The DMA-buf that the pages of an imported buffer are taken from, if the CPU is to reach
    /// them; else null.
    dma_buf: *mut bindings::dma_buf,

    /// The pages of an imported buffer, for the CPU. Protected by the reservation.
    mapped: Option<MappedPages>,
}

/// A pointer to the flag that says whether the content is lost. The reservation protects the flag.
///
/// # Safety
///
/// `tt` must come from [`create`], and be valid.
unsafe fn purged(tt: *mut bindings::ttm_tt) -> *mut bool {
    // CAST: The `ttm_tt` comes first.
    // SAFETY: `tt` comes from `create` and is valid, by the function's requirements, so it is the
    // first field of a `Tt`. This is a pointer to another field of that.
    unsafe { &raw mut (*tt.cast::<Tt>()).purged }
}

/// Makes the `ttm_tt` of a buffer, without pages yet, or returns null.
///
/// # Safety
///
/// Only to be called by TTM, on a valid buffer object of a [`Device<T>`](super::Device) that it has
/// a reference to, and whose reservation is held.
pub(super) unsafe extern "C" fn create<T: Driver>(
    bo: *mut bindings::ttm_buffer_object,
    page_flags: u32,
) -> *mut bindings::ttm_tt {
    // SAFETY: The buffer is on a `Device<T>`, by the function's requirements, and valid for the
    // call, as TTM has a reference.
    let buffer = unsafe { Buffer::<T>::from_raw(bo) };
    let is_imported = buffer.is_imported();
    let dma_buf = if is_imported && T::MAPS_IMPORTS && !buffer.is_ghost() {
        // SAFETY: A buffer on a `Device` that is no ghost is embedded in an object.
        unsafe { Object::<T::BufferData>::dma_buf_of(bo) }
    } else {
        ptr::null_mut()
    };
    // INVARIANT: The object, which has a reference to the DMA-buf, outlives the `ttm_tt`.
    let memory = pin_init!(Tt {
        tt <- Opaque::init_zeroed(),
        purged: false,
        is_imported,
        dma_buf,
        mapped: None,
    });
    let Ok(tt) = KBox::pin_init(memory, GFP_KERNEL) else {
        return ptr::null_mut();
    };

    // SAFETY: `tt.tt` is zeroed memory for a `ttm_tt`, which doesn't move. `bo` is valid, and its
    // device is that of a `RawDevice`, by the function's requirements.
    let done = unsafe {
        if is_imported {
            init_imported(tt.tt.get(), bo, page_flags)
        } else {
            let caching = buffer.data().map_or(Caching::Cached, T::caching);

            init(tt.tt.get(), bo, page_flags, caching)
        }
    };
    match done {
        // CAST: The `ttm_tt` comes first.
        // INVARIANT: `tt` of `Tt` was just initialized, and it came out of a box.
        // SAFETY: Nothing moves it: it is only accessed through pointers.
        Ok(()) => unsafe { KBox::into_raw(Pin::into_inner_unchecked(tt)) }.cast(),
        Err(_) => ptr::null_mut(),
    }
}

/// Initializes the `ttm_tt` of a buffer that has pages of its own.
///
/// # Safety
///
/// `tt` must be zeroed memory for a `ttm_tt` that doesn't move, and `bo` a valid buffer on the
/// device of a [`RawDevice`].
unsafe fn init(
    tt: *mut bindings::ttm_tt,
    bo: *mut bindings::ttm_buffer_object,
    page_flags: u32,
    caching: Caching,
) -> Result {
    // SAFETY: `bo` is valid and on the device of a `RawDevice`, by the function's requirements.
    let raw = unsafe { RawDevice::from_bdev((*bo).bdev) };
    let caching = caching.as_raw();

    // SAFETY: `tt` is zeroed memory for a `ttm_tt`, and `bo` is valid, by the function's
    // requirements. Without the flag for external pages, either has room for pages, and the second
    // one for their DMA addresses as well.
    to_result(unsafe {
        match raw.dma() {
            None => bindings::ttm_tt_init(tt, bo, page_flags, caching, 0),
            Some(_) => bindings::ttm_sg_tt_init(tt, bo, page_flags, caching),
        }
    })?;
    if raw.dma().is_some() {
        // Such a device may move content into the pages. If it fails to, they must have no data of
        // others (L3).
        // SAFETY: It was just initialized, and no other code has a pointer to it.
        unsafe { bindings::ttm_tt_mark_for_clear(tt) };
    }
    if raw.is_shrinkable() {
        // TTM must not swap out pages that may be backed up.
        // SAFETY: It was just initialized, and no other code has a pointer to it.
        unsafe {
            (*tt).page_flags |=
                bindings::TTM_TT_FLAG_EXTERNAL | bindings::TTM_TT_FLAG_EXTERNAL_MAPPABLE;
        }
        // SAFETY: It was just initialized, and has no pages yet. No other code has a pointer to it.
        to_result(unsafe { bindings::ttm_tt_setup_backup(tt) }).inspect_err(|_| {
            // SAFETY: It was initialized above, has no pages, and is not used any more.
            unsafe { bindings::ttm_tt_fini(tt) };
        })?;
    }
    Ok(())
}

/// Initializes the `ttm_tt` of an imported buffer.
///
/// # Safety
///
/// As [`init`].
unsafe fn init_imported(
    tt: *mut bindings::ttm_tt,
    bo: *mut bindings::ttm_buffer_object,
    page_flags: u32,
) -> Result {
    let caching = Caching::Cached.as_raw();

    // SAFETY: `tt` is zeroed memory for a `ttm_tt`, and `bo` is valid, by the function's
    // requirements.
    to_result(unsafe { bindings::ttm_sg_tt_init(tt, bo, page_flags, caching) })
}

/// Frees a `ttm_tt` that [`create`] made.
///
/// # Safety
///
/// `tt` must come from [`create`] and not be used afterwards; it must have no pages.
pub(super) unsafe extern "C" fn destroy(
    _bdev: *mut bindings::ttm_device,
    tt: *mut bindings::ttm_tt,
) {
    // SAFETY: `tt` comes from `create` and is valid, by the function's requirements, and the buffer
    // is the last to have it.
    if unsafe { *purged(tt) } {
        // TTM would look for backed up pages.
        // SAFETY: `tt` comes from `create`, by the function's requirements, so by the type
        // invariants of `Tt` it is initialized. The buffer is the last to have it.
        unsafe { bindings::ttm_tt_clear_backed_up(tt) };
    }
    // SAFETY: `tt` comes from `create`, by the function's requirements, so by the type invariants
    // of `Tt` it is initialized. It has no pages, and only its memory is used afterwards.
    unsafe { bindings::ttm_tt_fini(tt) };

    // CAST: The `ttm_tt` comes first.
    // SAFETY: `tt` comes from `create`, by the function's requirements, which gave a box of a `Tt`
    // away; it isn't used afterwards.
    drop(unsafe { KBox::<Tt>::from_raw(tt.cast()) });
}

/// Gives a buffer its pages: those that the shrinker backed up, or new ones.
///
/// # Safety
///
/// Only to be called by TTM, on a `tt` from [`create`] whose buffer's reservation is held. `bdev`
/// must be that of the buffer, and `ctx` be valid.
pub(super) unsafe extern "C" fn populate(
    bdev: *mut bindings::ttm_device,
    tt: *mut bindings::ttm_tt,
    ctx: *mut bindings::ttm_operation_ctx,
) -> c_int {
    // SAFETY: `tt` comes from `create` and is valid for the call, by the function's requirements.
    if let Some(tt) = unsafe { imported(tt) } {
        // SAFETY: It is that of an imported buffer without pages, as TTM populates no other, and
        // its reservation is held, by the function's requirements.
        return from_result(|| unsafe { populate_imported(tt) }.map(|()| 0));
    }
    // SAFETY: `bdev` is that of the buffer, which is on the device of a `RawDevice`, by the
    // function's requirements.
    let raw = unsafe { RawDevice::from_bdev(bdev) };
    if raw.dma().is_some_and(DeviceDma::has_ended) {
        if raw.has_coherent_memory() {
            return ENODEV.to_errno();
        }
        // From here on its pages are for the CPU only.
        // SAFETY: `tt` comes from `create`, so it is initialized, and the pages that it may have
        // come from this pool. The reservation, which protects it, is held. Both by the function's
        // requirements.
        unsafe { bindings::ttm_pool_unmap_tt(&raw mut (*bdev).pool, tt) };
    }
    // SAFETY: `tt` comes from `create` and is valid for the call, by the function's requirements.
    let purged = unsafe { purged(tt) };

    // SAFETY: `purged` is part of `tt`. The reservation, which protects it, is held, by the
    // function's requirements.
    let was_purged = unsafe { *purged };
    // SAFETY: `tt` comes from `create`, so it is initialized. The reservation, which protects its
    // pages, is held, by the function's requirements.
    if unsafe { bindings::ttm_tt_is_backed_up(tt) } && !was_purged {
        // SAFETY: It is backed up. `bdev` is that of its buffer, whose reservation is held, and
        // `ctx` is valid, by the function's requirements.
        return unsafe { bindings::ttm_tt_restore(bdev, tt, ctx) };
    }
    // SAFETY: `tt` is initialized, and if pages of it are backed up, their content is no longer
    // needed.
    unsafe { bindings::ttm_tt_clear_backed_up(tt) };
    if was_purged {
        // The pages may have data of others, so clear them (L3).
        // SAFETY: `tt` is initialized and has no pages. No other thread uses it, as the reservation
        // is held.
        unsafe { bindings::ttm_tt_mark_for_clear(tt) };
    }
    // SAFETY: `bdev` is that of the buffer, so its pool is initialized; `tt` has no pages, its
    // reservation is held, and `ctx` is valid, by the function's requirements.
    let ret = unsafe { bindings::ttm_pool_alloc(&raw mut (*bdev).pool, tt, ctx) };
    if ret == 0 {
        // SAFETY: `purged` is part of `tt`, and protected by the reservation, which is held.
        unsafe { *purged = false };
    }
    ret
}

/// Frees the pages of a buffer, and their backup.
///
/// # Safety
///
/// Only to be called by TTM, on a `tt` from [`create`] whose buffer's reservation is held, or to
/// which there is no other reference. `bdev` must be that of the buffer.
pub(super) unsafe extern "C" fn unpopulate(
    bdev: *mut bindings::ttm_device,
    tt: *mut bindings::ttm_tt,
) {
    // SAFETY: `tt` comes from `create` and is valid for the call, by the function's requirements.
    if let Some(tt) = unsafe { imported(tt) } {
        // SAFETY: It is that of an imported buffer. TTM always holds the reservation when it takes
        // the pages of an imported buffer, also in `ttm_bo_delayed_delete`, and the pages are no
        // longer used, by the function's requirements.
        return unsafe { unpopulate_imported(tt) };
    }
    // SAFETY: `bdev` is that of the buffer, so the pages came from its pool. No other thread uses
    // them, as the reservation is held, or there is no other reference. All by the function's
    // requirements.
    unsafe { bindings::ttm_pool_free(&raw mut (*bdev).pool, tt) };
}

/// The [`Tt`] of an imported buffer; [`None`] for other buffers.
///
/// # Safety
///
/// `tt` must come from [`create`], and be valid.
unsafe fn imported(tt: *mut bindings::ttm_tt) -> Option<*mut Tt> {
    // CAST: The `ttm_tt` comes first.
    let this: *mut Tt = tt.cast();

    // SAFETY: `tt` comes from `create`, so it is the first field of a `Tt`, by the function's
    // requirements.
    unsafe { (*this).is_imported }.then_some(this)
}

/// Takes over the exporter's pages: their DMA addresses, and the pages themselves if the CPU is to
/// reach them.
///
/// # Safety
///
/// `tt` must be that of an imported buffer, without pages, its reservation held.
unsafe fn populate_imported(tt: *mut Tt) -> Result {
    // SAFETY: `tt` is valid, by the function's requirements; this is a pointer to its field.
    let raw = unsafe { &raw const (*tt).tt };
    let raw = Opaque::cast_into(raw);

    // SAFETY: `tt` is valid and its reservation, which is that of the DMA-buf, held, by the
    // function's requirements. By the type invariants of `Tt` the `ttm_tt` is initialized, so that
    // there is room for `num_pages` addresses. The scatterlist isn't null, so it is mapped; the
    // DMA-buf, if there is one, is valid, and has as many pages.
    unsafe {
        let count = (*raw).num_pages as usize;
        if (*raw).sg.is_null() {
            // The device was unregistered, which has unmapped the scatterlist.
            return Err(ENODEV);
        }
        let ret = bindings::drm_prime_sg_to_dma_addr_array(
            (*raw).sg,
            (*raw).dma_address,
            c_int::try_from(count)?,
        );
        if ret != 0 {
            return Err(EINVAL);
        }

        if !(*tt).dma_buf.is_null() {
            (*tt).mapped = MappedPages::new((*tt).dma_buf, count);
            if let Some(mapped) = &(*tt).mapped {
                // INVARIANT: `mapped` of `Tt` has these pages.
                (*raw).pages = mapped.as_ptr();
            }
        }
    }
    Ok(())
}

/// Gives the exporter's pages up.
///
/// # Safety
///
/// `tt` must be that of an imported buffer, its reservation held; its pages must not be used any
/// more.
unsafe fn unpopulate_imported(tt: *mut Tt) {
    // SAFETY: `tt` is valid, by the function's requirements; this is a pointer to its field.
    let raw = Opaque::cast_into(unsafe { &raw const (*tt).tt });

    // SAFETY: `tt` is valid, its reservation is held and the pages are no longer used, by the
    // function's requirements. By the type invariants of `Tt` the `ttm_tt` is initialized, and
    // `mapped` is a mapping of that DMA-buf, whose reservation this is.
    unsafe {
        (*raw).pages = ptr::null_mut();
        if let Some(mapped) = (*tt).mapped.take() {
            mapped.unmap();
        }
    }
}

/// Records that the pages were purged, so that the content is lost.
///
/// # Safety
///
/// `tt` must come from [`create`], and the reservation of its buffer be held.
pub(super) unsafe fn set_purged(tt: *mut bindings::ttm_tt) {
    // SAFETY: `tt` comes from `create` and is valid, and the reservation of its buffer, which
    // protects the flag, is held, by the function's requirements.
    unsafe { *purged(tt) = true };
}
