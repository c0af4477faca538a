// SPDX-License-Identifier: GPL-2.0 OR MIT

//! The buffers that a device has imported, which are unmapped when it is unregistered.
//!
//! C header: [`include/linux/dma-buf.h`](srctree/include/linux/dma-buf.h)

use super::raw_device::RawDevice;
use crate::{
    bindings,
    new_mutex,
    prelude::*,
    sync::Mutex, //
};
use core::{
    mem,
    ptr, //
};

/// The buffers that a device has imported, as long as it is registered.
///
/// # Invariants
///
/// Each of `all` is an imported buffer that isn't freed yet, and its attachment. The buffer's
/// scatterlist is the one that is mapped for the attachment.
pub(super) struct Imports {
    all: KVec<(
        *mut bindings::ttm_buffer_object,
        *mut bindings::dma_buf_attachment,
    )>,
    ended: bool,
}

// SAFETY: Buffers and attachments may be used from any thread.
unsafe impl Send for Imports {}

impl Imports {
    // Never inlined: lockdep compares the names of lock classes by their address, and each copy of
    // the code may have a copy of the name.
    #[inline(never)]
    pub(super) fn init() -> impl PinInit<Mutex<Self>> {
        // INVARIANT: `all` is empty.
        new_mutex!(Self {
            all: KVec::new(),
            ended: false,
        })
    }

    /// Adds a buffer, unless the device is unregistered.
    ///
    /// # Errors
    ///
    /// [`ENODEV`] if the device is unregistered; [`ENOMEM`].
    ///
    /// # Safety
    ///
    /// `bo` must be an imported buffer that stays until [`release`], its scatterlist must be the
    /// one that is mapped for `attach`, and stay so until [`release`] or [`Self::end`].
    pub(super) unsafe fn add(
        &mut self,
        bo: *mut bindings::ttm_buffer_object,
        attach: *mut bindings::dma_buf_attachment,
    ) -> Result {
        if self.ended {
            return Err(ENODEV);
        }
        // INVARIANT: By the function's requirements.
        self.all.push((bo, attach), GFP_KERNEL)?;
        Ok(())
    }

    /// Unmaps all imported buffers, and accepts no more, as the device is unregistered.
    pub(super) fn end(&mut self) {
        self.ended = true;
        while let Some((bo, attach)) = self.all.pop() {
            // SAFETY: By the type invariants, they are valid. The buffer's reservation is that of
            // the DMA-buf, which protects the scatterlist. From here on it has none, and gets no
            // pages.
            unsafe {
                let resv = (*bo).base.resv;

                bindings::dma_resv_lock(resv, ptr::null_mut());
                bindings::dma_buf_unmap_attachment(
                    attach,
                    take_sg(bo),
                    bindings::dma_data_direction::DMA_BIDIRECTIONAL,
                );
                bindings::dma_resv_unlock(resv);
            }
        }
    }
}

/// Takes the scatterlist away from an imported buffer, which gets no pages any more.
///
/// # Safety
///
/// `bo` must be valid, and its reservation be held.
pub(super) unsafe fn take_sg(bo: *mut bindings::ttm_buffer_object) -> *mut bindings::sg_table {
    // SAFETY: The buffer is valid, and its reservation, which protects both fields, is held, by the
    // function's requirements.
    unsafe {
        if !(*bo).ttm.is_null() {
            (*(*bo).ttm).sg = ptr::null_mut();
        }
        mem::replace(&mut (*bo).sg, ptr::null_mut())
    }
}

/// Releases the attachment of a buffer, if it was imported.
///
/// # Safety
///
/// `bo` must be a buffer of an object, on the device of `raw`, which TTM doesn't use any more. No
/// reservation must be held.
pub(super) unsafe fn release(raw: &RawDevice, bo: *mut bindings::ttm_buffer_object) {
    // SAFETY: The buffer is valid, by the function's requirements; its type never changes.
    if unsafe { (*bo).type_ } != bindings::ttm_bo_type_ttm_bo_type_sg {
        return;
    }
    let mut imports = raw.imports().lock();
    imports.all.retain(|&mut (other, _)| !ptr::eq(other, bo));
    drop(imports);

    // SAFETY: `bo` is a buffer of an object, which TTM doesn't use any more, by the function's
    // requirements. If it has an attachment, `sg` is the scatterlist that was mapped for it, or
    // null. A buffer whose import failed has no attachment; the DRM core then undoes the rest.
    unsafe {
        let gem = &raw mut (*bo).base;

        if !(*gem).import_attach.is_null() {
            bindings::drm_prime_gem_destroy(gem, (*bo).sg);
        }
    }
}
