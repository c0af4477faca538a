// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Reading and writing the content of a reserved buffer.
//!
//! C header: [`include/drm/ttm/ttm_bo.h`](srctree/include/drm/ttm/ttm_bo.h)

use super::{
    bytes::copy,
    reach::for_each_part,
    resource::uses_pages,
    AsBuffer,
    DriverObject,
    Mapping,
    Object,
    OperationCtx,
    Reserved, //
};
use crate::{
    bindings,
    error::to_result,
    prelude::*, //
};

impl<T: DriverObject> Reserved<'_, Object<T>> {
    /// Copies the buffer's content from `offset` bytes on into `to`.
    ///
    /// A [`Job`](super::Job), a [`Mapping`], programs and the device may access it at the same
    /// time: each byte that they write is then read as it was before or after the write.
    ///
    /// # Errors
    ///
    /// [`EINVAL`] if that goes beyond the buffer's end, [`ENXIO`] if the buffer has no place or the
    /// CPU can't reach all of that, [`ENODEV`] if it is in a window of a device that is unplugged,
    /// [`ENOMEM`].
    pub fn read(&mut self, offset: usize, to: &mut [u8]) -> Result {
        let len = to.len();
        self.access(offset, len, |at, memory, n, is_io| {
            let to = to[at..at + n].as_mut_ptr();

            // SAFETY: `access` calls this with a part of `0..len` and as many bytes of memory. That
            // is no part of `to`: a buffer is only accessed through pointers, so there is no slice
            // of it. It may be written to concurrently.
            unsafe {
                if is_io {
                    bindings::memcpy_fromio(to.cast(), memory.cast(), n);
                } else {
                    copy(to, memory, n);
                }
            }
        })
    }

    /// Copies `from` into the buffer, from `offset` bytes on.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub fn write(&mut self, offset: usize, from: &[u8]) -> Result {
        self.access(offset, from.len(), |at, memory, n, is_io| {
            let from = from[at..at + n].as_ptr();

            // SAFETY: `access` calls this with a part of `0..len` and as many bytes of memory. That
            // is no part of `from`: a buffer is only accessed through pointers, so there is no
            // slice of it. It may be accessed concurrently.
            unsafe {
                if is_io {
                    bindings::memcpy_toio(memory.cast(), from.cast(), n);
                } else {
                    copy(memory, from, n);
                }
            }
        })
    }

    /// Pins the buffer, and maps all of it for the kernel.
    ///
    /// `SIZE` bytes are known at compile time: the compiler checks accesses within them. Accesses
    /// beyond them are checked when they are made. See [`Mapping`].
    ///
    /// # Errors
    ///
    /// [`EINVAL`] if it is smaller than `SIZE`, [`ENXIO`] if it has no place, [`ENOTSUPP`] if that
    /// is in the window of a real device or made of [coherent memory](super::Dma::coherent),
    /// [`ENOMEM`]; as [`Self::pin`].
    pub fn vmap<const SIZE: usize>(&mut self) -> Result<Mapping<T, SIZE>> {
        self.check_access(0, SIZE)?;
        self.wait_for_moves();
        // SAFETY: As was just checked, it has a place, and is large enough.
        unsafe { Mapping::new(self) }
    }

    /// Removes the buffer from the page tables of programs that have mapped it.
    ///
    /// Their next access faults, and maps it again. Moves do this themselves.
    pub fn unmap_virtual(&mut self) {
        // SAFETY: By the type invariants the reservation is held, and by those of `Buffer` the
        // buffer is valid.
        unsafe { bindings::ttm_bo_unmap_virtual(self.bo()) };
    }

    /// Whether the CPU can access `offset..offset + len` of the buffer.
    fn check_access(&self, offset: usize, len: usize) -> Result {
        if offset.checked_add(len).ok_or(EINVAL)? > self.buffer().size() {
            return Err(EINVAL);
        }

        let bo = self.bo();
        // SAFETY: By the type invariants of `Buffer` it is valid. Its reservation, which protects
        // `resource` and `ttm`, is held.
        let (res, tt) = unsafe { ((*bo).resource, (*bo).ttm) };
        // SAFETY: It isn't null, as was just checked, so it is the buffer's resource: valid, as the
        // reservation is held.
        if res.is_null() || (tt.is_null() && unsafe { uses_pages(res) }) {
            return Err(ENXIO);
        }

        if self.as_buffer().is_imported() {
            let mut ctx = OperationCtx::new();
            // SAFETY: By the type invariants the reservation is held, and by those of `Buffer` the
            // buffer is valid. The context is valid for the call.
            to_result(unsafe { bindings::ttm_bo_populate(bo, ctx.as_raw()) })?;
            // SAFETY: An imported buffer has a place made of pages, so it has a `ttm_tt`; it was
            // checked above, and is there as long as the reservation is held.
            if unsafe { (*tt).pages }.is_null() {
                return Err(ENXIO);
            }
        }
        Ok(())
    }

    /// Calls `copy(at, memory, n, is_io)` for the parts `at..at + n` of `0..len`, with the memory,
    /// or I/O memory, where these bytes are; `offset` says where the buffer's part begins.
    fn access(
        &mut self,
        offset: usize,
        len: usize,
        copy: impl FnMut(usize, *mut u8, usize, bool),
    ) -> Result {
        self.check_access(offset, len)?;
        self.wait_for_moves();

        // SAFETY: By the type invariants the reservation is held, and by those of `Buffer` the
        // buffer is valid; it has a place, and pages if it needs them, and so many bytes, as was
        // just checked.
        unsafe { for_each_part(self.bo(), offset, len, copy) }
    }
}
