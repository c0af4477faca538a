// SPDX-License-Identifier: GPL-2.0 OR MIT

//! System pages behind a buffer.
//!
//! C header: [`include/drm/ttm/ttm_tt.h`](srctree/include/drm/ttm/ttm_tt.h)

use super::{
    dma_buf::MappedPages,
    raw_device,
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
/// - `dma_buf` is null or valid. If `mapped` is there, it is of that, and `tt.pages` are its pages.
#[repr(C)]
#[pin_data]
struct Tt {
    #[pin]
    tt: Opaque<bindings::ttm_tt>,

    /// The shrinker took the pages, and their content is lost. Protected by the reservation.
    purged: bool,

    /// It is that of an imported buffer. Constant.
    is_imported: bool,

    /// The DMA-buf that the pages of an imported buffer are taken from, if the CPU is to reach
    /// them; else null.
    dma_buf: *mut bindings::dma_buf,

    /// The pages of an imported buffer, for the CPU. Protected by the reservation.
    mapped: Option<MappedPages>,
}

/// Where it says whether the content is lost. Protected by the reservation.
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
    mut page_flags: u32,
) -> *mut bindings::ttm_tt {
    // SAFETY: The buffer is on a `Device<T>`, by the function's requirements, and valid for the
    // call, as TTM has a reference.
    let buffer = unsafe { Buffer::<T>::from_raw(bo) };
    let init = pin_init!(Tt {
        tt <- Opaque::init_zeroed(),
        purged: false,
        is_imported: buffer.is_imported(),
        dma_buf: ptr::null_mut(),
        mapped: None,
    });
    let Ok(tt) = KBox::pin_init(init, GFP_KERNEL) else {
        return ptr::null_mut();
    };
    let raw = tt.tt.get();

    if buffer.is_imported() {
        // SAFETY: `raw` is zeroed memory for a `ttm_tt`, `bo` is valid by the function's
        // requirements.
        if unsafe { bindings::ttm_sg_tt_init(raw, bo, page_flags, Caching::Cached.as_raw()) } != 0 {
            return ptr::null_mut();
        }
        // CAST: The `ttm_tt` comes first.
        // INVARIANT: `tt` of `Tt` was just initialized, and came out of a box. The object, which
        // has a reference to the DMA-buf, lasts longer.
        // SAFETY: Nothing moves it: it is only accessed through pointers. `this` isn't used by
        // others yet. An imported buffer that is no ghost is embedded in an object, as those of a
        // `Device` are.
        unsafe {
            let this = KBox::into_raw(Pin::into_inner_unchecked(tt));

            if T::MAPS_IMPORTS && !buffer.is_ghost() {
                (*this).dma_buf = Object::<T::BufferData>::dma_buf_of(bo);
            }
            return this.cast();
        }
    }

    // SAFETY: The buffer is valid and on a `Device`, whose `bdev` is that of a `RawDevice`, by the
    // function's requirements.
    let shrinkable = unsafe { raw_device::is_shrinkable((*bo).bdev) };
    if shrinkable {
        // TTM must not swap out pages that may be backed up.
        page_flags |= bindings::TTM_TT_FLAG_EXTERNAL | bindings::TTM_TT_FLAG_EXTERNAL_MAPPABLE;
    }

    let caching = buffer.data().map_or(Caching::Cached, T::caching);
    // SAFETY: `raw` is zeroed memory for a `ttm_tt`, `bo` is valid by the function's requirements.
    let ret = unsafe { bindings::ttm_tt_init(raw, bo, page_flags, caching.as_raw(), 0) };
    let mut done = to_result(ret);
    if done.is_ok() && shrinkable {
        // SAFETY: It was just initialized, and has no pages yet. No other code has a pointer to it.
        done = to_result(unsafe { bindings::ttm_tt_setup_backup(raw) }).inspect_err(|_| {
            // SAFETY: It was initialized above, has no pages, and is not used any more.
            unsafe { bindings::ttm_tt_fini(raw) };
        });
    }

    match done {
        // CAST: The `ttm_tt` comes first.
        // INVARIANT: `tt` of `Tt` was initialized above, and it came out of a box.
        // SAFETY: Nothing moves it: it is only accessed through pointers.
        Ok(()) => unsafe { KBox::into_raw(Pin::into_inner_unchecked(tt)) }.cast(),
        Err(_) => ptr::null_mut(),
    }
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

/// The shrinker dropped the content.
///
/// # Safety
///
/// `tt` must come from [`create`], and the reservation of its buffer be held.
pub(super) unsafe fn set_purged(tt: *mut bindings::ttm_tt) {
    // SAFETY: `tt` comes from `create` and is valid, and the reservation of its buffer, which
    // protects the flag, is held, by the function's requirements.
    unsafe { *purged(tt) = true };
}
