// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Printing with DRM printers.
//!
//! C header: [`include/drm/drm_print.h`](srctree/include/drm/drm_print.h)

use crate::{
    bindings,
    fmt,
    prelude::*,
    types::NotThreadSafe, //
};
use core::{
    ffi::c_void,
    marker::PhantomData,
    ptr, //
};

/// A DRM printer, which DRM passes to a driver for output such as fdinfo.
///
/// Write to it with [`write!`] and [`writeln!`], which never fail.
///
/// # Examples
///
/// See [`drm::Driver::show_fdinfo`](crate::drm::Driver::show_fdinfo).
///
/// # Invariants
///
/// `raw` is a valid `struct drm_printer` for `'a`, which nothing else uses during that time.
pub struct Printer<'a> {
    raw: *mut bindings::drm_printer,
    _printer: PhantomData<&'a mut bindings::drm_printer>,
    _not_send: NotThreadSafe,
}

impl Printer<'_> {
    /// # Safety
    ///
    /// `raw` must be valid as long as the returned printer, and nothing else may use it during that
    /// time.
    pub(super) unsafe fn from_raw(raw: *mut bindings::drm_printer) -> Self {
        // INVARIANT: By the function's requirements.
        Self {
            raw,
            _printer: PhantomData,
            _not_send: NotThreadSafe,
        }
    }

    #[cfg_attr(not(CONFIG_RUST_DRM_TTM), expect(dead_code))]
    pub(super) fn as_raw(&mut self) -> *mut bindings::drm_printer {
        self.raw
    }

    /// Prints; called by [`write!`] and [`writeln!`].
    pub fn write_fmt(&mut self, args: fmt::Arguments<'_>) {
        let args = ptr::from_ref(&args).cast::<c_void>();

        // SAFETY: By the type invariants the printer is valid; the format takes these arguments.
        unsafe { bindings::drm_printf(self.raw, c"%pA".as_char_ptr(), args) };
    }
}
