// SPDX-License-Identifier: GPL-2.0 OR MIT

//! The memory with the content of a buffer, as the CPU reaches it.

use crate::{
    bindings,
    drm::ttm::{
        raw_device::RawDevice,
        reach::Placed,
        resource::uses_pages, //
    },
    page::{
        PAGE_SHIFT,
        PAGE_SIZE, //
    }, //
};
use core::ops::Range;

/// Memory that belongs to a buffer.
pub(super) enum Content {
    /// Memory that a memory type begins with, and where the buffer is in it.
    Memory(*mut u8, Placed),
    /// An array of pages.
    Pages(*mut *mut bindings::page),
}

impl Content {
    /// Where the content of `bo` is if its place is `res`, or [`None`] if the CPU can't reach the
    /// place, or there are no pages.
    ///
    /// # Safety
    ///
    /// `bo` must be a valid buffer on the device of a [`RawDevice`], and its reservation be held.
    /// `res` must be its resource, or one that was completely allocated for it.
    pub(super) unsafe fn of(
        bo: *mut bindings::ttm_buffer_object,
        res: *mut bindings::ttm_resource,
    ) -> Option<Self> {
        // SAFETY: `bo` is valid, and on the device of a `RawDevice`, which it keeps; `res` is a
        // valid resource there, completely allocated. Both by the function's requirements.
        if let Some((base, placed)) = unsafe { RawDevice::from_bdev((*bo).bdev).memory(res) } {
            return Some(Self::Memory(base, placed));
        }
        // SAFETY: `bo` is valid and its reservation, which protects `ttm`, is held; `res` is a
        // resource that was allocated for it, so it is valid and of a buffer. All by the function's
        // requirements.
        let (uses_pages, tt) = unsafe { (uses_pages(res), (*bo).ttm) };

        // SAFETY: `tt` isn't null, as was just checked, so it is the `ttm_tt` of the buffer: valid,
        // and its pages are protected by the reservation, which is held.
        if !uses_pages || tt.is_null() || !unsafe { bindings::ttm_tt_is_populated(tt) } {
            return None;
        }
        // SAFETY: `tt` isn't null, so it is valid, and as it is populated, `pages` is set. The
        // reservation, which protects it, is held.
        let pages = unsafe { (*tt).pages };
        // An imported buffer may have no pages that the CPU reaches.
        (!pages.is_null()).then_some(Self::Pages(pages))
    }

    pub(super) fn is_pages(&self) -> bool {
        matches!(self, Self::Pages(_))
    }

    /// Where page `n` is.
    ///
    /// # Safety
    ///
    /// The content must be valid, and have more than `n` pages. Pages must be unmapped in the
    /// reverse order.
    pub(super) unsafe fn map(&self, n: usize) -> *mut u8 {
        match self {
            // CAST: It is the number of a page in memory.
            Self::Memory(base, placed) => {
                base.wrapping_add((placed.page(n as u64) as usize) << PAGE_SHIFT)
            }
            // SAFETY: There are more than `n` pages, which are valid, by the function's
            // requirements, so that `n` is within the array. The caller unmaps the page, in the
            // reverse order.
            Self::Pages(pages) => unsafe { bindings::kmap_local_page(*pages.add(n)) }.cast(),
        }
    }

    /// # Safety
    ///
    /// `page` must be in the page that was mapped last, and that be still mapped.
    pub(super) unsafe fn unmap(&self, page: *mut u8) {
        if self.is_pages() {
            // SAFETY: `page` is in the page that was mapped last, and is still mapped, by the
            // function's requirements.
            unsafe { bindings::kunmap_local(page.cast()) };
        }
    }

    /// Calls `f` with the address of byte `at`.
    ///
    /// # Safety
    ///
    /// The content must be valid, and have more than `at` bytes. `f` may access only the rest of
    /// that page.
    pub(super) unsafe fn with<R>(&self, at: usize, f: impl FnOnce(*mut u8) -> R) -> R {
        // SAFETY: It is valid and has more than `at` bytes, so it has that page, by the function's
        // requirements. It is unmapped below.
        let page = unsafe { self.map(at >> PAGE_SHIFT) };
        let ret = f(page.wrapping_add(at & (PAGE_SIZE - 1)));

        // SAFETY: `page` is the page mapped above. It was mapped last, as `f` has unmapped all that
        // it has mapped.
        unsafe { self.unmap(page) };
        ret
    }
}

/// Splits `range` into parts that cross no end of a page, neither in place nor shifted by `shift`
/// bytes. The shifted range must not begin before 0 or end beyond [`isize::MAX`].
pub(super) fn parts(range: Range<usize>, shift: isize) -> impl Iterator<Item = (usize, usize)> {
    let mut at = range.start;

    core::iter::from_fn(move || {
        let left = |at: usize| PAGE_SIZE - (at & (PAGE_SIZE - 1));
        let n = left(at)
            .min(left(at.wrapping_add_signed(shift)))
            .min(range.end - at);

        let part = (at, n);
        at += n;
        (n != 0).then_some(part)
    })
}
