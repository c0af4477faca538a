// SPDX-License-Identifier: GPL-2.0 OR MIT

//! Moving a reserved buffer: to a place, out of it, and within its LRU list.
//!
//! C headers: [`include/drm/ttm/ttm_bo.h`](srctree/include/drm/ttm/ttm_bo.h),
//! [`include/drm/ttm/ttm_placement.h`](srctree/include/drm/ttm/ttm_placement.h)

use super::{
    prime,
    AsBuffer,
    DriverObject,
    Object,
    OperationCtx,
    Placement,
    Reserved, //
};
use crate::{
    bindings,
    error::to_result,
    prelude::*, //
};

impl<B: AsBuffer> Reserved<'_, B> {
    /// Moves the buffer where [`Driver::evict_flags`](super::Driver::evict_flags) says.
    ///
    /// May sleep. A buffer that is already in one of these places stays there.
    ///
    /// # Errors
    ///
    /// [`EBUSY`] if the buffer is pinned or isn't alive; errors of [`Reserved::validate`].
    pub fn evict(&mut self, ctx: &mut OperationCtx) -> Result {
        let bo = self.bo();

        // SAFETY: By the type invariants of `Buffer` it is valid. Its reservation, which protects
        // `pin_count`, is held. `deleted` is only set when there is no reference.
        let busy = unsafe { (*bo).deleted || (*bo).pin_count != 0 };
        if busy || self.as_buffer().is_ghost() {
            return Err(EBUSY);
        }
        let from = self.mem_type();
        if from.is_none() {
            return Ok(());
        }

        let places = self.as_buffer().eviction_places(from);
        let mut placement = bindings::ttm_placement {
            num_placement: u32::try_from(places.len())?,
            // CAST: `Place` is transparent.
            placement: places.as_ptr().cast(),
        };

        self.noting(ctx, |ctx| {
            // SAFETY: By the type invariants the reservation is held, and by those of `Buffer` the
            // buffer is valid. The placement and the context are valid for the call.
            to_result(unsafe { bindings::ttm_bo_validate(bo, &mut placement, ctx) })
        })
    }
}

impl<T: DriverObject> Reserved<'_, Object<T>> {
    /// Moves the buffer to one of the places of `placement`, if it isn't in one.
    ///
    /// May sleep, and may evict other buffers, but not those whose reservation is taken. For these,
    /// see [`Transaction::validate`](super::Transaction::validate).
    ///
    /// # Errors
    ///
    /// [`ENOSPC`] if there is no room and none could be made, [`EINVAL`] if the buffer is pinned
    /// and would have to move, or is imported and not all places are made of pages, [`ENOMEM`];
    /// [`EBUSY`] with a context that doesn't wait for the GPU; [`ERESTARTSYS`] with an
    /// interruptible context.
    pub fn validate(&mut self, placement: Placement<'_>, ctx: &mut OperationCtx) -> Result {
        self.noting(ctx, |ctx| {
            // SAFETY: The context is valid for the call.
            unsafe { self.validate_raw(placement, ctx) }
        })
    }

    /// As [`Self::validate`], but may return [`EDEADLK`] if `ctx` notes contention.
    ///
    /// # Safety
    ///
    /// `ctx` must be valid.
    pub(super) unsafe fn validate_raw(
        &self,
        placement: Placement<'_>,
        ctx: *mut bindings::ttm_operation_ctx,
    ) -> Result {
        let mut placement = placement.as_raw();

        // SAFETY: The device is initialized, and the placement valid for the call.
        let is_of_pages = unsafe { prime::is_of_pages((*self.bo()).bdev, &placement) };
        if self.buffer().is_imported() && !is_of_pages {
            return Err(EINVAL);
        }

        // SAFETY: By the type invariants the reservation is held, and by those of `Buffer` the
        // buffer is valid. The placement is valid for the call, and so is the context, by the
        // function's requirements.
        to_result(unsafe { bindings::ttm_bo_validate(self.bo(), &mut placement, ctx) })
    }

    /// Populates the buffer, if its memory type is made of pages.
    ///
    /// System memory gets its pages only when they are needed.
    ///
    /// # Errors
    ///
    /// [`ENXIO`] if the buffer has no place; [`EFAULT`] if the device can't reach a page that it
    /// got, see [`Dma::mapped`](super::Dma::mapped); [`ENODEV`] if the device had [coherent
    /// memory](super::Dma::coherent) and was unbound; [`ENOMEM`]; [`ERESTARTSYS`] with an
    /// interruptible context.
    ///
    /// # Examples
    ///
    /// ```
    /// use kernel::drm::ttm::{test_device, OperationCtx};
    ///
    /// let dev = test_device::Device::new()?;
    /// let obj = dev.system(0x4000)?;
    /// let mut reserved = obj.reserve();
    ///
    /// assert!(!reserved.is_populated());
    /// reserved.populate(&mut OperationCtx::new())?;
    /// assert!(reserved.is_populated());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn populate(&mut self, ctx: &mut OperationCtx) -> Result {
        // A buffer that is on no list would keep its pages mapped when the device is unbound.
        if self.mem_type().is_none() {
            return Err(ENXIO);
        }
        // SAFETY: By the type invariants the reservation is held, and by those of `Buffer` the
        // buffer is valid. The context is valid for the call.
        to_result(unsafe { bindings::ttm_bo_populate(self.bo(), ctx.as_raw()) })
    }

    /// Marks the buffer as just used: it goes to its LRU list's tail, or that of its bulk's range.
    ///
    /// Takes the LRU lock.
    pub fn move_to_lru_tail(&mut self) {
        let _lru = self.buffer().device().lru();

        // SAFETY: By the type invariants the reservation is held, and by those of `Buffer` the
        // buffer is valid; its device's LRU lock was just taken.
        unsafe { bindings::ttm_bo_move_to_lru_tail(self.bo()) };
    }
}
