// SPDX-License-Identifier: GPL-2.0 OR MIT

//! System pages behind a buffer.
//!
//! C header: [`include/drm/ttm/ttm_tt.h`](srctree/include/drm/ttm/ttm_tt.h)

use crate::{
    bindings,
    error::to_result,
    prelude::*,
    types::Opaque, //
};
use core::ptr;

type Tt = Opaque<bindings::ttm_tt>;

/// Makes the `ttm_tt` of a buffer, without pages yet, or returns null.
///
/// # Safety
///
/// `bo` must be a valid buffer object whose reservation is held.
pub(super) unsafe extern "C" fn create(
    bo: *mut bindings::ttm_buffer_object,
    page_flags: u32,
) -> *mut bindings::ttm_tt {
    let Ok(tt) = KBox::init(Tt::init_zeroed(), GFP_KERNEL) else {
        return ptr::null_mut();
    };

    // SAFETY: `tt` is zeroed memory for a `ttm_tt`, `bo` is valid by the function's requirements.
    let ret = unsafe {
        bindings::ttm_tt_init(
            tt.get(),
            bo,
            page_flags,
            bindings::ttm_caching_ttm_cached,
            0,
        )
    };
    match to_result(ret) {
        // CAST: `Opaque` is transparent.
        Ok(()) => KBox::into_raw(tt).cast(),
        Err(_) => ptr::null_mut(),
    }
}

/// Frees what [`create`] made.
///
/// # Safety
///
/// `tt` must come from [`create`] and not be used afterwards; it must have no pages.
pub(super) unsafe extern "C" fn destroy(
    _bdev: *mut bindings::ttm_device,
    tt: *mut bindings::ttm_tt,
) {
    // SAFETY: By the function's requirements, `tt` is initialized.
    unsafe { bindings::ttm_tt_fini(tt) };

    // CAST: `Opaque` is transparent.
    // SAFETY: By the function's requirements, this is what `create` gave away.
    drop(unsafe { KBox::<Tt>::from_raw(tt.cast()) });
}
