// SPDX-License-Identifier: GPL-2.0 OR MIT

//! DMA-bufs: references to them, their reservation, and their memory for the CPU.
//!
//! C header: [`include/linux/dma-buf.h`](srctree/include/linux/dma-buf.h)

use crate::{
    alloc::KVVec,
    bindings,
    error::to_result,
    page::PAGE_SHIFT,
    prelude::*, //
};
use core::ptr::{
    self,
    NonNull, //
};

/// A reference to a DMA-buf.
///
/// # Invariants
///
/// It is valid, and owns a reference.
pub(super) struct DmaBuf(NonNull<bindings::dma_buf>);

// SAFETY: DMA-bufs may be used and released from any thread.
unsafe impl Send for DmaBuf {}

// SAFETY: All that a shared reference gives access to is constant, or has locks of its own.
unsafe impl Sync for DmaBuf {}

impl DmaBuf {
    /// Takes a reference.
    ///
    /// # Safety
    ///
    /// `dma_buf` must be valid.
    pub(super) unsafe fn get(dma_buf: NonNull<bindings::dma_buf>) -> Self {
        // SAFETY: `dma_buf` is valid, by the function's requirements, so it has a reference that
        // keeps it during the call.
        unsafe { bindings::get_dma_buf(dma_buf.as_ptr()) };
        // INVARIANT: Just taken.
        Self(dma_buf)
    }

    pub(super) fn as_raw(&self) -> *mut bindings::dma_buf {
        self.0.as_ptr()
    }

    /// The reservation. It lasts as long as the DMA-buf.
    pub(super) fn resv(&self) -> *mut bindings::dma_resv {
        // SAFETY: By the type invariants the DMA-buf is valid. Its reservation is set when it is
        // made, and never changes.
        unsafe { (*self.as_raw()).resv }
    }

    /// Maps all of it for the kernel.
    ///
    /// # Safety
    ///
    /// The reservation must be held, and `map` be valid for writes.
    pub(super) unsafe fn vmap(&self, map: *mut bindings::iosys_map) -> Result {
        // SAFETY: By the type invariants the DMA-buf is valid. Its reservation is held, and `map`
        // is valid for writes, by the function's requirements.
        to_result(unsafe { bindings::dma_buf_vmap(self.as_raw(), map) })
    }

    /// # Safety
    ///
    /// The reservation must be held, and `map` be from [`Self::vmap`].
    pub(super) unsafe fn vunmap(&self, map: *mut bindings::iosys_map) {
        // SAFETY: By the type invariants the DMA-buf is valid. Its reservation is held, and it is
        // mapped there, by the function's requirements.
        unsafe { bindings::dma_buf_vunmap(self.as_raw(), map) };
    }

    /// Bytes.
    pub(super) fn size(&self) -> usize {
        // SAFETY: By the type invariants the DMA-buf is valid. Its size is set when it is made, and
        // never changes.
        unsafe { (*self.as_raw()).size }
    }
}

impl Clone for DmaBuf {
    fn clone(&self) -> Self {
        // SAFETY: By the type invariants the DMA-buf is valid.
        unsafe { Self::get(self.0) }
    }
}

impl Drop for DmaBuf {
    fn drop(&mut self) {
        // SAFETY: By the type invariants the reference belongs to this, and it isn't used again:
        // this is `drop`.
        unsafe { bindings::dma_buf_put(self.as_raw()) };
    }
}

/// A guard of the reservation of a DMA-buf.
///
/// # Invariants
///
/// The current thread holds the reservation, and this gives it back.
pub(super) struct Locked<'a>(&'a DmaBuf);

impl<'a> Locked<'a> {
    pub(super) fn new(dma_buf: &'a DmaBuf) -> Self {
        // Without an acquire context, this doesn't fail.
        // SAFETY: By the type invariants of `DmaBuf` it is valid, and so is its reservation, for as
        // long as it is borrowed.
        unsafe { bindings::dma_resv_lock(dma_buf.resv(), ptr::null_mut()) };
        // INVARIANT: Just taken.
        Self(dma_buf)
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        // SAFETY: By the type invariants the current thread holds the reservation, and it is given
        // back once: this is `drop`.
        unsafe { bindings::dma_resv_unlock(self.0.resv()) };
    }
}

/// The memory of a DMA-buf, mapped for the kernel, and the pages that it is made of.
///
/// The pages are looked up in this mapping, as exporters need not put them into the scatterlist.
/// They stay as long as they are mapped.
///
/// # Invariants
///
/// `map` is the result of `dma_buf_vmap` for `dma_buf`, which is valid. As long as it is mapped, it
/// maps `pages`.
pub(super) struct MappedPages {
    dma_buf: *mut bindings::dma_buf,
    map: bindings::iosys_map,
    pages: KVVec<*mut bindings::page>,
}

impl MappedPages {
    /// Maps the first `count` pages of `dma_buf`. Returns [`None`] if they have no `struct page`,
    /// or can't be mapped.
    ///
    /// # Safety
    ///
    /// `dma_buf` must be valid until [`Self::unmap`], and have that many pages; its reservation
    /// must be held.
    pub(super) unsafe fn new(dma_buf: *mut bindings::dma_buf, count: usize) -> Option<Self> {
        let mut pages = KVVec::with_capacity(count, GFP_KERNEL).ok()?;
        let mut map = bindings::iosys_map::default();

        // SAFETY: `dma_buf` is valid, by the function's requirements, and `map` is memory for a
        // mapping.
        to_result(unsafe { bindings::dma_buf_vmap(dma_buf, &mut map) }).ok()?;
        for n in 0..count {
            // SAFETY: There are that many pages, by the function's requirements, and all of them
            // were just mapped at `map`.
            match unsafe { page(&map, n) } {
                Some(page) => {
                    // There is room.
                    let _ = pages.push_within_capacity(page);
                }
                None => {
                    // SAFETY: Just mapped, for this; the reservation is still held.
                    unsafe { bindings::dma_buf_vunmap(dma_buf, &mut map) };
                    return None;
                }
            }
        }

        // INVARIANT: Just mapped, and these are the pages.
        Some(Self {
            dma_buf,
            map,
            pages,
        })
    }

    /// The pages, as an array that lasts as long as `self`, and that must not be written to.
    pub(super) fn as_ptr(&self) -> *mut *mut bindings::page {
        self.pages.as_ptr().cast_mut()
    }

    /// Unmaps the pages.
    ///
    /// # Safety
    ///
    /// The reservation of the DMA-buf must be held, and the pages not be used any more.
    pub(super) unsafe fn unmap(mut self) {
        // SAFETY: By the type invariants `map` is the mapping of `dma_buf`, which is valid. Its
        // reservation is held, and the pages are no longer used, by the function's requirements.
        unsafe { bindings::dma_buf_vunmap(self.dma_buf, &mut self.map) };
    }
}

/// The `struct page` of page `n` of the mapping `map`, if it has one.
///
/// # Safety
///
/// More than `n` pages must be mapped at `map`.
unsafe fn page(map: &bindings::iosys_map, n: usize) -> Option<*mut bindings::page> {
    if map.is_iomem {
        return None;
    }
    // SAFETY: All variants are an address.
    let addr = unsafe { map.__bindgen_anon_1.vaddr }.wrapping_byte_add(n << PAGE_SHIFT);

    // SAFETY: By the function's requirements page `n` is mapped at `addr`. `vmalloc_to_pfn` gets a
    // vmalloc address, and `pfn_to_page` and `virt_to_page` get a page that has a `struct page`, as
    // was checked.
    unsafe {
        if bindings::is_vmalloc_addr(addr) {
            let pfn = bindings::vmalloc_to_pfn(addr);

            return bindings::pfn_valid(pfn).then(|| bindings::pfn_to_page(pfn));
        }
        bindings::virt_addr_valid(addr).then(|| bindings::virt_to_page(addr))
    }
}
